"""Watchdog: the alert that always fires was missed while the way to people was cut, and arrived again. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from assertions.check import Check
from assertions.fault import unproved
from assertions.life import is_told_by
from assertions.wording import seconds
from scenarios.history import History, Notification
from scenarios.model import Fault, Watchdog
from scenarios.record import Outcome, Rung

WATCHDOG = "Watchdog"
"""The alert that always fires: as long as it arrives, a silent path is silent and not dead."""

MISSED = 1.5
"""It is missed when it was not heard for so many times its longest pause before."""

WHERE = "alertmanager and its receivers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """The first pause between arrivals that was too long: missed from `missed_t` on, over at `over_t` (never: infinity)."""

    missed_t: float
    over_t: float


def judge(item: Watchdog, check: Check, history: History, *, fault: Fault, felt: Outcome) -> Outcome:
    """
    FAIL when it went on arriving, was missed late, or did not arrive again in time; UNKNOWN when its pace before is not known.
    """
    on = history.fault_window(f"faults/{item.fault}")
    if (doubt := unproved(check, felt, on)) is not None:
        return doubt
    assert on is not None, "a fault that was felt was on"
    expected = (
        f"it is missed within {seconds(item.missing_within)} and arrives again within {seconds(item.back_within)} "
        "of the healing"
    )
    arrivals = [n.t for n in history.of(Notification) if _is_arrival(n)]
    pauses = [after - before for before, after in pairwise(t for t in arrivals if t < on[0])]
    if not pauses:
        return check.unknown(
            expected=expected,
            observed="it did not arrive twice before the fault, so nobody knows its pace",
            hint="does it fire and is it routed? if so, let `load.warm_up` be longer",
        )
    healing_t = min(on[1], (history.phase("drive") or on[0]) + fault.end_s)
    silence = _silence(arrivals, MISSED * max(pauses), on[0], history.events[-1].t)
    facts = _facts(silence, on, max(pauses))
    wrong = _wrong(item, silence, on, healing_t)
    if wrong:
        return check.failed(
            expected=expected,
            observed=wrong,
            where=WHERE,
            when=f"after the fault at {seconds(fault.at)}, healed at {seconds(fault.end_s)}",
            rung=Rung.NOT_NOTIFIED if silence is not None else None,
            hint="does the fault cut this way at all? see alertmanager's log",
            facts=facts,
        )
    observed = f"missed after {seconds(facts['missed_after_s'])}, arrived again {seconds(facts['back_after_s'])} after the healing"
    return check.passed(expected=expected, observed=observed, facts=facts)


def _is_arrival(told: Notification) -> bool:
    return told.name == WATCHDOG and told.status == "firing" and is_told_by(told.receiver, "prometheus")


def _silence(arrivals: Sequence[float], limit_s: float, since: float, end: float) -> Silence | None:
    """The first pause longer than the limit that ends after a moment; the end of the history ends it, too."""
    for before, after in pairwise([*arrivals, math.inf]):
        if after > since and min(after, end) - before > limit_s:
            return Silence(missed_t=before + limit_s, over_t=after)
    return None


def _wrong(item: Watchdog, silence: Silence | None, on: tuple[float, float], healing_t: float) -> str:
    """What is not as it must be, in words; empty when all is."""
    if silence is None:
        return "it went on arriving"
    missed_s, back_s = silence.missed_t - on[0], silence.over_t - on[1]
    if missed_s > item.missing_within:
        return f"it was missed after {seconds(missed_s)}, {seconds(missed_s - item.missing_within)} too late"
    if silence.over_t < healing_t:
        return f"it arrived again {seconds(healing_t - silence.over_t)} before the healing"
    if math.isinf(silence.over_t):
        return "it never arrived again"
    if back_s > item.back_within:
        return f"it arrived again {seconds(back_s)} after the healing, {seconds(back_s - item.back_within)} too late"
    return ""


def _facts(silence: Silence | None, on: tuple[float, float], pause_s: float) -> dict[str, Any]:
    missed_s = silence.missed_t - on[0] if silence else None
    back_s = max(0.0, silence.over_t - on[1]) if silence else None
    return {"pause_s": pause_s, "missed_after_s": missed_s, "back_after_s": back_s}
