"""Ports: where each component listens; free ones of loopback, unless the user fixed one."""

import random
import socket
from collections.abc import Collection, Iterable, Iterator, Mapping

from filelock import FileLock

from stack.errors import StackError
from stack.runtimes.roster import Roster, state_dir

HOST = "127.0.0.1"

_RANGE = range(20_000, 32_000)
"""Below the range from which Linux takes ports for outgoing connections, which could otherwise be taken in between."""


_FILE = "ports.json"


def is_free(port: int) -> bool:
    """Whether something could listen on this port of loopback now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def allocate(names: Iterable[str], *, roster: Roster, fixed: Mapping[str, int] | None = None) -> dict[str, str]:
    """
    Give each `component.port` a host:port of its own, and write it into the roster: it stays taken as long as that exists.

    Raises StackError when a fixed name is unknown or its port is taken, or when no free port is left.
    """
    names, fixed = list(names), fixed or {}
    with FileLock(state_dir() / "ports.lock"):
        taken = {place.rpartition(":")[2] for other in Roster.all() for place in other.read(_FILE).values()}
        for name, port in fixed.items():
            if name not in names:
                raise StackError(f"--port {name}={port}: no such port; known: {', '.join(sorted(names))}")
            if str(port) in taken or not is_free(port):
                raise StackError(f"--port {name}={port}: the port is taken; free it, or leave the choice to tocsin")
        ports = dict(fixed)
        # Two stacks that start at the same time have not bound their ports yet, so being free is not enough.
        candidates = (port for port in random.sample(_RANGE, len(_RANGE)) if str(port) not in taken)
        for name in names:
            if name not in ports:
                ports[name] = _next_free(name, candidates, ports.values())
        addresses = {name: f"{HOST}:{ports[name]}" for name in names}
        roster.write(_FILE, roster.read(_FILE) | addresses)
    return addresses


def _next_free(name: str, candidates: Iterator[int], chosen: Collection[int]) -> int:
    for port in candidates:
        if port not in chosen and is_free(port):
            return port
    raise StackError(f"no free port between {_RANGE.start} and {_RANGE.stop} for {name}")
