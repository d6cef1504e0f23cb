"""The process: the service and its HTTP side in one event loop, with signals."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from detector.api import Api
from detector.config import Config
from detector.config_file import ConfigError, load
from detector.service import Service

log = logging.getLogger(__name__)


class _Http(uvicorn.Server):
    """A server that leaves the signals to us, since the state has to be written after it has stopped."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


class Server:
    """Runs until SIGINT or SIGTERM; SIGHUP reads the configuration again."""

    def __init__(self, path: Path, config: Config) -> None:
        self.path = path
        self.service = Service(config)
        self._reloads: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Start, serve, stop."""
        listener = bound(self.service.config.listen)
        host, port = listener.getsockname()[:2]
        app = Api(self.service, self.reload).app()
        http = _Http(
            uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=2)
        )
        await self.service.start()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self._on_hangup)
        for ending in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(ending, setattr, http, "should_exit", True)
        log.info("listening on http://%s:%d", host, port)
        try:
            await http.serve(sockets=[listener])
        finally:
            await self.service.stop()
            listener.close()

    async def reload(self) -> None:
        """Read the file again; a bad one raises ConfigError and changes nothing."""
        gauge = self.service.telemetry.reload
        try:
            config = load(self.path)
            if config.listen != self.service.config.listen:
                raise ConfigError(f"{self.path}: listen cannot change while running; restart the detector")
        except ConfigError as error:
            gauge.set(0)
            log.error("the old configuration stays: %s", error)
            raise
        await self.service.reload(config)
        gauge.set(1)
        log.info("took over %s", self.path)

    def _on_hangup(self) -> None:
        task = asyncio.create_task(self._reload_quietly())
        self._reloads.add(task)
        task.add_done_callback(self._reloads.discard)

    async def _reload_quietly(self) -> None:
        try:
            await self.reload()
        except ConfigError:
            return


def bound(address: tuple[str, int]) -> socket.socket:
    """A listening socket; raises ConfigError where the address cannot be had."""
    host, port = address
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise ConfigError(f"listen: {host}:{port} cannot be had: {error.strerror}; choose another port") from None
    return listener
