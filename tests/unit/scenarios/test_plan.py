"""Plans: how load and faults become rates, users and a mix of routes."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from scenarios.model import ROUTES, Load, TrafficFault
from scenarios.plan import IDS, USUAL_MIX, Deck, Plan, Route


def plan(load: dict[str, Any] | None = None, *faults: dict[str, Any], host: str = "http://127.0.0.1:1") -> Plan:
    """A plan of 10 s warm-up and 20 s drive, unless told otherwise."""
    return Plan(
        host=host,
        events=Path("events.jsonl"),
        load=Load.model_validate({"for": "20s", "warm_up": "10s", "rate": 40} | (load or {})),
        faults=tuple(TrafficFault.model_validate({"at": "5s", "for": "5s"} | fault) for fault in faults),
    )


def test_a_plan_that_is_written_is_read_back() -> None:
    """The file says all that the plan does."""
    before = plan({"rate": None, "routes": {"/api/users": 2}, "shape": "ramp"}, {"kind": "spike", "factor": 3})

    assert before == Plan.model_validate_json(before.to_json())


def test_a_host_without_a_scheme_is_refused() -> None:
    """Locust would find out much later."""
    with pytest.raises(ValidationError, match="host"):
        plan(host="127.0.0.1:80")


def test_the_phases_follow_each_other() -> None:
    """Warm-up, drive and cool-down, in seconds after the first request."""
    assert plan().phases == (("warm_up", 0), ("drive", 10), ("cool_down", 30))


@pytest.mark.parametrize(
    ("fault", "rates", "total"),
    [
        ({"kind": "spike", "factor": 5}, [40, 40, 200, 40], 40 * 30 + 160 * 5),
        ({"kind": "drop", "factor": 0.5}, [40, 40, 20, 40], 40 * 30 - 20 * 5),
        ({"kind": "ramp", "factor": 3}, [40, 40, 80, 40], 40 * 30 + 40 * 5),
    ],
)
def test_a_fault_multiplies_the_rate_in_its_window_of_the_drive(
    fault: dict[str, Any], rates: list[float], total: float
) -> None:
    """Before, just before, in the middle of and after a fault that begins 5 s after a warm-up of 10 s."""
    rate = plan({}, fault).rate()

    assert rate is not None
    assert rates == [pytest.approx(rate.at(t)) for t in (1, 14.999, 17.5, 20)]
    assert rate.total == pytest.approx(total)


def test_a_ramp_grows_from_nought_during_the_warm_up() -> None:
    """Half way through it half of the rate, then all of it."""
    rate = plan({"shape": "ramp"}).rate()

    assert rate is not None
    assert [pytest.approx(rate.at(t)) for t in (0, 5, 10, 29)] == [0, 20, 40, 40]


def test_a_ramp_without_a_warm_up_has_no_time_to_grow() -> None:
    """It is constant then."""
    rate = plan({"shape": "ramp", "warm_up": "0s"}).rate()

    assert rate is not None
    assert rate.at(0) == 40


def test_without_a_rate_a_fault_changes_the_number_of_users() -> None:
    """As fast as they can: more load is more users."""
    closed = plan({"rate": None, "users": 8}, {"kind": "drop", "factor": 0.25})

    assert closed.rate() is None
    assert [closed.crowd().at(t) for t in (0, 16, 25)] == [8, 2, 8]


def test_with_a_rate_only_more_traffic_needs_other_users() -> None:
    """A spike must not be held up by too few users; a drop is no reason to send some home."""
    assert plan({"users": 8}, {"kind": "spike", "factor": 5}).crowd().peak == 40
    assert plan({"users": 8}, {"kind": "drop", "factor": 0.5}).crowd().at(16) == 8
    assert plan({"users": 8, "shape": "ramp"}).crowd().at(0) == 8


def test_a_deck_deals_in_exact_shares() -> None:
    """Each pass through the deck has each route as often as its weight, in lowest terms; a weight of 0 means never."""
    deck = Deck({"/api/users": 20, "/api/products": 10, "/api/checkout": 0})
    passes = [Counter(deck.deal().template for _ in range(3)) for _ in range(10)]

    assert passes == [{"/api/users": 2, "/api/products": 1}] * 10


def test_a_deck_is_dealt_in_random_order() -> None:
    """A fixed order could beat in time with a fault that hits every n-th request."""
    deck = plan().deck()
    passes = {tuple(deck.deal().template for _ in range(20)) for _ in range(10)}

    assert len(passes) > 1


def test_the_usual_mix_uses_every_route() -> None:
    """So that no service is without traffic."""
    assert set(USUAL_MIX) == set(ROUTES)
    assert min(USUAL_MIX.values()) > 0


def test_the_mix_is_the_loads_own_when_it_has_one() -> None:
    """Then no other route is called."""
    deck = plan({"routes": {"/api/users": 1}}).deck()

    assert {"/api/users"} == {deck.deal().template for _ in range(10)}


def test_ids_vary_within_their_range() -> None:
    """A template with an id is called with ids from 1 to 50, and with many of them."""
    paths = {Route(template="/api/users/<int:id>").call() for _ in range(500)}

    assert {body for _, body in paths} == {b""}
    ids = {int(path.removeprefix("/api/users/")) for path, _ in paths}
    assert ids <= set(range(1, IDS + 1))
    assert len(ids) > IDS / 2


def test_a_checkout_is_a_cart_of_one_user() -> None:
    """In the words of the demo app."""
    path, body = Route(template="/api/checkout", method="POST").call()
    cart = json.loads(body)

    assert path == "/api/checkout"
    assert set(cart) == {"user_id", "items"}
    assert all(set(item) == {"product_id", "quantity"} for item in cart["items"])
