"""A WSGI server on a port of its own, that stops without dropping what it has begun."""

import threading
import time
from typing import Any
from wsgiref.types import WSGIApplication

from waitress import wasyncore
from waitress.server import create_server

CONNECTION_LIMIT = 1000
BODY_LIMIT = 1024 * 1024
TURN_S = 0.05
CLOSE_S = 0.1


class ListenError(RuntimeError):
    """The address cannot be listened on: which, and why."""


class Server:
    """Serves one application with its own threads; a hung one does not concern another Server."""

    def __init__(self, application: WSGIApplication, host: str, port: int, threads: int) -> None:
        """Listen at once, so that a taken port is known before anything else is started."""
        self._sockets: dict[int, Any] = {}
        self._stopping = threading.Event()
        try:
            self._server = create_server(
                application,
                map=self._sockets,
                host=host,
                port=port,
                threads=threads,
                ident=None,
                connection_limit=CONNECTION_LIMIT,
                max_request_body_size=BODY_LIMIT,
                asyncore_use_poll=True,
                clear_untrusted_proxy_headers=True,
            )
        except (OSError, ValueError) as error:
            wasyncore.close_all(self._sockets, ignore_all=True)
            raise ListenError(f"cannot listen on {host}:{port}: {error}") from error

    @property
    def address(self) -> str:
        """Where it listens, as host:port."""
        return f"{self._server.effective_host}:{self._server.effective_port}"

    def waiting(self) -> int:
        """Requests that wait for a free thread."""
        return len(self._server.task_dispatcher.queue)

    def serve(self) -> None:
        """Serve until `stop` is called, from another thread or a signal handler."""
        while not self._stopping.is_set():
            wasyncore.loop(timeout=30.0, use_poll=True, map=self._sockets, count=1)

    def stop(self) -> None:
        """Let `serve` return; a second call changes nothing."""
        if not self._stopping.is_set():
            self._stopping.set()
            self._server.pull_trigger()

    def drain(self, within_s: float) -> bool:
        """Take no new connection, finish the requests that have begun; False if some took longer than `within_s`."""
        self._server.del_channel()
        self._server.socket.close()
        deadline = time.monotonic() + within_s
        while self._busy() and time.monotonic() < deadline:
            wasyncore.loop(timeout=TURN_S, use_poll=True, map=self._sockets, count=1)
        return not self._busy()

    def close(self) -> None:
        """Close what is still open, after `serve` has returned; requests that have not finished are cut off."""
        self._server.task_dispatcher.shutdown(timeout=CLOSE_S)
        wasyncore.close_all(self._sockets, ignore_all=True)

    def _busy(self) -> bool:
        busy = False
        for channel in list(self._server.active_channels.values()):
            if channel.requests or channel.total_outbufs_len:
                busy = True
            else:
                # An idle connection would be used again, by a client that cannot know.
                channel.will_close = True
        return busy
