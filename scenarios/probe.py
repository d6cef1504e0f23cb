"""Probe: one connection of our own over a link, to see with our own eyes what becomes of it.

It asks in HTTP and begs for the connection to be closed. Who speaks HTTP answers and closes; who speaks another protocol
closes because it does not understand. So the time until the end is one way there and back, whoever is at the other side.
"""

import socket
import time
from dataclasses import dataclass
from typing import Literal

Ending = Literal["refused", "reset", "closed", "answered", "silent"]
"""How it went: no connection, one that was torn, one that was closed without or after an answer, or nothing at all."""

SAID: dict[Ending, str] = {
    "refused": "was refused",
    "reset": "was reset",
    "closed": "was closed without an answer",
    "answered": "came back",
    "silent": "got no answer",
}
"""The same in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What became of one connection, and after how many seconds."""

    ending: Ending
    after_s: float

    def __str__(self) -> str:
        return f"{SAID[self.ending]} after {self.after_s:.2f} s"


def probe(place: str, *, within_s: float, size: int = 64) -> Probe:
    """
    Connect to `host:port`, send about `size` bytes, and wait for the end of the connection, `within_s` seconds at most.
    """
    host, _, port = place.rpartition(":")
    began = time.monotonic()
    ending = _ending((host, int(port)), began + within_s, _greeting(size))
    return Probe(ending=ending, after_s=time.monotonic() - began)


def _ending(place: tuple[str, int], deadline: float, greeting: bytes) -> Ending:
    try:
        connection = socket.create_connection(place, timeout=max(0.01, deadline - time.monotonic()))
    except TimeoutError:
        return "silent"
    except OSError:
        return "refused"
    heard = False
    with connection:
        try:
            connection.sendall(greeting)
            while time.monotonic() < deadline:
                connection.settimeout(max(0.01, deadline - time.monotonic()))
                if not connection.recv(65_536):
                    return "answered" if heard else "closed"
                heard = True
        except TimeoutError:
            return "silent"
        except OSError:
            return "reset"
    return "silent"


def _greeting(size: int) -> bytes:
    head = b"GET / HTTP/1.1\r\nHost: probe\r\nConnection: close\r\nX-Fill: "
    return head + b"x" * max(0, size - len(head) - 4) + b"\r\n\r\n"
