"""Alerts: a service level's alert as a rule of Prometheus, with the words for people and the formula for machines."""

from fractions import Fraction

from stack.config.profile import Profile
from stack.slo.formula import formula
from stack.slo.model import Alert, Condition, Slo
from stack.slo.promql import BY, ON, duration, number, quantile, summed_rate
from stack.slo.ratios import ERROR_RATIO, TOTAL_RATE, series
from stack.slo.rule import Alerting

SIGHT_SCRAPES = 4
"""For so many scrapes the collector's exporter must have answered before anybody's absence means anything."""


def alerting(slo: Slo, alert: Alert, profile: Profile, *, interval_s: int) -> Alerting:
    """The alert as a rule in a group that is evaluated every `interval_s` seconds."""
    expr = {"burn-rate": _burn, "error-ratio": _burn, "latency-quantile": _slow_quantile, "absent": _absent}[alert.kind]
    return Alerting(
        alert=alert.name,
        expr=expr(slo, alert, profile),
        hold=duration(profile.hold_s(alert.hold_s)),
        labels={"severity": alert.severity, "slo": slo.name},
        keep=_keep(alert, profile),
        annotations={
            "summary": _summary(slo, alert),
            "description": _description(slo, alert, profile),
            "runbook_url": f"docs/runbooks/{alert.name}.md",
            "tocsin_formula": formula(slo, alert, profile, interval_s=interval_s),
        },
    )


def _burn(slo: Slo, alert: Alert, profile: Profile) -> str:
    """Each window's ratio is above the condition's share; any condition will do."""
    parts = [_windows_above(slo, condition, profile) for condition in alert.conditions]
    return f"max {BY} (\n" + "\nor\n".join(parts) + "\n)"


def _windows_above(slo: Slo, condition: Condition, profile: Profile) -> str:
    limit = number(condition.factor * slo.budget)
    windows = [profile.window_s(nominal) for nominal in (condition.window_s, condition.short_s) if nominal is not None]
    above = [f"{series(ERROR_RATIO, slo, window)} > {limit}" for window in windows]
    return f"\nand {ON}\n".join([*above, _enough_requests(slo, windows[-1])])


def _enough_requests(slo: Slo, window_s: int) -> str:
    """A ratio of a handful of requests says nothing; the guard is on the shortest window, which decides the end."""
    return f"{series(TOTAL_RATE, slo, window_s)} * {window_s} >= {slo.min_requests}"


def _slow_quantile(slo: Slo, alert: Alert, profile: Profile) -> str:
    condition = alert.conditions[0]
    window_s = profile.window_s(condition.window_s)
    assert slo.sli.good is not None
    assert slo.sli.threshold_s is not None
    share = Fraction(1) - condition.factor * slo.budget
    value = quantile(share, slo.sli.good.without("le"), window_s)
    guard = f"{summed_rate(slo.sli.total, window_s)} * {window_s} >= {slo.min_requests}"
    return f"{value} > {number(slo.sli.threshold_s)}\nand {ON}\n{guard}"


def _absent(slo: Slo, alert: Alert, profile: Profile) -> str:
    """
    Series were there within the window and are not now, though the collector's exporter was read in the last scrapes.

    The exporter drops a series that its app has not sent for `metric_expiration`; Prometheus then marks it stale.
    """
    window = duration(profile.window_s(alert.conditions[0].window_s))
    sight = duration(SIGHT_SCRAPES * profile.scrape_interval_s)
    gone = f"count {BY} (last_over_time({slo.sli.total}[{window}]))\nunless {ON}\ncount {BY} ({slo.sli.total})"
    return f'(\n{gone}\n)\nand on ()\n(min(min_over_time(up{{job="collector-exporter"}}[{sight}])) == 1)'


def _keep(alert: Alert, profile: Profile) -> str:
    """One scrape that fails hides the absence as long as the guard looks back; that is no return."""
    return duration((SIGHT_SCRAPES + 1) * profile.scrape_interval_s) if alert.kind == "absent" else ""


def _summary(slo: Slo, alert: Alert) -> str:
    who = "{{ $labels.service_name }} ({{ $labels.service_namespace }})"
    value = {"latency-quantile": "{{ $value | humanizeDuration }}", "absent": "no data"}.get(
        alert.kind, "{{ $value | humanizePercentage }} bad"
    )
    return f"{who}: {slo.title.lower()}: {value}"


def _description(slo: Slo, alert: Alert, profile: Profile) -> str:
    conditions = "; or ".join(_in_words(slo, alert, condition, profile) for condition in alert.conditions)
    return f"{alert.description} {slo.description} Fires at: {conditions}."


def _in_words(slo: Slo, alert: Alert, condition: Condition, profile: Profile) -> str:
    window = duration(profile.window_s(condition.window_s))
    limit = float(condition.factor * slo.budget)
    if alert.kind == "absent":
        return f"no series now, some within {window}"
    if alert.kind == "latency-quantile":
        return f"P{100 * (1 - limit):g} above {float(slo.sli.threshold_s or 0):g} s over {window}"
    if condition.short_s is None:
        return f"more than {100 * limit:g} % bad over {window}"
    short = duration(profile.window_s(condition.short_s))
    return (
        f"more than {100 * limit:g} % bad over {window} and {short}, {float(condition.factor):g} times the allowed pace"
    )
