"""The shop: what clients get from each route, with the whole shop behind the front door."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from demo_app import catalog
from demo_app.database import Database, DatabaseError
from demo_app.faults.leases import Leases
from tests.unit.demo_app.conftest import MakeRole, Seen, Shop, served


def get(shop: Shop, path: str) -> Any:
    return shop.frontend.app.test_client().get(path)


def checkout(shop: Shop, body: object) -> Any:
    return shop.frontend.app.test_client().post("/api/checkout", json=body)


def test_products_come_from_the_catalog(shop: Shop) -> None:
    """
    The list is a page of products; each can be had by its id, with the same content.
    """
    products = get(shop, "/api/products").get_json()["products"]

    assert [product["id"] for product in products] == list(range(1, 21))
    assert get(shop, "/api/products/7").get_json() == products[6]
    assert set(products[6]) == {"id", "name", "price_cents"}
    assert len({product["name"] for product in products}) == 20


def test_users_come_from_users(shop: Shop) -> None:
    """
    The same for users.
    """
    users = get(shop, "/api/users").get_json()["users"]

    assert [user["id"] for user in users] == list(range(1, 21))
    assert get(shop, "/api/users/20").get_json() == users[19]


@pytest.mark.parametrize("path", ["/api/products/100", "/api/users/100"])
def test_there_are_a_hundred_of_each(shop: Shop, path: str) -> None:
    """
    Clients may vary their ids well beyond the first page.
    """
    assert get(shop, path).status_code == 200


@pytest.mark.parametrize(
    ("path", "error", "upstream"),
    [
        ("/api/products/101", "there is no product 101", "catalog"),
        ("/api/users/0", "there is no user 0", "users"),
    ],
)
def test_what_is_not_there_is_404_through_all_roles(shop: Shop, path: str, error: str, upstream: str) -> None:
    """
    A 404 of a service is a 404 of the frontend, and no failure.
    """
    answer = get(shop, path)

    assert (answer.status_code, answer.get_json()) == (404, {"error": error, "upstream": upstream})


def test_an_order_is_reserved_and_charged(shop: Shop) -> None:
    """
    The total is the prices times the quantities, and both services have written it down.
    """
    price = get(shop, "/api/products/3").get_json()["price_cents"]
    other = get(shop, "/api/products/9").get_json()["price_cents"]

    answer = checkout(shop, {"user_id": 5, "items": [{"product_id": 3, "quantity": 2}, {"product_id": 9}]})

    order = answer.get_json()
    assert answer.status_code == 201
    assert order["total_cents"] == 2 * price + other
    assert order["user_id"] == 5
    assert [(line["product_id"], line["quantity"]) for line in order["lines"]] == [(3, 2), (9, 1)]


def test_an_order_of_nothing_that_exists_is_404(shop: Shop) -> None:
    """
    Neither an unknown product nor an unknown user makes an order.
    """
    assert checkout(shop, {"user_id": 5, "items": [{"product_id": 999}]}).status_code == 404
    assert checkout(shop, {"user_id": 999, "items": [{"product_id": 1}]}).status_code == 404


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("x", "the body is 'x'; allowed: one JSON object with user_id, items"),
        ({"items": [{"product_id": 1}]}, "field 'user_id' is missing; allowed: a whole number from 1"),
        ({"user_id": 1}, "field 'items' is missing; allowed: a list of 1 to 50 items"),
        ({"user_id": 1, "items": []}, "field 'items' is []; allowed: a list of 1 to 50 items"),
        ({"user_id": 0, "items": [{"product_id": 1}]}, "field 'user_id' is 0; allowed: a whole number from 1"),
        (
            {"user_id": 1, "items": [{"product_id": 1}, {"product_id": 1, "quantity": 0}]},
            "field 'items[1].quantity' is 0; allowed: a whole number from 1 to 100",
        ),
        (
            {"user_id": 1, "items": [7]},
            "field 'items[0]' is 7; allowed: an object with product_id, quantity",
        ),
        ({"user_id": 1, "items": 7}, "field 'items' is 7; allowed: a list of 1 to 50 items"),
        (
            {"user_id": 1, "items": [{}]},
            "field 'items[0].product_id' is missing; allowed: a whole number from 1",
        ),
        (
            {"user_id": 1, "items": [{"product": 1}]},
            "unknown field 'product' (did you mean product_id?); known: product_id, quantity",
        ),
    ],
)
def test_a_bad_cart_is_400_and_says_why(shop: Shop, body: object, error: str) -> None:
    """
    The client's mistake is told in one sentence, and goes no further.
    """
    answer = checkout(shop, body)

    assert (answer.status_code, answer.get_json()) == (400, {"error": error})


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/api/checkout", 405)])
def test_other_errors_are_json_too(shop: Shop, path: str, status: int) -> None:
    """
    Whatever goes wrong, clients can read it the same way.
    """
    answer = get(shop, path)

    assert answer.status_code == status
    assert set(answer.get_json()) == {"error"}


@pytest.mark.parametrize("role", ["frontend", "catalog", "users"])
def test_health_says_that_the_process_lives(shop: Shop, role: str) -> None:
    """
    It asks nobody else.
    """
    answer = getattr(shop, role).app.test_client().get("/health")

    assert (answer.status_code, answer.get_json()) == (200, {"status": "ok", "role": role})


@pytest.mark.parametrize("role", ["frontend", "catalog", "users"])
def test_ready_when_what_it_needs_is_there(shop: Shop, role: str) -> None:
    """
    With all roles up, all are ready.
    """
    answer = getattr(shop, role).app.test_client().get("/ready")

    assert (answer.status_code, answer.get_json()) == (200, {"ready": True, "role": role, "reasons": []})


def test_not_ready_without_the_upstreams(make_role: MakeRole) -> None:
    """
    The frontend names each service that it cannot reach, and why.
    """
    upstreams = {"catalog": "http://127.0.0.1:1", "users": "http://127.0.0.1:1"}

    answer = make_role("frontend", upstreams=upstreams).app.test_client().get("/ready")

    assert answer.status_code == 503
    assert answer.get_json()["reasons"] == [
        "catalog cannot be reached: [Errno 111] Connection refused",
        "users cannot be reached: [Errno 111] Connection refused",
    ]


def test_not_ready_without_the_database(make_role: MakeRole, tmp_path: Any) -> None:
    """
    A service whose file is gone says so.
    """
    catalog = make_role("catalog")
    for file in tmp_path.glob("catalog.sqlite*"):
        file.unlink()

    answer = catalog.app.test_client().get("/ready")

    assert answer.status_code == 503
    assert answer.get_json()["reasons"] == ["database: unable to open database file"]


def test_a_database_that_is_there_is_kept(make_role: MakeRole, tmp_path: Any) -> None:
    """
    Starting again neither fails nor fills it twice.
    """
    first = make_role("catalog").app.test_client()
    first.post("/api/reservations", json={"items": [{"product_id": 1, "quantity": 3}]})

    again = make_role("catalog").app.test_client()

    assert len(again.get("/api/products").get_json()["products"]) == 20
    assert again.get("/api/products/101").status_code == 404


def test_not_ready_while_an_upstream_is_not(shop: Shop, tmp_path: Any) -> None:
    """
    Readiness goes up the chain: a service without its database makes the frontend say so.
    """
    for file in tmp_path.glob("users.sqlite*"):
        file.unlink()

    answer = get(shop, "/ready")

    assert answer.status_code == 503
    assert answer.get_json()["reasons"] == ["users is not ready: it answered 503"]


def test_an_upstream_that_does_not_speak_json_is_502(make_role: MakeRole) -> None:
    """
    A wrong address that answers something is a failure of the upstream, not an exception here.
    """

    def other(_: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/html")])
        return [b"<html>"]

    with served(other) as url:
        frontend = make_role("frontend", upstreams={"catalog": url, "users": url})
        answer = frontend.app.test_client().get("/api/products")

    assert (answer.status_code, answer.get_json()) == (
        502,
        {"error": "catalog answered something that is not JSON", "upstream": "catalog"},
    )


@pytest.mark.parametrize("path", ["/nowhere/shop.sqlite", "."])
def test_a_database_that_cannot_be_made_is_named(seen: Seen, leases: Leases, path: str) -> None:
    """
    The error says which file, and the reason.
    """
    database = Database(Path(path), "catalog", seen.telemetry, leases)

    with pytest.raises(DatabaseError, match=rf"^cannot use {re.escape(path)}: unable to open database file$"):
        database.create(catalog.SCHEMA)
