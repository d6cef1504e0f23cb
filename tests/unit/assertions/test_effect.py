"""Effect: what clients felt of each kind of fault, before and during it, and what they had to feel."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assertions.effect import Effect, affected_routes, effect_of
from scenarios.history import Event, FaultChange, Traffic
from scenarios.model import ROUTES
from tests.unit.assertions.builders import T0, fault, fault_on, history, traffic

ALL = frozenset(ROUTES)
OF_CATALOG = frozenset({"/api/products", "/api/products/<int:id>", "/api/checkout"})


def effect(broken: Any, *events: Event, on: tuple[float, float] = (5, 15), fault_id: str = "faults/1") -> Effect:
    """What was felt of a fault that was on for a while."""
    return effect_of(broken, fault_id, history(*events), (T0 + on[0], T0 + on[1]))


def figures(found: Effect) -> tuple[str, float, float, float]:
    """In few words."""
    return found.what, round(found.before, 6), round(found.during, 6), round(found.needed, 6)


# --- which routes it touches ---


@pytest.mark.parametrize(
    ("given", "routes"),
    [
        ({"target": "frontend"}, ALL),
        ({"target": "catalog"}, OF_CATALOG),
        ({"target": "users"}, {"/api/users", "/api/users/<int:id>", "/api/checkout"}),
        ({"target": "catalog", "route": "/api/products"}, {"/api/products"}),
        ({"target": "catalog", "route": "/api/reservations"}, {"/api/checkout"}),
        ({"target": "users", "route": "/api/charges"}, {"/api/checkout"}),
    ],
)
def test_the_routes_that_a_fault_of_requests_touches(given: dict[str, str], routes: frozenset[str]) -> None:
    """Those of its target, as clients call them."""
    assert affected_routes(fault(kind="errors", **given)) == routes


def test_a_fault_between_two_roles_touches_what_passes_both() -> None:
    """The frontend makes the calls, but only those to one upstream suffer."""
    assert affected_routes(fault(kind="dependency_timeout", upstream="catalog")) == OF_CATALOG


def test_a_slow_database_touches_what_passes_its_role() -> None:
    """All of its routes read it."""
    assert affected_routes(fault(kind="slow_database", target="catalog", delay="1s")) == OF_CATALOG


# --- failures ---


def test_errors_are_felt_as_failures() -> None:
    """Half of what was meant is enough, on top of what failed before."""
    found = effect(fault(ratio="60%"), *traffic(-10, 5, failed=1), *traffic(5, 15, failed=6))

    assert figures(found) == ("share of failed requests", 0.1, 0.6, 0.4)
    assert found.felt
    assert found.write(found.during) == "60 %"


@pytest.mark.parametrize(("failed", "felt"), [(3, False), (4, True), (10, True), (0, False)])
def test_half_of_what_was_meant_must_be_felt(failed: int, felt: bool) -> None:
    """Of 80 % at least 40 %."""
    assert effect(fault(ratio="80%"), *traffic(-10, 5), *traffic(5, 15, failed=failed)).felt is felt


def test_requests_without_an_answer_are_felt_as_failures() -> None:
    """Clients do not care why they got nothing."""
    assert figures(effect(fault(), *traffic(-10, 5), *traffic(5, 15, failed=1, lost=2)))[2] == 0.3


def test_only_whole_seconds_of_the_fault_count() -> None:
    """At its edges there are good requests, too."""
    edges = [*traffic(-10, 6), *traffic(6, 14, failed=10), *traffic(14, 20)]

    assert figures(effect(fault(), *edges, on=(5.9, 14.1)))[2] == 1.0


def test_only_the_routes_that_suffer_count() -> None:
    """Users are not asked about the catalog."""
    events = [*traffic(-10, 5), *traffic(5, 15, failed=5), *traffic(-10, 15, count=90, route="/api/users")]

    assert figures(effect(fault(), *events))[2] == 0.5


def test_errors_that_are_no_failures_are_felt_by_their_status() -> None:
    """A 404 is a good answer to a bad question, so it is looked for by its number."""
    events = [*traffic(-10, 5, failed=1, status=404), *traffic(5, 15, failed=6, status=404)]

    assert figures(effect(fault(kind="errors", ratio="60%", status=404), *events)) == (
        "share of answers 404",
        0.1,
        0.6,
        0.4,
    )
    assert figures(effect(fault(kind="errors", ratio="60%", status=429), *events))[1:] == (0.0, 0.0, 0.3)
    assert figures(effect(fault(kind="errors", status=500), *events))[0] == "share of failed requests"


@pytest.mark.parametrize("kind", ["exception", "dependency_timeout"])
def test_exceptions_and_timeouts_are_felt_as_failures(kind: str) -> None:
    """The frontend answers 5xx."""
    more = {"upstream": "catalog"} if kind == "dependency_timeout" else {"target": "catalog"}
    found = effect(fault(kind=kind, ratio="50%", **more), *traffic(-10, 5), *traffic(5, 15, failed=3))

    assert figures(found) == ("share of failed requests", 0.0, 0.3, 0.25)


def test_without_traffic_nothing_is_felt() -> None:
    """No data is never a proof, before or during a fault."""
    assert not effect(fault(), *traffic(-10, 5)).felt
    assert not effect(fault()).felt
    assert not effect(fault(kind="errors", status=404), *traffic(-10, 5)).felt
    assert math.isnan(effect(fault(), *traffic(-10, 5)).during)


def test_a_fault_from_the_first_request_on_has_nothing_before() -> None:
    """Then all of it must be felt during the fault."""
    found = effect(fault(), *traffic(0, 10, failed=5), on=(0, 10))

    assert (math.isnan(found.before), found.needed, found.felt) == (True, 0.25, True)


# --- latency ---


def test_latency_is_felt_at_the_quantile_of_those_that_suffer() -> None:
    """With all requests slow it is the median; half of the delay on top of before is enough."""
    found = effect(
        fault(kind="latency", target="catalog", delay="800ms"),
        *traffic(-10, 5),
        *traffic(5, 15, latency_s=0.8),
    )

    assert figures(found) == ("P50 of latency", 0.021114, round(found.during, 6), 0.421114)
    assert 0.8 <= found.during <= 0.88
    assert (found.write(found.needed), found.falls, found.felt) == ("421 ms", False, True)


@pytest.mark.parametrize(("slow", "felt"), [(0, False), (2, False), (3, True), (4, True)])
def test_of_a_share_of_slow_requests_half_must_be_felt(slow: int, felt: bool) -> None:
    """40 % are meant, so P80 must rise, for which more than 20 % have to be slow."""
    broken = fault(kind="latency", target="catalog", delay="800ms", ratio="40%")
    found = effect(broken, *traffic(-10, 5), *traffic(5, 15, slow=slow))

    assert (found.what, found.felt) == ("P80 of latency", felt)


def test_half_of_the_delay_must_be_felt() -> None:
    """Jitter takes some of it; the clients' buckets are 10 % wide."""
    broken = fault(kind="slow_database", target="catalog", delay="1s")

    assert effect(broken, *traffic(-10, 5), *traffic(5, 15, latency_s=0.53)).felt
    assert not effect(broken, *traffic(-10, 5), *traffic(5, 15, latency_s=0.45)).felt


def test_latency_without_a_baseline_is_measured_from_nought() -> None:
    """There were no requests before."""
    found = effect(fault(kind="latency", target="catalog", delay="1s"), *traffic(5, 15, latency_s=0.6))

    assert (found.needed, found.felt) == (0.5, True)
    assert not effect(fault(kind="latency", target="catalog", delay="1s"), *traffic(-10, 5)).felt


# --- good answers ---


@pytest.mark.parametrize(
    "broken",
    [
        fault(kind="hang", target="catalog"),
        fault(kind="kill", target="catalog"),
        fault(kind="pause", target="catalog"),
        fault(kind="restart", target="catalog"),
    ],
)
def test_what_hangs_or_is_gone_is_felt_by_missing_answers(broken: Any) -> None:
    """Its requests may fail, be lost, or be answered only when it is healed: none of that is a good answer now."""
    found = effect(broken, *traffic(-10, 5), *traffic(5, 10, failed=8), *traffic(10, 15, count=0))

    assert figures(found) == ("good answers", 10.0, 1.0, 5.0)
    assert (found.write(found.before), found.falls, found.felt) == ("10/s", True, True)


@pytest.mark.parametrize(("good", "felt"), [(5, True), (6, False), (10, False), (0, True)])
def test_half_of_the_answers_must_stay_away(good: int, felt: bool) -> None:
    """Of all that were good before."""
    found = effect(fault(kind="hang", target="catalog"), *traffic(-10, 5), *traffic(5, 15, lost=10 - good))

    assert found.felt is felt


def test_of_a_share_of_hanging_requests_half_must_stay_away() -> None:
    """20 % are meant, 10 % must be felt."""
    broken = fault(kind="hang", target="catalog", ratio="20%")

    assert effect(broken, *traffic(-10, 5), *traffic(5, 15, count=9)).needed == 9
    assert effect(broken, *traffic(-10, 5), *traffic(5, 15, count=9)).felt


def test_without_good_answers_before_none_can_stay_away() -> None:
    """No data is never a proof."""
    assert not effect(fault(kind="hang", target="catalog"), *traffic(5, 15, lost=10)).felt
    assert not effect(fault(kind="hang", target="catalog")).felt


# --- traffic ---


@pytest.mark.parametrize(("kind", "factor", "needed"), [("spike", 3, 20.0), ("ramp", 3, 15.0), ("drop", 0.2, 6.0)])
def test_swings_are_felt_as_rates(kind: str, factor: float, needed: float) -> None:
    """Half of the way is enough, a quarter for a ramp, which is half-way up on average."""
    found = effect(fault(kind=kind, factor=factor), *traffic(-10, 5), *traffic(5, 15, count=int(needed)))

    assert figures(found) == ("requests", 10.0, needed, needed)
    assert (found.falls, found.felt, found.write(10)) == (factor < 1, True, "10/s")


def test_a_small_spike_is_no_fall() -> None:
    """Half more is more."""
    found = effect(fault(kind="spike", factor=1.5), *traffic(-10, 5), *traffic(5, 15, count=13))

    assert (found.needed, found.falls, found.felt) == (12.5, False, True)


@pytest.mark.parametrize(
    ("kind", "factor", "count"), [("spike", 3, 19), ("spike", 3, 0), ("ramp", 3, 14), ("drop", 0.2, 7)]
)
def test_a_swing_that_is_too_small_is_not_felt(kind: str, factor: float, count: int) -> None:
    """Or that never came."""
    assert not effect(fault(kind=kind, factor=factor), *traffic(-10, 5), *traffic(5, 15, count=count)).felt


def test_a_swing_counts_all_routes() -> None:
    """Clients swing, whatever they call."""
    both = [*traffic(-10, 15), *traffic(5, 15, count=20, route="/api/users")]

    assert figures(effect(fault(kind="spike", factor=3), *both))[1:3] == (10.0, 30.0)


def test_traffic_that_was_not_there_cannot_swing() -> None:
    """Three times nothing is no spike, and no drop either."""
    assert not effect(fault(kind="spike", factor=3), *traffic(5, 15)).felt
    assert not effect(fault(kind="drop", factor=0.5)).felt
    assert not effect(fault(kind="drop", factor=0.5), *traffic(-10, 5, count=0), *traffic(5, 15, count=0)).felt


def test_the_rate_before_is_that_of_the_drive() -> None:
    """In the warm-up it may still have grown."""
    grown = [*traffic(-10, 0, count=1), *traffic(0, 5), *traffic(5, 15, count=30)]

    assert effect(fault(kind="spike", factor=3), *grown).before == 10


def test_the_first_second_of_the_drive_belongs_to_it() -> None:
    """And so do all others before the fault."""
    uneven = [*traffic(-10, 0), *traffic(0, 1, count=20), *traffic(1, 5), *traffic(5, 15)]

    assert effect(fault(kind="spike", factor=3), *uneven).before == 12


def test_with_no_drive_before_the_last_seconds_of_the_warm_up_have_to_do() -> None:
    """The later, the more it has grown."""
    grown = [*traffic(-10, -2, count=1), *traffic(-2, 0), *traffic(0, 10, count=30)]

    assert effect(fault(kind="spike", factor=3), *grown, on=(0, 10)).before == 10


def test_seconds_without_requests_are_seconds_too() -> None:
    """A rate is per second, not per busy second."""
    sparse = [*traffic(-10, 5), *traffic(5, 6, count=50)]

    assert effect(fault(kind="spike", factor=3), *sparse).during == 5


# --- more than one fault, and short ones ---


def test_what_another_fault_did_before_is_no_baseline() -> None:
    """The seconds in which it was on, and those in which it was still felt, are left out."""
    events: list[Event] = [
        *traffic(-10, 2),
        *traffic(2, 7, failed=9),
        *traffic(7, 20),
        *traffic(20, 25, failed=5),
        *fault_on(2.5, 5.5, "faults/1"),
    ]
    found = effect(fault(ratio="60%"), *events, on=(20, 25), fault_id="faults/2")

    assert found.before == 0
    assert found.felt


def test_only_seconds_that_another_fault_touched_are_left_out() -> None:
    """It was on from 3 s to 5 s and is felt for 2 s more, so the second before it and the one after are clean."""
    events: list[Event] = [
        *traffic(-10, 2),
        *traffic(2, 3, failed=1),
        *traffic(3, 7, failed=9),
        *traffic(7, 8, failed=1),
        *traffic(8, 20),
        *traffic(20, 25, failed=5),
        *fault_on(3, 5, "faults/1"),
    ]

    assert effect(fault(), *events, on=(20, 25), fault_id="faults/2").before == pytest.approx(2 / 260)


def test_a_fault_that_hides_another_leaves_its_baseline_alone() -> None:
    """Its own time is never left out of what it did."""
    events: list[Event] = [*traffic(-10, 5), *traffic(5, 15, failed=5), *fault_on(5, 15)]

    assert figures(effect(fault(), *events))[1:3] == (0.0, 0.5)


def test_noise_belongs_to_the_baseline() -> None:
    """It goes on during the fault, too."""
    events: list[Event] = [*traffic(-10, 5, failed=2), *traffic(5, 15, failed=5), *fault_on(-10, 30, "noise/1")]

    assert effect(fault(), *events).before == pytest.approx(0.2)


def test_a_fault_that_was_never_applied_disturbs_nothing() -> None:
    """It has no window."""
    failed = FaultChange(t=T0 - 5, fault="faults/2", action="failed", detail={"reason": "refused"})

    assert effect(fault(), *traffic(-10, 5, failed=2), *traffic(5, 15), failed).before == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("on", "touched", "needed"),
    [
        ((5.25, 5.75), [5], 0.25),
        ((5.5, 6.25), [5, 6], 0.1875),
        ((5.0, 5.5), [5], 0.25),
        ((5.5, 7.0), [6], 0.5),
        ((5.5, 6.0), [5], 0.25),
    ],
)
def test_a_fault_shorter_than_a_second_is_looked_for_where_it_was(
    on: tuple[float, float], touched: list[int], needed: float
) -> None:
    """In all seconds that it touched, and only as much must be felt as it covers of them."""
    events: list[Traffic] = [*traffic(-10, 5), *traffic(5, 15)]
    events = [second for second in events if second.t - T0 not in touched]
    found = effect(
        fault(kind="errors", ratio="100%"), *events, *(s for t in touched for s in traffic(t, t + 1, failed=10)), on=on
    )

    assert found.during == 1
    assert found.needed == pytest.approx(needed)


def test_short_faults_of_other_kinds_are_asked_for_less_too() -> None:
    """They cover half of the second that they touched."""
    half = (5.25, 5.75)
    slow = effect(fault(kind="latency", target="catalog", delay="1s"), *traffic(-10, 15), on=half)

    assert effect(fault(kind="spike", factor=3), *traffic(-10, 15), on=half).needed == 15
    assert effect(fault(kind="hang", target="catalog"), *traffic(-10, 15), on=half).needed == 7.5
    assert slow.what == "P75 of latency"


def test_a_fault_of_no_length_covers_nothing() -> None:
    """It touched one second; the judge still answers."""
    assert effect(fault(), *traffic(-10, 15), on=(5, 5)).needed == 0


COUNTS = st.integers(min_value=0, max_value=10)


@settings(max_examples=60)
@given(COUNTS, COUNTS, COUNTS)
def test_a_stronger_effect_is_felt_if_a_weaker_one_is(before: int, weak: int, more: int) -> None:
    """More failures never hide a fault."""
    baseline = traffic(-10, 5, failed=before)
    weaker = effect(fault(), *baseline, *traffic(5, 15, failed=weak))
    stronger = effect(fault(), *baseline, *traffic(5, 15, failed=min(10, weak + more)))

    assert not weaker.felt or stronger.felt
