"""Services: what was counted of each since the drill began, restarts or not."""

import time
from typing import Any

import httpx
import pytest

from assertions.evidence import Delays, Service
from assertions.gather import Backends
from assertions.prometheus import Prometheus
from assertions.services import gather
from assertions.tempo import Tempo
from scenarios.history import Event
from tests.unit.assertions.builders import NAMESPACE, T0, found, history, traffic

SUMS = {"http_server_request_duration_seconds_count": 100, "traces_span_metrics_calls_total": 40}
"""What the frontend's counters are now."""

SAMPLES = [[T0 + 1, "30"], [T0 + 4, "60"], [T0 + 9, "7"], [T0 + 10, "40"]]
"""How it was counted: the counter began anew between 4 s and 9 s."""


class World:
    """A Prometheus with counters of one service."""

    def __init__(self) -> None:
        self.queries: list[str] = []
        self.transport = httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        query = request.url.params.get("query", "")
        self.queries.append(query)
        labels = {"service_name": "frontend"} | ({"le": "+Inf"} if "_bucket" in query else {})
        if request.url.path.endswith("query_range"):
            return self._rows("matrix", [{"metric": labels, "values": SAMPLES}])
        if query.startswith("sum by"):
            value = next((value for name, value in SUMS.items() if name in query), 1)
            return self._rows("vector", [{"metric": labels, "value": [T0, str(value)]}])
        return self._rows("matrix", [{"metric": labels, "values": SAMPLES}, {"metric": labels, "values": SAMPLES[3:]}])

    def _rows(self, kind: str, rows: list[dict[str, Any]]) -> httpx.Response:
        return httpx.Response(200, json={"data": {"resultType": kind, "result": rows}})

    def service(self, *events: Event) -> Service:
        """What is gathered of the frontend, in a drill of 100 requests."""
        backends = Backends(
            prometheus=Prometheus("http://prom", transport=self.transport),
            tempo=Tempo("http://tempo", transport=self.transport),
            namespace=NAMESPACE,
            delays=Delays(export_s=0, batch_s=0, scrape_s=0),
            settle_s=0,
            since_s=time.monotonic() - 3600,
        )
        return gather(history(traffic(0, 10), *events), backends, (T0, T0 + 10))["frontend"]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is waited for here."""
    monkeypatch.setattr("assertions.services.eventually", lambda ask, *_, **__: ask())


def test_sums_are_asked_for_where_nothing_was_restarted() -> None:
    """That costs the same however long the drill was."""
    world = World()
    service = world.service(found(-9, "ready", "collector"), found(-9, "ready", "frontend"))

    assert (service.requests, service.collected) == (100, 40)
    assert all(query.startswith("sum by") for query in world.queries)


def test_a_restart_of_the_collector_begins_its_own_count_anew_and_no_other() -> None:
    """60 before, 40 after, and a series that was new; what the app counts itself goes on."""
    service = World().service(found(-9, "ready", "collector"), found(8, "ready", "collector", started=8))

    assert (service.requests, service.failed) == (100, 100)
    assert (service.collected, service.collected_failed) == (60 + 40 + 40, 140)
    assert service.collected_buckets == {"+Inf": 140}
    assert service.buckets == {"+Inf": 1}


def test_a_restart_of_a_service_begins_its_own_count_anew() -> None:
    """The collector still knows what it had counted of it."""
    service = World().service(found(-9, "ready", "frontend"), found(8, "ready", "frontend", started=8))

    assert (service.requests, service.failed, service.buckets) == (140, 140, {"+Inf": 140})
    assert service.collected == 40


def test_a_restart_of_another_service_begins_nothing_anew() -> None:
    """Only what falls did; the samples are looked at all the same."""
    service = World().service(found(-9, "ready", "users"), found(3, "ready", "users", started=2))

    assert service.requests == 140
