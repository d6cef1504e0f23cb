"""Rate, errors and duration of single spans: the `traces_spanmetrics_*` metrics."""

import re
from collections.abc import Callable, Mapping, Sequence

from stack.standins.tempo.registry import Labels, Registry
from stack.standins.tempo.settings import SpanMetrics
from stack.standins.tempo.spans import KINDS, STATUSES, Span

KIND_NAMES = tuple(f"SPAN_KIND_{kind.upper()}" for kind in KINDS)
STATUS_NAMES = tuple(f"STATUS_CODE_{status.upper()}" for status in STATUSES)
READERS: Mapping[str, Callable[[Span], str]] = {
    "service": lambda span: span.resource.service,
    "span_name": lambda span: span.name,
    "span_kind": lambda span: KIND_NAMES[span.kind],
    "status_code": lambda span: STATUS_NAMES[span.status],
    "status_message": lambda span: span.status_message,
}


def label_name(attribute: str) -> str:
    """
    An attribute's name as a Prometheus label: `service.namespace` becomes `service_namespace`.
    """
    return re.sub(r"^(?=\d)", "_", re.sub(r"\W", "_", attribute, flags=re.ASCII))


def dimension(attribute: str, span: Span) -> str | None:
    """
    The text of an attribute of the resource or the span, or None when neither has it.
    """
    value = span.resource.attributes.get(attribute)
    if value is None:
        value = span.attributes.get(attribute)
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


class SpanMetricsProcessor:
    """Counts each span once it arrives."""

    def __init__(self, settings: SpanMetrics, registry: Registry) -> None:
        self._registry = registry
        self._readers = [READERS[name] for name in settings.intrinsic]
        self._dimensions = settings.dimensions
        labels = (*settings.intrinsic, *self._dimension_labels(settings.intrinsic))
        self._calls = registry.family("traces_spanmetrics_calls", "Spans.", labels)
        self._latency = registry.family("traces_spanmetrics_latency", "Seconds.", labels, settings.buckets)
        self._size = registry.family("traces_spanmetrics_size", "Bytes of spans.", labels)

    def _dimension_labels(self, intrinsic: Sequence[str]) -> Labels:
        names = (label_name(attribute) for attribute in self._dimensions)
        return tuple(f"__{name}" if name in intrinsic else name for name in names)

    def consume(self, trace_id: str, spans: Sequence[Span], now_s: float) -> None:
        """
        Add the spans of one trace.
        """
        for span in spans:
            labels = (
                *[read(span) for read in self._readers],
                *[dimension(attribute, span) or "" for attribute in self._dimensions],
            )
            self._registry.add(self._calls, labels, 1, now_s)
            self._registry.observe(self._latency, labels, max(0, span.duration_ns) / 1e9, trace_id, now_s)
            self._registry.add(self._size, labels, len(span.encoded), now_s)
