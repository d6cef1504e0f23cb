"""Component: it went down with its fault and came back in time, or stayed up; and nothing else went down. Pure."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from assertions.check import Check
from assertions.fault import unproved
from assertions.spells import Spell, restarts, spells, watched
from assertions.wording import listed, seconds
from scenarios.history import History
from scenarios.model import ComponentFault, ComponentState, Fault
from scenarios.record import Outcome, Rung

WHERE = "its process and its readiness"

IN_FLIGHT_S = 0.3
"""A look that had begun when the fault came may be the first to go without an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """The fault that should take it down: on from `on_t`; it heals from `healing_t` on, a restart by itself at once."""

    on_t: float
    healing_t: float
    heals_itself: bool

    @classmethod
    def of(cls, fault: Fault, on: tuple[float, float], drive_t: float) -> "Cause":
        """From a fault and when it was on."""
        healing_t = min(on[1], drive_t + fault.end_s)
        return cls(on_t=on[0], healing_t=healing_t, heals_itself=fault.kind == "restart")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordeal:
    """All that happened to a component from the end of the warm-up on, and to the others."""

    item: ComponentState
    cause: Cause | None
    spells: Sequence[Spell]
    restarts: int
    others: Sequence[str]

    @property
    def down_s(self) -> float | None:
        """Seconds from the fault to its first going down while that was on; None if it did not."""
        cause = self.cause
        if cause is None:
            return None
        from_t, until_t = cause.on_t - IN_FLIGHT_S, cause.healing_t
        return next((max(0.0, s.down_t - cause.on_t) for s in self.spells if from_t <= s.down_t <= until_t), None)

    @property
    def back_s(self) -> float | None:
        """Seconds from the beginning of its healing until it was up for good; None while it is down."""
        if self.cause is None or not self.spells or self.spells[-1].up_t is None:
            return None
        return self.spells[-1].up_t - (self.cause.on_t if self.cause.heals_itself else self.cause.healing_t)

    def facts(self) -> dict[str, Any]:
        """The figures for the record."""
        down_for_s = sum((s.up_t - s.down_t for s in self.spells if s.up_t is not None), 0.0)
        return {"down_s": self.down_s, "back_s": self.back_s, "down_for_s": down_for_s, "restarts": self.restarts}


def judge(
    item: ComponentState, check: Check, history: History, *, faults: Sequence[Fault], felt: Outcome | None
) -> Outcome:
    """
    FAIL when it did not go down, went down though it should not, came back late or not at all, began anew too often or too
    seldom, or took others with it; UNKNOWN when nobody looked after it.
    """
    on = history.fault_window(f"faults/{item.fault}") if item.goes_down else None
    if felt is not None and (doubt := unproved(check, felt, on)) is not None:
        return doubt
    drive_t, expected = history.phase("drive"), _expectation(item)
    if item.name not in watched(history) or drive_t is None:
        return check.unknown(expected=expected, observed=f"nobody looked after {item.name}")
    other = _others_of(item, history, faults)
    ordeal = Ordeal(
        item=item,
        cause=Cause.of(faults[item.fault - 1], on, drive_t) if on else None,
        spells=[one for one in _since(drive_t, spells(history, item.name)) if not _in(other, one.down_t)],
        restarts=sum(1 for t in restarts(history, item.name) if t >= drive_t and not _in(other, t)),
        others=_others(item, history, drive_t, _hit(faults)),
    )
    for step in _STEPS:
        for observed, rung in step(ordeal):
            return check.failed(
                expected=expected,
                observed=observed,
                where=WHERE,
                when="from the end of the warm-up",
                rung=rung,
                hint=f"see logs/{item.name}.log",
                facts=ordeal.facts(),
            )
    return check.passed(expected=expected, observed=_observation(ordeal), facts=ordeal.facts())


def _since(drive_t: float, found: Sequence[Spell]) -> list[Spell]:
    return [spell for spell in found if spell.up_t is None or spell.up_t >= drive_t]


def _others_of(item: ComponentState, history: History, faults: Sequence[Fault]) -> list[tuple[float, float]]:
    """When other faults took the same component down: what it did then is theirs to explain."""
    numbers = [
        number
        for number, fault in enumerate(faults, 1)
        if isinstance(fault, ComponentFault) and fault.target == item.name and number != item.fault
    ]
    return [on for number in numbers if (on := history.fault_window(f"faults/{number}")) is not None]


def _in(windows: Sequence[tuple[float, float]], t: float) -> bool:
    return any(on[0] <= t <= on[1] for on in windows)


def _hit(faults: Sequence[Fault]) -> frozenset[str]:
    """What the drill's own faults take down, each with an expectation of its own or none."""
    return frozenset(fault.target for fault in faults if isinstance(fault, ComponentFault))


def _others(item: ComponentState, history: History, drive_t: float, hit: Collection[str]) -> list[str]:
    names = [name for name in watched(history) if name not in {item.name, *item.except_, *hit}]
    return [name for name in names if _since(drive_t, spells(history, name))]


Trouble = Iterator[tuple[str, Rung | None]]
"""What is wrong, in words, and the rung if it is that the fault was not applied."""


def _stays_up(ordeal: Ordeal) -> Trouble:
    if not ordeal.item.goes_down and ordeal.spells:
        yield f"it went down {_times(len(ordeal.spells))}, in all for {seconds(ordeal.facts()['down_for_s'])}", None


def _goes_down(ordeal: Ordeal) -> Trouble:
    cause, down_s, limit_s = ordeal.cause, ordeal.down_s, ordeal.item.down_within
    if cause is None:
        return
    if ordeal.spells and ordeal.spells[0].down_t < cause.on_t - IN_FLIGHT_S:
        yield f"it was down {seconds(cause.on_t - ordeal.spells[0].down_t)} before its fault", None
    elif down_s is None:
        yield "it answered all the time that its fault was on", Rung.FAULT_NOT_APPLIED
    elif limit_s is not None and down_s > limit_s:
        yield f"it was down after {seconds(down_s)}, {seconds(down_s - limit_s)} too late", None


def _comes_back(ordeal: Ordeal) -> Trouble:
    back_s, limit_s = ordeal.back_s, ordeal.item.back_within
    if ordeal.cause is None:
        return
    if back_s is None:
        yield "it is down at the end", None
    elif limit_s is not None and back_s > limit_s:
        yield f"it was up again after {seconds(back_s)}, {seconds(back_s - limit_s)} too late", None


def _begins_anew(ordeal: Ordeal) -> Trouble:
    wanted = ordeal.item.restarts
    if wanted is not None and ordeal.restarts != wanted:
        yield f"it was {_restarted(ordeal.restarts)}", None


def _alone(ordeal: Ordeal) -> Trouble:
    if ordeal.others:
        yield f"{listed(ordeal.others)} went down, too", None


_STEPS: Sequence[Callable[[Ordeal], Trouble]] = (_stays_up, _goes_down, _comes_back, _begins_anew, _alone)
"""What can be wrong; the first problem is the one that is told."""


def _expectation(item: ComponentState) -> str:
    if item.goes_down:
        down = f" within {seconds(item.down_within)}" if item.down_within is not None else ""
        back = f" within {seconds(item.back_within)}" if item.back_within is not None else ""
        parts = [f"it goes down{down} and comes back{back}"]
    else:
        parts = ["it stays up"]
    if item.restarts is not None:
        parts.append(f"is {_restarted(item.restarts)}")
    beside = f" but {listed(item.except_)}" if item.except_ else ""
    return ", ".join([*parts, f"nothing else{beside} goes down"])


def _observation(ordeal: Ordeal) -> str:
    if ordeal.cause is None:
        return f"it stayed up, and was {_restarted(ordeal.restarts)}"
    down_s, back_s = ordeal.down_s or 0.0, ordeal.back_s or 0.0
    since = "its beginning" if ordeal.cause.heals_itself else "the healing began"
    back = f"up again {seconds(back_s)} after {since}" if back_s >= 0 else f"up again before {since}"
    return f"down after {seconds(down_s)}, {back}; {_restarted(ordeal.restarts)}"


def _restarted(number: int) -> str:
    return "never restarted" if number == 0 else f"restarted {_times(number)}"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"
