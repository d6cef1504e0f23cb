"""The shape of a trace: the spans that it must hold, and in what the nearest one differs."""

from typing import Any

import pytest

from assertions.evidence import Trace
from assertions.shape import in_words, misfit, misshapen
from assertions.traces import judge
from scenarios.model import SpanShape, Traces
from scenarios.record import Verdict
from tests.unit.assertions.builders import CHECK, evidence, history, spans

RAISED: dict[str, Any] = {
    "span_id": "c",
    "parent_id": "b",
    "name": "GET /api/products",
    "service": "catalog",
    "kind": "server",
    "error": True,
    "start_t": 1.0,
    "duration_s": 0.4,
    "attributes": {"http.response.status_code": 500, "http.route": "/api/products", "cached": False},
    "events": [{"name": "exception", "t": 1.0, "attributes": {"exception.type": "KeyError"}}],
}
CALLER: dict[str, Any] = {
    **RAISED,
    "span_id": "a",
    "parent_id": "client",
    "name": "GET /",
    "service": "frontend",
    "events": [],
}


def shape(**given: Any) -> SpanShape:
    """The shape of a span."""
    return SpanShape.model_validate(given)


def flaw(*spans: Any, **given: Any) -> str:
    """What a trace of these spans lacks."""
    trace = Trace(trace_id="t", route="/", status=500, duration_s=1.0, spans=spans)
    return misshapen(trace, Traces.model_validate(given))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"service": "catalog", "kind": "server", "error": True, "event": "exception"},
        {"event": "exception", "event_attributes": {"exception.type": "Key*"}},
        {"name": "GET /api/products"},
        {"name": "GET *"},
        {"attributes": {"http.response.status_code": 500, "http.route": "/api/*", "cached": False}},
        {"attributes": {"http.response.status_code": "5*"}},
        {"min_duration": "400ms", "max_duration": "400ms"},
    ],
)
def test_a_span_that_fits(given: dict[str, Any]) -> None:
    """All that is asked of it holds, and what is left out does not matter."""
    assert misfit(RAISED, shape(**given)) == ""


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"service": "users"}, "is in catalog"),
        ({"kind": "client"}, "is a server span"),
        ({"name": "POST *"}, "is called GET /api/products"),
        ({"name": "get /api/products"}, "is called GET /api/products"),
        ({"error": False}, "is marked as an error"),
        ({"event": "retry"}, "has no event retry"),
        ({"attributes": {"error.type": "*"}}, "has no attribute error.type"),
        ({"attributes": {"http.response.status_code": 502}}, "has http.response.status_code=500"),
        ({"attributes": {"http.route": "/api"}}, "has http.route=/api/products"),
        ({"min_duration": "401ms"}, "lasted 400 ms"),
        ({"max_duration": "399ms"}, "lasted 400 ms"),
    ],
)
def test_a_span_that_does_not_fit(given: dict[str, Any], why: str) -> None:
    """The first difference is told."""
    assert misfit(RAISED, shape(**given)) == why


def test_a_good_span_is_not_an_error() -> None:
    """And a span of somebody else's, without events and attributes, can be asked, too."""
    bare = {key: RAISED[key] for key in ("name", "service", "kind")} | {"error": False}

    assert misfit(bare, shape(error=True)) == "is not marked as an error"
    assert misfit(bare, shape(event="exception")) == "has no event exception"
    assert misfit(bare, shape(attributes={"a": 1})) == "has no attribute a"
    assert misfit(bare, shape(min_duration="1ms")) == "lasted 0 s"
    assert misfit(bare, shape()) == ""


def test_every_span_that_is_asked_for_must_be_there() -> None:
    """One that is there does not make up for another."""
    wanted = [{"service": "frontend"}, {"service": "catalog", "event": "exception"}]

    assert flaw(CALLER, RAISED, spans=wanted) == ""
    assert flaw(CALLER, {**RAISED, "events": []}, spans=wanted) == (
        "no span of catalog with an event exception; catalog's server span GET /api/products has no event exception"
    )
    assert flaw(RAISED, spans=wanted) == "no span of frontend; catalog's server span GET /api/products is in catalog"


def test_of_a_span_that_must_be_there_several_times_all_are_counted() -> None:
    """Retries are spans beside each other."""
    assert flaw(RAISED, RAISED, CALLER, spans=[{"service": "catalog", "count": 2}]) == ""
    assert flaw(RAISED, CALLER, spans=[{"service": "catalog", "count": 2}]) == "only 1 span of 2: span of catalog"


def test_a_trace_without_spans_lacks_all() -> None:
    """There is no nearest one then."""
    assert flaw(spans=[{"kind": "server"}]) == "no server span"
    assert flaw(root="GET *") == "its first span is not there, not GET *"


def test_the_root_is_the_span_without_a_parent_in_the_trace() -> None:
    """The clients' own span is not in Tempo."""
    inner = {**RAISED, "parent_id": "a"}

    assert flaw(CALLER, inner, root="GET /") == ""
    assert flaw(CALLER, inner, root="GET /api/*") == "its first span is GET /, not GET /api/*"
    assert flaw(CALLER, RAISED, root="POST *") == "its first span is GET / and GET /api/products, not POST *"


def test_a_shape_in_words() -> None:
    """As a failure tells it."""
    assert in_words(shape()) == "span"
    assert in_words(shape(error=False, kind="client", name="GET *", service="frontend")) == (
        "good client span GET * of frontend"
    )
    assert in_words(shape(error=True, attributes={"a": 1}, min_duration="1s", max_duration="2s", event="e")) == (
        "error span with an event e and a=1 and at least 1 s and at most 2 s"
    )


def test_a_trace_that_is_whole_but_has_another_shape_fails() -> None:
    """Nothing is lost, so no rung and no lost context is to blame."""
    trace = Trace(trace_id="t", route="/api/products", status=500, duration_s=0.02, spans=spans(error=True))
    wanted = Traces.model_validate({"spans": [{"service": "catalog", "event": "exception"}]})

    outcome = judge(wanted, CHECK, history(), evidence(traces={CHECK.id: (trace,)}))

    assert (outcome.verdict, outcome.rung, outcome.where) == (Verdict.FAIL, None, "tempo, trace t")
    assert outcome.observed.startswith("1 of 1 found are not: no span of catalog with an event exception;")
    assert "is it the fault that makes such spans" in outcome.hint


@pytest.mark.parametrize(
    ("event", "attributes", "words"),
    [
        ("exception", {"exception.type": "ValueError"}, "has an event exception that has exception.type=KeyError"),
        ("exception", {"exception.message": "*"}, "has an event exception that has no attribute exception.message"),
        ("retry", {"exception.type": "KeyError"}, "has no event retry"),
    ],
)
def test_another_event_does_not_fit(event: str, attributes: dict[str, str], words: str) -> None:
    """The kind of an exception tells its cause, so it must be the right one."""
    assert misfit(RAISED, shape(event=event, event_attributes=attributes)) == words


def test_any_event_that_fits_is_enough() -> None:
    """A span may have caught another exception before."""
    events = [{"name": "exception", "attributes": {"exception.type": "TimeoutError"}}, *RAISED["events"]]
    wanted = shape(event="exception", event_attributes={"exception.type": "KeyError"})

    assert misfit({**RAISED, "events": events}, wanted) == ""
    assert in_words(wanted) == "span with an event exception and exception.type=KeyError"
