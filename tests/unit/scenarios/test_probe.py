"""Probe: what a connection of one's own tells about a link, against real sockets."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from scenarios.probe import Probe, probe

PATIENT_S = 30.0


@contextmanager
def served(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """Somebody who treats one connection in a certain way; gives the address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            connection, _ = listener.accept()
            with connection:
                serve(connection)

        thread = threading.Thread(target=run)
        thread.start()
        host, port = listener.getsockname()
        yield f"{host}:{port}"
        thread.join()


def test_an_answer_and_a_close_is_an_end() -> None:
    """After what was sent was read; whatever the answer is."""
    heard: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        while not b"".join(heard).endswith(b"\r\n\r\n"):
            heard.append(connection.recv(65_536))
        connection.sendall(b"HTTP/1.1 404 Not Found\r\n\r\n")

    with served(answer) as place:
        seen = probe(place, within_s=PATIENT_S, size=3_000)

    assert seen.ending == "answered"
    assert len(b"".join(heard)) == 3_000
    assert b"Connection: close\r\n" in b"".join(heard)


def test_a_close_without_a_byte_is_told_apart_from_an_answer() -> None:
    """As by a proxy that finds nobody behind it."""

    def close(connection: socket.socket) -> None:
        heard = b""
        while not heard.endswith(b"\r\n\r\n"):
            heard += connection.recv(65_536)

    with served(close) as place:
        assert probe(place, within_s=PATIENT_S).ending == "closed"


def test_a_torn_connection_is_a_reset() -> None:
    """As one whose other side is gone without a word."""

    def tear(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with served(tear) as place:
        assert probe(place, within_s=PATIENT_S).ending == "reset"


def test_nothing_at_all_is_silence_for_as_long_as_was_waited() -> None:
    """Bytes that come in between make no difference: only the end counts."""
    over = threading.Event()

    def say_nothing_more(connection: socket.socket) -> None:
        connection.sendall(b"x")
        over.wait(PATIENT_S)

    with served(say_nothing_more) as place:
        seen = probe(place, within_s=0.1)
        over.set()

    assert seen.ending == "silent"
    assert seen.after_s >= 0.1


def test_nobody_at_home_is_a_refusal() -> None:
    """Nobody listens there any more."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    assert probe(f"127.0.0.1:{port}", within_s=PATIENT_S).ending == "refused"


def test_it_is_told_in_words() -> None:
    """Records and errors hold these."""
    assert str(Probe(ending="silent", after_s=1.0)) == "got no answer after 1.00 s"
    assert str(Probe(ending="answered", after_s=0.504)) == "came back after 0.50 s"
