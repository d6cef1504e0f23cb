"""Condition: how the parts of stack and app fared: when one was not ready, what each used; and when a watcher could not look."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from reports.lifecycle import Stretch
from scenarios.history import Blind, ComponentChange, History, Sighted, Usage

WORDS = {"down": "down", "unready": "not answering"}
"""What a state that is not ready is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """One part that was not ready all the time, or began anew: when each process of it but the first was started."""

    name: str
    spells: tuple[Stretch, ...]
    starts: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What one part used while it was measured: CPU seconds, busy cores in the mean, bytes of memory at the most."""

    name: str
    cpu_s: float
    cores: float
    memory_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwatched:
    """A watcher that could not look; without `until` it never could again."""

    watcher: str
    since: float
    until: float | None
    reason: str


def upkeep(history: History, end: float) -> tuple[Upkeep, ...]:
    """
    All parts that were not simply ready from the first request to the end, in the order in which that began.
    """
    begun = history.phase("warm_up") or 0.0
    names = dict.fromkeys(change.name for change in history.of(ComponentChange))
    found = [_upkeep(name, list(_changes(history, name)), end) for name in names]
    shown = [one for one in found if one.starts or any(spell.end >= begun for spell in one.spells)]
    return tuple(sorted(shown, key=_first_t))


def used(history: History) -> tuple[Used, ...]:
    """
    What each part used, as far as it was measured at least twice.
    """
    samples: dict[str, list[Usage]] = {}
    for usage in history.of(Usage):
        samples.setdefault(usage.name, []).append(usage)
    return tuple(_used(name, taken) for name, taken in samples.items() if taken[-1].t > taken[0].t)


def unwatched(history: History) -> tuple[Unwatched, ...]:
    """
    When nobody looked at something that should have been watched.
    """
    ends = list(history.of(Sighted))
    return tuple(
        Unwatched(
            watcher=event.watcher,
            since=event.t,
            until=next((end.t for end in ends if end.watcher == event.watcher and end.t > event.t), None),
            reason=event.reason,
        )
        for event in history.of(Blind)
    )


def _changes(history: History, name: str) -> Iterable[ComponentChange]:
    return (change for change in history.of(ComponentChange) if change.name == name)


def _upkeep(name: str, changes: Sequence[ComponentChange], end: float) -> Upkeep:
    ends = [change.t for change in changes[1:]] + [end]
    starts = dict.fromkeys(change.started_t for change in changes if change.started_t is not None)
    return Upkeep(
        name=name,
        spells=tuple(
            Stretch(start=change.t, end=max(until, change.t), state=change.state)
            for change, until in zip(changes, ends, strict=True)
            if change.state != "ready"
        ),
        starts=tuple(starts)[1:],
    )


def _first_t(one: Upkeep) -> float:
    return min([spell.start for spell in one.spells] + list(one.starts))


def _used(name: str, taken: Sequence[Usage]) -> Used:
    # Where the CPU time fell, a new process had begun at nought.
    steps = pairwise(usage.cpu_s for usage in taken)
    cpu_s = sum(after - before if after >= before else after for before, after in steps)
    return Used(
        name=name,
        cpu_s=cpu_s,
        cores=cpu_s / (taken[-1].t - taken[0].t),
        memory_bytes=max(usage.memory_bytes for usage in taken),
    )
