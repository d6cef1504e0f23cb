"""The metrics generator: what Tempo would derive from spans and send to Prometheus."""

import threading
import time
from collections.abc import Callable, Sequence

from stack.standins.tempo.registry import Family, Registry
from stack.standins.tempo.service_graph import ServiceGraphProcessor
from stack.standins.tempo.settings import Generator
from stack.standins.tempo.span_metrics import SpanMetricsProcessor
from stack.standins.tempo.spans import Batch, Span

MAX_SERIES = 100_000  # the stand-in's own bound where Tempo's is unlimited


class MetricsGenerator:
    """Thread-safe: receivers consume, the flush loop expires, a scrape reads."""

    def __init__(
        self,
        settings: Generator,
        *,
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._slack_ns = round(settings.slack_s * 1e9)
        self._wall = wall
        self._clock = clock
        self._lock = threading.Lock()
        self._registry = Registry(max_series=settings.max_active_series or MAX_SERIES, stale_s=settings.stale_s)
        graphs, spans = settings.service_graphs, settings.span_metrics
        self._graph = ServiceGraphProcessor(graphs, self._registry) if graphs else None
        self._spans = SpanMetricsProcessor(spans, self._registry) if spans else None
        self.received = 0
        self.outside_slack = 0

    def consume(self, batch: Batch) -> None:
        """
        Derive metrics from the spans of a request; spans that ended too long ago, or will, are only counted.
        """
        if self._graph is None and self._spans is None:
            return
        now_ns, now_s = round(self._wall() * 1e9), self._clock()
        with self._lock:
            for trace_id, spans in batch.traces.items():
                self._consume(trace_id.hex(), [span for span in spans if self._is_recent(span, now_ns)], now_s)
                self.received += len(spans)

    def expire(self) -> None:
        """
        Settle calls whose other side never came, and forget stale series.
        """
        now_s = self._clock()
        with self._lock:
            if self._graph is not None:
                self._graph.expire(now_s)
            self._registry.forget_stale(now_s)

    def snapshot(self) -> Sequence[Family]:
        """
        A copy of the metrics as they are now.
        """
        with self._lock:
            return [family.copy() for family in self._registry.families()]

    @property
    def active_series(self) -> int:
        """How many series there are."""
        return self._registry.active

    @property
    def limited_series(self) -> int:
        """How often a new series was refused since there are too many."""
        return self._registry.limited

    def _is_recent(self, span: Span, now_ns: int) -> bool:
        recent = abs(now_ns - span.end_ns) <= self._slack_ns
        self.outside_slack += not recent
        return recent

    def _consume(self, trace_id: str, spans: Sequence[Span], now_s: float) -> None:
        if self._spans is not None:
            self._spans.consume(trace_id, spans, now_s)
        if self._graph is not None:
            self._graph.consume(trace_id, spans, now_s)
