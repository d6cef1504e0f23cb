"""Services: what Prometheus holds of each service of a drill, by its own metrics and by the collector's of its spans."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from assertions.backend import eventually
from assertions.evidence import Points, Service
from assertions.prometheus import Prometheus, step_s
from assertions.truth import window
from scenarios.history import History
from scenarios.model import ENTRY_SERVICE

if TYPE_CHECKING:
    from assertions.gather import Backends

REQUESTS = "http_server_request_duration_seconds_count"
BUCKETS = "http_server_request_duration_seconds_bucket"
SPANS = "traces_span_metrics_calls_total"
SPAN_BUCKETS = "traces_span_metrics_duration_milliseconds_bucket"


def gather(history: History, backends: "Backends", span: tuple[float, float]) -> dict[str, Service]:
    """Every service's counters, once the entry service's have caught up with the clients or the deadline has passed."""
    truth, traced = window(history), window(history, sampled=True)
    prometheus, namespace = backends.prometheus, backends.namespace

    def caught_up(totals: Mapping[str, dict[str, Any]]) -> bool:
        entry = totals.get(ENTRY_SERVICE, {})
        has_all = entry.get("requests", 0) >= truth.answered > 0 and entry.get("collected", 0) >= traced.answered
        return bool(has_all)

    totals = eventually(lambda: _totals(prometheus, namespace), caught_up, within_s=backends.patience_s)
    by_time = {name: _by_time(prometheus, query, span) for name, query in _counters(namespace).items()}
    return {
        service: Service(**found, **{f"{name}_by_time": series.get(service, ()) for name, series in by_time.items()})
        for service, found in totals.items()
    }


def _counters(namespace: str) -> dict[str, str]:
    """The counters that are followed, as selectors."""
    own = f'service_namespace="{namespace}"'
    return {
        "requests": f"{REQUESTS}{{{own}}}",
        "failed": f'{REQUESTS}{{{own},http_response_status_code=~"5.."}}',
        "collected": f'{SPANS}{{{own},span_kind="SPAN_KIND_SERVER"}}',
    }


def _totals(prometheus: Prometheus, namespace: str) -> dict[str, dict[str, Any]]:
    own = f'service_namespace="{namespace}"'
    of_spans = f'{own},span_kind="SPAN_KIND_SERVER"'
    counters = _counters(namespace) | {"collected_failed": f'{SPANS}{{{of_spans},http_response_status_code=~"5.."}}'}
    buckets = {"buckets": f"{BUCKETS}{{{own}}}", "collected_buckets": f"{SPAN_BUCKETS}{{{of_spans}}}"}
    totals: dict[str, dict[str, Any]] = {}
    # `last_over_time`, so that a series counts that has gone stale since.
    for name, selector in counters.items():
        for sample in prometheus.instant(f"sum by (service_name) (last_over_time({selector}[1h]))"):
            totals.setdefault(sample.labels.get("service_name", ""), {})[name] = sample.value
    for name, selector in buckets.items():
        for sample in prometheus.instant(f"sum by (service_name, le) (last_over_time({selector}[1h]))"):
            found = totals.setdefault(sample.labels.get("service_name", ""), {})
            found.setdefault(name, {})[sample.labels["le"]] = sample.value
    return totals


def _by_time(prometheus: Prometheus, selector: str, span: tuple[float, float]) -> dict[str, Points]:
    query = f"sum by (service_name) ({selector})"
    series = prometheus.range(query, start=span[0] - 2, end=span[1] + 3, step_s=step_s(span))
    return {one.labels.get("service_name", ""): tuple(one.points) for one in series}
