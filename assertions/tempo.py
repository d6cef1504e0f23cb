"""Tempo: a thin typed client of its HTTP API."""

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from assertions.backend import Backend, understanding

MOST_STEPS = 5_000
"""Tempo refuses a range of more than 10,000 steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One span; ids in hexadecimal, times in seconds. `parent_id` is empty for a root."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    service: str
    kind: str
    start_t: float
    duration_s: float
    error: bool
    attributes: Mapping[str, Any]
    events: Sequence[Mapping[str, Any]]

    def to_json(self) -> dict[str, Any]:
        """The span as evidence."""
        return {name: getattr(self, name) for name in self.__slots__}


class Tempo:
    """Asks one Tempo. Every method raises BackendError when there is no (good) answer."""

    def __init__(self, url: str, *, transport: httpx.BaseTransport | None = None) -> None:
        self._backend = Backend("tempo", url, transport=transport)

    def close(self) -> None:
        """Give back the connections."""
        self._backend.close()

    def trace(self, trace_id: str) -> list[Span]:
        """All spans of a trace by its id of 32 hexadecimal digits; none when Tempo does not know it."""
        # An unknown trace is 404 in some versions and an empty trace in others.
        response = self._backend.ask(f"/api/v2/traces/{trace_id}", accept=(200, 404))
        if response.status_code == 404:
            return []
        with understanding("tempo", f"trace {trace_id}"):
            trace = response.json().get("trace") or {}
            return [span for batch in trace.get("resourceSpans", []) for span in _spans(batch)]

    def count(self, query: str, *, start: float, end: float) -> float:
        """How many spans in [start, end] a TraceQL query of spans selects."""
        step_s = max(1, math.ceil((end - start) / MOST_STEPS))
        answer = self._backend.ask_json(
            "/api/metrics/query_range",
            {"q": f"{query} | count_over_time()", "start": int(start), "end": int(end) + 1, "step": f"{step_s}s"},
        )
        with understanding("tempo", f"the query {query}"):
            samples = [sample for row in answer.get("series", []) for sample in row.get("samples", [])]
            # Zero values are left out by Tempo's JSON.
            return sum((float(sample.get("value", 0)) for sample in samples), 0.0)


def _spans(batch: Mapping[str, Any]) -> list[Span]:
    resource = _attributes(batch.get("resource", {}).get("attributes", []))
    return [
        _span(span, str(resource.get("service.name", "")))
        for scope in batch.get("scopeSpans", [])
        for span in scope.get("spans", [])
    ]


def _span(span: Mapping[str, Any], service: str) -> Span:
    start_ns, end_ns = int(span["startTimeUnixNano"]), int(span.get("endTimeUnixNano", span["startTimeUnixNano"]))
    return Span(
        trace_id=_hex(span["traceId"]),
        span_id=_hex(span["spanId"]),
        parent_id=_hex(span.get("parentSpanId", "")),
        name=span.get("name", ""),
        service=service,
        kind=str(span.get("kind", "")).removeprefix("SPAN_KIND_").lower(),
        start_t=start_ns / 1e9,
        duration_s=(end_ns - start_ns) / 1e9,
        error=span.get("status", {}).get("code") == "STATUS_CODE_ERROR",
        attributes=_attributes(span.get("attributes", [])),
        events=[
            {
                "name": event.get("name", ""),
                "t": int(event.get("timeUnixNano", 0)) / 1e9,
                "attributes": _attributes(event.get("attributes", [])),
            }
            for event in span.get("events", [])
        ],
    )


def _attributes(pairs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {pair["key"]: _value(pair.get("value", {})) for pair in pairs}


def _value(value: Mapping[str, Any]) -> Any:
    """OTLP's JSON form of a value; integers come as strings."""
    for key, content in value.items():
        if key == "intValue":
            return int(content)
        if key == "arrayValue":
            return [_value(item) for item in content.get("values", [])]
        return content
    return None


def _hex(encoded: str) -> str:
    """Tempo gives ids as base64, not as the hexadecimal of OTLP's JSON."""
    return base64.b64decode(encoded, validate=True).hex()
