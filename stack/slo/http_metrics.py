"""HTTP metrics: request rate, error ratio and latency quantiles by service and by route, as people want to see them."""

from collections.abc import Sequence
from fractions import Fraction

from stack.config.profile import Profile
from stack.slo.model import IDENTITY, Selector
from stack.slo.promql import duration, quantile, summed_rate
from stack.slo.ratios import BASE_WINDOW_S
from stack.slo.rule import Group, Recording

COUNT = Selector(metric="http_server_request_duration_seconds_count")
ERRORS = Selector(metric=COUNT.metric, matchers='http_response_status_code=~"5.."')
BUCKETS = Selector(metric="http_server_request_duration_seconds_bucket")
"""OpenTelemetry's stable HTTP semantic conventions, as Prometheus spells them."""

QUANTILES = {"p50": Fraction(50, 100), "p95": Fraction(95, 100), "p99": Fraction(99, 100)}

LEVELS = {"service": IDENTITY, "route": (*IDENTITY, "http_route")}
"""What series are grouped by, by the first word of their name."""


def groups(profile: Profile) -> Sequence[Group]:
    """One group per level, evaluated with the profile's own interval."""
    window_s = profile.window_s(BASE_WINDOW_S)
    interval = duration(profile.evaluation_interval_s)
    return [
        Group(name=f"http-{level}", interval=interval, rules=_recordings(level, by, window_s))
        for level, by in LEVELS.items()
    ]


def _recordings(level: str, by: Sequence[str], window_s: int) -> Sequence[Recording]:
    labels = {"window": duration(window_s)}
    rate = f"{level}:http_server_requests:rate"
    requests = f"sum by ({', '.join(by)}) ({rate})"
    errors = f"(\n{summed_rate(ERRORS, window_s, by=by)}\nor\n{requests} * 0\n)\n/\n({requests} > 0)"
    latencies = [
        Recording(
            record=f"{level}:http_server_duration_seconds:{name}",
            expr=quantile(share, BUCKETS, window_s, by=by),
            labels=labels,
        )
        for name, share in QUANTILES.items()
    ]
    return [
        Recording(record=rate, expr=summed_rate(COUNT, window_s, by=by), labels=labels),
        Recording(record=f"{level}:http_server_errors:ratio_rate", expr=errors, labels=labels),
        *latencies,
    ]
