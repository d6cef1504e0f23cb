"""A trace is drawn as the tree that it is, whatever its spans say of each other."""

from typing import Any

from reports import waterfall
from reports.evidence import Evidence, Trace
from tests.unit.reports import examples


def trace(*spans: dict[str, Any]) -> Trace:
    """
    A trace of spans of one millisecond, given by what is particular to them.
    """
    usual = {"span_id": "a", "start_t": 0.0, "duration_s": 0.001}
    found = Evidence.read({"trace": {"trace_id": "t", "spans": [usual | span for span in spans]}})
    assert found.trace is not None
    return found.trace


def shape(found: Trace) -> list[tuple[str, int]]:
    """
    Span ids and depths in the order in which they are drawn.
    """
    return [(row.span.span_id, row.depth) for row in waterfall.rows(found)]


def test_children_follow_their_parent_in_order_of_time() -> None:
    """
    The order in which spans arrived does not matter.
    """
    found = trace(
        {"span_id": "c", "parent_id": "a", "start_t": 2.0},
        {"span_id": "b", "parent_id": "a", "start_t": 1.0},
        {"span_id": "d", "parent_id": "b", "start_t": 1.5},
        {"span_id": "a"},
    )

    assert shape(found) == [("a", 0), ("b", 1), ("d", 2), ("c", 1)]


def test_a_span_without_its_parent_stands_at_the_root() -> None:
    """
    Part of a trace may be lost, and the rest is worth seeing.
    """
    assert shape(trace({"span_id": "a"}, {"span_id": "x", "parent_id": "lost", "start_t": 1.0})) == [("a", 0), ("x", 0)]


def test_a_ring_of_parents_ends() -> None:
    """
    Each span is drawn once, also its own parent and one of two with the same id.
    """
    ring = trace(
        {"span_id": "a", "parent_id": "b"},
        {"span_id": "b", "parent_id": "a", "start_t": 1.0},
        {"span_id": "s", "parent_id": "s", "start_t": 2.0},
        {"span_id": "s", "parent_id": "s", "start_t": 3.0},
    )

    assert sorted(span_id for span_id, _ in shape(ring)) == ["a", "b", "s", "s"]


def test_a_huge_trace_is_cut() -> None:
    """
    A deep chain of 5,000 spans neither breaks the drawing nor the page.
    """
    chain = trace(*({"span_id": str(n), "parent_id": str(n - 1), "start_t": float(n)} for n in range(5000)))
    rows = waterfall.rows(chain)

    assert len(rows) == waterfall.MOST_ROWS
    assert rows[-1].depth == 12


def test_a_trace_without_spans_has_no_rows() -> None:
    """
    Nothing to draw is no error.
    """
    assert waterfall.rows(trace()) == ()


def test_the_deepest_error_is_shown_at_once() -> None:
    """
    It is where the trouble began, so its attributes and its exception are open.
    """
    found = Evidence.read({"trace": examples.trace()}).trace
    assert found is not None
    (origin,) = [row for row in waterfall.rows(found) if row.open]

    assert origin.span.service == "catalog"
    assert ("exception.type", "FaultInjected") in origin.details
    assert ("event after 13.4\u00a0ms", "exception") in origin.details


def test_bars_lie_where_the_spans_were() -> None:
    """
    A span of no length is a mark still, and one at the very end stays inside.
    """
    first, second, last = waterfall.rows(
        trace(
            {"span_id": "a", "duration_s": 2.0},
            {"span_id": "b", "start_t": 1.0, "duration_s": 0.5, "error": True},
            {"span_id": "c", "start_t": 2.0, "duration_s": -1.0},
        )
    )

    assert 'x="0%" y="3" width="100%"' in first.bar
    assert 'x="50%" y="3" width="25%"' in second.bar
    assert 'class="span error"' in second.bar
    assert 'x="99.8%" y="3" width="2"' in last.bar


def test_details_have_a_limit() -> None:
    """
    Hundreds of attributes and endless values do not fill the page.
    """
    (row,) = waterfall.rows(trace({"kind": "server", "attributes": {f"key{n}": "x" * 5000 for n in range(100)}}))

    assert len(row.details) == 40
    assert row.details[0] == ("kind", "server")
    assert max(len(value) for _, value in row.details) <= 2000
