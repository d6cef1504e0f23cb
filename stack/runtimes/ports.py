"""Ports: where each component listens; free ones of loopback, unless the user fixed one."""

import random
import socket
from collections.abc import Iterable, Mapping

from stack.errors import StackError

HOST = "127.0.0.1"

_RANGE = range(20_000, 32_000)
"""Below the range from which Linux takes ports for outgoing connections, which could otherwise be taken in between."""


def is_free(port: int) -> bool:
    """Whether something could listen on this port of loopback now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def allocate(names: Iterable[str], fixed: Mapping[str, int] | None = None) -> dict[str, str]:
    """
    Give each `component.port` a host:port of its own.

    Raises StackError when a fixed name is unknown or its port is taken, or when no free port is left.
    """
    names, fixed = list(names), fixed or {}
    for name, port in fixed.items():
        if name not in names:
            raise StackError(f"--port {name}={port}: no such port; known: {', '.join(sorted(names))}")
        if not is_free(port):
            raise StackError(f"--port {name}={port}: the port is taken; free it, or leave the choice to tocsin")
    chosen: set[int] = set(fixed.values())
    addresses = {name: f"{HOST}:{port}" for name, port in fixed.items()}
    candidates = iter(random.sample(_RANGE, len(_RANGE)))
    for name in names:
        if name in addresses:
            continue
        free = next((port for port in candidates if port not in chosen and is_free(port)), None)
        if free is None:
            raise StackError(f"no free port between {_RANGE.start} and {_RANGE.stop} for {name}")
        chosen.add(free)
        addresses[name] = f"{HOST}:{free}"
    return addresses
