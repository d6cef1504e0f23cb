"""Semconv: what is stored of a drill, held to the conventions."""

from typing import Any

import httpx
import pytest

from assertions.check import Check
from assertions.prometheus import Prometheus
from assertions.semconv import EXPECTED, gather_metrics, gather_traces, judge, select
from assertions.tempo import Tempo
from scenarios.record import Outcome, Verdict
from tests.unit.assertions.builders import CHECK, NAMESPACE, T0, answering, evidence, history, request, span

ALL = {
    "http_request_method": "GET",
    "url_scheme": "http",
    "http_route": "/",
    "http_response_status_code": "200",
    "server_address": "x",
    "server_port": "80",
    "db_system_name": "sqlite",
}
SERIES = tuple(
    {"__name__": f"{metric}_count", "service_name": service} | ALL
    for metric, services in EXPECTED.items()
    for service in services
)
GOOD = span("a", "client", "frontend") | {
    "attributes": {
        "http.request.method": "GET",
        "url.scheme": "http",
        "url.path": "/",
        "http.route": "/",
        "http.response.status_code": 200,
    }
}


def judged(series: Any = SERIES, spans: Any = (GOOD,), check: Check = CHECK) -> Outcome:
    """The outcome for these series and one trace of these spans."""
    trace = {"trace_id": "t", "route": "/", "status": 200, "duration_s": 0.1, "spans": spans}
    return judge(check, evidence(telemetry={CHECK.id: series}, traces={CHECK.id: (trace,)}))


def test_what_follows_the_conventions_passes() -> None:
    """And says how much was looked at."""
    outcome = judged()

    assert (outcome.verdict, outcome.observed) == (Verdict.PASS, "so it is in 6 series and 1 spans of frontend")
    assert outcome.facts == {"series": 6, "spans": 1, "findings": []}


def test_findings_are_told_with_their_place() -> None:
    """Of metrics first; one that many series have is told once."""
    lacking = [{name: value for name, value in one.items() if name != "http_route"} for one in SERIES[:1]]
    outcome = judged([*lacking, *lacking, *SERIES[1:]], [GOOD | {"error": True}])

    assert outcome.verdict is Verdict.FAIL
    assert outcome.observed == (
        "2 findings: http_server_request_duration_seconds of frontend lacks http_route; "
        "server span GET of frontend is marked as an error, but lacks error.type"
    )
    assert len(outcome.facts["findings"]) == 2


@pytest.mark.parametrize(
    "missing",
    [
        "frontend has no http_server_request_duration_seconds",
        "catalog has no http_server_request_duration_seconds",
        "users has no http_server_request_duration_seconds",
        "frontend has no http_client_request_duration_seconds",
        "catalog has no db_client_operation_duration_seconds",
        "users has no db_client_operation_duration_seconds",
    ],
)
def test_a_metric_that_is_missing_is_a_finding(missing: str) -> None:
    """Each service must have those of what it does."""
    service, _, metric = missing.partition(" has no ")
    rest = [one for one in SERIES if (one["service_name"], one["__name__"]) != (service, f"{metric}_count")]

    assert judged(rest).observed == f"1 finding: {missing}"


def test_many_findings_are_cut_short() -> None:
    """The record has all of them."""
    outcome = judged([], [])

    assert outcome.observed.startswith("7 findings: frontend has no http_server_request_duration_seconds;")
    assert outcome.observed.endswith("; 2 more in the record")
    assert outcome.facts["findings"][-1] == "there is no span to look at"


def test_what_could_not_be_asked_is_unknown() -> None:
    """Either backend will do."""
    for problems, answers, observed in (
        ({"prometheus": "p"}, {}, "p"),
        ({"tempo": "t"}, {"telemetry": {CHECK.id: ()}}, "t"),
        ({}, {"telemetry": {CHECK.id: ()}}, "tempo was not asked"),
        ({}, {}, "prometheus was not asked"),
    ):
        outcome = judge(CHECK, evidence(problems=problems, **answers))
        assert (outcome.verdict, outcome.observed) == (Verdict.UNKNOWN, observed)


def test_a_good_and_a_failed_request_of_each_route_are_looked_at() -> None:
    """One without an answer is none of them."""
    requests = [
        request(1, "lost", status=0),
        request(2, "good"),
        request(3, "again"),
        request(4, "failed", status=502),
        request(5, "other", route="/api/users"),
    ]

    assert [one.trace_id for one in select(history(requests))] == ["good", "failed", "other"]


def test_traces_are_looked_up() -> None:
    """Those that Tempo does not know have no spans."""
    tempo = Tempo("http://tempo", transport=answering("", status=404))

    found = gather_traces(history([request(1, "aa")]), tempo, within_s=0)

    assert [(one.trace_id, one.spans) for one in found] == [("aa", ())]


def test_series_are_asked_for_by_namespace() -> None:
    """Their labels are all that matters; buckets and sums would say nothing more."""
    asked: list[httpx.Request] = []
    rows = [{"metric": {"__name__": "http_x_count"}, "value": [T0, "1"]}]
    transport = answering({"data": {"resultType": "vector", "result": rows}}, asked=asked)

    assert gather_metrics(Prometheus("http://prom", transport=transport), NAMESPACE) == ({"__name__": "http_x_count"},)
    assert f'service_namespace="{NAMESPACE}"' in asked[0].url.params["query"]
    assert '__name__!~".+_(bucket|sum)"' in asked[0].url.params["query"]
