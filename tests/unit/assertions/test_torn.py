"""Torn traces: told from whole ones and from those that lost a half."""

from typing import Any

import httpx
import pytest

from assertions.evidence import Trace
from assertions.tempo import Tempo
from assertions.torn import explained, flaw_of, halves, tears
from assertions.traces import gather, judge
from scenarios.model import Traces
from scenarios.record import Outcome, Rung, Verdict
from tests.unit.assertions.builders import CHECK, NAMESPACE, T0, answering, evidence, fault_on, history, request, span

ANSWERED = {"attributes": {"http.response.status_code": 200}}
ENTRY = span("a", "client", "frontend")
CALL = span("b", "a", "frontend", kind="client") | ANSWERED
CALLED = span("c", "b", "catalog")
QUERY = span("d", "c", "catalog", kind="client")


def trace(*spans: dict[str, Any], trace_id: str = "t") -> Trace:
    """A trace of a good request through frontend and catalog."""
    return Trace(trace_id=trace_id, route="/api/products", status=200, duration_s=0.02, spans=spans)


def judged(*traces: Trace, torn: bool = True, **found: Any) -> Outcome:
    """The outcome for traces that were looked up."""
    item = Traces.model_validate({"torn": torn})
    return judge(item, CHECK, history(), evidence(traces={CHECK.id: traces}, **found))


def test_a_call_that_leads_nowhere_is_a_tear() -> None:
    """But not one of a database, and not one that nobody answered."""
    assert tears(trace(ENTRY, CALL)) == ["GET"]
    assert tears(trace(ENTRY, CALL, CALLED, QUERY)) == []
    assert tears(trace(ENTRY, span("b", "a", "frontend", kind="client"))) == []
    assert tears(trace(CALLED, QUERY | ANSWERED)) == []
    assert tears(trace(ENTRY, span("b", "a", "frontend", kind="client") | {"attributes": {"http.status_code": 200}}))
    assert flaw_of(trace(ENTRY, CALL)) == ""
    assert flaw_of(trace(ENTRY, CALL, CALLED)) == "each call in it leads to its server span"


def test_torn_traces_pass_where_they_are_expected() -> None:
    """As long as the other halves are found."""
    outcome = judged(trace(ENTRY, CALL), torn_halves={"catalog": 2, "users": 0})

    assert (outcome.verdict, outcome.observed) == (Verdict.PASS, "1 found, 1 of them torn")


def test_without_other_halves_they_are_lost_and_not_torn() -> None:
    """A service that does not report leaves the same gap."""
    outcome = judged(trace(ENTRY, CALL), torn_halves={"catalog": 0})

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, Rung.NOT_STORED)
    assert "lost, not torn off" in outcome.hint


def test_halves_that_could_not_be_asked_for_are_unknown() -> None:
    """Nobody knows whether they are there."""
    outcome = judged(trace(ENTRY, CALL), problems={"tempo": "tempo did not answer"})

    assert (outcome.verdict, outcome.observed) == (Verdict.UNKNOWN, "tempo did not answer")


def test_whole_traces_fail_where_torn_ones_are_expected() -> None:
    """The fault did not do what it is for."""
    outcome = judged(trace(ENTRY, CALL, CALLED), torn_halves={"catalog": 2})

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, None)
    assert outcome.expected == "at least 99 % of 1 looked up torn"
    assert outcome.observed == "1 of 1 found are not: each call in it leads to its server span"


def test_a_tear_that_is_not_expected_is_named() -> None:
    """The spans are all in Tempo, so no rung is to blame."""
    outcome = judged(trace(ENTRY, CALL), torn=False, torn_halves={"catalog": 7})

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, None)
    assert outcome.hint == "the trace is torn: catalog began 7 traces of its own; is the context passed on to it?"


def test_a_tear_explains_only_services_that_began_traces() -> None:
    """And only a trace that has one."""
    assert explained(trace(ENTRY, CALL), ["catalog", "users"], {"users": 1}).startswith(
        "the trace is torn: users began 1 trace of its own;"
    )
    assert explained(trace(ENTRY, CALL), ["catalog"], {"users": 1}) == ""
    assert explained(trace(ENTRY), ["catalog"], {"catalog": 1}) == ""


def test_halves_are_counted_by_service() -> None:
    """Of this drill alone, by its namespace; the frontend's own traces begin at the clients."""
    asked: list[httpx.Request] = []
    tempo = Tempo("http://tempo", transport=answering({"series": [{"samples": [{"value": 4}]}]}, asked=asked))

    assert halves(tempo, NAMESPACE, start=T0, end=T0 + 9) == {"catalog": 4, "users": 4}
    queries = [one.url.params["q"] for one in asked]
    assert all(f'resource.service.namespace = "{NAMESPACE}"' in query for query in queries)
    assert all("kind = server && nestedSetParent < 0" in query for query in queries)


@pytest.mark.parametrize(("given", "ids"), [({}, ["before", "early", "in", "edge", "after"]), ({"fault": 1}, ["in"])])
def test_only_requests_during_the_fault_are_looked_up(given: dict[str, Any], ids: list[str]) -> None:
    """Those in the moment in which it begins, and in that of its healing, may have escaped it."""
    times = {"before": 4.9, "early": 5.1, "in": 5.5, "edge": 14.8, "after": 15}
    requests = [request(t, name) for name, t in times.items()]
    tempo = Tempo("http://tempo", transport=answering("", status=404))

    found = gather(Traces.model_validate(given), history(requests, fault_on()), tempo, within_s=0)

    assert [one.trace_id for one in found] == ids


def test_a_fault_that_was_never_on_has_no_requests() -> None:
    """No data is no pass, says the judge then."""
    tempo = Tempo("http://tempo", transport=answering("", status=404))

    assert gather(Traces.model_validate({"fault": 1}), history([request(5, "a")]), tempo, within_s=0) == ()


def silent(*spans: dict[str, Any]) -> Outcome:
    """The outcome where the catalog should have no span."""
    item = Traces.model_validate({"without": ["catalog"]})
    return judge(item, CHECK, history(), evidence(traces={CHECK.id: (trace(*spans),)}))


def test_a_silent_service_has_no_span() -> None:
    """The rest must be whole as ever, and a span of it is a failure."""
    assert silent(ENTRY, CALL).verdict is Verdict.PASS
    assert silent(CALL).observed.startswith("1 of 1 found are not: it begins in frontend with a client span")
    assert silent(ENTRY, CALL, CALLED).observed == (
        "1 of 1 found are not: there are spans of catalog, which should be silent"
    )


def test_another_service_that_is_missing_still_fails() -> None:
    """Only the one that is named may be."""
    item = Traces.model_validate({"without": ["users"]})
    outcome = judge(item, CHECK, history(), evidence(traces={CHECK.id: (trace(ENTRY, CALL),)}))

    assert outcome.observed == "1 of 1 found are not: no span of catalog"
