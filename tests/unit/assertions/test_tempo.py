"""Tempo: traces and counts, read from exchanges that were recorded with a real one."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from assertions.backend import BackendError
from assertions.tempo import Span, Tempo
from tests.unit.assertions.builders import answering, refusing

RECORDED = Path(__file__).parents[2] / "contract" / "tempo"
TRACE_ID = "bbf7651916cd43dd8448eb211c80319c"


def recorded(name: str) -> Tempo:
    """A Tempo that answers as the real one did."""
    response = json.loads((RECORDED / f"{name}.json").read_text())["response"]
    return Tempo("http://tempo", transport=answering(response["body"], response["status"]))


def one_span(**given: Any) -> dict[str, Any]:
    """The answer for a trace of one span."""
    span = {"traceId": "AQ==", "spanId": "Ag==", "startTimeUnixNano": "1000000000"} | given
    return {"trace": {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}}


def test_a_trace_as_a_real_tempo_gives_it() -> None:
    """Ids become hexadecimal, times seconds, attributes values of their types; a root has no parent."""
    found = recorded("trace-v2").trace(TRACE_ID)

    assert [(span.service, span.name, span.kind, span.span_id[-1], span.parent_id[-1:]) for span in found] == [
        ("frontend", "GET /api/products", "server", "1", ""),
        ("frontend", "GET", "client", "2", "1"),
        ("catalog", "GET /products", "server", "3", "2"),
        ("payments", "charge", "internal", "4", "1"),
    ]
    assert {span.trace_id for span in found} == {TRACE_ID}
    assert [span.error for span in found] == [True, False, False, True]
    assert found[0].attributes == {
        "http.request.method": "GET",
        "http.response.status_code": 500,
        "http.route": "/api/products",
    }
    assert found[3].attributes == {"amount": 9.5}
    assert found[0].start_t == pytest.approx(1795511276.126672)
    assert found[0].duration_s == pytest.approx(0.92)


def test_an_unknown_trace_has_no_spans() -> None:
    """Some versions say 404, others give an empty trace."""
    assert recorded("trace-v2-not-found").trace("f" * 32) == []
    assert Tempo("http://tempo", transport=answering("", 404)).trace("f" * 32) == []
    assert Tempo("http://tempo", transport=answering({"trace": None})).trace("f" * 32) == []


def test_an_id_that_is_none_is_an_error() -> None:
    """Tempo says why."""
    with pytest.raises(BackendError, match="with 400: trace IDs can only contain hex characters"):
        recorded("trace-v2-bad-id").trace("not-hex")


def test_what_a_span_leaves_out_is_nothing() -> None:
    """Zero values are not written."""
    assert Tempo("http://tempo", transport=answering(one_span())).trace("01") == [
        Span(
            trace_id="01",
            span_id="02",
            parent_id="",
            name="",
            service="",
            kind="",
            start_t=1.0,
            duration_s=0.0,
            error=False,
            attributes={},
            events=[],
        )
    ]


def test_events_and_all_types_of_values() -> None:
    """As evidence holds them."""
    attributes = [
        {"key": "text", "value": {"stringValue": "a"}},
        {"key": "whole", "value": {"intValue": "7"}},
        {"key": "number", "value": {"doubleValue": 0.5}},
        {"key": "flag", "value": {"boolValue": True}},
        {"key": "list", "value": {"arrayValue": {"values": [{"intValue": "1"}, {"stringValue": "b"}]}}},
        {"key": "empty list", "value": {"arrayValue": {}}},
        {"key": "nothing", "value": {}},
        {"key": "left out"},
    ]
    event = {"name": "exception", "timeUnixNano": "1500000000", "attributes": attributes[:1]}
    span = Tempo("http://tempo", transport=answering(one_span(attributes=attributes, events=[event, {}]))).trace("01")[
        0
    ]

    assert span.attributes == {
        "text": "a",
        "whole": 7,
        "number": 0.5,
        "flag": True,
        "list": [1, "b"],
        "empty list": [],
        "nothing": None,
        "left out": None,
    }
    assert span.events == [
        {"name": "exception", "t": 1.5, "attributes": {"text": "a"}},
        {"name": "", "t": 0.0, "attributes": {}},
    ]
    assert json.loads(json.dumps(span.to_json()))["events"] == span.events
    assert set(span.to_json()) == {
        "trace_id", "span_id", "parent_id", "name", "service", "kind", "start_t", "duration_s", "error", "attributes", "events"
    }  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"trace": 7},
        {"trace": {"resourceSpans": [7]}},
        one_span(spanId="?"),
        one_span(startTimeUnixNano="soon"),
        "<html>",
    ],
)
def test_a_trace_of_another_shape_is_an_error(body: Any) -> None:
    """Nobody knows what it means."""
    with pytest.raises(BackendError, match="tempo answered for trace 01 what is none"):
        Tempo("http://tempo", transport=answering(body)).trace("01")


def test_counts_are_summed_over_series_and_time() -> None:
    """Noughts are left out by the real one."""
    assert recorded("metrics-rate").count("{}", start=0, end=1) == 3 + 6 + 3


def test_spans_are_counted_by_a_query_of_metrics() -> None:
    """Whole seconds on both sides, in steps of one."""
    asked: list[httpx.Request] = []
    Tempo("http://tempo", transport=answering({}, asked=asked)).count("{ kind = server }", start=100.7, end=160.2)

    assert asked[0].url.path == "/api/metrics/query_range"
    assert dict(asked[0].url.params) == {
        "q": "{ kind = server } | count_over_time()",
        "start": "100",
        "end": "161",
        "step": "1s",
    }


@pytest.mark.parametrize(("length_s", "step"), [(0, "1s"), (5000, "1s"), (5001, "2s"), (20_000, "4s")])
def test_a_long_drill_is_counted_in_longer_steps(length_s: float, step: str) -> None:
    """Tempo refuses more than 10,000 of them."""
    asked: list[httpx.Request] = []
    Tempo("http://tempo", transport=answering({}, asked=asked)).count("{}", start=0, end=length_s)

    assert asked[0].url.params["step"] == step


@pytest.mark.parametrize(
    "body", [{}, {"series": []}, {"series": [{}]}, {"series": [{"samples": [{"timestampMs": "1"}]}]}]
)
def test_nothing_counted_is_nought(body: Any) -> None:
    """Zero values are left out."""
    assert Tempo("http://tempo", transport=answering(body)).count("{}", start=0, end=1) == 0


@pytest.mark.parametrize("body", [[], {"series": [7]}, {"series": [{"samples": [{"value": "many"}]}]}])
def test_a_count_of_another_shape_is_an_error(body: Any) -> None:
    """Nobody knows what it means."""
    with pytest.raises(BackendError, match=r"tempo answered for the query \{\} what is none"):
        Tempo("http://tempo", transport=answering(body)).count("{}", start=0, end=1)


def test_a_bad_query_is_an_error_with_its_reason() -> None:
    """As the real one words it."""
    with pytest.raises(BackendError, match="with 400: parse error at line 1"):
        recorded("metrics-bad").count("{} | rate(", start=0, end=1)


def test_a_tempo_that_cannot_be_reached_is_an_error() -> None:
    """For both questions."""
    tempo = Tempo("http://tempo", transport=refusing())

    with pytest.raises(BackendError, match="connection refused"):
        tempo.trace("01")
    with pytest.raises(BackendError, match="connection refused"):
        tempo.count("{}", start=0, end=1)


def test_a_closed_client_asks_no_more() -> None:
    """Its connections were given back."""
    tempo = Tempo("http://tempo", transport=answering({}))
    tempo.close()

    with pytest.raises(RuntimeError, match="closed"):
        tempo.trace("01")
