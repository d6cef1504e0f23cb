"""Fault proved: every fault must be felt by the clients first, else no signal can be blamed for not showing it. Pure."""

import math
from dataclasses import dataclass
from functools import partial

from assertions.truth import Window, routes_through, window
from scenarios.history import FaultChange, History
from scenarios.model import (
    ROUTES,
    DependencyTimeoutFault,
    ErrorsFault,
    Fault,
    LatencyFault,
    SlowDatabaseFault,
    TrafficFault,
)
from scenarios.model.topology import CHECKOUT_PARTS
from scenarios.record import Outcome, Rung, Verdict

FELT = 0.5
"""The share of the meant effect that must be seen at least: windows cut off the edges, and jitter takes some."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """A figure of the clients' before and during a fault, and what it had to reach."""

    what: str
    before: float
    during: float
    needed: float

    @property
    def felt(self) -> bool:
        """Whether it reached that; a fall had to go down to it."""
        if math.isnan(self.during):
            return False
        return self.during <= self.needed if self.needed < self.before else self.during >= self.needed


def judge(fault: Fault, fault_id: str, history: History) -> Outcome:
    """
    Whether a fault was applied and felt. FAIL, at FAULT_NOT_APPLIED, when not.
    """
    title = f"{fault_id} {fault.kind} is felt"
    on = history.fault_window(fault_id)
    if on is None:
        reason = next((str(change.detail.get("reason", "")) for change in _changes(history, fault_id)), "")
        return _not_applied(fault_id, title, "that it is applied", reason or "it never was", fault)
    if not fault.felt_by_client:
        return _by_word_of_target(fault, fault_id, title, history, on)
    effect = effect_of(fault, history, on)
    facts = {"before": effect.before, "during": effect.during, "needed": effect.needed, "what": effect.what}
    facts |= {"from_t": on[0], "until_t": on[1]}
    observed = f"{effect.what} {effect.during:.4g}, before {effect.before:.4g}"
    expected = f"{effect.what} of {'at most' if effect.needed < effect.before else 'at least'} {effect.needed:.4g}"
    if effect.felt:
        return Outcome(
            id=fault_id, title=title, verdict=Verdict.PASS, expected=expected, observed=observed, facts=facts
        )
    return _not_applied(fault_id, title, expected, observed, fault).model_copy(update={"facts": facts})


def effect_of(fault: Fault, history: History, on: tuple[float, float]) -> Effect:
    """
    What clients felt of a fault that was on in a window of time, and what they had to feel at the least.
    """
    routes = None if isinstance(fault, TrafficFault) else affected_routes(fault)
    before = window(history, until=math.floor(on[0]), routes=routes)
    # The second in which it began is half clean, and the last one may be too.
    during = window(history, since=math.ceil(on[0]), until=max(math.floor(on[1]), math.ceil(on[0]) + 1), routes=routes)
    if isinstance(fault, TrafficFault):
        return _rate_effect(fault, history, on)
    ratio = float(getattr(fault, "ratio", 1.0))
    if isinstance(fault, (LatencyFault, SlowDatabaseFault)):
        q = 1 - ratio / 2
        needed = _number(before.quantile_s(q)) + FELT * fault.delay
        return Effect(
            what=f"P{q * 100:.3g} in s", before=before.quantile_s(q), during=during.quantile_s(q), needed=needed
        )
    what, share = "share of failed requests", _bad
    if isinstance(fault, ErrorsFault) and fault.status < 500:
        what, share = f"share of answers {fault.status}", partial(_with_status, str(fault.status))
    return Effect(what=what, before=share(before), during=share(during), needed=share(before) + FELT * ratio)


def affected_routes(fault: Fault) -> frozenset[str]:
    """The clients' routes that a fault of a role can touch."""
    route = str(getattr(fault, "route", None))
    if route in ROUTES:
        return frozenset({route})
    if route in CHECKOUT_PARTS:
        return frozenset({"/api/checkout"})
    if isinstance(fault, DependencyTimeoutFault):
        return routes_through(fault.upstream)
    return routes_through(str(getattr(fault, "target", "")))


def _rate_effect(fault: TrafficFault, history: History, on: tuple[float, float]) -> Effect:
    steady_t = history.phase("drive") or on[0] - 5
    before_s = max(1.0, math.floor(on[0]) - math.ceil(steady_t))
    during_s = max(1.0, math.floor(on[1]) - math.ceil(on[0]))
    before = window(history, since=math.floor(on[0]) - before_s, until=math.floor(on[0])).count / before_s
    during = window(history, since=math.ceil(on[0]), until=math.ceil(on[0]) + during_s).count / during_s
    # A ramp is half-way up on average.
    share = FELT / 2 if fault.kind == "ramp" else FELT
    return Effect(what="requests/s", before=before, during=during, needed=before * (1 + share * (fault.factor - 1)))


def _by_word_of_target(fault: Fault, fault_id: str, title: str, history: History, on: tuple[float, float]) -> Outcome:
    """No client can feel it, so the target itself has to say that it acted; one that keeps no count is believed."""
    counts = [change.detail["affected"] for change in _changes(history, fault_id) if "affected" in change.detail]
    expected = "that its target says it acted"
    if counts and max(counts) == 0:
        return _not_applied(fault_id, title, expected, "applied, but the target says that it affected nothing", fault)
    observed = f"applied, {max(counts)} times affected" if counts else "applied"
    facts = {"affected": max(counts, default=None), "from_t": on[0], "until_t": on[1]}
    return Outcome(id=fault_id, title=title, verdict=Verdict.PASS, expected=expected, observed=observed, facts=facts)


def _not_applied(fault_id: str, title: str, expected: str, observed: str, fault: Fault) -> Outcome:
    return Outcome(
        id=fault_id,
        title=title,
        verdict=Verdict.FAIL,
        expected=expected,
        observed=observed,
        where=f"what clients saw of {getattr(fault, 'target', 'the traffic')}",
        when=f"{fault.at:g}-{fault.end_s:g} s after the warm-up",
        rung=Rung.FAULT_NOT_APPLIED,
        hint="is the fault API switched on and reachable, does the route get traffic, is the effect large enough to be felt?",
    )


def _changes(history: History, fault_id: str) -> list[FaultChange]:
    return [change for change in history.of(FaultChange) if change.fault == fault_id]


def _bad(seen: Window) -> float:
    """The share of requests that failed or got no answer."""
    return (seen.failed + seen.lost) / seen.count if seen.count else 0.0


def _with_status(status: str, seen: Window) -> float:
    """The share of requests that were answered with a status."""
    return seen.status.get(status, 0) / seen.count if seen.count else 0.0


def _number(value: float) -> float:
    return 0.0 if math.isnan(value) else value
