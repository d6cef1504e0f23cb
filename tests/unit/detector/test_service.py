"""The service as a whole, with a Prometheus and sinks of our own and a clock set by hand."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from detector import journal, snapshot
from detector.api import Api
from detector.config import Config, Peer
from detector.config_file import ConfigError
from detector.service import Service

SINKS = {"alertmanager": [{"url": "http://alertmanager", "resend": "30s"}], "webhook": [{"url": "http://hook/x"}]}


class World:
    """Everything around a service."""

    def __init__(self, prometheus: Any, start_s: float) -> None:
        self.prometheus, self.now_s = prometheus, start_s
        self.alerts: list[dict[str, Any]] = []
        self.hooked: list[dict[str, Any]] = []

    def connect(self, peer: Peer) -> httpx.AsyncClient:
        """Clients for whoever the service wants to talk to."""
        answers = {"http://prometheus": self.prometheus.answer, "http://alertmanager": self._alertmanager}
        transport = httpx.MockTransport(answers.get(peer.url, self._hook))
        return httpx.AsyncClient(base_url=peer.url, transport=transport)

    def _alertmanager(self, request: httpx.Request) -> httpx.Response:
        self.alerts += json.loads(request.content)
        return httpx.Response(200)

    def _hook(self, request: httpx.Request) -> httpx.Response:
        self.hooked += json.loads(request.content)["alerts"]
        return httpx.Response(200)

    def service(self, config: Config) -> Service:
        """A service in this world."""
        return Service(config, connect=self.connect, clock=lambda: self.now_s)

    async def tick(self, service: Service, count: int = 1) -> None:
        """Let time pass, and everything settle after each tick."""
        for _ in range(count):
            self.now_s += 1.0
            await service.tick(self.now_s)
            for feed in service.feeds.values():
                if feed.catching_up is not None:
                    await feed.catching_up
            for delivery in service.deliveries.values():
                while delivery.due():
                    await delivery.attempt()


@pytest.fixture
def world(prometheus: Any, start_s: float) -> World:
    """A world with one series that turns bad after half a minute and good again a minute later."""
    one = World(prometheus, start_s)

    def latency(at_s: float) -> float:
        return 0.5 if start_s + 30 <= at_s < start_s + 90 else 0.1 + 0.001 * (at_s % 7)

    prometheus.add("latency", latency, service_name="catalog", service_namespace="run-1")
    return one


def run(world: World, config: Config, story: Callable[[Service], Awaitable[None]], *, loops: bool = False) -> Service:
    """Play a story with a service; without its own loops, unless they are what is tried."""
    service = world.service(config)

    async def go() -> None:
        if not loops:
            service._launch = lambda: None  # type: ignore[method-assign]
        await service.start()
        try:
            await story(service)
        finally:
            await service.stop()

    asyncio.run(go())
    return service


def test_an_anomaly_is_told_once_and_resolved_once(world: World, configured: Callable[..., Config]) -> None:
    """Both sinks hear of it: Alertmanager again and again while it lasts, the webhook exactly twice."""

    async def story(service: Service) -> None:
        await world.tick(service, 120)
        assert service.book.active == {}

    run(world, configured(sinks=SINKS), story)
    assert [(one["status"], one["labels"]["alertname"]) for one in world.hooked] == [
        ("firing", "AnomalyDetected"), ("resolved", "AnomalyDetected")]  # fmt: skip
    assert {json.dumps(one["labels"], sort_keys=True) for one in world.alerts} == {
        json.dumps({"alertname": "AnomalyDetected", "service_name": "catalog", "service_namespace": "run-1",
                    "severity": "warning", "signal": "latency", "watch": "latency"}, sort_keys=True)}  # fmt: skip
    assert len({one["startsAt"] for one in world.alerts}) == 1
    assert world.alerts[-1]["annotations"]["ended"] == "cleared"
    assert world.hooked[0]["annotations"]["description"].startswith("latency 500 ms, expected 10")


def test_a_restart_during_an_anomaly_neither_loses_nor_repeats_it(
    world: World, configured: Callable[..., Config], tmp_path: Path
) -> None:
    """Stopped in the middle, started later: the same alert goes on, and ends once."""
    config = configured(sinks=SINKS, state_dir=str(tmp_path))

    async def begin(service: Service) -> None:
        await world.tick(service, 40)
        assert len(service.book.active) == 1

    async def go_on(service: Service) -> None:
        assert len(service.book.active) == 1
        await world.tick(service, 60)

    run(world, config, begin)
    world.now_s += 10.0
    run(world, config, go_on)
    assert [one["status"] for one in world.hooked] == ["firing", "resolved"]
    assert len({one["startsAt"] for one in world.alerts}) == 1


def test_a_restart_without_state_finds_an_active_anomaly_in_history(
    world: World, configured: Callable[..., Config]
) -> None:
    """Even a detector that remembers nothing tells what is wrong now, with the time at which it began."""

    world.now_s += 70.0
    service = world.service(configured(sinks=SINKS, lookback="100s"))

    async def go() -> None:
        service._launch = lambda: None  # type: ignore[method-assign]
        await service.start()
        await world.tick(service, 2)
        (alert,) = service.book.active.values()
        assert alert.starts_s == world.now_s - 72 + 31
        await service.stop()

    asyncio.run(go())
    assert [one["status"] for one in world.hooked] == ["firing"]


def test_damaged_state_is_left_aside(
    world: World, configured: Callable[..., Config], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The service starts all the same, and says what it could not use."""
    (tmp_path / snapshot.FILE).write_bytes(b"no zip")
    (tmp_path / journal.FILE).write_bytes(b"no json")

    async def story(service: Service) -> None:
        await world.tick(service, 40)
        assert len(service.book.active) == 1

    run(world, configured(state_dir=str(tmp_path)), story)
    assert "cannot be used" in caplog.text
    assert "is damaged" in caplog.text


def test_blindness_is_told_and_ends(world: World, configured: Callable[..., Config]) -> None:
    """When Prometheus cannot be read for three ticks the detector says so itself; active anomalies stay active."""

    async def story(service: Service) -> None:
        await world.tick(service, 40)
        world.prometheus.failure = lambda _: httpx.Response(503, text="down")
        for _ in range(5):
            world.now_s += 40.0
            await world.tick(service)
        names = sorted(alert.labels["alertname"] for alert in service.book.active.values())
        assert names == ["AnomalyDetected", "AnomalyDetectorBlind"]
        assert not service.ready
        assert service.failed_ticks >= 3
        world.prometheus.failure = None
        world.now_s += 60.0
        await world.tick(service, 3)
        assert service.ready
        assert service.failed_ticks == 0

    run(world, configured(sinks=SINKS, lookback="10m"), story)
    blind = [one for one in world.hooked if one["labels"]["alertname"] == "AnomalyDetectorBlind"]
    assert [one["status"] for one in blind] == ["firing", "resolved"]
    assert blind[1]["annotations"]["ended"] == "sees again"


def test_absence_is_told_where_it_was_asked_for(
    world: World, configured: Callable[..., Config], start_s: float
) -> None:
    """A series that goes away is an alert of its own kind."""
    watch = {"name": "gone", "query": "gone", "kind": "latency", "season": "none", "absent_after": 5}
    world.prometheus.add("gone", lambda at: 0.1 if at < start_s + 20 else None, n="a")

    async def story(service: Service) -> None:
        await world.tick(service, 30)
        (alert,) = service.book.active.values()
        assert alert.labels["alertname"] == "AnomalySeriesAbsent"

    run(world, configured(series=[watch]), story)


def test_a_new_series_is_picked_up_within_two_ticks(world: World, configured: Callable[..., Config]) -> None:
    """A namespace that appears is watched from its first sample on."""

    async def story(service: Service) -> None:
        await world.tick(service, 5)
        world.prometheus.add("latency", lambda _: 0.2, service_name="new")
        await world.tick(service, 2)
        assert len(service.watchers["latency"].roster.slots) == 2

    run(world, configured(), story)


def test_a_reload_keeps_what_did_not_change(world: World, configured: Callable[..., Config]) -> None:
    """A watch that stays keeps its bank; one that goes has its alerts resolved; one that comes is read."""
    both: list[dict[str, Any]] = [
        {"name": "latency", "query": "latency", "kind": "latency", "season": "none"},
        {"name": "other", "query": "latency", "kind": "latency", "season": "none", "labels": {"team": "a"}},
    ]
    changed = [both[0], {**both[1], "name": "third"}]

    async def story(service: Service) -> None:
        await world.tick(service, 40)
        assert len(service.book.active) == 2
        kept = service.watchers["latency"]
        await service.reload(configured(series=changed, sinks=SINKS))
        assert service.watchers["latency"] is kept
        assert set(service.watchers) == {"latency", "third"}
        assert {alert.labels["watch"] for alert in service.book.active.values()} == {"latency"}
        await world.tick(service, 3)
        assert {alert.labels["watch"] for alert in service.book.active.values()} == {"latency", "third"}

    run(world, configured(series=both, sinks=SINKS), story)
    other = [one for one in world.hooked if one["labels"]["watch"] == "other"]
    assert [one["status"] for one in other] == ["firing", "resolved"]
    assert other[1]["annotations"]["ended"] == "removed"
    still = [one for one in world.hooked if one["labels"]["watch"] == "latency"]
    assert [one["status"] for one in still] == ["firing"]


def test_the_loops_run_and_stop(world: World, configured: Callable[..., Config], tmp_path: Path) -> None:
    """Started for real, with a real clock, it ticks, saves and stops without leaving anything behind."""
    config = configured(interval="100ms", lookback="2s", snapshot_every="100ms", state_dir=str(tmp_path), sinks=SINKS)

    async def story(service: Service) -> None:
        async with asyncio.timeout(30.0):
            while not (service.ready and (tmp_path / snapshot.FILE).exists()):
                world.now_s += 0.1
                await asyncio.sleep(0.01)

    service = run(world, config, story, loops=True)
    assert service._tasks == []
    assert (tmp_path / journal.FILE).exists()


def client_of(service: Service, reload: Callable[[], Awaitable[None]]) -> httpx.AsyncClient:
    """A client of the HTTP side."""
    transport = httpx.ASGITransport(app=Api(service, reload).app())
    return httpx.AsyncClient(base_url="http://detector", transport=transport)


def test_the_http_side_shows_series_anomalies_and_health(world: World, configured: Callable[..., Config]) -> None:
    """Everything that is known can be read, as JSON without NaN."""

    async def unwanted() -> None:
        raise AssertionError

    async def story(service: Service) -> None:
        client = client_of(service, unwanted)
        assert (await client.get("/healthz")).text == "ok\n"
        unready = await client.get("/readyz")
        assert (unready.status_code, unready.json()["problems"]) == (503, {"latency": "reading history"})
        await world.tick(service, 40)
        service.watchers["latency"].roster.refused[(("n", "x"),)] = "a raw counter; query its rate()"
        assert (await client.get("/readyz")).json() == {"ready": True, "problems": {}}
        body = (await client.get("/api/v1/series")).json()
        (row,) = body["series"]
        assert (row["status"], row["firing"], row["severity"]) == ("level", True, "critical")
        assert body["refused"][0]["reason"].startswith("a raw counter")
        one = (await client.get(f"/api/v1/series/{row['id']}")).json()
        assert one["query"] == "latency"
        assert one["model"]["season_s"] is None
        assert one["model"]["fitted_s"] is None
        lost = await client.get("/api/v1/series/nothing")
        assert (lost.status_code, "/api/v1/series lists them" in lost.json()["error"]) == (404, True)
        (anomaly,) = (await client.get("/api/v1/anomalies")).json()["anomalies"]
        assert anomaly["labels"]["service_namespace"] == "run-1"

    run(world, configured(), story)


def test_metrics_show_scores_bands_and_the_detectors_own_health(
    world: World, configured: Callable[..., Config]
) -> None:
    """The series carry the labels of what they describe; nothing is computed by the scrape."""

    async def nothing() -> None:
        return None

    async def story(service: Service) -> None:
        await world.tick(service, 40)
        client = client_of(service, nothing)
        before = service.watchers["latency"].bank.at_s
        text = (await client.get("/metrics")).text
        tags = 'service_name="catalog",service_namespace="run-1",signal="latency",watch="latency"'
        lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        found = {name.partition("{")[0]: value for name, value in lines.items() if 'signal="latency"' in name}
        assert {"anomaly_score", "anomaly_expected", "anomaly_lower", "anomaly_upper", "anomaly_firing"} <= set(found)
        assert float(lines[sorted_tags("anomaly_score", tags)]) > 0.5
        assert lines['anomaly_series{state="level",watch="latency"}'] == "1.0"
        assert lines['anomaly_points_total{result="ok",watch="latency"}'] == "39.0"
        assert float(lines["anomaly_config_reload_success"]) == 1.0
        assert float(lines["anomaly_last_success_timestamp_seconds"]) == world.now_s
        assert "anomaly_query_seconds_count" in text
        assert service.watchers["latency"].bank.at_s == before

    run(world, configured(), story)


def test_a_detector_that_has_just_begun_is_not_stale(world: World, configured: Callable[..., Config]) -> None:
    """Otherwise each start would look like a detector that has not looked since 1970."""

    async def story(service: Service) -> None:
        last = service.telemetry.registry.get_sample_value("anomaly_last_success_timestamp_seconds")
        assert last == world.now_s

    run(world, configured(), story)


def sorted_tags(name: str, tags: str) -> str:
    """A series as the exposition writes it: labels in order."""
    return f"{name}{{{','.join(sorted(tags.split(',')))}}}"


def test_a_reload_over_http_says_what_happened(world: World, configured: Callable[..., Config]) -> None:
    """A good one is taken, a bad one refused with its reason."""
    calls: list[str] = []

    async def good() -> None:
        calls.append("good")

    async def bad() -> None:
        raise ConfigError("detector.yaml:4: unknown key 'intervall'")

    async def story(service: Service) -> None:
        assert (await client_of(service, good).post("/-/reload")).text == "reloaded\n"
        refused = await client_of(service, bad).post("/-/reload")
        assert refused.status_code == 400
        assert refused.text == "the old configuration stays:\ndetector.yaml:4: unknown key 'intervall'\n"
        assert (await client_of(service, good).get("/-/reload")).status_code == 405

    run(world, configured(), story)
    assert calls == ["good"]
