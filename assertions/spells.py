"""Spells: when a component or role was down, and when its process began anew. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from scenarios.history import ComponentChange, History


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """A time in which something did not run or did not answer; without `up_t` it was so to the end."""

    down_t: float
    up_t: float | None = None

    def overlaps(self, since: float, until: float) -> bool:
        """Whether any of it lies in a stretch of time."""
        return self.down_t < until and (self.up_t is None or self.up_t > since)


def watched(history: History) -> tuple[str, ...]:
    """
    Everything that was looked after, by name.
    """
    return tuple(dict.fromkeys(change.name for change in history.of(ComponentChange)))


def spells(history: History, name: str) -> tuple[Spell, ...]:
    """
    All times in which one was down, in order. A restart that nobody saw it down for is one, too: without length.
    """
    return tuple(_spells([change for change in history.of(ComponentChange) if change.name == name]))


def restarts(history: History, name: str) -> tuple[float, ...]:
    """
    When its process began anew, by its own start time; the first that was seen began nothing anew.
    """
    starts = [change.started_t for change in history.of(ComponentChange) if change.name == name]
    return tuple(dict.fromkeys(t for t in starts if t is not None))[1:]


def _spells(changes: list[ComponentChange]) -> Iterator[Spell]:
    down_t, last_start = None, None
    for change in changes:
        if change.state != "ready":
            down_t = change.t if down_t is None else down_t
            continue
        if down_t is not None:
            yield Spell(down_t=down_t, up_t=change.t)
        elif last_start not in (None, change.started_t):
            yield Spell(down_t=min(change.t, change.started_t or change.t), up_t=change.t)
        down_t, last_start = None, change.started_t
    if down_t is not None:
        yield Spell(down_t=down_t)
