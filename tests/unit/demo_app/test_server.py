"""The server: it serves, it stops, and it finishes what it has begun."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from demo_app.server import ListenError, Server


class Slow:
    """An application that answers only when told."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.proceed = threading.Event()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/slow":
            self.entered.set()
            self.proceed.wait(10)
        start_response("200 OK", [("Content-Length", "5")])
        return [b"hello"]


class Running:
    """A server in a thread, and connections to it."""

    def __init__(self, application: Any) -> None:
        self.server = Server(application, "127.0.0.1", 0, 2)
        self._connections: list[http.client.HTTPConnection] = []
        self._thread = threading.Thread(target=self.server.serve, daemon=True)
        self._thread.start()

    def connect(self) -> http.client.HTTPConnection:
        self._connections.append(http.client.HTTPConnection(self.server.address, timeout=10))
        return self._connections[-1]

    def stop(self) -> None:
        self.server.stop()
        self._thread.join(10)
        assert not self._thread.is_alive()

    def close(self) -> None:
        self.stop()
        self.server.close()
        for connection in self._connections:
            connection.close()


@pytest.fixture
def slow() -> Slow:
    """An application that answers /slow only when told."""
    return Slow()


@pytest.fixture
def running(slow: Slow) -> Iterator[Running]:
    """That application, served by two threads."""
    running = Running(slow)
    yield running
    slow.proceed.set()
    running.close()


def test_a_request_that_has_begun_is_finished(slow: Slow, running: Running) -> None:
    """
    Being told to stop cuts off nobody who is being served.
    """
    connection = running.connect()
    connection.request("GET", "/slow")
    assert slow.entered.wait(10)

    running.stop()
    threading.Timer(0.1, slow.proceed.set).start()

    assert running.server.drain(within_s=10)
    assert connection.getresponse().read() == b"hello"


def test_nobody_new_is_served_while_draining(running: Running) -> None:
    """
    A new connection is refused, an idle one is closed, so that clients go elsewhere.
    """
    idle = running.connect()
    idle.request("GET", "/")
    assert idle.getresponse().read() == b"hello"

    running.stop()
    assert running.server.drain(within_s=10)
    running.server.close()

    with pytest.raises(ConnectionRefusedError):
        running.connect().request("GET", "/")
    assert idle.sock.recv(1) == b""


def test_a_request_that_takes_too_long_is_given_up(slow: Slow, running: Running) -> None:
    """
    Draining has an end, and says that it was not whole.
    """
    connection = running.connect()
    connection.request("GET", "/slow")
    assert slow.entered.wait(10)
    running.stop()

    assert not running.server.drain(within_s=0.1)


def test_a_taken_port_is_named(slow: Slow, running: Running) -> None:
    """
    The error says which address, and the system's reason.
    """
    port = int(running.server.address.rpartition(":")[2])

    with pytest.raises(ListenError, match=rf"cannot listen on 127\.0\.0\.1:{port}: .*Address already in use"):
        Server(slow, "127.0.0.1", port, 1)


def test_waiting_requests_are_counted(slow: Slow, running: Running) -> None:
    """
    With every thread taken, further requests show as waiting: the app's saturation.
    """
    connections = [running.connect() for _ in range(5)]
    for connection in connections:
        connection.request("GET", "/slow")
    ready = threading.Event()
    for _ in range(1000):
        if running.server.waiting() == 3:
            ready.set()
            break
        ready.wait(0.01)

    assert ready.is_set()
    slow.proceed.set()
    assert [connection.getresponse().status for connection in connections] == [200] * 5
    assert running.server.waiting() == 0
