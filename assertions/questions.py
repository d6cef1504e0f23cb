"""Questions: what single expectations ask of the backends, beside what every drill needs."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assertions import datasource, exemplar, leads, logs, recovered, rules, semconv, service_graph, traces
from assertions.backend import BackendError
from assertions.grafana import Grafana
from assertions.panels import ask_panels
from assertions.truth import traffic_span
from scenarios.history import History
from scenarios.model import (
    Alert,
    Dashboard,
    Datasource,
    Exemplar,
    Expectation,
    Logs,
    Recovered,
    Rules,
    Semconv,
    ServiceGraph,
    Traces,
)

if TYPE_CHECKING:
    from assertions.gather import Backends


LATE_S = 10.0
"""An exemplar is stored with the scrape that brings it, which may be after the last request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """
    Whom to ask for which part of the evidence; every expectation has an answer of its own there, by the id of its check.

    Without a backend it is the one that the expectation names as its source.
    """

    backend: str
    part: str
    ask: Callable[..., Any]


def _traces(item: Traces, history: History, backends: "Backends") -> Any:
    return traces.gather(item, history, backends.tempo, within_s=backends.patience_s)


def _edges(item: ServiceGraph, history: History, backends: "Backends") -> Any:
    return service_graph.gather(
        item, history, backends.prometheus, namespace=backends.namespace, within_s=backends.patience_s
    )


def _examples(item: Exemplar, history: History, backends: "Backends") -> Any:
    start, end = traffic_span(history) or (0.0, 0.0)
    return exemplar.gather(
        item,
        (backends.prometheus, backends.tempo),
        namespace=backends.namespace,
        span=(start, end + LATE_S),
        within_s=backends.patience_s,
    )


def _metrics(item: Semconv, history: History, backends: "Backends") -> Any:
    return semconv.gather_metrics(backends.prometheus, backends.namespace)


def _few_traces(item: Semconv, history: History, backends: "Backends") -> Any:
    return semconv.gather_traces(history, backends.tempo, within_s=backends.patience_s)


def _logged(item: Logs, history: History, backends: "Backends") -> Any:
    return logs.gather(item, history, backends.logs)


def _panels(item: Dashboard, history: History, backends: "Backends") -> Any:
    grafana = _grafana(backends)
    values = {"namespace": backends.namespace, "service": ".*"}
    span = traffic_span(history) or (0.0, 0.0)
    plan = backends.blueprint.dashboards.get(item.uid)
    return ask_panels(grafana, item.uid, values, span=span, on=history.fault_window("faults/1"), plan=plan)


def _rules(item: Rules, history: History, backends: "Backends") -> Any:
    source = _grafana(backends) if item.source == "grafana" else backends.prometheus
    return rules.gather(source, backends.blueprint.rules.get(item.source, ()))


def _datasource(item: Datasource, history: History, backends: "Backends") -> Any:
    asking = datasource.Asking(
        grafana=_grafana(backends),
        prometheus=backends.prometheus,
        namespace=backends.namespace,
        span=traffic_span(history) or (0.0, 0.0),
    )
    return datasource.gather(item, asking)


def _grafana(backends: "Backends") -> Grafana:
    if backends.grafana is None:
        raise BackendError("this stack has no grafana")
    return backends.grafana


def _recovery(item: Recovered, history: History, backends: "Backends") -> Any:
    start, _ = traffic_span(history) or (0.0, 0.0)
    return recovered.gather(
        item, history, backends.prometheus, namespace=backends.namespace, span=(start - 1, time.time())
    )


def _leads(item: Alert, history: History, backends: "Backends") -> Any:
    places = leads.Places(prometheus=backends.prometheus, grafana=backends.grafana, pages=backends.pages)
    return leads.gather(item, history, places, namespace=backends.namespace)


QUESTIONS: Mapping[type[Expectation], Sequence[Question]] = {
    Alert: [Question(backend="leads", part="leads", ask=_leads)],
    Traces: [Question(backend="tempo", part="traces", ask=_traces)],
    ServiceGraph: [Question(backend="prometheus", part="edges", ask=_edges)],
    Semconv: [
        Question(backend="prometheus", part="telemetry", ask=_metrics),
        Question(backend="tempo", part="traces", ask=_few_traces),
    ],
    Logs: [Question(backend="logs", part="logged", ask=_logged)],
    Dashboard: [Question(backend="grafana", part="dashboards", ask=_panels)],
    Datasource: [Question(backend="grafana", part="datasources", ask=_datasource)],
    Rules: [Question(backend="", part="rulebooks", ask=_rules)],
    Exemplar: [Question(backend="tempo", part="examples", ask=_examples)],
    Recovered: [Question(backend="prometheus", part="recoveries", ask=_recovery)],
}
"""What each kind of expectation asks; a kind that is not here needs nothing of its own."""
