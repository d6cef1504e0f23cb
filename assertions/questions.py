"""Questions: what single expectations ask of the backends, beside what every drill needs."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assertions import exemplar, logs, recovered, semconv, service_graph, traces
from assertions.backend import BackendError
from assertions.panels import ask_panels
from assertions.truth import traffic_span
from scenarios.history import History
from scenarios.model import Dashboard, Exemplar, Expectation, Logs, Recovered, Semconv, ServiceGraph, Traces

if TYPE_CHECKING:
    from assertions.gather import Backends


LATE_S = 10.0
"""An exemplar is stored with the scrape that brings it, which may be after the last request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Whom to ask for which part of the evidence; every expectation has an answer of its own there, by the id of its check."""

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
    if backends.grafana is None:
        raise BackendError("this stack has no grafana")
    values = {"namespace": backends.namespace, "service": ".*"}
    span = traffic_span(history) or (0.0, 0.0)
    return ask_panels(backends.grafana, item.uid, values, span=span, on=history.fault_window("faults/1"))


def _recovery(item: Recovered, history: History, backends: "Backends") -> Any:
    start, _ = traffic_span(history) or (0.0, 0.0)
    return recovered.gather(
        item, history, backends.prometheus, namespace=backends.namespace, span=(start - 1, time.time())
    )


QUESTIONS: Mapping[type[Expectation], Sequence[Question]] = {
    Traces: [Question(backend="tempo", part="traces", ask=_traces)],
    ServiceGraph: [Question(backend="prometheus", part="edges", ask=_edges)],
    Semconv: [
        Question(backend="prometheus", part="telemetry", ask=_metrics),
        Question(backend="tempo", part="traces", ask=_few_traces),
    ],
    Logs: [Question(backend="logs", part="logged", ask=_logged)],
    Dashboard: [Question(backend="grafana", part="dashboards", ask=_panels)],
    Exemplar: [Question(backend="tempo", part="examples", ask=_examples)],
    Recovered: [Question(backend="prometheus", part="recoveries", ask=_recovery)],
}
"""What each kind of expectation asks; a kind that is not here needs nothing of its own."""
