"""Logbook: the file in which the clients' process writes down its phases and what its workers saw, as events."""

import errno
import os
from collections.abc import Iterable

from scenarios.confluence import Confluence
from scenarios.history import Blind, Event, Phase, Request, Traffic, parse_event
from scenarios.plan import Plan


class Logbook:
    """
    Open from before the first request to after the last. Times are seconds since the epoch.
    """

    def __init__(self, plan: Plan, *, t0: float, workers: Iterable[str]) -> None:
        self._phases = [Phase(t=t0 + at, name=name) for name, at in plan.phases]
        self._t0 = t0
        self._confluence = Confluence(workers)
        self._blind: list[Blind] = []
        self._file = plan.events.open("ab", buffering=0)

    @property
    def missing(self) -> set[str]:
        """Workers whose last words have not come."""
        return self._confluence.missing

    @property
    def closed(self) -> bool:
        """Whether nothing can be written any more."""
        return self._file.closed

    def hear(self, worker: str, lines: Iterable[str], *, complete: int, final: bool) -> None:
        """
        What a worker tells, as lines of a history: everything that ended before the second `complete`.
        """
        told = [event for line in lines if isinstance(event := parse_event(line), Traffic | Request)]
        self._confluence.add(worker, told, complete=complete, final=final)

    def give_up(self, worker: str, now: float) -> None:
        """
        A worker has vanished: what it saw and did not tell is unknown, and that is a fact of its own.
        """
        self._confluence.add(worker, (), complete=0, final=True)
        self._blind.append(Blind(t=now, watcher="traffic", reason=f"worker {worker} vanished"))

    def write(self, now: float) -> None:
        """
        Write what has come to pass and is complete, in one piece. Raises OSError when it cannot.
        """
        ready: list[Event] = []
        while self._phases and self._phases[0].t <= max(now, self._t0):
            ready.append(self._phases.pop(0))
        ready += [*self._confluence.take(now), *self._blind]
        self._blind.clear()
        data = b"".join(event.model_dump_json().encode() + b"\n" for event in ready)
        if self._file.write(data) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def close(self) -> None:
        """
        Close the file.
        """
        self._file.close()
