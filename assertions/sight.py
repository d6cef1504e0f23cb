"""Sight: which watchers could not look, from when to when, and whether the drill itself had put out their eyes. Pure."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from assertions.wording import seconds
from scenarios.history import Blind, Event, History, Sighted
from scenarios.model import ComponentFault, Scenario

GRACE_S = 3.0
"""A watcher is blind from its last good look before a fault on, and until its first good one after the healing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blindness:
    """A time in which a watcher could not look; without an end it is infinite."""

    watcher: str
    since: float
    until: float
    reason: str
    events: tuple[Event, ...]

    def __str__(self) -> str:
        lasted = f" for {seconds(self.until - self.since)}" if math.isfinite(self.until) else ""
        return f"{self.watcher} could not be watched{lasted}: {self.reason}"


def blindnesses(history: History) -> Iterator[Blindness]:
    """
    All times in which anybody could not look, in the order in which they began.
    """
    for event in history.of(Blind):
        end = next((e for e in history.of(Sighted) if e.watcher == event.watcher and e.t > event.t), None)
        yield Blindness(
            watcher=event.watcher,
            since=event.t,
            until=end.t if end else math.inf,
            reason=event.reason,
            events=(event, end) if end else (event,),
        )


def blind(history: History, *watchers: str, since: float = -math.inf, until: float = math.inf) -> str:
    """
    Which of these watchers could not look at some time between two moments, and why, in words; empty when all could.
    """
    for one in blindnesses(history):
        if one.watcher in watchers and one.since < until and one.until > since:
            return str(one)
    return ""


def excused(history: History, scenario: Scenario) -> History:
    """
    The same history without the blindness that the drill's own faults explain: who looks at a component that the drill has just
    killed, frozen or restarted sees nothing, for there is nothing to be seen. One that does not end with its fault is no such.
    """
    found = [
        one for one in blindnesses(history) if any(_explains(window, one) for window in _hit(history, scenario, one))
    ]
    explained = {id(event) for one in found for event in one.events}
    return History(event for event in history.events if id(event) not in explained)


def _hit(history: History, scenario: Scenario, one: Blindness) -> Iterator[tuple[float, float]]:
    """When the component itself that a watcher looks at was hit."""
    for name, faults in (("faults", scenario.faults), ("noise", scenario.noise)):
        for number, fault in enumerate(faults, 1):
            window = history.fault_window(f"{name}/{number}")
            if isinstance(fault, ComponentFault) and fault.target == one.watcher and window is not None:
                yield window


def _explains(window: tuple[float, float], one: Blindness) -> bool:
    return window[0] - GRACE_S <= one.since and one.until <= window[1] + GRACE_S
