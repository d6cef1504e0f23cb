"""Services: what Prometheus holds of each service of a drill, by its own metrics and by the collector's of its spans."""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from assertions.backend import eventually
from assertions.climb import climb
from assertions.evidence import Points, Service
from assertions.prometheus import Prometheus, step_s
from assertions.spells import restarts
from assertions.truth import window
from scenarios.history import History
from scenarios.model import ENTRY_SERVICE, ROLE_ROUTES

if TYPE_CHECKING:
    from assertions.gather import Backends

REQUESTS = "http_server_request_duration_seconds_count"
BUCKETS = "http_server_request_duration_seconds_bucket"
SPANS = "traces_span_metrics_calls_total"
SPAN_BUCKETS = "traces_span_metrics_duration_milliseconds_bucket"

FOLLOWED = ("requests", "failed", "collected")
"""What is also followed by time."""


def gather(history: History, backends: "Backends", span: tuple[float, float]) -> dict[str, Service]:
    """Every service's counters, once the entry service's have caught up with the clients or the deadline has passed."""
    truth, traced = window(history), window(history, sampled=True)
    prometheus, own = backends.prometheus, f'service_namespace="{backends.namespace}"'

    def ask(name: str, selector: str, *by: str) -> Iterator[tuple[Mapping[str, str], float]]:
        anew = partial(_anew, history, name)
        return _sums(prometheus, selector, by, anew=anew, span=span)

    def totals() -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for name, selector in _counters(own).items():
            for labels, value in ask(name, selector, "service_name"):
                found.setdefault(labels.get("service_name", ""), {})[name] = value
        return found

    def caught_up(totals: Mapping[str, dict[str, Any]]) -> bool:
        entry = totals.get(ENTRY_SERVICE, {})
        has_all = entry.get("requests", 0) >= truth.answered > 0 and entry.get("collected", 0) >= traced.answered
        return bool(has_all)

    services = eventually(totals, caught_up, within_s=backends.patience_s)
    for name, selector in _buckets(own).items():
        for labels, value in ask(name, selector, "service_name", "le"):
            found = services.setdefault(labels.get("service_name", ""), {})
            found.setdefault(name, {})[labels["le"]] = value
    by_time = {f"{name}_by_time": _by_time(prometheus, _counters(own)[name], span) for name in FOLLOWED}
    return {
        service: Service(**found, **{name: series.get(service, ()) for name, series in by_time.items()})
        for service, found in services.items()
    }


def _counters(own: str) -> dict[str, str]:
    """What is counted of each service, as selectors."""
    of_spans = f'{own},span_kind="SPAN_KIND_SERVER"'
    return {
        "requests": f"{REQUESTS}{{{own}}}",
        "failed": f'{REQUESTS}{{{own},http_response_status_code=~"5.."}}',
        "collected": f"{SPANS}{{{of_spans}}}",
        "collected_failed": f'{SPANS}{{{of_spans},http_response_status_code=~"5.."}}',
    }


def _buckets(own: str) -> dict[str, str]:
    return {
        "buckets": f"{BUCKETS}{{{own}}}",
        "collected_buckets": f'{SPAN_BUCKETS}{{{own},span_kind="SPAN_KIND_SERVER"}}',
    }


def _anew(history: History, name: str, service: str) -> Sequence[float]:
    """When a counter of a service began anew: with the collector if that counts it, else with the service itself."""
    return restarts(history, "collector" if name.startswith("collected") else service)


def _sums(
    prometheus: Prometheus,
    selector: str,
    by: Sequence[str],
    *,
    anew: Callable[[str], Sequence[float]],
    span: tuple[float, float],
) -> Iterator[tuple[Mapping[str, str], float]]:
    """
    What some counters have risen to since the drill began, summed by labels. Every sample has to be looked at only if one of
    them began anew meanwhile.
    """
    if not any(map(anew, ROLE_ROUTES)):
        # `last_over_time`, so that a series counts that has gone stale since.
        for sample in prometheus.instant(f"sum by ({', '.join(by)}) (last_over_time({selector}[1h]))"):
            yield sample.labels, sample.value
        return
    sums: dict[tuple[str, ...], float] = defaultdict(float)
    for series in prometheus.raw(selector, start=span[0] - 2, end=time.time()):
        labels = tuple(series.labels.get(label, "") for label in by)
        sums[labels] += climb(series.points, born_after=-math.inf, restarts=anew(labels[0]))
    yield from ((dict(zip(by, labels, strict=True)), value) for labels, value in sums.items())


def _by_time(prometheus: Prometheus, selector: str, span: tuple[float, float]) -> dict[str, Points]:
    query = f"sum by (service_name) ({selector})"
    series = prometheus.range(query, start=span[0] - 2, end=span[1] + 3, step_s=step_s(span))
    return {one.labels.get("service_name", ""): tuple(one.points) for one in series}
