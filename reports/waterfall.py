"""Waterfall: the spans of one trace, as rows in the order of their tree."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reports import figures
from reports.evidence import Span, Trace
from reports.svg import element, share

MOST_ROWS = 150
_MOST_DETAILS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """
    One span: how deep it lies, its bar, its details as pairs of name and value, and whether they are shown at once.
    """

    span: Span
    depth: int
    bar: Markup
    details: tuple[tuple[str, str], ...]
    open: bool


def rows(trace: Trace) -> tuple[Row, ...]:
    """
    The first MOST_ROWS spans, parents before children, siblings by start; a span without its parent stands at the root.
    """
    start = min((span.start_t for span in trace.spans), default=0.0)
    length = max((span.start_t + span.duration_s for span in trace.spans), default=0.0) - start or 1.0
    tree = [pair for pair, _ in zip(_walk(trace.spans), range(MOST_ROWS), strict=False)]
    # The deepest error is where the trouble began.
    origin = max((pair for pair in tree if pair[0].error), key=lambda pair: pair[1], default=(None, 0))[0]
    return tuple(
        Row(span=span, depth=min(depth, 12), bar=_bar(span, start, length), details=_details(span), open=span is origin)
        for span, depth in tree
    )


def _walk(spans: Sequence[Span]) -> Iterator[tuple[Span, int]]:
    """Depth first; each span once, also when parents form a ring or an id comes twice."""
    ordered = sorted(spans, key=lambda span: span.start_t)
    known = {span.span_id for span in spans}
    seen: set[int] = set()
    # Roots come off the stack first; the spans of a ring have none, so every span has its turn as one at last.
    roots = [span for span in ordered if span.parent_id not in known or span.parent_id == span.span_id]
    stack = [(span, 0) for span in reversed([*roots, *ordered])]
    children: dict[str, list[Span]] = {}
    for span in ordered:
        children.setdefault(span.parent_id, []).append(span)
    while stack:
        span, depth = stack.pop()
        if id(span) in seen:
            continue
        seen.add(id(span))
        yield span, depth
        stack += [(child, depth + 1) for child in reversed(children.get(span.span_id, ()))]


def _bar(span: Span, start: float, length: float) -> Markup:
    left = (span.start_t - start) / length
    width = max(0.0, span.duration_s) / length
    bar = element(
        "rect", x=share(left), y=3, width=share(width), height=10, rx=2, class_="span error" if span.error else "span"
    )
    # A span too short to be seen still shows where it is.
    edge = element(
        "rect", x=share(min(left, 0.998)), y=3, width=2, height=10, rx=1, class_="span error" if span.error else "span"
    )
    return element("svg", edge, bar, width="100%", height=16, aria_hidden="true")


def _details(span: Span) -> tuple[tuple[str, str], ...]:
    pairs = [("kind", span.kind), ("span id", span.span_id)] if span.kind else [("span id", span.span_id)]
    pairs += [(str(key), _text(value)) for key, value in span.attributes.items()]
    for event in span.events:
        after = "" if event.t is None else f" after {figures.seconds(event.t - span.start_t)}"
        pairs.append((f"event{after}", event.name))
        pairs += [(str(key), _text(value)) for key, value in event.attributes.items()]
    return tuple(pairs[:_MOST_DETAILS])


def _text(value: object) -> str:
    return figures.shortened(str(value), 2000)
