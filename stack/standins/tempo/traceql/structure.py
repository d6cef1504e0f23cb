"""Structural operators: which spans stand in a relation to others of their trace, by the bounds of their nested set."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate

from stack.standins.tempo.spans import Span
from stack.standins.tempo.traces import ROOT_PARENT, Node, TraceView

IsRelated = Callable[[Node], bool]


def related(op: str, left: Sequence[Span], right: Sequence[Span], view: TraceView) -> Sequence[Span]:
    """
    The spans of the right that stand in a relation to one of the left; `!` those in none, `&` those of both sides.

    As in Tempo, a span that hangs below no root has no place in the tree, and so no relations.
    """
    negated, relation = op.startswith("!"), op.lstrip("!&")
    if not left or not right:
        return right if negated else ()
    lefts, rights = _placed(left, view), _placed(right, view)
    is_related = RELATIONS[relation](list(lefts.values()))
    matched = [span for span, node in rights.items() if is_related(node)]
    if negated:
        return [span for span in right if span not in set(matched)]
    if op.startswith("&"):
        is_source = RELATIONS[INVERSE[relation]](list(rights.values()))
        return union(([span for span, node in lefts.items() if is_source(node)], matched))
    return matched


def union(groups: Iterable[Sequence[Span]]) -> Sequence[Span]:
    """
    The spans of all groups, each once, in order of time.
    """
    spans = dict.fromkeys(span for group in groups for span in group)
    return sorted(spans, key=lambda span: span.start_ns)


def _placed(spans: Sequence[Span], view: TraceView) -> Mapping[Span, Node]:
    return {span: node for span in spans if (node := view.nodes.get(span)) is not None}


def _is_child(others: Sequence[Node]) -> IsRelated:
    parents = {other.left for other in others}
    return lambda node: node.parent in parents


def _is_parent(others: Sequence[Node]) -> IsRelated:
    parents = {other.parent for other in others}
    return lambda node: node.left in parents


def _is_descendant(others: Sequence[Node]) -> IsRelated:
    """Intervals nest or are apart: one that begins before a node and ends after it is an ancestor's."""
    ordered = sorted(others, key=lambda other: other.left)
    lefts = [other.left for other in ordered]
    furthest = list(accumulate((other.right for other in ordered), max, initial=0))
    return lambda node: furthest[bisect_left(lefts, node.left)] > node.right


def _is_ancestor(others: Sequence[Node]) -> IsRelated:
    lefts = sorted(other.left for other in others)
    return lambda node: bisect_left(lefts, node.right) > bisect_right(lefts, node.left)


def _is_sibling(others: Sequence[Node]) -> IsRelated:
    families: dict[int, set[int]] = {}
    for other in others:
        families.setdefault(other.parent, set()).add(other.left)
    return lambda node: node.parent != ROOT_PARENT and bool(families.get(node.parent, set()) - {node.left})


RELATIONS: Mapping[str, Callable[[Sequence[Node]], IsRelated]] = {
    ">": _is_child,
    "<": _is_parent,
    ">>": _is_descendant,
    "<<": _is_ancestor,
    "~": _is_sibling,
}
INVERSE = {">": "<", "<": ">", ">>": "<<", "<<": ">>", "~": "~"}
