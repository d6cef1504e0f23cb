"""Search: the traces that match a TraceQL query or the older tags, as `/api/search` answers."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from stack.standins.tempo.settings import Queries
from stack.standins.tempo.spans import STATUSES, Span
from stack.standins.tempo.traceql import parse
from stack.standins.tempo.traceql.check import type_of
from stack.standins.tempo.traceql.details import any_attribute
from stack.standins.tempo.traceql.shown import Shown, shown_fields, values
from stack.standins.tempo.traceql.spansets import Spanset, compile_pipeline
from stack.standins.tempo.traceql.syntax import Aggregate, Attribute, Field, Intrinsic, Query, Scalar, Type
from stack.standins.tempo.traces import TraceView
from stack.standins.tempo.values import Json, key_value, text
from stack.standins.tempo.windows import BadQuery, Window, duration_ns, positive, search_window

HIDDEN = {"name", "duration", "traceDuration", "rootName", "rootServiceName", "trace:id", "span:id"}
Views = Callable[[], Sequence[TraceView]]
Match = Callable[[TraceView], Sequence[Spanset]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A request: what to match, in which window, and how much of it to answer."""

    match: Match
    shown: Sequence[Shown] | None
    window: Window
    limit: int
    spans_per_set: int
    most_recent: bool


def search(parameters: Mapping[str, str], views: Views, queries: Queries, now_ns: int) -> Json:
    """
    The answer to a search; BadQuery or QueryError when the request is wrong.
    """
    request = read_search(parameters, queries, now_ns)
    found: list[tuple[TraceView, Sequence[Spanset]]] = []
    size = inspected = 0
    for view in views():
        if view.start_ns > request.window.end_ns or view.end_ns < request.window.start_ns:
            continue
        size += view.size
        inspected += 1
        if spansets := request.match(view):
            found.append((view, spansets))
        if len(found) >= request.limit and not request.most_recent:
            break
    found.sort(key=lambda item: item[0].start_ns, reverse=True)
    metrics: dict[str, object] = {"completedJobs": queries.shards, "totalJobs": queries.shards}
    if size:
        metrics["inspectedBytes"] = str(size)
    if request.shown is None and inspected:
        metrics["inspectedTraces"] = inspected
    return {"traces": [_trace(*item, request) for item in found[: request.limit]], "metrics": metrics}


def read_search(parameters: Mapping[str, str], queries: Queries, now_ns: int) -> Search:
    """
    The request that the parameters of `/api/search` are.
    """
    text_query = parameters.get("q", "")
    if text_query and parameters.get("tags"):
        raise BadQuery("invalid request: can't specify tags and q in the same query")
    window = search_window(parameters, queries, now_ns)
    query = _query(text_query, queries) if text_query else None
    limit = positive(parameters, "limit", queries.default_limit)
    if 0 < queries.max_limit < limit:
        raise BadQuery(f"limit {limit} exceeds max limit {queries.max_limit}")
    spans = positive(parameters, "spss", queries.default_spans)
    if 0 < queries.max_spans < spans:
        raise BadQuery(f"spans per span set exceeds {queries.max_spans}. received {spans}")
    return Search(
        match=compile_pipeline(query.pipeline) if query else legacy_match(parameters),
        shown=shown_fields(query) if query else None,
        window=window,
        limit=limit,
        spans_per_set=spans,
        most_recent=query.most_recent if query else False,
    )


def _query(text_query: str, queries: Queries) -> Query:
    if len(text_query.encode()) > queries.max_query_bytes:
        raise BadQuery(f"TraceQL query is too large: more than {queries.max_query_bytes} bytes")
    query = parse(text_query)
    if query.metric is not None:
        raise BadQuery(
            "invalid TraceQL query: a metrics query belongs to /api/metrics/query_range or /api/metrics/query"
        )
    return query


def legacy_match(parameters: Mapping[str, str]) -> Match:
    """
    The older search: `tags` in logfmt, all of which must be found in a trace, and bounds of its duration.
    """
    shortest, longest = duration_ns(parameters, "minDuration"), duration_ns(parameters, "maxDuration")
    if longest and shortest > longest:
        raise BadQuery("invalid minDuration: must be less than maxDuration")
    tags = _tags(parameters.get("tags", ""))

    def match(view: TraceView) -> Sequence[Spanset]:
        if view.duration_ns < shortest or (longest and view.duration_ns > longest):
            return ()
        found = all(any(_has_tag(span, key, value) for span in view.spans) for key, value in tags)
        return (Spanset(spans=view.spans),) if found else ()

    return match


def _tags(logfmt: str) -> Sequence[tuple[str, str]]:
    try:
        parts = shlex.split(logfmt)
    except ValueError as error:
        raise BadQuery(f"invalid tags: {error}") from error
    for part in parts:
        if "=" not in part:
            raise BadQuery(f"invalid tags: {part!r} is not key=value")
    return [(part.partition("=")[0], part.partition("=")[2]) for part in parts]


def _has_tag(span: Span, key: str, value: str) -> bool:
    if key == "name":
        return span.name == value
    if key in ("status", "status.code"):
        return STATUSES[span.status] == value
    found = any_attribute(key)(span)
    items = found if isinstance(found, tuple) else (found,)
    return any(item is not None and text(item) == value for item in items)


def _trace(view: TraceView, spansets: Sequence[Spanset], request: Search) -> Json:
    answer: dict[str, object] = {
        "traceID": view.hex_id,
        "rootServiceName": view.root_service,
        "rootTraceName": view.root_name,
        "startTimeUnixNano": str(view.start_ns),
    }
    if milliseconds := view.duration_ns // 1_000_000:
        answer["durationMs"] = milliseconds
    if request.shown is not None:
        sets = [_spanset(spanset, view, request.shown, request.spans_per_set) for spanset in spansets]
        answer |= {"spanSet": sets[0], "spanSets": sets, "serviceStats": _services(view)}
    return answer


def _services(view: TraceView) -> Json:
    return {
        name: {"spanCount": stats.spans} | ({"errorCount": stats.errors} if stats.errors else {})
        for name, stats in view.services.items()
    }


def _spanset(spanset: Spanset, view: TraceView, shown: Sequence[Shown], limit: int) -> Json:
    spans = [_span(span, values(shown, span, view)) for span in spanset.spans[:limit]]
    answer: dict[str, object] = {"spans": spans, "matched": len(spanset.spans)}
    if spanset.results:
        answer["attributes"] = [_result(key, value) for key, value in spanset.results.items()]
    return answer


def _result(key: Field | Scalar, value: object) -> Json:
    if isinstance(key, Aggregate):
        kind = type_of(key.field) if key.field is not None else Type.INT
        return key_value(str(key), value, kind)
    return key_value(f"by({key})", value, key.type if isinstance(key, Intrinsic) else Type.ATTRIBUTE)


def _span(span: Span, fields: Mapping[Attribute | Intrinsic, tuple[object, Type]]) -> Json:
    answer: dict[str, object] = {"spanID": span.span_id.hex()}
    if any(isinstance(field, Intrinsic) and field.name == "name" for field in fields):
        answer["name"] = span.name
    answer["startTimeUnixNano"] = str(span.start_ns)
    if span.duration_ns:
        answer["durationNanos"] = str(span.duration_ns)
    attributes = [
        key_value(field.name, value, kind) for field, (value, kind) in fields.items() if field.name not in HIDDEN
    ]
    if attributes:
        answer["attributes"] = attributes
    return answer
