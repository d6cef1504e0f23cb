"""One role as a WSGI application: its routes, its probes, its telemetry and its faults."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, request
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.trace import Span

from demo_app import catalog, errors, frontend, users
from demo_app.database import Database
from demo_app.faults import requests
from demo_app.faults.api import Places
from demo_app.faults.leases import Leases
from demo_app.metrics import ShopMetrics
from demo_app.settings import Settings
from demo_app.telemetry import Telemetry
from demo_app.upstream import Upstream, connect

PROBES = r"^https?://[^/]+/(health|ready)([?]|$)"
"""URLs that leave no telemetry, so that what is counted is what clients asked for."""

METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"))

Check = Callable[[], str | None]
"""Why something is not ready, None if it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the application is put together from."""

    settings: Settings
    telemetry: Telemetry
    metrics: ShopMetrics
    leases: Leases
    database: Path


def create_app(parts: Parts) -> tuple[Flask, Places]:
    """The WSGI application of one role, and the places where faults can hit it."""
    app = Flask("demo_app")
    # The default sorts the keys of every answer, which costs and shows nothing.
    app.json.sort_keys = False  # type: ignore[attr-defined]
    errors.install(app)
    FlaskInstrumentor.instrument_app(  # type: ignore[no-untyped-call]
        app,
        tracer_provider=parts.telemetry.traces,
        meter_provider=parts.telemetry.metrics,
        excluded_urls=PROBES,
        request_hook=_name_unrouted,
        response_hook=_correct_address,
        enable_commenter=False,
    )
    requests.install(app, parts.leases)
    checks = _add_role(app, parts)
    _add_probes(app, parts.settings.role, checks)
    return app, Places(
        role=parts.settings.role,
        routes=requests.api_routes(app),
        upstreams=sorted(parts.settings.upstreams),
        has_database=parts.settings.role != "frontend",
    )


def _add_role(app: Flask, parts: Parts) -> list[Check]:
    """Add the role's own routes; gives what must hold for it to be ready."""
    tracer = parts.telemetry.tracer
    if parts.settings.role == "frontend":
        upstreams = {name: _upstream(name, parts) for name in parts.settings.upstreams}
        app.register_blueprint(frontend.routes(upstreams["catalog"], upstreams["users"], tracer, parts.metrics))
        return [upstream.check for upstream in upstreams.values()]
    role = catalog if parts.settings.role == "catalog" else users
    database = Database(parts.database, parts.settings.role, parts.telemetry, parts.leases)
    database.create(role.SCHEMA)
    app.register_blueprint(role.routes(database, tracer))
    return [database.check]


def _upstream(name: str, parts: Parts) -> Upstream:
    settings = parts.settings
    pool = connect(
        name,
        settings.upstreams[name],
        timeout_s=settings.upstream_timeout_s,
        connections=settings.threads,
        leases=parts.leases,
    )
    return Upstream(name, pool, leases=parts.leases, metrics=parts.metrics)


def _add_probes(app: Flask, role: str, checks: list[Check]) -> None:
    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok", "role": role}

    @app.get("/ready")
    def ready() -> tuple[dict[str, object], int]:
        reasons = [reason for reason in (check() for check in checks) if reason]
        return {"ready": not reasons, "role": role, "reasons": reasons}, 503 if reasons else 200


def _name_unrouted(span: Span, _: object) -> None:
    """Name the span of a request that no route takes by its method alone: paths are endless, span names must not be."""
    if request.url_rule is None:
        span.update_name(request.method if request.method in METHODS else "HTTP")


def _correct_address(span: Span, *_: object) -> None:
    """Tell the server's address without its port, which the instrumentation leaves on."""
    address = urlsplit(f"//{request.host}").hostname
    if address is not None:
        span.set_attribute("server.address", address)
