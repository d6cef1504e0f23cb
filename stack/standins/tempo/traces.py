"""One trace in memory, and a view of the spans of it that queries may see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from stack.standins.tempo.spans import CLIENT, ERROR, SERVER, Span

NO_ROOT = "<root span not yet received>"
ROOT_PARENT = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStats:
    """How many spans of a service a trace has, and how many of them failed."""

    spans: int
    errors: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """
    A span's place in its tree as a nested set: a descendant's bounds lie within its ancestor's.

    `parent` is the parent's left bound, or -1 at a root.
    """

    left: int
    right: int
    parent: int


class TraceView:
    """The searchable spans of one trace; what is costly is computed once, when a query first asks."""

    def __init__(self, trace_id: bytes, spans: Sequence[Span]) -> None:
        self.trace_id = trace_id
        self.spans = spans
        self.start_ns = min(span.start_ns for span in spans)
        self.end_ns = max(span.end_ns for span in spans)

    @property
    def duration_ns(self) -> int:
        """Nanoseconds from the first start to the last end."""
        return self.end_ns - self.start_ns

    @cached_property
    def hex_id(self) -> str:
        """The trace id as Tempo prints it: hexadecimal without leading zeros."""
        return self.trace_id.hex().lstrip("0") or "0"

    @cached_property
    def size(self) -> int:
        """Bytes of the encoded spans."""
        return sum(len(span.encoded) for span in self.spans)

    @cached_property
    def root(self) -> Span | None:
        """The first span without a parent id, if it has arrived."""
        return next((span for span in self.spans if not span.parent_id), None)

    @property
    def root_name(self) -> str:
        """The root span's name, or Tempo's text for a root that has not arrived."""
        return self.root.name if self.root else NO_ROOT

    @property
    def root_service(self) -> str:
        """The root span's service, or Tempo's text for a root that has not arrived."""
        return self.root.resource.service if self.root else NO_ROOT

    @cached_property
    def services(self) -> Mapping[str, ServiceStats]:
        """Span and error counts by service, sorted by name."""
        counts: dict[str, list[int]] = {}
        for span in self.spans:
            count = counts.setdefault(span.resource.service, [0, 0])
            count[0] += 1
            count[1] += span.status == ERROR
        return {name: ServiceStats(spans=counts[name][0], errors=counts[name][1]) for name in sorted(counts)}

    @cached_property
    def parents(self) -> Mapping[Span, Span]:
        """The parent of each span whose parent has arrived; client and server spans may share one id."""
        by_id: dict[bytes, list[Span]] = {}
        for span in self.spans:
            by_id.setdefault(span.span_id, []).append(span)
        found = {span: _parent(span, by_id.get(span.parent_id, ())) for span in self.spans if span.parent_id}
        return {span: parent for span, parent in found.items() if parent is not None}

    @cached_property
    def nodes(self) -> Mapping[Span, Node]:
        """The place of each span that hangs below a root; as in Tempo, a span of a broken trace has none."""
        children: dict[Span, list[Span]] = {}
        for span, parent in self.parents.items():
            children.setdefault(parent, []).append(span)
        nodes: dict[Span, Node] = {}
        bound = 1
        for span in self.spans:
            if not span.parent_id:
                bound = _number(span, children, nodes, bound)
        return nodes


def _parent(span: Span, candidates: Sequence[Span]) -> Span | None:
    others = [candidate for candidate in candidates if candidate is not span]
    if len(others) < 2:
        return others[0] if others else None
    wanted = CLIENT if span.kind == SERVER else SERVER
    return next((candidate for candidate in others if candidate.kind == wanted), None)


def _number(root: Span, children: Mapping[Span, Sequence[Span]], nodes: dict[Span, Node], bound: int) -> int:
    lefts: dict[Span, tuple[int, int]] = {}
    stack: list[tuple[Span, int, bool]] = [(root, ROOT_PARENT, False)]
    while stack:
        span, parent, leaving = stack.pop()
        if leaving:
            left, above = lefts[span]
            nodes[span] = Node(left=left, right=bound, parent=above)
        elif span not in lefts:
            lefts[span] = (bound, parent)
            stack.append((span, parent, True))
            stack.extend((child, bound, False) for child in reversed(children.get(span, ())))
        else:
            continue
        bound += 1
    return bound
