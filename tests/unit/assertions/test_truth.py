"""Truth: the clients' seconds, summed and sliced."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assertions.truth import Window, add, routes_through, traffic_span, window
from scenarios.history import LATENCY_EDGES_S, History
from scenarios.model import ROUTES
from tests.unit.assertions.builders import T0, history, traffic

TRAFFIC = [*traffic(0, 5), *traffic(5, 10, failed=2, lost=1), *traffic(0, 10, count=1, route="/api/users")]


def of_latency(latency: dict[int, int]) -> Window:
    """A window with nothing but latencies."""
    return Window(status={}, latency=latency)


def test_a_window_sums_seconds_and_routes() -> None:
    """Failures are answers of 5xx; requests without an answer are told apart."""
    found = window(history(TRAFFIC))

    assert (found.count, found.failed, found.lost, found.answered) == (110, 10, 5, 105)
    assert found.status == {"200": 95, "500": 10}
    assert sum(found.latency.values()) == 105
    assert found.failed_share() == pytest.approx(10 / 105)


@pytest.mark.parametrize(
    ("since", "until", "count"), [(5, 10, 55), (5, 6, 11), (5, 5, 0), (4.5, 5.5, 11), (9, 99, 11), (-9, 1, 11)]
)
def test_a_window_has_its_first_second_and_not_its_last(since: float, until: float, count: int) -> None:
    """Seconds are told by their start."""
    assert window(history(TRAFFIC), since=T0 + since, until=T0 + until).count == count


def test_a_window_of_some_routes() -> None:
    """All of them, unless told otherwise."""
    assert window(history(TRAFFIC), routes={"/api/users"}).count == 10
    assert window(history(TRAFFIC), routes=[]).count == 0


def test_nothing_sums_to_nothing() -> None:
    """No share, no quantile."""
    nothing = add([])

    assert (nothing.count, nothing.answered, nothing.failed_share()) == (0, 0, 0.0)
    assert math.isnan(nothing.quantile_s(0.5))
    assert traffic_span(History([])) is None


def test_only_lost_requests_have_no_share() -> None:
    """Nobody answered, so nobody failed."""
    assert add(traffic(0, 1, lost=10)).failed_share() == 0.0


@pytest.mark.parametrize(
    ("q", "index"), [(0.0, 10), (0.25, 10), (0.5, 10), (0.51, 20), (0.75, 20), (0.8, 30), (1.0, 30)]
)
def test_quantiles_are_told_by_the_edges_of_their_bucket(q: float, index: int) -> None:
    """The smallest bucket at or below which the share lies."""
    found = of_latency({30: 1, 10: 2, 20: 1})

    assert found.quantile_edges_s(q) == (LATENCY_EDGES_S[index - 1], LATENCY_EDGES_S[index])
    assert found.quantile_s(q) == LATENCY_EDGES_S[index]


def test_the_first_bucket_begins_at_nought_and_the_last_never_ends() -> None:
    """Whatever is beyond the edges."""
    assert of_latency({0: 1}).quantile_edges_s(0.5) == (0.0, LATENCY_EDGES_S[0])
    assert of_latency({1: 1}).quantile_edges_s(0.5) == LATENCY_EDGES_S[:2]
    assert of_latency({len(LATENCY_EDGES_S): 1}).quantile_edges_s(0.5) == (LATENCY_EDGES_S[-1], math.inf)


def test_a_quantile_beyond_all_is_the_last_bucket() -> None:
    """Floating-point numbers may ask for a little more than there is."""
    assert of_latency({10: 1, 20: 1}).quantile_s(1.0000001) == LATENCY_EDGES_S[20]


def test_requests_above_a_threshold_are_certainly_above_it() -> None:
    """Those in its own bucket are not; on an edge the bucket above it counts."""
    found = of_latency({10: 1, 11: 2, 12: 4})

    assert found.above(LATENCY_EDGES_S[10]) == 6
    assert found.above(LATENCY_EDGES_S[10] * 1.01) == 4
    assert found.above(0) == 7
    assert found.above(99) == 0


@pytest.mark.parametrize(
    ("service", "routes"),
    [
        ("frontend", set(ROUTES)),
        ("catalog", {"/api/products", "/api/products/<int:id>", "/api/checkout"}),
        ("users", {"/api/users", "/api/users/<int:id>", "/api/checkout"}),
        ("somebody-elses", set(ROUTES)),
    ],
)
def test_the_routes_through_a_service(service: str, routes: set[str]) -> None:
    """All of them for one that we do not know."""
    assert routes_through(service) == routes


def test_the_span_of_traffic_ends_with_its_last_second() -> None:
    """From the first to the end of the last."""
    assert traffic_span(history(TRAFFIC)) == (T0, T0 + 10)


@given(
    st.dictionaries(st.integers(0, len(LATENCY_EDGES_S)), st.integers(1, 50), min_size=1),
    st.floats(0.01, 0.99),
    st.floats(0.01, 0.99),
)
def test_higher_quantiles_are_never_faster(latency: dict[int, int], one: float, other: float) -> None:
    """Whatever the traffic was."""
    found = of_latency(latency)

    assert found.quantile_s(min(one, other)) <= found.quantile_s(max(one, other))
