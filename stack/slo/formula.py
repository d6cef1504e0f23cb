"""Formula: an alert's condition as data, from which a harness computes when the alert must fire."""

import json
from fractions import Fraction
from typing import Any

from stack.config.profile import Profile
from stack.slo.model import Alert, Condition, Slo


def formula(slo: Slo, alert: Alert, profile: Profile, *, interval_s: int) -> str:
    """
    The alert's formula in a profile, as compact JSON; README.md describes its keys.
    """
    conditions = [_condition(slo, alert, condition, profile) for condition in alert.conditions]
    windows = conditions[0] if len(conditions) == 1 else {"any_of": conditions}
    timing = {"for_s": profile.hold_s(alert.hold_s), "interval_s": interval_s}
    return json.dumps(_subject(slo, alert) | windows | timing, separators=(",", ":"))


def _subject(slo: Slo, alert: Alert) -> dict[str, Any]:
    """What is counted as bad, and how much of it is allowed."""
    if alert.kind == "absent":
        return {"kind": "absent"}
    slow_s = slo.sli.threshold_s
    shared = {"threshold_s": float(slow_s)} if slow_s is not None else {}
    shared |= {"min_requests": slo.min_requests}
    if alert.kind == "latency-quantile":
        return {"kind": "latency_quantile", "bad": slo.sli.bad_word} | shared
    if alert.kind == "error-ratio":
        return {"kind": "error_ratio", "bad": slo.sli.bad_word} | shared
    kind = "burn_rate" if slow_s is None else "latency_burn_rate"
    return {"kind": kind, "bad": slo.sli.bad_word, "budget": float(slo.budget)} | shared


def _condition(slo: Slo, alert: Alert, condition: Condition, profile: Profile) -> dict[str, Any]:
    window_s = profile.window_s(condition.window_s)
    limit = condition.factor * slo.budget
    match alert.kind:
        case "absent":
            return {"window_s": window_s, "expiration_s": profile.metric_expiration_s}
        case "latency-quantile":
            return {"quantile": float(Fraction(1) - limit), "window_s": window_s}
        case "error-ratio":
            return {"threshold": float(limit), "window_s": window_s}
    short_s = profile.window_s(condition.short_s or condition.window_s)
    return {"factor": float(condition.factor), "long_s": window_s, "short_s": short_s}
