"""The running process: one HTTP server, and the stand-in's work beside it on the same loop."""

import asyncio
import logging
import signal
import socket

import uvicorn

from stack.standins.grafana.alerting.measure import VERSION
from stack.standins.grafana.api.application import application
from stack.standins.grafana.settings import Settings
from stack.standins.grafana.standin import Standin

GRACE_S = 2
log = logging.getLogger("grafana")


def serve(settings: Settings) -> None:
    """
    Serve until SIGTERM or SIGINT; OSError when the port is taken, ProvisioningError for a bad file.
    """
    standin = Standin(settings)
    listener = _listen(settings.host, settings.port)
    asyncio.run(_run(standin, listener))


async def _run(standin: Standin, listener: socket.socket) -> None:
    config = uvicorn.Config(
        application(standin),
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    server = uvicorn.Server(config)

    def stop(*_: object) -> None:
        server.should_exit = True

    # For a signal before uvicorn looks at them, and for the one with which it ended: it raises that once more.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    await standin.start()
    host, port = listener.getsockname()[:2]
    count = len(standin.warnings)
    log.info('msg="Grafana stand-in started" version=%s http=%s:%d warnings=%d', VERSION, host, port, count)
    try:
        await server.serve([listener])
    finally:
        await standin.stop()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise OSError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return listener
