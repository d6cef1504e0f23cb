"""Bound: how late an alert may be at most, from the clients' own seconds and the rule's own formula. Pure.

The replay finds the first second after the fault from which on the formula holds on what clients saw, for as long as the rule's
`for` asks. On top come the delays of the way: export, batch, scrape, evaluation. See stack/slo/README.md for the formulas.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Self

from assertions.evidence import AlertRule, Delays
from assertions.spells import spells, watched
from assertions.truth import add, routes_through
from scenarios.history import History, Traffic

_ROUNDING = 1 + 1e-9
"""A share has to be above its limit by more than floating-point numbers err."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """Seconds from the fault's start within which a rule must fire; None when nobody can say, and then why."""

    seconds: float | None = None
    why: str = ""


class FormulaError(ValueError):
    """A formula says nothing about what clients see, or cannot be understood."""


def bound_of(rule: AlertRule | None, *, service: str, history: History, fault_t: float, delays: Delays) -> Bound:
    """
    The bound of a rule for one service, by the clients' truth about the routes that pass through it.
    """
    if rule is None:
        return Bound(why="no rule of this name is loaded")
    try:
        held_s = _held_after_s(rule, service, history, fault_t)
    except FormulaError as error:
        return Bound(why=str(error))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return Bound(why=f"its rule's formula cannot be understood: {type(error).__name__}: {error}")
    if held_s is None:
        return Bound(why="what clients saw never met the rule's formula, or not for long enough")
    # The group's own interval, but recorded series that a rule reads may come from a group with the usual one.
    evaluation_s = max(rule.interval_s, delays.evaluation_s)
    return Bound(seconds=held_s + delays.export_s + delays.batch_s + delays.scrape_s + evaluation_s + rule.for_s)


def _held_after_s(rule: AlertRule, service: str, history: History, fault_t: float) -> float | None:
    """Seconds from the fault to the end of the first second at which the formula holds; None if it never does."""
    if rule.formula is None:
        raise FormulaError("its rule carries no formula")
    if rule.formula["kind"] == "absent":
        # No client sees it: the series vanish so long after their last export.
        return float(rule.formula["expiration_s"])
    if rule.formula["kind"] == "pipeline":
        if "lag_s" not in rule.formula:
            raise FormulaError("its rule is about the pipeline itself, and nobody can say when that begins")
        return _down_t(history, fault_t) - fault_t + float(rule.formula["lag_s"])
    condition = Condition.read(rule.formula)
    seconds = Seconds.of(history, service, slow_s=condition.slow_s)
    run_from = None
    for end in range(math.floor(fault_t) + 1, seconds.end + 1):
        if not condition.holds(seconds, end):
            run_from = None
            continue
        run_from = end if run_from is None else run_from
        if end - run_from >= rule.for_s:
            return run_from - fault_t
    return None


def _down_t(history: History, fault_t: float) -> float:
    """When the first component or role went down under a fault; none may have, as when only the way between two is broken."""
    found = (spell.down_t for name in watched(history) for spell in spells(history, name) if spell.down_t >= fault_t)
    return min(found, default=fault_t)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """The share of bad requests must be above `share` over each of these windows."""

    share: float
    windows_s: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """
    A formula as all kinds of it can be put: any of some limits, of requests that failed or were slower than `slow_s`.
    """

    any_of: tuple[Limit, ...]
    slow_s: float | None
    min_requests: float

    @classmethod
    def read(cls, formula: Mapping[str, Any]) -> Self:
        """Raises FormulaError when clients cannot tell; KeyError, TypeError, ValueError when it is malformed."""
        bad = formula.get("bad", "slow" if "threshold_s" in formula else "5xx")
        if bad not in ("5xx", "slow"):
            raise FormulaError(f"its rule counts requests of the kind {bad!r} as bad, which clients cannot tell")
        return cls(
            any_of=tuple(_limits(formula)),
            slow_s=float(formula["threshold_s"]) if bad == "slow" else None,
            min_requests=float(formula.get("min_requests", 1)),
        )

    def holds(self, seconds: "Seconds", end: int) -> bool:
        """Whether it holds on the windows that end at `end`."""
        return any(self._exceeds(limit, seconds, end) for limit in self.any_of)

    def _exceeds(self, limit: Limit, seconds: "Seconds", end: int) -> bool:
        if seconds.counts(end, min(limit.windows_s))[0] < max(1, self.min_requests):
            return False
        counts = [seconds.counts(end, width_s) for width_s in limit.windows_s]
        return all(bad > limit.share * _ROUNDING * answered for answered, bad in counts)


def _limits(formula: Mapping[str, Any]) -> Iterable[Limit]:
    match formula["kind"]:
        case "burn_rate" | "latency_burn_rate":
            for part in formula.get("any_of") or [formula]:
                share = part["factor"] * formula["budget"]
                yield Limit(share=share, windows_s=(float(part["long_s"]), float(part["short_s"])))
        case "error_ratio":
            yield Limit(share=float(formula["threshold"]), windows_s=(float(formula["window_s"]),))
        case "latency_quantile":
            # The q-quantile is above a threshold if more than 1 - q of all requests are.
            yield Limit(share=1 - float(formula["quantile"]), windows_s=(float(formula["window_s"]),))
        case kind:
            raise FormulaError(f"its rule is of the kind {kind!r}, which clients cannot tell")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seconds:
    """Running totals of the clients' seconds, so that a window costs the same however wide it is."""

    first: int
    answered: tuple[int, ...]
    bad: tuple[int, ...]

    @classmethod
    def of(cls, history: History, service: str, *, slow_s: float | None) -> Self:
        """Those of the routes that pass through a service; bad ones failed, or were slower than `slow_s`."""
        routes = routes_through(service)
        by_second: dict[int, list[Traffic]] = {}
        for second in history.of(Traffic):
            if second.route in routes:
                by_second.setdefault(math.floor(second.t), []).append(second)
        first, last = min(by_second, default=0), max(by_second, default=-1)
        windows = [add(by_second.get(t, ())) for t in range(first, last + 1)]
        bad = [window.failed if slow_s is None else window.above(slow_s) for window in windows]
        return cls(
            first=first,
            answered=tuple(accumulate((window.answered for window in windows), initial=0)),
            bad=tuple(accumulate(bad, initial=0)),
        )

    @property
    def end(self) -> int:
        """The end of the last second."""
        return self.first + len(self.answered) - 1

    def counts(self, end: int, width_s: float) -> tuple[int, int]:
        """How many were answered, and how many of these were bad, in the seconds of [end - width_s, end); nothing before the first."""
        last = max(end - self.first, 0)
        start = max(math.ceil(end - width_s) - self.first, 0)
        return self.answered[last] - self.answered[start], self.bad[last] - self.bad[start]
