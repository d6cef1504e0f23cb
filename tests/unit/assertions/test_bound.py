"""Bound: the clients' seconds replayed through a rule's formula, and the delays of the way."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assertions.bound import Bound, bound_of
from assertions.evidence import AlertRule, Delays
from scenarios.history import Event, History
from tests.unit.assertions.builders import BURN, T0, bucket, found, history, rule, traffic

WAY_S = 1.0 + 0.2 + 1.0 + 1.0
"""Export, batch, scrape and evaluation of the drill's profile."""

RATIO = {"kind": "error_ratio", "bad": "5xx", "min_requests": 10, "threshold": 0.01, "window_s": 5}
QUANTILE = {
    "kind": "latency_quantile",
    "bad": "slow",
    "threshold_s": 0.5,
    "min_requests": 10,
    "quantile": 0.95,
    "window_s": 5,
}
SLOW_BURN = BURN | {"kind": "latency_burn_rate", "bad": "slow", "threshold_s": 0.5}
BROKEN = [*traffic(-60, 5), *traffic(5, 15, failed=5), *traffic(15, 30)]


def bound(formula: Any, *events: Event, at: float = 5, service: str = "catalog", **given: Any) -> Bound:
    """The bound of a rule with a formula, for a fault at some second."""
    return bound_of(
        rule(formula=formula, **given),
        service=service,
        history=history(*events),
        fault_t=T0 + at,
        delays=Delays(),
    )


def held(found: Bound) -> float | None:
    """When the formula held, in seconds after the fault: the bound without the way."""
    return None if found.seconds is None else round(found.seconds - WAY_S, 6)


def test_the_way_is_added() -> None:
    """Export, batch, scrape, evaluation, and the rule's `for`."""
    delays = Delays(export_s=1, batch_s=2, scrape_s=4, evaluation_s=8, group_wait_s=100)
    found = bound_of(
        rule(formula=RATIO, for_s=3), service="catalog", history=history(BROKEN), fault_t=T0 + 5, delays=delays
    )

    assert found == Bound(seconds=1 + 1 + 2 + 4 + 8 + 3)


def test_a_group_that_is_evaluated_less_often_is_later() -> None:
    """The rule's own interval counts when it is longer than the usual one."""
    assert bound(RATIO, *BROKEN, interval_s=4).seconds == pytest.approx(1 + 1 + 0.2 + 1 + 4)
    assert bound(RATIO, *BROKEN, interval_s=0.5).seconds == pytest.approx(1 + WAY_S)


def test_a_fault_in_the_middle_of_a_second() -> None:
    """The rest of that second is all that is waited."""
    assert held(bound(RATIO, *BROKEN, at=5.75)) == 0.25


@pytest.mark.parametrize("formula", [BURN, RATIO])
def test_failures_meet_formulas_of_failures(formula: dict[str, Any]) -> None:
    """In the first second already, when there was little traffic before."""
    few = [*traffic(-60, 5, count=1), *traffic(5, 15, failed=5)]

    assert held(bound(formula, *few)) == 1


def test_both_windows_of_a_burn_rate_must_exceed() -> None:
    """The short one at once; the long one only when 1 % of 650 requests are 7."""
    slow = [*traffic(-60, 5), *traffic(5, 15, failed=1)]

    assert held(bound(BURN | {"long_s": 5}, *slow)) == 1
    assert held(bound(BURN, *slow)) == 7


def test_the_short_window_forgets() -> None:
    """A burst that is over counts for the long window only, and that does not fire alone."""
    burst = [*traffic(-60, 5), *traffic(5, 6, failed=5), *traffic(6, 60)]

    assert bound(BURN, *burst).seconds is None
    assert held(bound(BURN | {"short_s": 60, "factor": 8}, *burst)) == 1


def test_any_of_several_windows_will_do() -> None:
    """The earliest of them counts."""
    slow = [*traffic(-60, 5), *traffic(5, 15, failed=1)]
    never = {"factor": 1000, "long_s": 60, "short_s": 5}
    either = {key: BURN[key] for key in ("kind", "bad", "budget", "min_requests")}

    assert held(bound(either | {"any_of": [never, {"factor": 10, "long_s": 60, "short_s": 5}]}, *slow)) == 7
    assert held(bound(either | {"any_of": [{"factor": 10, "long_s": 5, "short_s": 5}, never]}, *slow)) == 1
    assert bound(either | {"any_of": [never, never]}, *slow).seconds is None


@pytest.mark.parametrize("formula", [SLOW_BURN, QUANTILE])
def test_slow_requests_meet_formulas_of_latency(formula: dict[str, Any]) -> None:
    """Failures do not, and fast requests do not."""
    slow = [*traffic(-10, 5), *traffic(5, 15, slow=8)]

    assert held(bound(formula, *slow)) == 1
    assert bound(formula, *BROKEN).seconds is None


def test_slow_means_certainly_slower_than_the_threshold() -> None:
    """A bucket in which the threshold lies may hold faster ones too."""
    assert bound(QUANTILE, *traffic(-10, 5), *traffic(5, 15, slow=10, slow_s=0.53)).seconds is None
    assert bound(QUANTILE, *traffic(-10, 5), *traffic(5, 15, slow=10, slow_s=0.55)).seconds is not None
    assert bucket(0.5) == bucket(0.53) == bucket(0.55) - 1


def test_a_quantile_is_a_share_of_slow_requests() -> None:
    """P95 of 50 requests is above the threshold when 3 of them are slow, and not when 2 are."""
    assert bound(QUANTILE, *traffic(0, 5), *traffic(5, 6, slow=2), *traffic(6, 20)).seconds is None
    assert held(bound(QUANTILE, *traffic(0, 5), *traffic(5, 6, slow=3), *traffic(6, 20))) == 1


def test_a_share_must_be_above_its_limit() -> None:
    """Exactly the limit does not fire, whatever floating-point numbers make of it."""
    half = RATIO | {"threshold": 0.5}
    tenth = QUANTILE | {"quantile": 0.9, "window_s": 1}

    assert bound(half | {"window_s": 1}, *traffic(5, 15, failed=5)).seconds is None
    assert held(bound(half | {"window_s": 1}, *traffic(5, 15, failed=6))) == 1
    assert bound(tenth, *traffic(5, 15, slow=1)).seconds is None
    assert held(bound(tenth, *traffic(5, 15, slow=2))) == 1


def test_a_limit_of_nought_needs_one_failure() -> None:
    """Above nought is not nought."""
    strict = RATIO | {"threshold": 0}

    assert bound(strict, *traffic(-10, 30)).seconds is None
    assert held(bound(strict, *traffic(-10, 5), *traffic(5, 6, failed=1))) == 1


def test_a_window_with_few_requests_is_not_judged() -> None:
    """One failure among three requests says nothing; the shortest window decides."""
    few = [*traffic(-10, 5, count=1), *traffic(5, 15, count=1, failed=1)]

    assert bound(RATIO, *few).seconds is None
    assert held(bound(RATIO | {"min_requests": 5}, *few)) == 1
    assert bound(RATIO | {"min_requests": 6}, *few).seconds is None
    assert bound(BURN | {"min_requests": 6}, *few).seconds is None
    assert held(bound(BURN | {"min_requests": 5}, *few)) == 1


def test_a_formula_without_such_a_guard_needs_a_single_request() -> None:
    """Somebody else's rules judge any."""
    formula = {"kind": "error_ratio", "threshold": 0.01, "window_s": 5}

    assert held(bound(formula, *traffic(5, 6, count=1, failed=1))) == 1
    assert bound(formula, *traffic(5, 6, count=1, lost=1)).seconds is None


def test_what_makes_a_request_bad_may_be_left_out() -> None:
    """With a threshold slow ones, without failed ones."""
    quantile = {key: value for key, value in QUANTILE.items() if key != "bad"}
    ratio = {key: value for key, value in RATIO.items() if key != "bad"}

    assert held(bound(quantile, *traffic(-10, 5), *traffic(5, 15, slow=8))) == 1
    assert held(bound(ratio, *BROKEN)) == 1


def test_requests_without_an_answer_are_no_failures() -> None:
    """Nobody knows what the server made of them."""
    assert bound(RATIO, *traffic(5, 15, lost=5)).seconds is None


def test_it_must_hold_for_as_long_as_the_rule_asks() -> None:
    """A pause begins it anew."""
    unsteady = [*traffic(5, 7, failed=5), *traffic(7, 9), *traffic(9, 20, failed=5)]
    short = RATIO | {"window_s": 1}

    assert bound(short, *unsteady).seconds == pytest.approx(1 + WAY_S)
    assert bound(short, *unsteady, for_s=1).seconds == pytest.approx(1 + WAY_S + 1)
    assert bound(short, *unsteady, for_s=2).seconds == pytest.approx(5 + WAY_S + 2)
    assert bound(short, *unsteady, for_s=10).seconds == pytest.approx(5 + WAY_S + 10)
    assert bound(short, *unsteady, for_s=11) == Bound(
        why="what clients saw never met the rule's formula, or not for long enough"
    )


def test_it_must_hold_while_there_is_traffic() -> None:
    """What happened after the last second nobody knows, though windows still reach back to it."""
    short = [*traffic(-10, 5), *traffic(5, 10, failed=5)]

    assert bound(RATIO, *short, for_s=4).seconds == pytest.approx(1 + WAY_S + 4)
    assert bound(RATIO, *short, for_s=5).seconds is None


def test_what_held_before_the_fault_is_counted_from_the_fault() -> None:
    """A bound is never before its fault."""
    assert held(bound(RATIO, *traffic(-10, 20, failed=5), at=5.5)) == 0.5


def test_only_routes_through_the_service_count() -> None:
    """The catalog's alert is not met by the users' failures; the frontend's is."""
    users = [*traffic(-10, 5), *traffic(5, 15, failed=5, route="/api/users"), *traffic(5, 15)]

    assert bound(RATIO, *users).seconds is None
    assert held(bound(RATIO, *users, service="frontend")) == 1
    assert held(bound(RATIO, *users, service="users")) == 1


def test_seconds_of_several_routes_are_summed() -> None:
    """The share is that of all of them."""
    both = [*traffic(5, 15, failed=5), *traffic(5, 15, count=990, route="/api/products/<int:id>")]

    assert bound(RATIO, *both).seconds is None
    assert held(bound(RATIO | {"threshold": 0.004}, *both)) == 1


def test_seconds_without_traffic_are_empty() -> None:
    """A gap in the traffic moves nothing, nor does traffic that begins only later."""
    assert held(bound(RATIO, *traffic(-10, 0), *traffic(8, 10, failed=5))) == 4
    assert held(bound(RATIO, *traffic(8, 10, failed=5))) == 4


def test_the_first_seconds_of_a_service_have_a_short_past() -> None:
    """A window that reaches back before the traffic began holds what there was."""
    assert held(bound(BURN, *traffic(4, 5), *traffic(5, 8, failed=5))) == 1


def test_absent_series_vanish_by_configuration() -> None:
    """No client can see it; the bound is the time until the exporter drops them, and the way."""
    absent = {"kind": "absent", "window_s": 30, "expiration_s": 8}

    assert bound(absent, for_s=2).seconds == pytest.approx(8 + WAY_S + 2)


def test_the_pipeline_is_known_to_be_down_by_its_parts() -> None:
    """From the first that went down under the fault on; without any, from the fault itself."""
    of_pipeline = {"kind": "pipeline", "lag_s": 2}
    parts = [found(-9, "ready"), found(1, "unready"), found(2, "ready"), found(5.5, "down"), found(9, "down", "users")]

    assert bound(of_pipeline, *parts, for_s=5).seconds == pytest.approx(0.5 + 2 + WAY_S + 5)
    assert held(bound(of_pipeline)) == 2


def test_without_traffic_nothing_was_met() -> None:
    """No data is no bound."""
    assert bound(RATIO).seconds is None


@pytest.mark.parametrize(
    ("formula", "why"),
    [
        (None, "its rule carries no formula"),
        ({"kind": "pipeline"}, "its rule is about the pipeline itself, and nobody can say when that begins"),
        (
            RATIO | {"bad": "custom"},
            "its rule counts requests of the kind 'custom' as bad, which clients cannot tell",
        ),
        ({"threshold": 1}, "its rule's formula cannot be understood: KeyError: 'kind'"),
        (
            {"kind": "burn_rate", "bad": "5xx", "factor": 10, "long_s": 60, "short_s": 5},
            "its rule's formula cannot be understood: KeyError: 'budget'",
        ),
        (
            RATIO | {"threshold": "much"},
            "its rule's formula cannot be understood: ValueError: could not convert string to float: 'much'",
        ),
        (
            ["kind"],
            "its rule's formula cannot be understood: TypeError: list indices must be integers or slices, not str",
        ),
    ],
)
def test_a_formula_that_says_nothing_gives_no_bound(formula: Any, why: str) -> None:
    """And says why."""
    assert bound(formula, *BROKEN) == Bound(why=why)


def test_a_rule_that_is_not_loaded_has_no_bound() -> None:
    """Whoever looks for it learns that."""
    found = bound_of(None, service="catalog", history=history(), fault_t=T0, delays=Delays())

    assert found == Bound(why="no rule of this name is loaded")


def test_ten_minutes_of_five_routes_are_replayed_at_once() -> None:
    """The cost grows with seconds and routes, not with the width of windows: far less than a second on any machine."""
    routes = ("/api/products", "/api/products/<int:id>", "/api/users", "/api/users/<int:id>", "/api/checkout")
    events = [second for route in routes for second in traffic(0, 600, route=route, slow=1)]
    formula = BURN | {"long_s": 4320, "short_s": 360, "any_of": [BURN | {"factor": 999}] * 4}
    happened = History(events)

    began = time.process_time()
    found = bound_of(rule(formula=formula), service="frontend", history=happened, fault_t=T0, delays=Delays())

    assert found.seconds is None
    assert time.process_time() - began < 1


# --- what holds for any traffic ---

SECONDS = st.lists(st.integers(min_value=0, max_value=10), min_size=1, max_size=30)
FORMULAS = st.sampled_from([BURN, RATIO, BURN | {"min_requests": 40}, RATIO | {"window_s": 2, "threshold": 0.3}])
RULES = st.builds(
    lambda formula, for_s, interval_s: rule(formula=formula, for_s=for_s, interval_s=interval_s),
    FORMULAS,
    st.integers(min_value=0, max_value=5),
    st.integers(min_value=1, max_value=5),
)
MOMENTS = st.floats(min_value=0, max_value=20)


def replayed(checked: AlertRule, failures: list[int], fault_at: float = 0.0) -> float | None:
    """The bound when each second had ten requests and so many failures."""
    events = [second for t, failed in enumerate(failures) for second in traffic(t, t + 1, failed=failed)]
    return bound_of(checked, service="catalog", history=History(events), fault_t=T0 + fault_at, delays=Delays()).seconds


@settings(max_examples=60)
@given(RULES, SECONDS, MOMENTS)
def test_no_bound_is_before_the_fault_and_its_way(checked: AlertRule, failures: list[int], fault_at: float) -> None:
    """However the traffic was before."""
    found = replayed(checked, failures, fault_at)

    assert found is None or found >= WAY_S + checked.for_s


@settings(max_examples=60)
@given(RULES, SECONDS, SECONDS)
def test_a_stronger_fault_never_has_a_later_bound(checked: AlertRule, failures: list[int], more: list[int]) -> None:
    """More failures in any second can only make the formula hold earlier."""
    stronger = [min(10, failed + extra) for failed, extra in zip(failures, more + [0] * len(failures), strict=False)]
    weak, strong = replayed(checked, failures), replayed(checked, stronger)

    assert weak is None or (strong is not None and strong <= weak)


@settings(max_examples=60)
@given(RULES, SECONDS, SECONDS)
def test_what_comes_later_does_not_move_a_bound(checked: AlertRule, failures: list[int], later: list[int]) -> None:
    """Once it held for long enough, it held."""
    found = replayed(checked, failures)

    assert found is None or found == replayed(checked, failures + later)


@settings(max_examples=60)
@given(RULES, SECONDS, st.integers(min_value=1, max_value=10))
def test_a_longer_for_never_has_an_earlier_bound(checked: AlertRule, failures: list[int], longer: int) -> None:
    """It asks for more."""
    slower = checked.model_copy(update={"for_s": checked.for_s + longer})
    soon, late = replayed(checked, failures), replayed(slower, failures)

    assert late is None or (soon is not None and soon <= late)
