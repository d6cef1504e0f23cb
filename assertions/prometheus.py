"""Prometheus: a thin typed client of its HTTP API."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import httpx

from assertions.backend import Backend, BackendError, understanding

_NEVER = "0001-01-01"
"""Go's zero time begins so."""

MOST_POINTS = 10_000
"""Prometheus gives at most 11,000 points of a series; a longer drill is drawn in longer steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One series of an instant query and its value."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One series of a range query: (time, value) pairs."""

    labels: Mapping[str, str]
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemplar:
    """One example of what a series counted, and the trace in which it happened."""

    labels: Mapping[str, str]
    value: float
    t: float
    trace_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveAlert:
    """One alert that is pending or firing, wherever it was seen."""

    labels: Mapping[str, str]
    state: str
    active_at: float | None
    value: str = ""

    @property
    def name(self) -> str:
        """Its `alertname`."""
        return self.labels.get("alertname", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """
    One rule as loaded, with the interval of its group in seconds; `evaluated` since its server was started.

    Only Grafana gives it a `uid`.
    """

    name: str
    kind: Literal["alert", "record"] = "alert"
    query: str
    annotations: Mapping[str, str]
    labels: Mapping[str, str]
    health: str
    last_error: str
    for_s: float
    interval_s: float
    evaluated: bool = True
    uid: str = ""


class Prometheus:
    """Asks one Prometheus. Every method raises BackendError when there is no (good) answer."""

    def __init__(self, url: str, *, transport: httpx.BaseTransport | None = None) -> None:
        self._backend = Backend("prometheus", url, transport=transport)

    @property
    def url(self) -> str:
        """Where it is."""
        return self._backend.url

    def close(self) -> None:
        """Give back the connections."""
        self._backend.close()

    def instant(self, query: str, *, t: float | None = None) -> list[Sample]:
        """Evaluate a query now, or at `t`; a scalar is one sample without labels."""
        data = self._data("/api/v1/query", {"query": query} | ({"time": f"{t:.3f}"} if t is not None else {}))
        with understanding("prometheus", f"the query {query}"):
            if data["resultType"] == "scalar":
                return [Sample(labels={}, value=float(data["result"][1]))]
            return [Sample(labels=row["metric"], value=float(row["value"][1])) for row in data["result"]]

    def value(self, query: str, *, t: float | None = None) -> float | None:
        """The value of a query that gives one series; None when it gives none. Raises BackendError for more than one."""
        samples = self.instant(query, t=t)
        if len(samples) > 1:
            raise BackendError(f"prometheus: expected one series, got {len(samples)} for {query}")
        return samples[0].value if samples else None

    def range(self, query: str, *, start: float, end: float, step_s: float) -> list[Series]:
        """Evaluate a query over [start, end]; at most 11,000 points a series."""
        data = self._data(
            "/api/v1/query_range", {"query": query, "start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step_s:g}"}
        )
        with understanding("prometheus", f"the query {query}"):
            return [
                Series(labels=row["metric"], points=[(float(t), float(value)) for t, value in row["values"]])
                for row in data["result"]
            ]

    def raw(self, selector: str, *, start: float, end: float) -> list[Series]:
        """All samples of some series in (start, end] as they were scraped, each with its own time."""
        data = self._data("/api/v1/query", {"query": f"{selector}[{math.ceil(end - start)}s]", "time": f"{end:.3f}"})
        with understanding("prometheus", f"the samples of {selector}"):
            return [
                Series(labels=row["metric"], points=[(float(t), float(value)) for t, value in row["values"]])
                for row in data["result"]
            ]

    def exemplars(self, query: str, *, start: float, end: float) -> list[Exemplar]:
        """All exemplars with a trace that the series of a query got in [start, end]."""
        data = self._data("/api/v1/query_exemplars", {"query": query, "start": f"{start:.3f}", "end": f"{end:.3f}"})
        with understanding("prometheus", f"exemplars of {query}"):
            return [
                Exemplar(
                    labels=series["seriesLabels"],
                    value=float(one["value"]),
                    t=float(one["timestamp"]),
                    trace_id=one["labels"]["trace_id"],
                )
                for series in data
                for one in series["exemplars"]
                if "trace_id" in one["labels"]
            ]

    def alerts(self) -> list[ActiveAlert]:
        """All alerts that are pending or firing now."""
        data = self._data("/api/v1/alerts", {})
        with understanding("prometheus", "alerts"):
            return [
                ActiveAlert(
                    labels=dict(alert["labels"]),
                    state=alert["state"],
                    active_at=timestamp(alert.get("activeAt")),
                    value=alert.get("value", ""),
                )
                for alert in data["alerts"]
            ]

    def rules(self, *, kind: Literal["alert", "record"] = "alert") -> list[Rule]:
        """All alerting or all recording rules that are loaded."""
        data = self._data("/api/v1/rules", {"type": kind})
        with understanding("prometheus", "rules"):
            return [_rule(rule, float(group["interval"])) for group in data["groups"] for rule in group["rules"]]

    def undecided(self) -> frozenset[str]:
        """Names of the alerting rules that it has not evaluated since it was started."""
        return frozenset(rule.name for rule in self.rules() if not rule.evaluated)

    def clock(self) -> float:
        """Its own time, in seconds since the Unix epoch."""
        value = self.value("time()")
        if value is None:
            raise BackendError("prometheus does not know the time")
        return value

    def _data(self, path: str, params: Mapping[str, str]) -> Any:
        answer = self._backend.ask_json(path, params)
        if not isinstance(answer, dict) or "data" not in answer:
            raise BackendError(f"prometheus answered {path} without data: {str(answer)[:200]}")
        return answer["data"]


def _rule(rule: Mapping[str, Any], interval_s: float) -> Rule:
    return Rule(
        name=rule["name"],
        kind="record" if rule.get("type") == "recording" else "alert",
        query=rule["query"],
        annotations=rule.get("annotations", {}),
        labels=rule.get("labels", {}),
        health=rule.get("health", "unknown"),
        last_error=rule.get("lastError", ""),
        for_s=float(rule.get("duration", 0)),
        interval_s=interval_s,
        evaluated=was_evaluated(rule),
    )


def was_evaluated(rule: Mapping[str, Any]) -> bool:
    """Whether a rule, as Prometheus and Grafana tell of it, has been evaluated since its server was started."""
    return not str(rule.get("lastEvaluation", "")).startswith(_NEVER)


def timestamp(text: str | None) -> float | None:
    """
    Read RFC 3339 (with nanoseconds, as Go writes it) as seconds since the Unix epoch; None for none and for Go's zero time.

    Raises ValueError for any other text.
    """
    if not text or text.startswith(_NEVER):
        return None
    return datetime.fromisoformat(text).timestamp()


def step_s(span: tuple[float, float]) -> int:
    """Seconds between the points of a series over a span of time: one, or more if that would be too many points."""
    return math.ceil((span[1] - span[0]) / MOST_POINTS)
