"""The store: at once by id, searchable after the flush, bounded, and honest about what it dropped."""

import threading
from dataclasses import dataclass

from stack.standins.tempo.settings import Storage
from stack.standins.tempo.store import SPAN_OVERHEAD_BYTES, Cap, Store
from tests.unit.stack.standins.tempo.made import batch, span, trace_id


@dataclass
class Clock:
    """A clock that stands still until it is set."""

    now_s: float = 100.0

    def __call__(self) -> float:
        """The time."""
        return self.now_s


def test_a_trace_is_there_by_id_before_it_is_searchable() -> None:
    """
    By id at once; to queries only when the trace has been idle for the configured time at a flush check.
    """
    clock = Clock()
    store = Store(Storage(max_idle_s=1, max_live_s=5), Cap(), clock)
    store.add(batch([span(1)]))
    store.flush()

    assert len(store.trace(trace_id(1))) == 1
    assert store.views() == []

    clock.now_s += 1
    store.flush()

    assert [view.trace_id for view in store.views()] == [trace_id(1)]


def test_a_trace_that_never_rests_is_flushed_after_its_longest_life() -> None:
    """
    Spans that keep coming delay a flush only up to max_trace_live.
    """
    clock = Clock()
    store = Store(Storage(max_idle_s=1, max_live_s=3), Cap(), clock)
    for number in range(1, 8):
        store.add(batch([span(number)]))
        clock.now_s += 0.5
        store.flush()

    assert len(store.views()[0].spans) == 6


def test_late_spans_join_their_trace_at_the_next_flush() -> None:
    """
    A trace that was flushed shows its late spans once they have been flushed too.
    """
    clock = Clock()
    store = Store(Storage(max_idle_s=1), Cap(), clock)
    store.add(batch([span(1)]))
    clock.now_s += 2
    store.flush()
    store.add(batch([span(2, 1)]))
    store.flush()

    assert [len(view.spans) for view in store.views()] == [1]
    assert len(store.trace(trace_id(1))) == 2

    clock.now_s += 2
    store.flush()

    assert [len(view.spans) for view in store.views()] == [2]


def test_the_oldest_traces_leave_first_and_are_counted() -> None:
    """
    Over the cap of spans, whole traces go, the oldest first.
    """
    store = Store(Storage(), Cap(spans=4))
    for number in range(1, 5):
        store.add(batch([span(1), span(2, 1)], first=number))

    counts = store.counts()
    assert [bool(store.trace(trace_id(number))) for number in range(1, 5)] == [False, False, True, True]
    assert (counts.evicted_traces, counts.evicted_spans, counts.spans) == (2, 4, 4)


def test_the_cap_of_bytes_holds_with_the_overhead_of_python() -> None:
    """
    Bytes count with what a decoded span costs, so that the cap is near to real memory; empty again means zero.
    """
    one = span(1)
    store = Store(Storage(), Cap(bytes=SPAN_OVERHEAD_BYTES + len(one.encoded)))
    store.add(batch([one]))
    assert store.counts().bytes == SPAN_OVERHEAD_BYTES + len(one.encoded)

    store.add(batch([one, span(2)], first=2))

    assert (store.counts().spans, store.counts().bytes, store.counts().evicted_traces) == (0, 0, 2)


def test_traces_beyond_the_retention_go_without_being_called_evicted() -> None:
    """
    Retention is no lack of memory.
    """
    clock = Clock()
    store = Store(Storage(retention_s=60), Cap(), clock)
    store.add(batch([span(1)]))
    clock.now_s += 61
    store.flush()

    assert (store.counts().traces, store.counts().evicted_traces, store.counts().live_traces) == (0, 0, 0)


def test_tempos_limits_discard_and_count_by_reason() -> None:
    """
    A trace that grows too large and a trace too many are discarded under Tempo's own reasons.
    """
    large = span(1, name="x" * 500)
    store = Store(Storage(max_bytes_per_trace=400, max_live_traces=1), Cap())
    store.add(batch([large]))
    store.add(batch([span(1)], [span(2), span(3)], first=2))

    assert store.counts().discarded == {"trace_too_large": 1, "live_traces_exceeded": 2}
    assert store.counts().spans_received == 4


def test_reading_while_writing_is_safe() -> None:
    """
    Queries and flushes beside four writers see no broken trace, and nothing is lost.
    """
    store = Store(Storage(max_idle_s=0, max_live_traces=0), Cap())

    def write(first: int) -> None:
        for number in range(200):
            store.add(batch([span(1), span(2, 1)], first=first + number))

    writers = [threading.Thread(target=write, args=(1000 * index,)) for index in range(1, 5)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        store.flush()
        assert all(len(view.spans) == 2 for view in store.views())
    store.flush()

    assert (len(store.views()), store.counts().spans) == (800, 1600)
