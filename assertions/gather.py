"""Gather: ask every backend once for all that the judges of one drill need, within a deadline."""

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from assertions import traces
from assertions.backend import BackendError, eventually
from assertions.evidence import FORMULA_ANNOTATION, AlertRule, Collector, Delays, Evidence, Points, Service, Trace
from assertions.prometheus import Prometheus, Sample
from assertions.tempo import Tempo
from assertions.truth import traffic_span, window
from scenarios.history import History
from scenarios.model import ENTRY_SERVICE, Scenario, Traces

REQUESTS = "http_server_request_duration_seconds_count"
BUCKETS = "http_server_request_duration_seconds_bucket"
SPANS = "traces_span_metrics_calls_total"
RATE_WINDOW_S = 4
"""The window of the rates that the report draws over the clients' own."""

_SIGNALS = ("spans", "metric_points", "log_records")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backends:
    """Where to ask, for which drill, and how patiently: telemetry needs a few seconds to settle."""

    prometheus: Prometheus
    tempo: Tempo
    namespace: str
    delays: Delays
    settle_s: float = 12.0


def gather(scenario: Scenario, history: History, backends: Backends) -> Evidence:
    """
    All evidence of one drill. A backend that does not answer is named in `problems`; nothing is raised.
    """
    problems: dict[str, str] = {}
    parts: dict[str, Any] = {}

    def attempt(backend: str, part: str, ask: Callable[[], Any]) -> None:
        try:
            parts[part] = ask()
        except BackendError as error:
            problems.setdefault(backend, str(error))

    span = traffic_span(history) or (time.time() - 60, time.time())
    attempt("prometheus", "services", lambda: _services(history, backends, span))
    attempt("prometheus", "collector", lambda: _collector(backends.prometheus, span))
    attempt("prometheus", "rules", lambda: _rules(backends.prometheus))
    attempt("prometheus", "notify_failures", lambda: _notify_failures(backends.prometheus, span))
    attempt("prometheus", "series", lambda: _series(backends, span))
    looked_up: dict[str, tuple[Trace, ...]] = {}
    for number, item in enumerate(scenario.expect, 1):
        if isinstance(item, Traces):
            attempt("tempo", f"expect/{number}", lambda item=item: _traces(item, history, backends))  # type: ignore[misc]
            if f"expect/{number}" in parts:
                looked_up[f"expect/{number}"] = parts.pop(f"expect/{number}")
    attempt("tempo", "stored_spans", lambda: _stored_spans(history, backends, span))
    return Evidence(asked_t=time.time(), delays=backends.delays, traces=looked_up, problems=problems, **parts)


def _traces(item: Traces, history: History, backends: Backends) -> tuple[Trace, ...]:
    return traces.gather(item, history, backends.tempo, within_s=backends.settle_s)


def _services(history: History, backends: Backends, span: tuple[float, float]) -> dict[str, Service]:
    """Every service's counters, once the entry service's have caught up with the clients or the deadline has passed."""
    truth = window(history)
    prometheus, namespace = backends.prometheus, backends.namespace

    def caught_up(totals: Mapping[str, dict[str, Any]]) -> bool:
        entry = totals.get(ENTRY_SERVICE, {})
        return bool(min(entry.get("requests", 0), entry.get("collected", 0)) >= truth.answered > 0)

    totals = eventually(lambda: _totals(prometheus, namespace), caught_up, within_s=backends.settle_s)
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
    # `last_over_time`, so that a series counts that has gone stale since.
    totals: dict[str, dict[str, Any]] = {}
    for name, selector in _counters(namespace).items():
        for sample in prometheus.instant(f"sum by (service_name) (last_over_time({selector}[1h]))"):
            totals.setdefault(sample.labels["service_name"], {})[name] = sample.value
    query = f'sum by (service_name, le) (last_over_time({BUCKETS}{{service_namespace="{namespace}"}}[1h]))'
    for sample in prometheus.instant(query):
        found = totals.setdefault(sample.labels["service_name"], {})
        found.setdefault("buckets", {})[sample.labels["le"]] = sample.value
    return totals


def _by_time(prometheus: Prometheus, selector: str, span: tuple[float, float]) -> dict[str, Points]:
    series = prometheus.range(f"sum by (service_name) ({selector})", start=span[0] - 2, end=span[1] + 3, step_s=1)
    return {one.labels["service_name"]: tuple(one.points) for one in series}


def _collector(prometheus: Prometheus, span: tuple[float, float]) -> Collector:
    """What the collector's own counters rose by during the drill, and whether its targets were up all the time."""
    start, end = span[0], time.time()
    width = f"{math.ceil(end - start)}s"

    def up(job: str) -> bool:
        lowest = prometheus.value(f'min(min_over_time(up{{job="{job}"}}[{width}]))', t=end)
        return lowest is not None and lowest >= 1

    def rise(counter: str) -> dict[str, float]:
        return {signal: _rise(prometheus, f"{counter}_{signal}", start, end) for signal in _SIGNALS}

    return Collector(
        up=up("collector"),
        exporter_up=up("collector-exporter"),
        accepted=rise("otelcol_receiver_accepted"),
        refused=rise("otelcol_receiver_refused"),
        sent=rise("otelcol_exporter_sent"),
        failed={
            signal: value + _rise(prometheus, f"otelcol_exporter_enqueue_failed_{signal}", start, end)
            for signal, value in rise("otelcol_exporter_send_failed").items()
        },
    )


def _rise(prometheus: Prometheus, counter: str, start: float, end: float) -> float:
    """How much a counter rose between two moments; one that did not exist yet began at nought."""
    selector = f'{{__name__=~"{counter}(_total)?"}}'
    after = _sum(prometheus.instant(f"sum({selector})", t=end))
    return max(0.0, after - _sum(prometheus.instant(f"sum({selector})", t=start)))


def _sum(samples: list[Sample]) -> float:
    return sum(sample.value for sample in samples)


def _rules(prometheus: Prometheus) -> dict[str, AlertRule]:
    return {
        rule.name: AlertRule(
            query=rule.query,
            interval_s=rule.interval_s,
            for_s=rule.for_s,
            health=rule.health,
            last_error=rule.last_error,
            formula=_formula(rule.annotations.get(FORMULA_ANNOTATION)),
        )
        for rule in prometheus.rules()
    }


def _formula(text: str | None) -> Any:
    """The formula in a rule's annotation; None for a rule of somebody else's, which has none."""
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None


def _notify_failures(prometheus: Prometheus, span: tuple[float, float]) -> float:
    now = time.time()
    names = ("alertmanager_notifications_failed_total", "prometheus_notifications_errors_total")
    return sum(_rise(prometheus, name.removesuffix("_total"), span[0], now) for name in names)


def _series(backends: Backends, span: tuple[float, float]) -> dict[str, Points]:
    """Prometheus' own view of the entry service, second by second, to be drawn over the clients'."""
    own = f'service_namespace="{backends.namespace}",service_name="{ENTRY_SERVICE}"'
    rate = f"sum(rate({REQUESTS}{{{own}}}[{RATE_WINDOW_S}s]))"
    bad = f'sum(rate({REQUESTS}{{{own},http_response_status_code=~"5.."}}[{RATE_WINDOW_S}s]))'
    p95 = f"histogram_quantile(0.95, sum by (le) (rate({BUCKETS}{{{own}}}[{RATE_WINDOW_S}s])))"
    queries = {"request_rate": rate, "error_ratio": f"({bad} or vector(0)) / {rate}", "p95_s": p95}
    found: dict[str, Points] = {}
    for name, query in queries.items():
        series = backends.prometheus.range(query, start=span[0], end=span[1] + 2, step_s=1)
        found[name] = tuple((t, v) for one in series for t, v in one.points if math.isfinite(v))
    return found


def _stored_spans(history: History, backends: Backends, span: tuple[float, float]) -> dict[str, float]:
    """How many server spans of the entry service Tempo holds, once they are all there or the deadline has passed."""
    query = (
        f'{{ resource.service.namespace = "{backends.namespace}" && resource.service.name = "{ENTRY_SERVICE}"'
        " && kind = server }"
    )
    expected = window(history).answered
    stored = eventually(
        lambda: backends.tempo.count(query, start=span[0] - 5, end=time.time() + 1),
        lambda count: count >= expected > 0,
        within_s=backends.settle_s,
    )
    return {ENTRY_SERVICE: stored}
