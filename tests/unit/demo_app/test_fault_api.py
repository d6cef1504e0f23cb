"""The fault API: who may use it, what it takes, what it answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from demo_app.faults.api import MOST_LIVE, Places, create_fault_api
from demo_app.faults.background import Background
from demo_app.faults.kinds import KINDS
from demo_app.faults.leases import Leases
from tests.unit.demo_app.conftest import Clock

TOKEN = "open-sesame"
KNOWN_KINDS = ", ".join(sorted(KINDS))

CATALOG = Places(role="catalog", routes=["/api/products", "/api/reservations"], upstreams=[], has_database=True)
FRONTEND = Places(role="frontend", routes=["/api/checkout"], upstreams=["catalog", "users"], has_database=False)

Call = Callable[..., Any]


def api(leases: Leases, places: Places = CATALOG) -> FlaskClient:
    return create_fault_api(TOKEN, leases, places, Background(leases, lambda _: None)).test_client()


def put(client: FlaskClient, body: object, fault_id: str = "drill/1") -> Any:
    data = body if isinstance(body, str) else json.dumps(body)
    return client.put(f"/faults/{fault_id}", data=data, headers={"Authorization": f"Bearer {TOKEN}"})


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        TOKEN,
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN}x",
        f"Basic {TOKEN}",
        f"bearer {TOKEN}",
        "ö",
    ],
)
def test_without_the_token_nothing_happens(method: str, authorization: str | None, leases: Leases) -> None:
    """
    A stranger gets 401, learns nothing, and changes nothing.
    """
    put(api(leases), {"kind": "errors", "lease_s": 5})
    headers = {} if authorization is None else {"Authorization": authorization}

    answer = api(leases).open("/faults/drill/1", method=method, headers=headers, json={"kind": "cpu", "lease_s": 1})

    assert answer.status_code == 401
    assert answer.get_json() == {"error": "this needs the header `Authorization: Bearer <DEMO_FAULT_TOKEN>`"}
    assert [lease.fault.kind for lease in leases.live()] == ["errors"]


def test_a_fault_is_switched_on_renewed_listed_and_switched_off(leases: Leases, clock: Clock) -> None:
    """
    The whole life of a fault, as whoever drills sees it.
    """
    client = api(leases)
    body = {"kind": "latency", "delay_s": 0.5, "lease_s": 4}
    on = {"id": "drill/1", "kind": "latency", "expires_in_s": 4.0, "affected": 0}

    assert (put(client, body).status_code, put(client, body).get_json()) == (200, on)
    clock.now += 3
    assert put(client, body).get_json() == on
    clock.now += 3
    listed = client.get("/faults", headers={"Authorization": f"Bearer {TOKEN}"})
    assert listed.get_json() == {"faults": [on | {"expires_in_s": 1.0}]}
    for _ in range(2):
        gone = client.delete("/faults/drill/1", headers={"Authorization": f"Bearer {TOKEN}"})
        assert (gone.status_code, gone.data) == (204, b"")
    assert leases.live() == []


def test_an_encoded_slash_in_an_id_is_a_slash(leases: Leases) -> None:
    """
    Clients that quote ids, and clients that do not, mean the same fault.
    """
    put(api(leases), {"kind": "errors", "lease_s": 5}, "faults%2F1")
    put(api(leases), {"kind": "errors", "lease_s": 5}, "faults/1")

    assert [lease.id for lease in leases.live()] == ["faults/1"]


MISTAKES: list[tuple[str | dict[str, object], str]] = [
    ("", "the body is not JSON; allowed: one JSON object"),
    ("{", "the body is not JSON; allowed: one JSON object"),
    ("[]", "the body is []; allowed: one JSON object with kind"),
    ({}, f"field 'kind' is missing; allowed: one of {KNOWN_KINDS}"),
    ({"kind": 3}, f"field 'kind' is 3; allowed: one of {KNOWN_KINDS}"),
    ({"kind": "latancy"}, f"unknown kind 'latancy' (did you mean latency?); known: {KNOWN_KINDS}"),
    ({"kind": "errors"}, "field 'lease_s' is missing; allowed: seconds above 0 and at most 5"),
    ({"kind": "errors", "lease_s": 0}, "field 'lease_s' is 0; allowed: seconds above 0 and at most 5"),
    ({"kind": "errors", "lease_s": 5.1}, "field 'lease_s' is 5.1; allowed: seconds above 0 and at most 5"),
    ({"kind": "errors", "lease_s": "5"}, "field 'lease_s' is '5'; allowed: seconds above 0 and at most 5"),
    ({"kind": "errors", "lease_s": None}, "field 'lease_s' is None; allowed: seconds above 0 and at most 5"),
    ({"kind": "errors", "status": 200}, "field 'status' is 200; allowed: a status from 400 to 599"),
    ({"kind": "errors", "status": 500.5}, "field 'status' is 500.5; allowed: a status from 400 to 599"),
    ({"kind": "errors", "ratio": 0}, "field 'ratio' is 0; allowed: a share above 0 and at most 1"),
    ({"kind": "errors", "ratio": 30}, "field 'ratio' is 30; allowed: a share above 0 and at most 1"),
    (
        {"kind": "errors", "route": 1},
        "field 'route' is 1; allowed: a route of this role, or null for all of its /api routes",
    ),
    (
        {"kind": "errors", "rato": 1},
        "unknown field 'rato' (did you mean ratio?); known: kind, lease_s, ratio, route, status",
    ),
    (
        {"kind": "errors", "route": "/api/product"},
        "unknown route of catalog '/api/product' (did you mean /api/products?); known: /api/products, /api/reservations",
    ),
    ({"kind": "latency"}, "field 'delay_s' is missing; allowed: seconds above 0 and at most 60"),
    ({"kind": "latency", "delay_s": 61}, "field 'delay_s' is 61; allowed: seconds above 0 and at most 60"),
    (
        {"kind": "exception", "type": "SystemExit"},
        "field 'type' is 'SystemExit'; allowed: one of RuntimeError, ValueError, KeyError, TypeError, ZeroDivisionError,"
        " TimeoutError, ConnectionResetError, PermissionError",
    ),
    (
        {"kind": "telemetry_silent", "signals": []},
        "field 'signals' is []; allowed: a list of one or more of traces, metrics, logs",
    ),
    (
        {"kind": "telemetry_silent", "signals": ["spans"]},
        "field 'signals[0]' is 'spans'; allowed: a list of one or more of traces, metrics, logs",
    ),
    (
        {"kind": "dependency_timeout", "upstream": "users"},
        "catalog calls no upstream; dependency_timeout is allowed for: frontend",
    ),
    ({"kind": "broken_context"}, "catalog calls no upstream; broken_context is allowed for: frontend"),
    ({"kind": "cpu", "workers": 17}, "field 'workers' is 17; allowed: a whole number from 1 to 16"),
    ({"kind": "memory_leak", "cap_mib": 2000}, "field 'cap_mib' is 2000; allowed: MiB from 1 to 1024"),
    (
        {"kind": "label_cardinality", "per_s": -1},
        "field 'per_s' is -1; allowed: values per second above 0 and at most 1000",
    ),
]


@pytest.mark.parametrize(("body", "error"), MISTAKES, ids=[str(body) for body, _ in MISTAKES])
def test_a_mistake_is_one_clear_sentence(body: str | dict[str, object], error: str, leases: Leases) -> None:
    """
    422, with what was found and what is allowed; nothing is switched on.
    """
    complete = {"lease_s": 5} | body if isinstance(body, dict) and "lease_s" not in error and "kind" in body else body

    answer = put(api(leases), complete)

    assert (answer.status_code, answer.get_json()) == (422, {"error": error})
    assert leases.live() == []


FRONTEND_MISTAKES = [
    ({"kind": "slow_database", "delay_s": 1}, "frontend has no database; allowed for: catalog, users"),
    (
        {"kind": "retry_storm", "upstream": "user"},
        "unknown upstream of frontend 'user' (did you mean users?); known: catalog, users",
    ),
    (
        {"kind": "retry_storm", "upstream": "users", "attempts": 1},
        "field 'attempts' is 1; allowed: a whole number from 2 to 20",
    ),
]


@pytest.mark.parametrize(("body", "error"), FRONTEND_MISTAKES)
def test_a_fault_that_the_role_cannot_have_is_refused(body: dict[str, object], error: str, leases: Leases) -> None:
    """
    A fault that could never hit is a mistake, not a fault without effect.
    """
    answer = put(api(leases, FRONTEND), body | {"lease_s": 1})

    assert (answer.status_code, answer.get_json()) == (422, {"error": error})


def test_an_id_that_cannot_be_used_is_named(leases: Leases) -> None:
    """
    Ids are short and plain, so that they can be told in URLs and logs.
    """
    answer = put(api(leases), {"kind": "errors", "lease_s": 1}, "a b")

    assert answer.status_code == 422
    assert answer.get_json() == {"error": "id 'a b' cannot be used; allowed: 1 to 100 letters, digits and . _ / : -"}


def test_there_is_an_end_to_how_many_faults_can_be_on(leases: Leases) -> None:
    """
    Every request looks through all faults; renewing is still possible when no more can be added.
    """
    client = api(leases)
    for number in range(MOST_LIVE):
        assert put(client, {"kind": "errors", "lease_s": 5}, f"f{number}").status_code == 200

    assert put(client, {"kind": "errors", "lease_s": 5}, "f0").status_code == 200
    assert put(client, {"kind": "errors", "lease_s": 5}, "more").get_json() == {
        "error": "100 faults are on; allowed: at most that many; switch some off first"
    }


@pytest.mark.parametrize(("path", "status"), [("/", 404), ("/faults/", 404), ("/faults/a", 405)])
def test_other_paths_and_methods_are_refused_in_json(path: str, status: int, leases: Leases) -> None:
    """
    There is nothing else to be found here.
    """
    answer = api(leases).get(path, headers={"Authorization": f"Bearer {TOKEN}"})

    assert answer.status_code == status
    assert set(answer.get_json()) == {"error"}


def test_background_work_starts_once_however_often_it_is_renewed() -> None:
    """
    Renewing a lease must not add a second thread to the first.
    """
    leases = Leases()
    client = api(leases)

    for _ in range(3):
        put(client, {"kind": "cpu", "workers": 2, "load": 0.1, "lease_s": 5})

    assert sum(thread.name == "fault-cpu" for thread in threading.enumerate()) == 2
    leases.clear()
    for thread in threading.enumerate():
        if thread.name == "fault-cpu":
            thread.join(10)
            assert not thread.is_alive()
