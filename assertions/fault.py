"""Fault proved: every fault must be felt by the clients first, else no signal can be blamed for not showing it. Pure."""

from assertions.check import Check, Facts
from assertions.effect import Effect, effect_of
from assertions.ladder import EXPLANATIONS
from assertions.spells import spells, watched
from assertions.wording import seconds
from scenarios.history import FaultChange, History
from scenarios.model import ComponentFault, Fault, LinkFault, TrafficFault
from scenarios.record import Outcome, Rung, Verdict

_HINT = "is the fault API switched on and reachable, does the route get traffic, is the effect large enough to be felt?"
_LINK_HINT = "does the stack have Toxiproxy, does the link go through it, and does who is called answer at all?"

LOOK_S = 3.0
"""What does not answer is known to be down after two looks, each of which may wait a second."""


def judge(fault: Fault, check: Check, history: History) -> Outcome:
    """
    Whether a fault was applied and felt. FAIL, at FAULT_NOT_APPLIED, when not.
    """
    on = history.fault_window(check.id)
    if on is None:
        return _not_applied(fault, check, "that it is applied", _why_not(check.id, history))
    window = {"from_t": on[0], "until_t": on[1]}
    if isinstance(fault, ComponentFault) and fault.breaks_the_stack and fault.target in watched(history):
        return _by_looks(fault, check, history, window)
    if not fault.felt_by_client:
        return _by_word_of_target(fault, check, history, window)
    effect = effect_of(fault, check.id, history, on)
    facts = {"before": effect.before, "during": effect.during, "needed": effect.needed, "what": effect.what} | window
    expected, observed = _words(effect)
    if effect.felt:
        return check.passed(expected=expected, observed=observed, facts=facts)
    return _not_applied(fault, check, expected, observed, facts)


def unproved(check: Check, felt: Outcome, on: tuple[float, float] | None) -> Outcome | None:
    """
    The outcome of a check that depends on a fault which was not felt (FAIL) or of which that is not known (UNKNOWN); else None.
    """
    expected = "its fault to be felt first"
    if felt.verdict is Verdict.UNKNOWN:
        return check.unknown(expected=expected, observed=felt.observed)
    if on is not None and felt.verdict is Verdict.PASS:
        return None
    return check.failed(
        expected=expected,
        observed=felt.observed,
        where="the clients",
        rung=Rung.FAULT_NOT_APPLIED,
        hint=EXPLANATIONS[Rung.FAULT_NOT_APPLIED],
    )


def _words(effect: Effect) -> tuple[str, str]:
    direction = "at most" if effect.falls else "at least"
    expected = f"{effect.what} of {direction} {effect.write(effect.needed)}"
    return expected, f"{effect.what} {effect.write(effect.during)}, before {effect.write(effect.before)}"


def _why_not(fault_id: str, history: History) -> str:
    failures = [change for change in _changes(fault_id, history) if change.action == "failed"]
    return str(failures[-1].detail.get("reason", "")) if failures else "it never was, and nobody said why"


def _by_word_of_target(fault: Fault, check: Check, history: History, window: Facts) -> Outcome:
    """No client can feel it, so the target itself has to say that it acted; one that keeps no count is believed."""
    proofs = [change.detail["proof"] for change in _changes(check.id, history) if "proof" in change.detail]
    if proofs:
        facts = {"proof": proofs[0], **window}
        return check.passed(expected="that somebody saw it", observed=f"applied: {proofs[0]}", facts=facts)
    counts = [change.detail["affected"] for change in _changes(check.id, history) if "affected" in change.detail]
    expected, facts = "that its target says it acted", {"affected": max(counts, default=None), **window}
    if counts and max(counts) == 0:
        observed = "applied, but its target says that it affected nothing"
        return _not_applied(fault, check, expected, observed, facts)
    times = f", and its target acted {max(counts)} times" if counts else "; its target keeps no count"
    return check.passed(expected=expected, observed=f"applied{times}", facts=facts)


def _by_looks(fault: ComponentFault, check: Check, history: History, window: Facts) -> Outcome:
    """Everything that runs is looked at all the time, so somebody must have seen it down, unless it was for a moment only."""
    since, until = window["from_t"], window["until_t"]
    seen = [spell.down_t for spell in spells(history, fault.target) if spell.overlaps(since, until + LOOK_S)]
    expected = "that it is seen down"
    facts = {"down_s": max(0.0, seen[0] - since) if seen else None, **window}
    if not seen and until - since >= LOOK_S:
        return _not_applied(fault, check, expected, "applied, but it answered all the time", facts)
    observed = f"down after {seconds(facts['down_s'])}" if seen else "applied, for too short a time to be seen"
    return check.passed(expected=expected, observed=observed, facts=facts)


def _not_applied(fault: Fault, check: Check, expected: str, observed: str, facts: Facts | None = None) -> Outcome:
    target = "the traffic" if isinstance(fault, TrafficFault) else getattr(fault, "target", "the target")
    return check.failed(
        expected=expected,
        observed=observed,
        where=f"what clients saw of {target}" if fault.felt_by_client else f"what {target} said",
        when=f"{seconds(fault.at)} to {seconds(fault.end_s)} after the warm-up",
        rung=Rung.FAULT_NOT_APPLIED,
        hint=_LINK_HINT if isinstance(fault, LinkFault) else _HINT,
        facts=facts,
    )


def _changes(fault_id: str, history: History) -> list[FaultChange]:
    return [change for change in history.of(FaultChange) if change.fault == fault_id]
