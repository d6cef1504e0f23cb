"""Faults as clients feel them: what each kind does to requests, on which routes, to which share."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from demo_app.faults.kinds import EXCEPTIONS, KINDS
from tests.unit.demo_app.conftest import MakeRole, Role, Shop


def break_it(role: Role, **fields: Any) -> Any:
    """Switch a fault on, for as long as the clock stands still."""
    kind = KINDS[fields["kind"]]
    lease, _ = role.leases.put("test", kind.model_validate({"lease_s": 5} | fields))
    return lease


def statuses(role: Role, path: str, times: int) -> list[int]:
    client = role.app.test_client()
    return [client.get(path).status_code for _ in range(times)]


def test_errors_have_the_status_and_the_share_that_were_asked_for(make_role: MakeRole) -> None:
    """
    Three of ten, each answered in JSON like any other error.
    """
    catalog = make_role("catalog")
    lease = break_it(catalog, kind="errors", status=503, ratio=0.3)

    assert statuses(catalog, "/api/products", 10) == [200, 200, 200, 503, 200, 200, 503, 200, 200, 503]
    assert lease.affected == 3


def test_a_status_without_a_name_works_too(make_role: MakeRole) -> None:
    """
    Any status from 400 to 599 can be had.
    """
    catalog = make_role("catalog")
    break_it(catalog, kind="errors", status=499)

    assert statuses(catalog, "/api/products", 1) == [499]


def test_a_fault_with_a_route_leaves_the_others_alone(make_role: MakeRole) -> None:
    """
    Routes are told apart by their template.
    """
    catalog = make_role("catalog")
    break_it(catalog, kind="errors", route="/api/products/<int:id>")

    assert statuses(catalog, "/api/products/1", 1) == [500]
    assert statuses(catalog, "/api/products", 1) == [200]


@pytest.mark.parametrize("kind", ["errors", "exception"])
def test_probes_are_never_hit(make_role: MakeRole, kind: str) -> None:
    """
    A fault of the routes must not make whoever watches over the process restart it.
    """
    catalog = make_role("catalog")
    lease = break_it(catalog, kind=kind)

    assert statuses(catalog, "/health", 2) + statuses(catalog, "/ready", 2) == [200] * 4
    assert lease.seen == 0


@pytest.mark.parametrize("name", sorted(EXCEPTIONS))
def test_exceptions_become_500(make_role: MakeRole, name: str) -> None:
    """
    Every kind of exception that can be asked for is a plain 500 to the client, without its words.
    """
    catalog = make_role("catalog")
    break_it(catalog, kind="exception", type=name)

    answer = catalog.app.test_client().get("/api/products")

    assert answer.status_code == 500
    assert EXCEPTIONS[name][1] not in answer.text


def test_latency_delays_the_share_that_was_asked_for(make_role: MakeRole) -> None:
    """
    Every second request takes the delay longer.
    """
    catalog = make_role("catalog")
    lease = break_it(catalog, kind="latency", delay_s=0.2, ratio=0.5)

    took_s = []
    for _ in range(4):
        started = time.monotonic()
        assert statuses(catalog, "/api/products", 1) == [200]
        took_s.append(time.monotonic() - started)

    assert took_s[1] >= 0.2
    assert took_s[3] >= 0.2
    assert lease.affected == 2


def test_a_hung_request_is_answered_when_the_fault_is_healed(make_role: MakeRole) -> None:
    """
    The request waits, and then is served as if nothing had been.
    """
    catalog = make_role("catalog")
    lease = break_it(catalog, kind="hang")
    answers: list[int] = []
    thread = threading.Thread(target=lambda: answers.extend(statuses(catalog, "/api/products", 1)))
    thread.start()
    deadline = time.monotonic() + 10
    while not lease.affected and time.monotonic() < deadline:
        time.sleep(0.001)
    assert lease.affected == 1
    assert answers == []

    catalog.leases.remove("test")
    thread.join(10)

    assert answers == [200]


def test_a_slow_database_makes_requests_slow(make_role: MakeRole) -> None:
    """
    Each statement takes longer, so a request with two of them takes twice as much.
    """
    catalog = make_role("catalog")
    lease = break_it(catalog, kind="slow_database", delay_s=0.1)

    started = time.monotonic()
    answer = catalog.app.test_client().post("/api/reservations", json={"items": [{"product_id": 1}]})

    assert answer.status_code == 201
    assert time.monotonic() - started >= 0.2
    assert lease.affected == 2


def test_a_failing_upstream_is_502(shop: Shop) -> None:
    """
    The frontend says which service failed it, and with what.
    """
    break_it(shop.catalog, kind="errors", status=503)

    answer = shop.frontend.app.test_client().get("/api/products")

    assert (answer.status_code, answer.get_json()) == (502, {"error": "catalog answered 503", "upstream": "catalog"})


def test_an_upstream_that_is_not_there_is_502(make_role: MakeRole) -> None:
    """
    The reason is the network's own, without the library's chain of names.
    """
    nowhere = "http://127.0.0.1:1"
    frontend = make_role("frontend", upstreams={"catalog": nowhere, "users": nowhere})

    answer = frontend.app.test_client().get("/api/users")

    assert (answer.status_code, answer.get_json()) == (
        502,
        {"error": "users cannot be reached: [Errno 111] Connection refused", "upstream": "users"},
    )


def test_an_upstream_that_is_too_slow_is_504(make_role: MakeRole, shop: Shop) -> None:
    """
    The frontend gives up after its timeout, and says on whom.
    """
    break_it(shop.catalog, kind="hang")
    frontend = make_role("frontend", upstreams=shop.urls, timeout_s=0.1)

    answer = frontend.app.test_client().get("/api/products")
    shop.catalog.leases.clear()

    assert (answer.status_code, answer.get_json()) == (
        504,
        {"error": "catalog did not answer in time", "upstream": "catalog"},
    )


def test_a_dependency_timeout_is_504_for_that_upstream_only(make_role: MakeRole, shop: Shop) -> None:
    """
    The call takes as long as the timeout, and never reaches the upstream.
    """
    frontend = make_role("frontend", upstreams=shop.urls, timeout_s=0.2)
    break_it(frontend, kind="dependency_timeout", upstream="users")
    unreached = break_it(shop.users, kind="latency", delay_s=0.001)

    started = time.monotonic()
    assert statuses(frontend, "/api/users", 1) == [504]
    assert time.monotonic() - started >= 0.2
    assert unreached.seen == 0
    assert statuses(frontend, "/api/products", 1) == [200]
    assert frontend.app.test_client().get("/ready").status_code == 200


@pytest.mark.parametrize(("only_failed", "fails", "calls"), [(False, False, 4), (True, False, 1), (True, True, 4)])
def test_a_retry_storm_multiplies_calls(shop: Shop, only_failed: bool, fails: bool, calls: int) -> None:
    """
    One request of a client is so many calls of the upstream; the last answer counts.
    """
    break_it(shop.frontend, kind="retry_storm", upstream="catalog", attempts=4, only_failed=only_failed)
    reached = break_it(shop.catalog, kind="errors") if fails else break_it(shop.catalog, kind="latency", delay_s=0.001)

    assert statuses(shop.frontend, "/api/products", 1) == [502 if fails else 200]
    assert reached.seen == calls
