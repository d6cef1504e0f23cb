"""Effect: what clients felt of a fault, and what they had to feel of it at the least. Pure."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from assertions.truth import Window, add, routes_through
from assertions.wording import percent, rate, seconds
from scenarios.history import FaultChange, History, Traffic
from scenarios.model import (
    ROUTES,
    ComponentFault,
    DependencyTimeoutFault,
    ErrorsFault,
    Fault,
    HangFault,
    LatencyFault,
    SlowDatabaseFault,
    TrafficFault,
)
from scenarios.model.topology import CHECKOUT_PARTS

FELT = 0.5
"""The share of the meant effect that must be seen at least: windows cut off the edges, and jitter takes some."""

WARM_S = 2
"""With no second of the drive before a fault, its rate before is that of so many last seconds; traffic may still have grown."""

AFTERMATH_S = 2
"""How long after its healing a fault is still felt, by requests that had begun before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """
    A figure of the clients' before and during a fault, and what it had to reach; NaN where clients did nothing.

    `write` puts the figure in words.
    """

    what: str
    before: float
    during: float
    needed: float
    falls: bool = False
    write: Callable[[float], str]

    @property
    def felt(self) -> bool:
        """Whether it reached that; a fall had to go down to it. A figure that is none never did."""
        return self.during <= self.needed if self.falls else self.during >= self.needed


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """The clients' seconds from one moment to another; a fault was on for the share `covered` of them."""

    window: Window
    length_s: float
    covered: float

    @property
    def rate(self) -> float:
        """Requests per second; NaN of no time."""
        return self.window.count / self.length_s if self.length_s else math.nan

    @property
    def good_rate(self) -> float:
        """Good answers per second; NaN of no time."""
        good = self.window.answered - self.window.failed
        return good / self.length_s if self.length_s else math.nan


def effect_of(fault: Fault, fault_id: str, history: History, on: tuple[float, float]) -> Effect:
    """
    What clients felt of a fault that was on in a window of time, and what they had to feel at the least.
    """
    routes = frozenset(ROUTES) if isinstance(fault, TrafficFault) else affected_routes(fault)
    clean = _clean_before(history, fault_id, on[0])
    during = _during(history, on, routes)
    if isinstance(fault, (TrafficFault, HangFault, ComponentFault)):
        drive = [t for t in clean if t >= (history.phase("drive") or on[0])]
        steady = _stretch(history, drive or clean[-WARM_S:], routes)
        return _of_rate(fault, steady, during) if isinstance(fault, TrafficFault) else _of_good(fault, steady, during)
    before = _stretch(history, clean, routes)
    if isinstance(fault, (LatencyFault, SlowDatabaseFault)):
        return _of_latency(fault, before, during)
    return _of_failures(fault, before, during)


def affected_routes(fault: Fault) -> frozenset[str]:
    """The clients' routes that a fault of a role can touch."""
    route = getattr(fault, "route", None)
    if route in CHECKOUT_PARTS:
        return frozenset({"/api/checkout"})
    if route is not None:
        return frozenset({route})
    if isinstance(fault, DependencyTimeoutFault):
        return routes_through(fault.upstream)
    return routes_through(str(getattr(fault, "target", "")))


def _of_rate(fault: TrafficFault, before: Stretch, during: Stretch) -> Effect:
    # A ramp is half-way up on average.
    share = (FELT / 2 if fault.kind == "ramp" else FELT) * during.covered
    needed = before.rate * (1 + share * (fault.factor - 1)) if before.window.count else math.nan
    return Effect(
        what="requests",
        before=before.rate,
        during=during.rate,
        needed=needed,
        falls=fault.factor < 1,
        write=rate,
    )


def _of_good(fault: Fault, before: Stretch, during: Stretch) -> Effect:
    """Requests that hang fail late or are answered late; what clients feel at once is that good answers stay away."""
    needed = before.good_rate * (1 - FELT * during.covered * _ratio(fault)) if before.window.count else math.nan
    return Effect(
        what="good answers",
        before=before.good_rate,
        during=during.good_rate,
        needed=needed,
        falls=True,
        write=rate,
    )


def _of_failures(fault: Fault, before: Stretch, during: Stretch) -> Effect:
    what, share = "share of failed requests", _bad
    if isinstance(fault, ErrorsFault) and fault.status < 500:
        what, share = f"share of answers {fault.status}", partial(_with_status, str(fault.status))
    clean = share(before.window)
    needed = (0.0 if math.isnan(clean) else clean) + FELT * during.covered * _ratio(fault)
    return Effect(what=what, before=clean, during=share(during.window), needed=needed, write=percent)


def _of_latency(fault: LatencyFault | SlowDatabaseFault, before: Stretch, during: Stretch) -> Effect:
    q = 1 - fault.ratio * during.covered / 2
    clean = before.window.quantile_s(q)
    return Effect(
        what=f"P{q * 100:.3g} of latency",
        before=clean,
        during=during.window.quantile_s(q),
        needed=(0.0 if math.isnan(clean) else clean) + FELT * fault.delay,
        write=seconds,
    )


def _ratio(fault: Fault) -> float:
    return float(getattr(fault, "ratio", 1.0))


def _clean_before(history: History, fault_id: str, on_t: float) -> list[int]:
    """The seconds before a fault in which none of the drill's other faults was on; noise belongs to the picture."""
    others = {change.fault for change in history.of(FaultChange)} - {fault_id}
    windows = [window for other in others if other.startswith("faults/") and (window := history.fault_window(other))]
    first = min((second.t for second in history.of(Traffic)), default=on_t)
    return [
        t
        for t in range(math.floor(first), math.floor(on_t))
        if not any(start - 1 < t < end + AFTERMATH_S for start, end in windows)
    ]


def _during(history: History, on: tuple[float, float], routes: frozenset[str]) -> Stretch:
    """The whole seconds in which a fault was on; for one that was on for no whole second, all those that it touched."""
    whole = range(math.ceil(on[0]), math.floor(on[1]))
    if whole:
        return _stretch(history, whole, routes)
    touched = range(math.floor(on[0]), max(math.ceil(on[1]), math.floor(on[0]) + 1))
    return _stretch(history, touched, routes, covered=(on[1] - on[0]) / len(touched))


def _stretch(history: History, moments: Iterable[int], routes: frozenset[str], covered: float = 1.0) -> Stretch:
    wanted = frozenset(moments)
    window = add(s for s in history.of(Traffic) if math.floor(s.t) in wanted and s.route in routes)
    return Stretch(window=window, length_s=float(len(wanted)), covered=covered)


def _bad(seen: Window) -> float:
    """The share of requests that failed or got no answer; NaN of none."""
    return (seen.failed + seen.lost) / seen.count if seen.count else math.nan


def _with_status(status: str, seen: Window) -> float:
    """The share of requests that were answered with a status; NaN of none."""
    return seen.status.get(status, 0) / seen.count if seen.count else math.nan
