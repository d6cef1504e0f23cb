"""Bound: how late an alert may be at most, from the clients' own seconds and the rule's own formula.

The replay finds the first second after the fault at which the formula holds on what clients saw. On top come the delays of the way:
export, batch, scrape, evaluation, the rule's `for`, and for a notification the group's wait. See stack/slo/README.md for the formulas.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from assertions.evidence import AlertRule, Delays
from assertions.truth import Window, add, routes_through
from scenarios.history import History, Traffic


def bound_s(rule: AlertRule, *, service: str, history: History, fault_t: float, delays: Delays) -> float | None:
    """
    Seconds from the fault's start within which the rule must fire; None when its formula is unknown or never held.
    """
    held = condition_after_s(rule.formula, service=service, history=history, fault_t=fault_t, delays=delays)
    if held is None:
        return None
    way = delays.export_s + delays.batch_s + delays.scrape_s + delays.evaluation_s
    return held + way + rule.for_s


def condition_after_s(formula: Any, *, service: str, history: History, fault_t: float, delays: Delays) -> float | None:
    """
    Seconds from the fault's start to the end of the first second at which the formula holds on the clients' truth.
    """
    if isinstance(formula, Mapping) and formula.get("kind") == "absent":
        return float(formula.get("expiration_s", delays.expiration_s)) + float(formula.get("grace_s", 0))
    routes = routes_through(service)
    seconds = [second for second in history.of(Traffic) if second.route in routes]
    if not seconds:
        return None
    last = int(max(second.t for second in seconds)) + 1
    for end in range(math.floor(fault_t) + 1, last + 1):
        if _holds(formula, seconds, float(end)):
            return max(0.0, end - fault_t)
    return None


def _holds(formula: Any, seconds: Sequence[Traffic], end: float) -> bool:
    """Whether a formula holds on the windows that end at `end`; an unknown one never does."""
    if not isinstance(formula, Mapping):
        return False
    if "any_of" in formula:
        return any(_holds({**formula, **part, "any_of": None}, seconds, end) for part in formula["any_of"] or ())
    check = _FORMULAS.get(str(formula.get("kind")))

    def last(width_s: float) -> Window:
        return add(second for second in seconds if end - width_s <= second.t < end)

    return bool(check and check(formula, last))


_Last = Callable[[float], Window]


def _burn_rate(formula: Mapping[str, Any], last: _Last) -> bool:
    limit = formula["factor"] * formula["budget"]
    return all(_bad_share(formula, last(formula[name])) > limit for name in ("long_s", "short_s"))


def _ratio(formula: Mapping[str, Any], last: _Last) -> bool:
    return _bad_share(formula, last(formula["window_s"])) > float(formula["threshold"])


def _quantile(formula: Mapping[str, Any], last: _Last) -> bool:
    return last(formula["window_s"]).quantile_s(formula["quantile"]) > float(formula["threshold_s"])


def _bad_share(formula: Mapping[str, Any], window: Window) -> float:
    if not window.answered:
        return 0.0
    if "threshold_s" in formula:
        return window.above(formula["threshold_s"]) / window.answered
    return window.failed_share()


_FORMULAS: Mapping[str, Callable[[Mapping[str, Any], _Last], bool]] = {
    "burn_rate": _burn_rate,
    "latency_burn_rate": _burn_rate,
    "error_ratio": _ratio,
    "latency_quantile": _quantile,
}
