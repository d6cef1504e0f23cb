"""TraceQL evaluated: which spans of a known trace each query finds."""

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage

from stack.standins.tempo.spans import Scope, Span
from stack.standins.tempo.traceql import parse
from stack.standins.tempo.traceql.spansets import Spanset, compile_pipeline
from stack.standins.tempo.traceql.syntax import Aggregate, Attribute
from stack.standins.tempo.traces import TraceView
from tests.unit.stack.standins.tempo.made import NOW_NS, pairs, resource, span, trace_id, view

LIB = Scope(name="lib", version="2.0", attributes={"lang": "py"}, encoded=b"")


def with_details() -> Span:
    """Span 5: the one with an event and a link."""
    message = SpanMessage(span_id=bytes(7) + b"\x05", parent_span_id=bytes(7) + b"\x03", name="span 5")
    message.events.add(
        name="exception", time_unix_nano=NOW_NS + 7_000_000, attributes=pairs({"exception.type": "KeyError"})
    )
    message.links.add(trace_id=trace_id(0xAB), span_id=bytes(7) + b"\x09", attributes=pairs({"why": "retry"}))
    return span(5, 3, status=2, status_message="boom", encoded=message.SerializeToString())


SHOP: TraceView = view(
    span(
        1,
        name="GET /",
        attributes={"http.response.status_code": 200, "ok": True, "tags": ("a", "b")},
        resource=resource("web"),
    ),
    span(2, 1, kind=3, end_ns=NOW_NS + 102_000_000, attributes={"size": 10}, resource=resource("web")),
    span(3, 2, name="GET /products", attributes={"http.response.status_code": 500, "size": 2.5}, scope=LIB),
    span(4, 3, kind=1, attributes={"http.response.status_code": "500", "service.name": "mine"}),
    with_details(),
    number=0x00AB,
)

FOUND = {
    "{}": [1, 2, 3, 4, 5],
    "{ true }": [1, 2, 3, 4, 5],
    "{ false }": [],
    "{ 1 < 2 }": [1, 2, 3, 4, 5],
    # attributes, their scopes and their types
    '{ resource.service.name = "web" }': [1, 2],
    '{ .service.name = "mine" }': [4],
    '{ span.service.name = "web" }': [],
    "{ span.http.response.status_code = 500 }": [3],
    '{ span.http.response.status_code = "500" }': [4],
    "{ span.http.response.status_code >= 200 }": [1, 3],
    "{ span.http.response.status_code != 500 }": [1],
    "{ span.ok }": [1],
    "{ span.ok = true }": [1],
    "{ span.ok = 1 }": [],
    "{ !span.ok }": [],
    "{ !(span.ok = true) }": [2, 3, 4, 5],
    "{ span.size > 2 }": [2, 3],
    "{ span.size = 10.0 }": [2],
    "{ span.size != nil }": [2, 3],
    "{ span.size = nil }": [1, 4, 5],
    "{ nil != span.size }": [2, 3],
    '{ span.nothing != "x" }': [],
    '{ span.nothing !~ "x" }': [],
    # arrays: one item is enough to match, and none may for a negation
    '{ span.tags = "b" }': [1],
    '{ span.tags != "b" }': [],
    '{ span.tags != "z" }': [1],
    '{ span.tags =~ "[ab]" }': [1],
    '{ span.tags !~ "z" }': [1],
    '{ span.tags > "a" }': [1],
    # regular expressions match the whole value
    '{ name =~ "GET" }': [],
    '{ name =~ "GET.*" }': [1, 3],
    '{ name !~ "GET.*" }': [2, 4, 5],
    '{ span.http.response.status_code =~ "5.." }': [4],
    # intrinsics
    "{ status = error }": [5],
    "{ status != error }": [1, 2, 3, 4],
    '{ statusMessage = "boom" }': [5],
    "{ kind = client || kind = internal }": [2, 4],
    "{ duration > 50ms }": [2],
    "{ duration >= 1ms && duration < 2000us }": [1, 3, 4, 5],
    "{ traceDuration > 100ms }": [1, 2, 3, 4, 5],
    '{ rootServiceName = "web" && rootName = "GET /" && kind = internal }': [4],
    '{ trace:id = "ab" && kind = client }': [2],
    '{ trace:id = "000000000000000000000000000000AB" && kind = client }': [2],
    '{ span:id = "0000000000000003" || span:parentID = "0000000000000003" }': [3, 4, 5],
    "{ span:childCount = 2 }": [3],
    "{ nestedSetParent = -1 }": [1],
    '{ instrumentation:name = "lib" && instrumentation:version = "2.0" && instrumentation.lang = "py" }': [3],
    '{ event:name = "exception" && event.exception.type = "KeyError" && event:timeSinceStart = 2ms }': [5],
    '{ link:traceID = "00ab" && link:spanID = "0000000000000009" && link.why = "retry" }': [5],
    '{ .exception.type = "KeyError" }': [5],
    '{ .why = "retry" }': [5],
    # arithmetic
    "{ span.size * 2 = 20 }": [2],
    "{ -span.size < -5 }": [2],
    "{ span.size + span.size = 5 }": [3],
    "{ span.size / 0 = 1 }": [],
    "{ span.size % 4 = 2 && span.size ^ 2 = 100 }": [2],
    "{ span.size = span.size }": [2, 3],
    # spansets
    "{ kind = client } && { status = error }": [2, 5],
    "{ kind = client } && { kind = producer }": [],
    "{ kind = client } || { kind = producer }": [2],
    "{ kind = client } > { kind = server }": [3],
    "{ kind = client } >> { kind = server }": [3, 5],
    "{ kind = client } !>> { kind = server }": [1],
    "{ kind = internal } < { kind = server }": [3],
    "{ status = error } << { kind = server }": [1, 3],
    "{ kind = internal } ~ { kind = server }": [5],
    "{ kind = client } &>> { status = error }": [2, 5],
    "{ kind = producer } > { kind = server }": [],
    "{ kind = producer } !> { kind = server }": [1, 3, 5],
    # pipelines
    "{ kind = server } | { status = error }": [5],
    "{ kind = server } | count() > 2": [1, 3, 5],
    "{ kind = server } | count() > 3": [],
    "{} | avg(duration) > 20ms": [1, 2, 3, 4, 5],
    "{} | max(span.size) = 10 | min(span.size) = 2.5 | sum(span.size) > 12": [1, 2, 3, 4, 5],
    "{ kind = internal } | max(span.size) > 0": [],
    "{} | max(span.size) - min(span.size) = 7.5": [1, 2, 3, 4, 5],
    "{} | by(resource.service.name) | count() = 3": [3, 4, 5],
    "({ kind = server } | count() > 2) && ({ kind = client } | count() = 1)": [1, 2, 3, 5],
    "{} | by(kind) | coalesce() | count() = 5": [1, 2, 3, 4, 5],
    "count() = 5 | { kind = client }": [2],
    "{ kind = client } | select(name)": [2],
}


def run(query: str) -> list[Spanset]:
    """The spansets that a query finds in the trace."""
    return list(compile_pipeline(parse(query).pipeline)(SHOP))


@pytest.mark.parametrize("query", FOUND)
def test_finds(query: str) -> None:
    """
    Each query finds exactly the spans that it should, by their numbers.
    """
    found = sorted(int.from_bytes(one.span_id, "big") for spanset in run(query) for one in spanset.spans)

    assert found == FOUND[query]


def test_by_splits_and_keeps_the_groups_value() -> None:
    """
    Each group is a spanset of its own that knows what it was grouped by.
    """
    spansets = run("{} | by(resource.service.name)")

    key = Attribute(scope="resource", name="service.name")
    assert [(spanset.results[key], len(spanset.spans)) for spanset in spansets] == [("web", 2), ("shop", 3)]


def test_aggregates_are_kept_with_the_spanset() -> None:
    """
    What a scalar filter computed is shown with the result.
    """
    (spanset,) = run("{ kind = server } | count() > 1")

    assert spanset.results == {Aggregate(function="count", field=None): 3}
