"""A trace's view: its root, its bounds, and its tree as nested sets."""

from collections.abc import Callable, Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from stack.standins.tempo.spans import Span
from stack.standins.tempo.traceql.structure import related
from stack.standins.tempo.traces import NO_ROOT
from tests.unit.stack.standins.tempo.made import NOW_NS, resource, span, view


def test_names_root_duration_and_services() -> None:
    """
    The root is the span without a parent; counts are per service, sorted.
    """
    trace = view(span(1, resource=resource("web")), span(2, 1, status=2), span(5, 1))

    assert (trace.root_name, trace.root_service) == ("span 1", "web")
    assert (trace.start_ns, trace.duration_ns) == (NOW_NS + 1_000_000, 5_000_000)
    assert [(name, stats.spans, stats.errors) for name, stats in trace.services.items()] == [
        ("shop", 2, 1),
        ("web", 1, 0),
    ]
    assert trace.hex_id == "1"


def test_a_trace_whose_root_has_not_come_says_so_and_has_no_tree() -> None:
    """
    As in Tempo: without a root no span has a place in the tree, so structural operators find nothing.
    """
    trace = view(span(2, 1), span(3, 2))

    assert (trace.root_name, trace.root_service) == (NO_ROOT, NO_ROOT)
    assert trace.nodes == {}
    assert related(">", trace.spans[:1], trace.spans[1:], trace) == []


def test_client_and_server_with_one_id_are_parent_and_child() -> None:
    """
    Two spans that share an id, as Zipkin's do: a server's child hangs below the client and not below itself.
    """
    root, client, server, below = span(1), span(2, 1, kind=3), span(2, 1, kind=2), span(3, 2, kind=2)
    trace = view(root, client, server, below)

    assert trace.parents[below] is client
    assert trace.parents[server] is root


def test_a_ring_of_parents_ends() -> None:
    """
    Spans that name each other as parents have no place in the tree, and finding that out takes no forever.
    """
    trace = view(span(1), span(2, 3), span(3, 2), span(4, 4))

    assert set(trace.nodes) == {trace.spans[0]}


@settings(deadline=None)
@given(st.lists(st.integers(min_value=0, max_value=20), min_size=1, max_size=20))
def test_relations_are_those_of_the_tree(choices: list[int]) -> None:
    """
    For any tree, the operators by bounds agree with walking from child to parent.
    """
    spans = [span(1), *(span(index, 1 + choice % (index - 1)) for index, choice in enumerate(choices, start=2))]
    trace = view(*spans)
    lefts, rights = spans[::2], spans[::3]

    for op, holds in WALKS.items():
        expected = [right for right in rights if any(holds(trace.parents, left, right) for left in lefts)]
        assert list(related(op, lefts, rights, trace)) == expected
        assert list(related(f"!{op}", lefts, rights, trace)) == [right for right in rights if right not in expected]
        sources = [left for left in lefts if any(holds(trace.parents, left, right) for right in rights)]
        both = sorted({*expected, *sources}, key=lambda one: one.start_ns)
        assert list(related(f"&{op}", lefts, rights, trace)) == both


def ancestors(parents: Mapping[Span, Span], one: Span) -> list[Span]:
    """All spans above one."""
    found = []
    while (above := parents.get(one)) is not None:
        found.append(above)
        one = above
    return found


WALKS: Mapping[str, Callable[[Mapping[Span, Span], Span, Span], bool]] = {
    ">": lambda parents, left, right: parents.get(right) is left,
    "<": lambda parents, left, right: parents.get(left) is right,
    ">>": lambda parents, left, right: left in ancestors(parents, right),
    "<<": lambda parents, left, right: right in ancestors(parents, left),
    "~": lambda parents, left, right: left is not right and parents.get(left) is parents.get(right) is not None,
}
