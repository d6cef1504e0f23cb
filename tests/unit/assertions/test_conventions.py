"""The stable conventions: what a series and a span must have, and must not have any more."""

from typing import Any

import pytest

from assertions.conventions import flaws_of_series, flaws_of_span

SERVER_SERIES = {
    "__name__": "http_server_request_duration_seconds_count",
    "http_request_method": "GET",
    "url_scheme": "http",
    "http_route": "/api/products",
    "http_response_status_code": "200",
}
DATABASE_SERIES = {"__name__": "db_client_operation_duration_seconds_count", "db_system_name": "sqlite"}
SERVER: dict[str, Any] = {
    "http.request.method": "GET",
    "url.scheme": "http",
    "url.path": "/api/products",
    "http.route": "/api/products",
    "http.response.status_code": 200,
}
CLIENT: dict[str, Any] = {
    "http.request.method": "GET",
    "server.address": "127.0.0.1",
    "server.port": 80,
    "url.full": "http://127.0.0.1/api/products",
    "http.response.status_code": 200,
}
DATABASE: dict[str, Any] = {"db.system.name": "sqlite", "db.query.text": "SELECT 1"}


def without(known: dict[str, Any], *names: str, **more: Any) -> dict[str, Any]:
    """The same, but for some names."""
    return {name: value for name, value in known.items() if name not in names} | more


def flaws(kind: str, attributes: dict[str, Any], *, error: bool = False, name: str = "GET /api/products") -> list[str]:
    """What is wrong with a span."""
    return list(flaws_of_span({"kind": kind, "name": name, "error": error, "attributes": attributes}))


@pytest.mark.parametrize(
    "labels",
    [
        SERVER_SERIES,
        DATABASE_SERIES,
        without(SERVER_SERIES, "http_route") | {"http_response_status_code": "404"},
        without(SERVER_SERIES, "http_response_status_code") | {"error_type": "timeout"},
        {"__name__": "http_server_active_requests", "http_request_method": "GET"},
    ],
)
def test_a_series_as_it_should_be(labels: dict[str, str]) -> None:
    """A request that no route serves has no route; one that broke off has no status."""
    assert list(flaws_of_series(labels)) == []


@pytest.mark.parametrize(
    ("labels", "flaw"),
    [
        (without(SERVER_SERIES, "url_scheme"), "lacks url_scheme"),
        (without(SERVER_SERIES, "http_route"), "lacks http_route"),
        (without(DATABASE_SERIES, "db_system_name"), "lacks db_system_name"),
        (
            without(SERVER_SERIES, "http_response_status_code"),
            "has neither http_response_status_code nor error_type",
        ),
        (SERVER_SERIES | {"http_method": "GET"}, "has the outdated http_method"),
        ({"__name__": "http_server_duration_milliseconds_count"}, "its unit is not seconds"),
    ],
)
def test_what_can_be_wrong_with_a_series(labels: dict[str, str], flaw: str) -> None:
    """Each by itself."""
    assert list(flaws_of_series(labels)) == [flaw]


@pytest.mark.parametrize(
    ("kind", "attributes"),
    [
        ("server", SERVER),
        ("server", without(SERVER, "http.route") | {"http.response.status_code": 404}),
        ("server", without(SERVER, "http.response.status_code") | {"error.type": "KeyError"}),
        ("client", CLIENT),
        ("client", DATABASE),
        ("client", {"db.system.name": "sqlite", "db.operation.name": "SELECT"}),
        ("internal", {}),
    ],
)
def test_a_span_as_it_should_be(kind: str, attributes: dict[str, Any]) -> None:
    """The shop's own spans are free."""
    assert flaws(kind, attributes) == []


@pytest.mark.parametrize(
    ("kind", "attributes", "flaw"),
    [
        ("server", without(SERVER, "url.path"), "lacks url.path"),
        ("server", without(SERVER, "http.route"), "lacks http.route"),
        (
            "server",
            without(SERVER, "http.response.status_code"),
            "has neither http.response.status_code nor error.type",
        ),
        ("server", SERVER | {"http.response.status_code": "200"}, "has a status that is none: '200'"),
        ("server", SERVER | {"http.response.status_code": 600}, "has a status that is none: 600"),
        ("server", SERVER | {"http.request.method": "POST"}, "its name does not begin with its method"),
        ("server", SERVER | {"http.target": "/"}, "has the outdated http.target"),
        ("client", without(CLIENT, "server.port"), "lacks server.port"),
        (
            "client",
            without(CLIENT, "http.response.status_code"),
            "has neither http.response.status_code nor error.type",
        ),
        ("client", without(DATABASE, "db.system.name"), "lacks db.system.name"),
        ("client", without(DATABASE, "db.query.text"), "has neither db.query.text nor db.operation.name"),
        ("client", DATABASE | {"db.statement": "SELECT 1"}, "has the outdated db.statement"),
    ],
)
def test_what_can_be_wrong_with_a_span(kind: str, attributes: dict[str, Any], flaw: str) -> None:
    """Each by itself."""
    assert flaws(kind, attributes) == [flaw]


def test_an_error_has_a_type() -> None:
    """On both sides of a call; spans of the shop's own are free here, too."""
    assert flaws("server", SERVER, error=True) == ["is marked as an error, but lacks error.type"]
    assert flaws("server", SERVER | {"error.type": "500"}, error=True) == []
    assert flaws("client", CLIENT, error=True) == ["is marked as an error, but lacks error.type"]
    assert flaws("internal", {}, error=True) == []
    assert list(flaws_of_span({"kind": "internal", "name": "checkout", "error": False})) == []
