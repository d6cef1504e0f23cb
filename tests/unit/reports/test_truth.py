"""What the clients saw adds up exactly, however many seconds go into one bin."""

import pytest

from reports import truth
from scenarios.history import LATENCY_EDGES_S, History, Phase, Traffic


def second(t: float, count: int, failed: int = 0, bucket: int = 10, route: str = "/a", method: str = "GET") -> Traffic:
    """
    A second of traffic of one route, all of it in one bucket of latency.
    """
    return Traffic(
        t=t, route=route, method=method, count=count, failed=failed, latency={bucket: count} if count else {}
    )


def test_a_short_history_has_a_bin_for_each_second() -> None:
    """
    Routes of one second are added, and a second without requests counts as nought.
    """
    found = truth.bins(History([second(100, 4, failed=1), second(100, 6, route="/b"), second(102, 5)]))

    assert [(each.t, each.rate, each.failed_ratio) for each in found] == [
        (100, 10.0, 0.1),
        (101, 0.0, None),
        (102, 5.0, 0.0),
    ]


def test_a_long_history_has_no_more_bins_than_asked_for() -> None:
    """
    An hour fits into a chart, no request is lost, and the rate stays what it was.
    """
    found = truth.bins(History([second(t, 7) for t in range(3601)]), most=300)

    assert len(found) <= 300
    assert sum(each.count for each in found) == 7 * 3601
    assert {7.0} == {each.rate for each in found}


def test_a_second_that_starts_a_hair_early_falls_into_its_own_bin() -> None:
    """
    Sums of floats are not exact, and two seconds must not fall into one bin because of it.
    """
    found = truth.bins(History([second(100.2, 1), second(101.19999999, 1), second(102.2, 1)]))

    assert [each.count for each in found] == [1, 1, 1]


def test_no_traffic_has_no_bins() -> None:
    """
    An empty history is no error.
    """
    assert truth.bins(History([])) == ()


@pytest.mark.parametrize(("q", "bucket"), [(0.5, 10), (0.94, 10), (0.96, 40)])
def test_a_quantile_is_the_upper_edge_of_its_bucket(q: float, bucket: int) -> None:
    """
    95 of 100 requests are in bucket 10, the rest in bucket 40.
    """
    found = truth.total([second(0, 95), second(0, 5, bucket=40)])

    assert LATENCY_EDGES_S[bucket] == found.quantile(q)


def test_the_bucket_beyond_the_last_edge_counts_as_the_last_edge() -> None:
    """
    Requests beyond 36 s are not drawn at infinity.
    """
    assert LATENCY_EDGES_S[-1] == truth.total([second(0, 1, bucket=len(LATENCY_EDGES_S))]).p95_s


def test_no_request_has_no_quantile() -> None:
    """
    No data is not 0 ms.
    """
    assert truth.total([]).p95_s is None


def test_a_stretch_of_time_has_what_ended_in_it() -> None:
    """
    The end itself does not belong to it.
    """
    history = History([second(t, 1) for t in range(10)])

    assert truth.during(history, 2, 5).count == 3


def test_routes_are_listed_busiest_first() -> None:
    """
    The same path under another method is another route.
    """
    history = History([second(0, 1), second(1, 2), second(0, 9, method="POST"), second(0, 3, route="/b")])

    assert [(route, each.count) for route, each in truth.by_route(history)] == [
        ("POST /a", 9),
        ("GET /a", 3),
        ("GET /b", 3),
    ]


def test_the_rate_of_the_first_and_the_last_second_counts_the_time_in_which_there_was_traffic() -> None:
    """
    Traffic begins and ends within a second; that is no dip of its rate.
    """
    seconds = [second(100, 5), second(101, 20), second(102, 10)]
    history = History([Phase(t=100.75, name="warm_up"), *seconds, Phase(t=102.5, name="stopped")])

    assert [each.rate for each in truth.bins(history)] == [20, 20, 20]


@pytest.mark.parametrize("begun", [99.0, 100.95, 500.0])
def test_a_sliver_of_a_second_says_nothing_of_a_rate(begun: float) -> None:
    """
    One request in 50 ms is not 20 a second, and a phase that begins elsewhere changes nothing.
    """
    history = History([Phase(t=begun, name="warm_up"), second(100, 1)])

    assert [each.rate for each in truth.bins(history)] == [1]
