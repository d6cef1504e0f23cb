"""Tallies: every request once, in its second; bounded samples."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scenarios.history import LATENCY_EDGES_S, Request, Traffic
from scenarios.model import Load
from scenarios.plan import Plan, Route
from scenarios.tally import Limits, Reservoir, Seen, Tally

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""On a busy machine an example may take long."""

PRODUCTS = Route(template="/api/products")
CHECKOUT = Route(template="/api/checkout", method="POST")


def seen(ended_t: float, status: int = 200, *, route: Route = PRODUCTS, took: float = 0.01, trace: str = "") -> Seen:
    """One request, answered well unless told otherwise."""
    return Seen(route, status, ended_t, took, trace or f"{ended_t:.6f}", "" if status else "refused")


def tally(*requests: Seen, failures: int = 100, per_s: int = 3) -> Tally:
    """An account of some requests, with all seconds closed."""
    account = Tally(Limits(failures=failures, per_s=per_s))
    for request in requests:
        account.add(request)
    account.close_before(account.second + 1)
    return account


def traffic(account: Tally) -> list[Traffic]:
    """Only the counts."""
    return [event for event in account.take() if isinstance(event, Traffic)]


def kept(account: Tally) -> list[Request]:
    """Only the sample."""
    return [event for event in account.take() if isinstance(event, Request)]


def test_a_second_is_counted_by_route_status_and_bucket() -> None:
    """5xx and requests without an answer failed; only the latter are errors, and only they have no latency."""
    account = tally(
        seen(10.1, took=0.5), seen(10.2, 404, took=0.5), seen(10.3, 503, took=0.25), seen(10.4, 0), seen(11.0)
    )
    second, later = traffic(account)

    assert (
        *(second.t, second.route, second.method),
        *(second.count, second.failed, second.errors),
    ) == (10.0, "/api/products", "GET", 4, 2, 1)
    assert second.status == {"200": 1, "404": 1, "503": 1}
    assert second.sum_s == pytest.approx(1.25)
    assert sum(second.latency.values()) == 3
    assert (later.t, later.count) == (11.0, 1)


def test_routes_are_counted_apart() -> None:
    """One event for each of them."""
    assert {("/api/products", "GET", 1), ("/api/checkout", "POST", 1)} == {
        (event.route, event.method, event.count) for event in traffic(tally(seen(1.5), seen(1.6, route=CHECKOUT)))
    }


@PATIENT
@given(took=st.floats(0, 60))
def test_a_latency_is_in_the_bucket_whose_edges_enclose_it(took: float) -> None:
    """An edge belongs to the bucket below it; what is beyond the last has the next index."""
    ((bucket, count),) = traffic(tally(seen(1.5, took=took)))[0].latency.items()

    assert count == 1
    assert bucket == len(LATENCY_EDGES_S) or took <= LATENCY_EDGES_S[bucket]
    assert bucket == 0 or took > LATENCY_EDGES_S[bucket - 1]


@PATIENT
@given(st.lists(st.tuples(st.floats(0, 20), st.sampled_from([0, 200, 404, 500])), max_size=60))
def test_every_request_is_counted_once(requests: list[tuple[float, int]]) -> None:
    """Whatever becomes of it, even when the clock is set back."""
    events = traffic(tally(*(seen(ended_t, status) for ended_t, status in requests)))

    assert sum(event.count for event in events) == len(requests)
    assert sum(event.failed for event in events) == sum(status in (0, 500) for _, status in requests)
    assert all(event.count == event.errors + sum(event.status.values()) for event in events)
    assert len({(event.t, event.route) for event in events}) == len(events)


def test_an_open_second_is_not_told() -> None:
    """Somebody may still add to it."""
    account = Tally(Limits(failures=10, per_s=3))
    account.add(seen(10.5))

    assert account.take() == []
    account.close_before(11)
    assert len(account.take()) == 2
    assert account.take() == []


def test_a_clock_that_was_set_back_reopens_nothing() -> None:
    """What ends in the past by such a clock is counted in the second that is open."""
    account = Tally(Limits(failures=10, per_s=3))
    account.add(seen(10.5))
    account.close_before(9)
    account.add(seen(8.5))
    account.close_before(11)

    assert [(event.t, event.count) for event in traffic(account)] == [(10, 2)]


def test_a_request_is_kept_with_all_that_was_seen() -> None:
    """It began its duration before it ended."""
    (request,) = kept(tally(Seen(CHECKOUT, 0, 10.5, 0.25, "ab" * 16, "TimeoutError: timed out")))

    assert request == Request(
        t=10.25,
        route="/api/checkout",
        method="POST",
        status=0,
        duration_s=0.25,
        trace_id="ab" * 16,
        error="TimeoutError: timed out",
    )


def test_all_failures_are_kept_up_to_the_limit() -> None:
    """Beyond it, a sample of each second."""
    account = tally(*(seen(10 + number / 100, 500) for number in range(90)), failures=20, per_s=3)

    assert len(kept(account)) == 23


def test_the_limit_of_failures_is_that_of_the_run() -> None:
    """A later second has only what the earlier ones left."""
    account = tally(*(seen(second + n / 100, 500) for second in (1, 2, 3) for n in range(10)), failures=15, per_s=2)

    assert Counter(int(request.t + 0.01) for request in kept(account)) == {1: 10, 2: 5 + 2, 3: 2}


def test_each_second_has_a_sample_of_good_requests_and_the_slowest() -> None:
    """However many there were."""
    account = tally(*(seen(10 + n / 1000, took=1.0 if n == 17 else 0.01, trace=str(n)) for n in range(900)), per_s=3)
    requests = kept(account)

    assert "17" in {request.trace_id for request in requests}
    assert len(requests) == len({request.trace_id for request in requests})
    assert 3 <= len(requests) <= 4


def test_with_room_for_all_none_is_kept_twice() -> None:
    """The slowest is then in the sample already."""
    assert len(kept(tally(seen(1.1), seen(1.2, took=0.5)))) == 2


def test_a_reservoir_gives_each_the_same_chance() -> None:
    """Of 20 that are offered to a reservoir of 5, each is kept in about a quarter of 4,000 trials."""
    times: Counter[str] = Counter()
    for _ in range(4000):
        reservoir = Reservoir(5)
        for number in range(20):
            reservoir.offer(seen(1.0, trace=str(number)))
        times.update(one.trace_id for one in reservoir.kept)

    assert times.total() == 4000 * 5
    # Seven standard deviations: 4000 trials of a chance of 1/4 deviate by 27.
    assert all(1000 - 190 < times[str(number)] < 1000 + 190 for number in range(20))


def test_an_empty_reservoir_keeps_nothing() -> None:
    """A size of 0 is allowed."""
    assert [request.t for request in kept(tally(seen(1.1), per_s=0))] == [pytest.approx(1.09)]  # the slowest alone


def test_processes_share_the_limits() -> None:
    """Together they keep about as much as one alone."""
    plan = Plan.model_validate({"host": "http://h", "events": "x", "load": Load.model_validate({"for": "1s"})})

    assert Limits(failures=2000, per_s=5) == Limits.share(plan, of=1)
    assert Limits(failures=666, per_s=2) == Limits.share(plan, of=3)


def test_requests_whose_traces_are_not_kept_are_counted_apart() -> None:
    """So that what a backend must hold of metrics and of traces can both be told; together they are all requests."""
    unsampled = seen(10.2, 500)._replace(sampled=False)
    account = tally(seen(10.1), unsampled, seen(10.3))

    assert {event.sampled: (event.count, event.failed) for event in traffic(account)} == {True: (2, 0), False: (1, 1)}


def test_few_kept_traces_are_not_crowded_out_of_the_sample() -> None:
    """Each second has a sample of those whose traces are kept, and one as large of the others."""
    others = [seen(10.1)._replace(sampled=False) for _ in range(50)]
    account = tally(*others, seen(10.2), seen(10.3), per_s=3)

    sampled = [request.sampled for request in kept(account)]
    assert (sampled.count(True), sampled.count(False)) == (2, 3)
