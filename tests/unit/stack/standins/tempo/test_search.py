"""Search and tags over a store: limits, defaults, what is shown."""

from typing import Any

import pytest

from stack.standins.tempo.search import search
from stack.standins.tempo.settings import Queries
from stack.standins.tempo.tags import TagReader, scoped_tag_names, scoped_tag_values, tag_names, tag_values
from stack.standins.tempo.windows import BadQuery
from tests.unit.stack.standins.tempo.made import NOW_NS, SCOPE, SECOND, resource, span, store_of

QUERIES = Queries(end_cutoff_ns=0, max_limit=50)
ONE = [
    span(1, name="GET /", resource=resource("web", service_namespace="run-1"), attributes={"code": 200, "ratio": 0.5}),
    span(2, 1, kind=3, end_ns=NOW_NS + 400_000_000, status=2, attributes={"retry": True}),
]


def ask(*traces: Any, **parameters: str) -> Any:
    """The answer to a search, one second after NOW."""
    return search(parameters, store_of(*(traces or (ONE,))).views, QUERIES, NOW_NS + SECOND)


def test_twenty_traces_and_three_spans_unless_told() -> None:
    """
    The defaults of limit and spss are Tempo's; `matched` counts all.
    """
    many = [[span(1), *(span(number, 1) for number in range(2, 7))] for _ in range(25)]

    traces = ask(*many, q="{}")["traces"]

    assert (len(traces), len(traces[0]["spanSet"]["spans"]), traces[0]["spanSet"]["matched"]) == (20, 3, 6)
    assert len(ask(*many, q="{}", limit="25", spss="5")["traces"]) == 25
    assert len(ask(*many, q="{}", spss="5")["traces"][0]["spanSets"][0]["spans"]) == 5


def test_the_newest_come_first_and_most_recent_looks_at_all() -> None:
    """
    Arrival decides where the search stops; with most_recent=true it is the start of the trace.
    """
    early, late = [span(1)], [span(500)]

    assert ask(late, early, q="{}", limit="1")["traces"][0]["traceID"] == "2"
    assert ask(late, early, q="{} with (most_recent=true)", limit="1")["traces"][0]["traceID"] == "1"
    assert [trace["traceID"] for trace in ask(early, late, q="{}")["traces"]] == ["2", "1"]


def test_shows_a_trace_as_tempo_does() -> None:
    """
    Zero values are left out, durations are in milliseconds and nanoseconds as text, conditions become attributes.
    """
    (trace,) = ask(q='{ span.code = 200 && resource.service.namespace = "run-1" }')["traces"]

    assert trace == {
        "traceID": "1",
        "rootServiceName": "web",
        "rootTraceName": "GET /",
        "startTimeUnixNano": str(NOW_NS + 1_000_000),
        "durationMs": 399,
        "spanSet": trace["spanSets"][0],
        "spanSets": [
            {
                "spans": [
                    {
                        "spanID": "0000000000000001",
                        "startTimeUnixNano": str(NOW_NS + 1_000_000),
                        "durationNanos": "1000000",
                        "attributes": [
                            {"key": "code", "value": {"intValue": "200"}},
                            {"key": "service.namespace", "value": {"stringValue": "run-1"}},
                        ],
                    }
                ],
                "matched": 1,
            }
        ],
        "serviceStats": {"shop": {"spanCount": 1, "errorCount": 1}, "web": {"spanCount": 1}},
    }


def test_shows_every_type_of_value_and_groups() -> None:
    """
    Selected fields come in their OTLP types, `nil` where a span lacks them; a group's value is on the spanset.
    """
    (trace,) = ask(q="{} | by(kind) | select(span.ratio, span.retry, status)")["traces"]
    server, client = trace["spanSets"]

    shown = {item["key"]: item["value"] for item in server["spans"][0]["attributes"]}
    assert shown == {"ratio": {"doubleValue": 0.5}, "retry": {"stringValue": "nil"}, "status": {"stringValue": "unset"}}
    assert client["attributes"] == [{"key": "by(kind)", "value": {"stringValue": "client"}}]
    assert {"key": "retry", "value": {"boolValue": True}} in client["spans"][0]["attributes"]


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ("service.name=web", 1),
        ('service.name=web name="GET /"', 1),
        ("code=200 status=error", 1),
        ("retry=true", 1),
        ("service.name=nobody", 0),
        ("code=2", 0),
    ],
)
def test_the_older_search_matches_tags_anywhere_in_a_trace(tags: str, found: int) -> None:
    """
    Each tag may be on another span; values are compared as text, whole.
    """
    answer = ask(tags=tags)

    assert len(answer["traces"]) == found
    assert answer["metrics"]["inspectedTraces"] == 1


def test_the_older_search_bounds_the_duration() -> None:
    """
    minDuration and maxDuration are of the whole trace.
    """
    assert len(ask(minDuration="399ms", maxDuration="399ms")["traces"]) == 1
    assert not ask(minDuration="400ms")["traces"]
    assert not ask(maxDuration="398ms")["traces"]


def test_only_traces_that_overlap_the_window_are_found() -> None:
    """
    A trace that ended before the start, or began after the end, is not.
    """
    seconds = NOW_NS // SECOND

    assert len(ask(q="{}", start=str(seconds - 5), end=str(seconds + 1))["traces"]) == 1
    assert not ask(q="{}", start=str(seconds - 5), end=str(seconds))["traces"]


BAD = {
    "limit=0": "invalid limit",
    "limit=51": "limit 51 exceeds max limit 50",
    "spss=101": "spans per span set exceeds 100. received 101",
    "q={}&tags=a=b": "can't specify tags and q in the same query",
    "tags=novalue": "invalid tags: 'novalue' is not key=value",
    'tags="open': "invalid tags",
    "minDuration=2s&maxDuration=1s": "invalid minDuration: must be less than maxDuration",
    "minDuration=x": "invalid minDuration: 'x' is not a duration",
    "q={} | rate()": "a metrics query belongs to /api/metrics/query_range",
    "q=" + "{}" + " " * 140_000: "TraceQL query is too large: more than 131072 bytes",
}


@pytest.mark.parametrize("query", BAD)
def test_refuses_bad_requests(query: str) -> None:
    """
    Each has its own words.
    """
    with pytest.raises(BadQuery) as caught:
        ask(**dict(part.split("=", 1) for part in query.split("&")))

    assert BAD[query] in str(caught.value)


def reader(**parameters: str) -> TagReader:
    """What a tag endpoint reads of one trace."""
    return TagReader(parameters, store_of(ONE).views, QUERIES, NOW_NS + SECOND)


def test_tags_by_scope() -> None:
    """
    Names are per scope and sorted; one scope can be asked for; `q` narrows the spans.
    """
    names: Any = scoped_tag_names(reader(), "")["scopes"]

    assert [scope["name"] for scope in names] == ["span", "resource", "intrinsic"]
    assert names[0]["tags"] == ["code", "ratio", "retry"]
    only: Any = scoped_tag_names(reader(q="{ kind = client }"), "span")["scopes"]
    assert only == [{"name": "span", "tags": ["retry"]}]
    assert "service.namespace" in tag_names(reader(), "resource")["tagNames"]  # type: ignore[operator]
    with pytest.raises(BadQuery, match="invalid scope: nothing"):
        scoped_tag_names(reader(), "nothing")


@pytest.mark.parametrize(
    ("tag", "values"),
    [
        ("span.code", [("int", "200")]),
        ("span.ratio", [("float", "0.5")]),
        (".retry", [("bool", "true")]),
        ("resource.service.name", [("string", "shop"), ("string", "web")]),
        ("status", [("keyword", "error"), ("keyword", "ok"), ("keyword", "unset")]),
        ("rootServiceName", [("string", "web")]),
        ("instrumentation:name", [("string", SCOPE.name)]),
        ("duration", []),
        ("trace:id", []),
    ],
)
def test_tag_values_have_types(tag: str, values: list[tuple[str, str]]) -> None:
    """
    The newer endpoint gives each value with its type.
    """
    answer: Any = scoped_tag_values(reader(), tag)

    assert [(item["type"], item["value"]) for item in answer["tagValues"]] == values


def test_the_older_tag_values_are_texts_of_any_scope() -> None:
    """
    A bare name is looked up everywhere.
    """
    assert tag_values(reader(), "code")["tagValues"] == ["200"]
    assert tag_values(reader(), "status")["tagValues"] == ["error", "ok", "unset"]


@pytest.mark.parametrize("tag", ["", "nothing", "span.", "{}", "span.a = 1 || span.b"])
def test_a_tag_without_a_scope_is_refused(tag: str) -> None:
    """
    The newer endpoint wants a scope or an intrinsic.
    """
    with pytest.raises(BadQuery, match="tag name is not valid intrinsic or scoped attribute"):
        scoped_tag_values(reader(), tag)
