"""Values: what Grafana's rules ask of Prometheus: a number for each service, compared with a limit by Grafana.

A rule of Prometheus yields a series only while it fires. Grafana wants one all the time: it then shows each service as Normal, and
an alert ends at the next evaluation, not only after the series has been missing for a while. So what a rule of Prometheus filters
out is 0 here.
"""

from collections.abc import Sequence
from fractions import Fraction

from stack.config.profile import Profile
from stack.slo.grafana_rule import Above
from stack.slo.http_metrics import COUNT
from stack.slo.model import Alert, Condition, Slo
from stack.slo.promql import BY, ON, duration, quantile, summed_rate
from stack.slo.ratios import ERROR_RATIO, TOTAL_RATE

Asked = tuple[str, Above]

SILENCE_S = 1800
"""For so long in production a service is missed that reports no more."""


def asked(slo: Slo, alert: Alert, profile: Profile) -> Sequence[Asked]:
    """The queries of an alert with their limits; any of them fires it."""
    match alert.kind:
        case "latency-quantile":
            return [_slow_quantile(slo, alert, profile)]
        case "absent":
            return [_absent(slo, alert, profile)]
    return [_share(slo, condition, profile) for condition in alert.conditions]


def _share(slo: Slo, condition: Condition, profile: Profile) -> Asked:
    """The share of bad requests, of the window where it is smallest: if that is above the limit, all are."""
    windows = [profile.window_s(nominal) for nominal in (condition.window_s, condition.short_s) if nominal is not None]
    chosen = f'window=~"{"|".join(map(duration, windows))}"' if len(windows) > 1 else f'window="{duration(windows[0])}"'
    smallest = f'min {BY} ({ERROR_RATIO}{{slo="{slo.name}",{chosen}}})'
    shortest = f'{TOTAL_RATE}{{slo="{slo.name}",window="{duration(windows[-1])}"}} * {windows[-1]}'
    expr = f"{smallest}\n* {ON}\n({shortest} >= bool {slo.min_requests})"
    return expr, Above(limit=float(condition.factor * slo.budget))


def _slow_quantile(slo: Slo, alert: Alert, profile: Profile) -> Asked:
    condition = alert.conditions[0]
    window_s = profile.window_s(condition.window_s)
    assert slo.sli.good is not None
    assert slo.sli.threshold_s is not None
    value = quantile(Fraction(1) - condition.factor * slo.budget, slo.sli.good.without("le"), window_s)
    enough = f"({summed_rate(slo.sli.total, window_s)} * {window_s} >= bool {slo.min_requests})"
    return f"({value} >= 0)\n* {ON}\n{enough}", Above(limit=float(slo.sli.threshold_s))


def _absent(slo: Slo, alert: Alert, profile: Profile) -> Asked:
    """1 for a service that has gone while the collector's exporter was read all the time, 0 for one that is there."""
    window = duration(profile.window_s(alert.conditions[0].window_s))
    there = f"count {BY} ({slo.sli.total})"
    gone = f"group {BY} (last_over_time({slo.sli.total}[{window}]))\nunless {ON}\n{there}"
    return f"(\n{gone}\n)\nand on ()\n({_in_sight(profile)})\nor\n{there} * 0", Above(limit=0)


def _in_sight(profile: Profile) -> str:
    """Whether the collector's exporter was read all the time in which a series may vanish from it."""
    sight = duration(profile.metric_expiration_s)
    return f'min(min_over_time(up{{job="collector-exporter"}}[{sight}])) == 1'


def anybody(profile: Profile) -> Asked:
    """
    0 while any service reports, while none has for long, and while Prometheus cannot read what they send, which is told by another
    rule; nothing at all once the last one has fallen silent.
    """
    before = f"last_over_time({COUNT}[{duration(profile.window_s(SILENCE_S))}])"
    lost = f"count({before})\nunless on ()\ncount({COUNT})\nand on ()\n({_in_sight(profile)})"
    return f"vector(0)\nunless on ()\n(\n{lost}\n)", Above(limit=0)


def anomaly(profile: Profile) -> Asked:
    """
    How unusual a signal of a service is, if the detector calls it an anomaly, and 0 if it does not.

    It ends an anomaly when four samples are below half of its limit, which is a score of a third.
    """
    by = "by (service_namespace, service_name, signal)"
    window = duration(4 * profile.scrape_interval_s)
    score = f"max {by} (max_over_time(anomaly_score[{window}]))"
    called = f"max {by} (anomaly_firing)"
    return f"{score}\n* on (service_namespace, service_name, signal)\n{called}", Above(limit=0.33)
