"""Sli: whether Prometheus agrees with what clients saw, and by how much."""

import math
from typing import Any

import pytest

from assertions import sli as judge_of
from assertions.evidence import Evidence, Service
from assertions.sli import resolution
from scenarios.history import Event, History
from scenarios.model import Sli
from scenarios.record import Outcome, Rung, Verdict
from tests.unit.assertions.builders import CHECK, blinded, evidence, history, service, traffic

WHEN = "all 40 s of traffic"
TRAFFIC = [*traffic(-10, 5), *traffic(5, 15, failed=5), *traffic(15, 30)]
"""400 requests, 50 of them failed."""

BUCKETS = {"0.01": 100, "0.025": 300, "0.05": 380, "0.1": 395, "+Inf": 400}


def judged(name: str, backend: Service | None, *events: Event, found: Evidence | None = None, **given: Any) -> Outcome:
    """What becomes of an indicator when Prometheus has this of the frontend."""
    services = {} if backend is None else {given.get("service", "frontend"): backend}
    return judge_of.judge(
        Sli.model_validate({"name": name} | given),
        CHECK,
        history(events or TRAFFIC),
        found or evidence(services=services),
    )


def test_an_equal_availability_agrees() -> None:
    """Both as percentages, with what they may differ by."""
    outcome = judged("availability", Service(requests=400, failed=50))

    assert (outcome.verdict, outcome.expected, outcome.observed) == (
        Verdict.PASS,
        "87.5 % as clients saw, give or take 2 % of all requests",
        "87.5 %",
    )
    assert outcome.facts == {"clients": 0.875, "backend": 0.875, "fidelity": 1.0}
    assert (outcome.where, outcome.when, outcome.hint) == ("", "", "")


@pytest.mark.parametrize(
    ("failed", "verdict"), [(41, "FAIL"), (42, "PASS"), (58, "PASS"), (59, "FAIL"), (0, "FAIL"), (400, "FAIL")]
)
def test_availability_may_differ_by_so_many_of_all_requests(failed: int, verdict: str) -> None:
    """2 % of 400 requests are 8, in either direction."""
    assert judged("availability", Service(requests=400, failed=failed)).verdict == verdict


def test_an_availability_that_disagrees_says_where_and_what_to_try() -> None:
    """All five parts."""
    outcome = judged("availability", Service(requests=400, failed=0), within="0.5%")

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, None)
    assert outcome.expected == "87.5 % as clients saw, give or take 0.5 % of all requests"
    assert outcome.observed == "100 %"
    assert outcome.where == "prometheus, http_server_request_duration_seconds_count"
    assert outcome.when == WHEN
    assert outcome.hint == "compare the ledger: which hop lost or added requests?"
    assert outcome.facts == {"clients": 0.875, "backend": 1.0, "fidelity": 1.0}


def test_a_difference_of_exactly_the_allowed_is_allowed() -> None:
    """Whatever floating-point numbers make of it."""
    assert judged("availability", Service(requests=1000, failed=145), within="2%").verdict is Verdict.PASS
    assert judged("request_rate", Service(requests=408)).verdict is Verdict.PASS
    assert judged("request_rate", Service(requests=392)).verdict is Verdict.PASS


@pytest.mark.parametrize(("failed", "verdict"), [(0, "FAIL"), (40, "PASS"), (80, "PASS"), (130, "FAIL")])
def test_requests_without_an_answer_may_have_been_served_or_not(failed: int, verdict: str) -> None:
    """40 failed and 40 got no answer: Prometheus may have any of those as failed."""
    lost = traffic(-10, 30, failed=1, lost=1)

    assert judged("availability", Service(requests=400, failed=failed), *lost).verdict == verdict


@pytest.mark.parametrize(("requests", "verdict"), [(350, "FAIL"), (360, "PASS"), (400, "PASS"), (409, "FAIL")])
def test_a_rate_may_hold_requests_without_an_answer(requests: int, verdict: str) -> None:
    """The server may have seen those 40, too."""
    lost = traffic(-10, 30, lost=1)

    assert judged("request_rate", Service(requests=requests), *lost).verdict == verdict


@pytest.mark.parametrize(
    ("requests", "verdict"), [(391, "FAIL"), (392, "PASS"), (400, "PASS"), (408, "PASS"), (409, "FAIL")]
)
def test_a_rate_may_differ_by_so_much_of_it(requests: int, verdict: str) -> None:
    """In either direction."""
    assert judged("request_rate", Service(requests=requests)).verdict == verdict


def test_a_rate_is_told_per_second() -> None:
    """Of the whole time of traffic."""
    outcome = judged("request_rate", Service(requests=300))

    assert (outcome.verdict, outcome.expected, outcome.observed) == (
        Verdict.FAIL,
        "10/s as clients saw, give or take 2 % of it",
        "7.5/s",
    )
    assert outcome.facts == {"clients": 10.0, "backend": 7.5, "fidelity": 0.75}


def test_a_quantile_agrees_within_the_resolution_of_buckets() -> None:
    """It is told between which edges Prometheus can have it."""
    outcome = judged("p95", Service(requests=400, buckets=BUCKETS))

    assert (outcome.verdict, outcome.expected, outcome.observed) == (
        Verdict.PASS,
        "21.1 ms as clients saw, to the resolution of the buckets",
        "between 10 ms and 100 ms",
    )
    assert outcome.facts == {"clients_s": pytest.approx(0.021114), "low_s": 0.01, "high_s": 0.1, "fidelity": 1.0}


@pytest.mark.parametrize(
    ("latency_s", "verdict"),
    [(0.008, "FAIL"), (0.0091, "PASS"), (0.02, "PASS"), (0.1, "PASS"), (0.11, "PASS"), (0.13, "FAIL")],
)
def test_a_quantile_outside_of_the_buckets_disagrees(latency_s: float, verdict: str) -> None:
    """The clients' own buckets are allowed for, and 10 % on top."""
    seen = traffic(-10, 30, latency_s=latency_s)

    assert judged("p95", Service(requests=400, buckets=BUCKETS), *seen, within="10%").verdict == verdict


def test_a_quantile_is_the_one_that_was_asked_for() -> None:
    """Of 1,000 requests the 500th is one of the 503 slow ones."""
    seen = traffic(0, 1, count=1000, slow=503)

    assert judged("p50", Service(requests=1000), *seen).expected.startswith("1.05 s as clients saw")


def test_a_quantile_beyond_all_buckets_is_any_time() -> None:
    """The record holds no number that JSON cannot write."""
    outcome = judged("p99", Service(requests=400, buckets={"0.01": 0, "+Inf": 400}))

    assert (outcome.verdict, outcome.observed) == (Verdict.PASS, "between 0 s and any time")
    assert outcome.facts["high_s"] is None


def test_a_service_without_buckets_disagrees() -> None:
    """No data is no agreement."""
    outcome = judged("p50", Service(requests=400))

    assert (outcome.verdict, outcome.observed) == (Verdict.FAIL, "no buckets")
    assert (outcome.facts["low_s"], outcome.facts["high_s"]) == (None, None)


@pytest.mark.parametrize(
    ("q", "edges"),
    [(0.01, (0.0, 0.025)), (0.25, (0.0, 0.025)), (0.5, (0.0, 0.05)), (0.9, (0.01, 0.1)), (0.96, (0.025, math.inf))],
)
def test_the_resolution_of_buckets(q: float, edges: tuple[float, float]) -> None:
    """The quantile's own bucket and one more on each side."""
    assert resolution(BUCKETS, q) == edges


@pytest.mark.parametrize("buckets", [{}, {"0.1": 0, "+Inf": 0}])
def test_an_empty_histogram_has_no_quantile(buckets: dict[str, float]) -> None:
    """Not even nought."""
    assert all(map(math.isnan, resolution(buckets, 0.5)))


def test_the_resolution_of_a_single_bucket() -> None:
    """Anything."""
    assert resolution({"+Inf": 3}, 0.5) == (0.0, math.inf)


def test_another_service_is_compared_with_its_own_routes() -> None:
    """Those that pass through it."""
    events = [*traffic(0, 10), *traffic(0, 10, count=5, route="/api/users")]

    assert judged("request_rate", Service(requests=50), *events, service="users").verdict is Verdict.PASS
    assert judged("request_rate", Service(requests=100), *events, service="catalog").verdict is Verdict.PASS
    assert judged("request_rate", Service(requests=100), *events, service="users").verdict is Verdict.FAIL
    assert judged("request_rate", Service(requests=150), *events).verdict is Verdict.PASS


def test_without_any_series_it_fails_at_the_rung() -> None:
    """No data is no agreement; the ladder tells where it died."""
    outcome = judged("availability", None)

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, Rung.NOT_EMITTED)
    assert (outcome.expected, outcome.observed) == (
        "requests of frontend",
        "no series at all: no data is no agreement",
    )
    assert (outcome.where, outcome.when, outcome.hint) == ("prometheus", WHEN, "the app sent nothing of it")


def test_series_that_came_and_went_fail_without_a_rung() -> None:
    """They were there in time, but are gone now."""
    outcome = judged("availability", service().model_copy(update={"requests": 0}))

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, None)
    assert outcome.hint == "they came and went again: see the collector's log"


@pytest.mark.parametrize(
    ("events", "observed"),
    [
        ([], "0 requests, 0 of them without an answer"),
        (traffic(0, 1, count=3, lost=3), "3 requests, 3 of them without an answer"),
    ],
)
def test_without_any_answer_there_is_nothing_to_compare(events: list[Event], observed: str) -> None:
    """No data is never a pass."""
    outcome = judge_of.judge(
        Sli(name="availability"), CHECK, history(events), evidence(services={"frontend": Service(requests=3)})
    )

    assert (outcome.verdict, outcome.expected, outcome.observed) == (Verdict.FAIL, "requests to compare", observed)
    assert (outcome.where, outcome.hint) == (
        "the clients' history",
        "see the traffic's log and the demo app's logs",
    )


def test_a_prometheus_that_could_not_be_asked_is_unknown() -> None:
    """Whatever else is known."""
    found = evidence(services={"frontend": Service(requests=400)}, problems={"prometheus": "it did not answer"})
    outcome = judged("request_rate", None, found=found)

    assert (outcome.verdict, outcome.expected, outcome.observed) == (
        Verdict.UNKNOWN,
        "two answers to compare",
        "it did not answer",
    )


def test_a_truth_with_holes_is_unknown() -> None:
    """Nobody knows what those clients saw who vanished."""
    outcome = judged("request_rate", Service(requests=400), *TRAFFIC, blinded("traffic"))

    assert (outcome.verdict, outcome.observed) == (
        Verdict.UNKNOWN,
        "traffic could not be watched: connection refused",
    )


def test_another_backend_that_could_not_be_asked_does_not_matter() -> None:
    """Tempo knows nothing of indicators."""
    found = evidence(services={"frontend": Service(requests=400)}, problems={"tempo": "it did not answer"})

    assert judged("request_rate", None, found=found).verdict is Verdict.PASS


def test_an_empty_history_is_no_agreement() -> None:
    """Nor does it crash the judge."""
    outcome = judge_of.judge(Sli(name="p50"), CHECK, History([]), evidence())

    assert outcome.verdict is Verdict.FAIL
