"""Gather: ask every backend once for all that the judges of one drill need, within a deadline."""

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from assertions import services, torn, treatment
from assertions.backend import BackendError, eventually
from assertions.blueprint import Blueprint
from assertions.climb import climb
from assertions.evidence import FORMULA_ANNOTATION, AlertRule, Collector, Delays, Evidence, Points
from assertions.grafana import Grafana
from assertions.prometheus import Prometheus, step_s
from assertions.questions import QUESTIONS
from assertions.services import BUCKETS, REQUESTS
from assertions.tempo import Tempo
from assertions.truth import traffic_span, window
from scenarios.history import History
from scenarios.model import ENTRY_SERVICE, Scenario, Traces

RATE_SCRAPES = 4
"""The rates that the report draws over the clients' own look back over so many scrapes."""

LEAST_PATIENCE_S = 2.0
"""How long is waited for each answer that is not yet as it should be, however late it is asked for."""

_SIGNALS = ("spans", "metric_points", "log_records")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backends:
    """
    Where to ask, for which drill, and how patiently: telemetry needs a few seconds to settle, from `since_s` (monotonic) on.

    Links of notifications that are mere paths are looked for below `pages`.
    """

    prometheus: Prometheus
    tempo: Tempo
    namespace: str
    delays: Delays
    grafana: Grafana | None = None
    logs: Path | None = None
    blueprint: Blueprint = field(default_factory=Blueprint)
    pages: Path = Path()
    settle_s: float = 12.0
    since_s: float = field(default_factory=time.monotonic)

    @property
    def patience_s(self) -> float:
        """
        How long to wait for telemetry to settle from now on: longer where it is exported and scraped less often.

        All waits count from the same moment, for what settles does so meanwhile; what was lost is waited for but once.
        """
        whole_s = max(self.settle_s, 2 * (self.delays.export_s + self.delays.batch_s + self.delays.scrape_s))
        return max(whole_s - (time.monotonic() - self.since_s), min(whole_s, LEAST_PATIENCE_S))


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
        except Exception as error:
            problems.setdefault(backend, f"{backend} was asked wrongly: {type(error).__name__}: {error}")

    span = traffic_span(history) or (time.time() - 60, time.time())
    attempt("prometheus", "services", lambda: services.gather(history, backends, span))
    attempt("prometheus", "collector", lambda: _collector(backends.prometheus, span))
    attempt("prometheus", "rules", partial(_rules, backends.prometheus))
    attempt("prometheus", "notify_failures", lambda: _notify_failures(backends.prometheus, span))
    attempt("prometheus", "series", lambda: _series(backends, span))
    if backends.grafana is not None:
        attempt("grafana", "grafana_rules", partial(_rules, backends.grafana))
    if "detector" in scenario.needs:
        attempt("prometheus", "scores", lambda: _scores(backends, span))
    answers: dict[str, dict[str, Any]] = {}
    for number, one in enumerate(scenario.treatments, 1):
        attempt("prometheus", "", partial(treatment.gather, one, history, backends))
        if (measured := parts.pop("", None)) is not None:
            answers.setdefault("treated", {})[f"treatments/{number}"] = measured
    for number, item in enumerate(scenario.expect, 1):
        for question in QUESTIONS.get(type(item), ()):
            attempt(question.backend or getattr(item, "source", ""), "", partial(question.ask, item, history, backends))
            if "" in parts:
                answers.setdefault(question.part, {})[f"expect/{number}"] = parts.pop("")
    if any(isinstance(item, Traces) for item in scenario.expect):
        attempt("tempo", "torn_halves", lambda: _torn_halves(backends, span))
    attempt("tempo", "stored_spans", lambda: _stored_spans(history, backends, span))
    return Evidence(asked_t=time.time(), delays=backends.delays, problems=problems, **answers, **parts)


def _torn_halves(backends: Backends, span: tuple[float, float]) -> dict[str, float]:
    return torn.halves(backends.tempo, backends.namespace, start=span[0] - 5, end=time.time() + 1)


def _collector(prometheus: Prometheus, span: tuple[float, float]) -> Collector:
    """What the collector's own counters rose by during the drill, and whether its targets were up all the time."""
    until_now = span[0], time.time()
    width = f"{math.ceil(until_now[1] - span[0])}s"

    def up(job: str) -> bool:
        lowest = prometheus.value(f'min(min_over_time(up{{job="{job}"}}[{width}]))', t=until_now[1])
        return lowest is not None and lowest >= 1

    def rise(counter: str) -> dict[str, float]:
        return {signal: _rise(prometheus, f"{counter}_{signal}", until_now) for signal in _SIGNALS}

    return Collector(
        up=up("collector"),
        exporter_up=up("collector-exporter"),
        accepted=rise("otelcol_receiver_accepted"),
        refused=rise("otelcol_receiver_refused"),
        sent=rise("otelcol_exporter_sent"),
        failed={
            signal: value + _rise(prometheus, f"otelcol_exporter_enqueue_failed_{signal}", until_now)
            for signal, value in rise("otelcol_exporter_send_failed").items()
        },
    )


def _rise(prometheus: Prometheus, counter: str, span: tuple[float, float]) -> float:
    """How much a counter rose between two moments, all its series together."""
    series = prometheus.range(f'{{__name__=~"{counter}(_total)?"}}', start=span[0], end=span[1], step_s=step_s(span))
    return sum(climb(one.points, span[0] + step_s(span)) for one in series)


def _rules(source: Prometheus | Grafana) -> dict[str, AlertRule]:
    return {
        rule.name: AlertRule(
            query=rule.query,
            interval_s=rule.interval_s,
            for_s=rule.for_s,
            health=rule.health,
            last_error=rule.last_error,
            formula=_formula(rule.annotations.get(FORMULA_ANNOTATION)),
        )
        for rule in source.rules()
    }


def _formula(text: str | None) -> Any:
    """The formula in a rule's annotation; None for a rule of somebody else's, which has none."""
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None


def _notify_failures(prometheus: Prometheus, span: tuple[float, float]) -> float:
    names = ("alertmanager_notifications_failed", "prometheus_notifications_errors")
    return sum(_rise(prometheus, name, (span[0], time.time())) for name in names)


def _series(backends: Backends, span: tuple[float, float]) -> dict[str, Points]:
    """Prometheus' own view of the entry service, second by second, to be drawn over the clients'."""
    own = f'service_namespace="{backends.namespace}",service_name="{ENTRY_SERVICE}"'
    width = f"{math.ceil(RATE_SCRAPES * backends.delays.scrape_s)}s"
    rate = f"sum(rate({REQUESTS}{{{own}}}[{width}]))"
    bad = f'sum(rate({REQUESTS}{{{own},http_response_status_code=~"5.."}}[{width}]))'
    p95 = f"histogram_quantile(0.95, sum by (le) (rate({BUCKETS}{{{own}}}[{width}])))"
    queries = {"request_rate": rate, "error_ratio": f"({bad} or vector(0)) / {rate}", "p95_s": p95}
    found: dict[str, Points] = {}
    for name, query in queries.items():
        series = backends.prometheus.range(query, start=span[0], end=span[1] + 2, step_s=step_s(span))
        found[name] = tuple((t, v) for one in series for t, v in one.points if math.isfinite(v))
    return found


def _scores(backends: Backends, span: tuple[float, float]) -> dict[str, Points]:
    """The detector's score of each signal of each service, second by second."""
    query = f'anomaly_score{{service_namespace="{backends.namespace}"}}'
    return {
        f"{series.labels.get('service_name', '')}/{series.labels.get('signal', '')}": tuple(series.points)
        for series in backends.prometheus.range(query, start=span[0], end=span[1] + 2, step_s=step_s(span))
    }


def _stored_spans(history: History, backends: Backends, span: tuple[float, float]) -> dict[str, float]:
    """How many server spans of the entry service Tempo holds, once they are all there or the deadline has passed."""
    query = (
        f'{{ resource.service.namespace = "{backends.namespace}" && resource.service.name = "{ENTRY_SERVICE}"'
        " && kind = server }"
    )
    expected = window(history, sampled=True).answered
    stored = eventually(
        lambda: backends.tempo.count(query, start=span[0] - 5, end=time.time() + 1),
        lambda count: count >= expected > 0,
        within_s=backends.patience_s,
    )
    return {ENTRY_SERVICE: stored}
