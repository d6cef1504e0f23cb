"""All traces in bounded memory: at once by id, to queries once flushed, the oldest leaving first."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stack.standins.tempo.settings import Storage
from stack.standins.tempo.spans import Batch, Span
from stack.standins.tempo.traces import TraceView

SPAN_OVERHEAD_BYTES = 1_800  # what a decoded span costs in Python beside its encoded form: see the benchmark


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """How much the stand-in may hold before the oldest traces leave."""

    spans: int = 100_000
    bytes: int = 256 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What is held now, and what ever happened."""

    traces: int
    live_traces: int
    spans: int
    bytes: int
    traces_created: int
    spans_received: int
    bytes_received: int
    discarded: dict[str, int]
    evicted_traces: int
    evicted_spans: int


class Trace:
    """The spans of one trace in order of arrival; the first `flushed` of them are searchable."""

    __slots__ = ("first_at", "flushed", "last_at", "pending_at", "size", "spans", "trace_id", "view")

    def __init__(self, trace_id: bytes, now_s: float) -> None:
        self.trace_id = trace_id
        self.spans: list[Span] = []
        self.size = 0
        self.flushed = 0
        self.first_at = self.last_at = self.pending_at = now_s
        self.view: TraceView | None = None


class Store:
    """Thread-safe: receivers add, the flush loop flushes, queries read."""

    def __init__(self, storage: Storage, cap: Cap, clock: Callable[[], float] = time.monotonic) -> None:
        self._storage = storage
        self._cap = cap
        self._clock = clock
        self._lock = threading.Lock()
        self._traces: dict[bytes, Trace] = {}
        self._pending: dict[bytes, Trace] = {}
        self._totals: Counter[str] = Counter()
        self._discarded: Counter[str] = Counter()
        self._spans = 0
        self._bytes = 0

    def add(self, batch: Batch) -> None:
        """
        Keep the spans of a request; what a limit of Tempo forbids is counted as discarded.
        """
        now_s = self._clock()
        with self._lock:
            self._totals["spans_received"] += batch.spans
            self._totals["bytes_received"] += batch.size
            for trace_id, spans in batch.traces.items():
                self._add(trace_id, spans, now_s)
            self._evict_over_cap()

    def flush(self, *, all_traces: bool = False) -> list[Sequence[Span]]:
        """
        Make idle and long-lived traces (or all of them) searchable, and let those beyond the retention go.

        Returns, for each trace that was flushed, the spans that became searchable.
        """
        now_s = self._clock()
        with self._lock:
            ripe = [trace for trace in self._pending.values() if all_traces or self._is_ripe(trace, now_s)]
            flushed = [self._flush(trace) for trace in ripe]
            while self._traces and now_s - self._oldest().last_at >= self._storage.retention_s:
                self._remove_oldest()
        return flushed

    def trace(self, trace_id: bytes) -> Sequence[Span]:
        """
        All spans of a trace, flushed or not; none when it is unknown.
        """
        with self._lock:
            trace = self._traces.get(trace_id)
            return tuple(trace.spans) if trace else ()

    def views(self) -> Sequence[TraceView]:
        """
        The searchable traces, the newest first.
        """
        with self._lock:
            traces = [trace for trace in self._traces.values() if trace.flushed]
        return [_view(trace) for trace in reversed(traces)]

    def counts(self) -> Counts:
        """
        A consistent picture of the counters.
        """
        with self._lock:
            return Counts(
                traces=len(self._traces),
                live_traces=len(self._pending),
                spans=self._spans,
                bytes=self._bytes,
                traces_created=self._totals["traces_created"],
                spans_received=self._totals["spans_received"],
                bytes_received=self._totals["bytes_received"],
                discarded=dict(self._discarded),
                evicted_traces=self._totals["evicted_traces"],
                evicted_spans=self._totals["evicted_spans"],
            )

    def _add(self, trace_id: bytes, spans: Sequence[Span], now_s: float) -> None:
        trace = self._traces.get(trace_id)
        size = sum(len(span.encoded) for span in spans)
        limit = self._storage.max_bytes_per_trace
        if limit and (trace.size if trace else 0) + size > limit:
            self._discarded["trace_too_large"] += len(spans)
            return
        if trace_id not in self._pending and len(self._pending) >= self._storage.max_live_traces > 0:
            self._discarded["live_traces_exceeded"] += len(spans)
            return
        if trace is None:
            trace = self._traces[trace_id] = Trace(trace_id, now_s)
            self._totals["traces_created"] += 1
        if trace_id not in self._pending:
            self._pending[trace_id] = trace
            trace.pending_at = now_s
        trace.spans.extend(spans)
        trace.size += size
        trace.last_at = now_s
        self._spans += len(spans)
        self._bytes += size + SPAN_OVERHEAD_BYTES * len(spans)

    def _is_ripe(self, trace: Trace, now_s: float) -> bool:
        idle = now_s - trace.last_at >= self._storage.max_idle_s
        return idle or now_s - trace.pending_at >= self._storage.max_live_s

    def _flush(self, trace: Trace) -> Sequence[Span]:
        fresh = tuple(trace.spans[trace.flushed :])
        trace.flushed = len(trace.spans)
        trace.view = None
        del self._pending[trace.trace_id]
        return fresh

    def _evict_over_cap(self) -> None:
        while self._traces and (self._spans > self._cap.spans or self._bytes > self._cap.bytes):
            oldest = self._oldest()
            self._totals["evicted_traces"] += 1
            self._totals["evicted_spans"] += len(oldest.spans)
            self._remove_oldest()

    def _oldest(self) -> Trace:
        return next(iter(self._traces.values()))

    def _remove_oldest(self) -> None:
        trace = self._traces.pop(self._oldest().trace_id)
        self._pending.pop(trace.trace_id, None)
        self._spans -= len(trace.spans)
        self._bytes -= trace.size + SPAN_OVERHEAD_BYTES * len(trace.spans)


def _view(trace: Trace) -> TraceView:
    view, flushed = trace.view, trace.flushed
    if view is None or len(view.spans) != flushed:
        spans = sorted(trace.spans[:flushed], key=lambda span: span.start_ns)
        view = trace.view = TraceView(trace.trace_id, spans)
    return view
