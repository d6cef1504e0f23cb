"""Levels: the groups of rules that watch one service level."""

from collections.abc import Sequence

from stack.config.profile import Profile
from stack.slo.alerts import alerting
from stack.slo.model import Alert, Slo
from stack.slo.promql import duration
from stack.slo.ratios import BASE_WINDOW_S, budget, recordings
from stack.slo.rule import Group

BIRTHS_UP_TO_S = 3600
"""In windows up to this (nominal seconds) the first value of a new series counts."""

SLOW_ROUNDS, BUDGET_ROUNDS = 4, 20
"""Tickets and the budget are looked at once in so many evaluations: their windows are long, and nobody is woken."""


def groups(slo: Slo, profile: Profile) -> Sequence[Group]:
    """
    The groups of one service level in one profile.

    Pages and what they read come in a group of their own, evaluated as often as the profile allows. What alerts read is
    recorded whoever evaluates them; the alerts themselves are here only if Prometheus does.
    """
    fast = [alert for alert in slo.alerts if not _is_slow(alert)]
    slow = [alert for alert in slo.alerts if _is_slow(alert)]
    fast_windows = {profile.window_s(BASE_WINDOW_S), *_windows(fast, profile)}
    made = [
        _group(slo, profile, fast, windows=fast_windows, name="fast", rounds=1),
        _group(slo, profile, slow, windows=_windows(slow, profile) - fast_windows, name="slow", rounds=SLOW_ROUNDS),
        Group(
            name=f"slo-{slo.name}-budget",
            interval=duration(profile.evaluation_interval_s * BUDGET_ROUNDS),
            rules=budget(slo, profile),
        ),
    ]
    return [group for group in made if group.rules]


def _is_slow(alert: Alert) -> bool:
    return alert.kind == "burn-rate" and alert.severity != "page"


def _windows(alerts: Sequence[Alert], profile: Profile) -> set[int]:
    """The windows, in seconds of the profile, that alerts read as recorded ratios."""
    read = [c for alert in alerts if alert.kind in ("burn-rate", "error-ratio") for c in alert.conditions]
    return {profile.window_s(nominal) for c in read for nominal in (c.window_s, c.short_s) if nominal is not None}


def _group(slo: Slo, profile: Profile, alerts: Sequence[Alert], *, windows: set[int], name: str, rounds: int) -> Group:
    interval_s = profile.evaluation_interval_s * rounds
    births_s = profile.window_s(BIRTHS_UP_TO_S)
    recorded = [rule for window_s in sorted(windows) for rule in recordings(slo, window_s, births=window_s <= births_s)]
    raised = [alerting(slo, alert, profile, interval_s=interval_s) for alert in alerts if "prometheus" in slo.alerting]
    return Group(
        name=f"slo-{slo.name}-{name}",
        interval=duration(interval_s),
        rules=[*recorded, *raised],
    )
