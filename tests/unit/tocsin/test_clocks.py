"""Clocks are measured against ours, with the uncertainty of the asking."""

import time
from email.utils import formatdate

import httpx
import pytest

from assertions.backend import BackendError
from assertions.prometheus import Prometheus
from tocsin.clocks import measure, measure_all

PLACES = {"alertmanager": "http://am", "tempo": "http://tempo", "sink": "http://sink", "sink_token": "x"}


def backends(*, ahead_s: float = 0.0, dated: bool = True, broken: str = "") -> httpx.MockTransport:
    """All backends, whose clocks are ahead of ours; one of them may be broken."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == broken:
            raise httpx.ConnectError("connection refused")
        now = time.time() + ahead_s
        if request.url.path == "/api/v1/query":
            return httpx.Response(200, json={"data": {"resultType": "scalar", "result": [now, str(now)]}})
        return httpx.Response(200, headers={"date": formatdate(int(now), usegmt=True)} if dated else {})

    return httpx.MockTransport(answer)


def test_a_clock_that_is_ahead_is_found_to_be_ahead() -> None:
    """To within half the round trip."""
    clock = measure("it", lambda: time.time() + 100)

    assert clock.backend == "it"
    assert abs(clock.offset_s - 100) <= clock.round_trip_s / 2 + 0.001


def test_every_backend_is_measured_as_well_as_it_tells_the_time() -> None:
    """Prometheus to the millisecond, the others to the second of their Date header."""
    transport = backends(ahead_s=50)

    clocks = measure_all(Prometheus("http://prom", transport=transport), PLACES, transport=transport)

    assert [clock.backend for clock in clocks] == ["prometheus", "alertmanager", "tempo", "sink"]
    for clock in clocks:
        assert abs(clock.offset_s - 50) <= clock.round_trip_s / 2 + 0.001
    assert all(clock.round_trip_s >= 1 for clock in clocks[1:])


def test_a_backend_without_a_date_is_left_out() -> None:
    """Nothing is better than a guess."""
    transport = backends(dated=False)

    clocks = measure_all(Prometheus("http://prom", transport=transport), PLACES, transport=transport)

    assert [clock.backend for clock in clocks] == ["prometheus"]


def test_a_backend_that_does_not_answer_is_named() -> None:
    """With its address."""
    transport = backends(broken="tempo")

    with pytest.raises(BackendError, match="tempo did not answer at http://tempo: connection refused"):
        measure_all(Prometheus("http://prom", transport=transport), PLACES, transport=transport)
