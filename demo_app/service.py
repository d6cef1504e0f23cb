"""One process: telemetry, application, fault API and server put together, and taken down in order."""

import logging
import signal
import tempfile
import threading
from collections.abc import MutableMapping
from contextlib import ExitStack
from pathlib import Path

from demo_app import logs, telemetry
from demo_app.app import Parts, create_app
from demo_app.database import DatabaseError
from demo_app.faults.api import Places, create_fault_api
from demo_app.faults.background import Background
from demo_app.faults.kinds import TelemetrySilent
from demo_app.faults.leases import Leases
from demo_app.metrics import ShopMetrics, observe_process
from demo_app.server import ListenError, Server
from demo_app.settings import OTEL_DEFAULTS, FaultSettings, Settings

log = logging.getLogger(__name__)

DRAIN_S = 1.0
"""How long requests may take to finish once the process is told to stop."""

FLUSH_S = 1.5
"""How long the last export may take: a collector that is away must not keep the process."""

FAULT_API_THREADS = 2


def apply_defaults(settings: Settings, environ: MutableMapping[str, str]) -> None:
    """Complete the environment that the OpenTelemetry SDK will read."""
    for name, value in OTEL_DEFAULTS.items():
        environ.setdefault(name, value)
    if "service.name=" not in environ.get("OTEL_RESOURCE_ATTRIBUTES", ""):
        environ.setdefault("OTEL_SERVICE_NAME", settings.role)


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; then finish, flush and return.

    Raises ListenError if a port cannot be had, DatabaseError if the file cannot be used.
    """
    leases = Leases()
    signals = telemetry.from_environment(lambda signal_name: any(leases.strikes(TelemetrySilent, signal_name)))
    logs.install(signals.logs)
    with ExitStack() as closing:
        closing.callback(_flush, signals)
        closing.callback(leases.clear)
        metrics = ShopMetrics(signals.meter)
        database = settings.database or Path(closing.enter_context(tempfile.TemporaryDirectory())) / "shop.sqlite"
        signals.instrument_clients()
        parts = Parts(settings=settings, telemetry=signals, metrics=metrics, leases=leases, database=database)
        app, places = create_app(parts)
        server = Server(app, settings.host, settings.port, settings.threads)
        observe_process(signals.meter, server.waiting)
        if settings.faults is not None:
            _serve_faults(settings.faults, leases, places, Background(leases, metrics.add_cart))
        _serve(server, settings, leases)


def _serve(server: Server, settings: Settings, leases: Leases) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())
    log.info("listening", extra={"role": settings.role, "address": server.address})
    server.serve()
    # Requests that a fault holds could not finish.
    leases.clear()
    if not server.drain(DRAIN_S):
        log.warning("requests were cut off: they took longer than %s s to finish", DRAIN_S)
    server.close()


def _serve_faults(settings: FaultSettings, leases: Leases, places: Places, background: Background) -> None:
    api = create_fault_api(settings.token, leases, places, background)
    server = Server(api, settings.host, settings.port, FAULT_API_THREADS)
    threading.Thread(target=server.serve, name="fault-api", daemon=True).start()
    log.info("fault API is listening", extra={"address": server.address})


def _flush(signals: telemetry.Telemetry) -> None:
    if not signals.shutdown(FLUSH_S):
        log.warning("telemetry was cut off: the last export took longer than %s s", FLUSH_S)


__all__ = ["DatabaseError", "ListenError", "apply_defaults", "run"]
