"""Watcher: every change of every alert of this drill is written down, and so is that nobody could look."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from assertions.alertmanager import Alertmanager
from assertions.backend import BackendError, eventually
from assertions.prometheus import ActiveAlert, Prometheus
from assertions.sink import Sink
from scenarios.history import AlertChange, Blind, Event, Notification, Sighted
from tocsin import watcher as module
from tocsin.watcher import Changes, Watcher

OURS = {"service_namespace": "small-1", "service_name": "frontend"}


def active(name: str, state: str = "firing", **labels: str) -> ActiveAlert:
    """One alert as a source lists it."""
    return ActiveAlert(labels={"alertname": name, **labels}, state=state, active_at=1.0, value="0.5")


def changes(*looks: list[ActiveAlert]) -> list[list[tuple[str, str]]]:
    """The names and states of the changes that each look finds."""
    seen = Changes("prometheus", lambda labels: labels.get("team") != "other")
    return [[(c.name, c.state) for c in seen.see(float(t), look)] for t, look in enumerate(looks)]


def test_a_state_is_written_down_when_it_changes_and_not_again() -> None:
    """The history holds a line for each change, not for each look."""
    assert changes([active("A", "pending")], [active("A", "pending")], [active("A")], [active("A")]) == [
        [("A", "pending")],
        [],
        [("A", "firing")],
        [],
    ]


def test_an_alert_that_is_not_listed_any_more_is_inactive() -> None:
    """Prometheus does not list what does not fire. When it comes back, that is a change again."""
    assert changes([active("A")], [], [], [active("A")]) == [
        [("A", "firing")],
        [("A", "inactive")],
        [],
        [("A", "firing")],
    ]


def test_an_alert_whose_rule_is_undecided_stays_what_it_was() -> None:
    """A source that was started again lists nothing before its first evaluation, which does not mean that nothing fires."""
    seen = Changes("prometheus", lambda _: True)
    seen.see(1.0, [active("A"), active("B"), active("DatasourceError", rulename="C")])

    assert [(c.name, c.state) for c in seen.see(2.0, [], {"A", "C"})] == [("B", "inactive")]
    assert seen.see(3.0, [active("A")], {"C"}) == []
    assert [(c.name, c.state) for c in seen.see(4.0, [active("A")])] == [("DatasourceError", "inactive")]


def test_an_undecided_alert_that_is_listed_counts_as_listed() -> None:
    """What a source says of an alert is newer than what it said before it was started again."""
    seen = Changes("prometheus", lambda _: True)
    seen.see(1.0, [active("A")])

    assert [(c.name, c.state) for c in seen.see(2.0, [active("A", "pending")], {"A"})] == [("A", "pending")]


def test_instances_of_one_alert_are_told_apart_by_their_labels() -> None:
    """One may go while the other stays."""
    both = [active("A", instance="1"), active("A", instance="2")]

    assert changes(both, both[1:]) == [[("A", "firing"), ("A", "firing")], [("A", "inactive")]]


def test_what_does_not_concern_us_is_left_out() -> None:
    """It neither comes nor goes."""
    assert changes([active("A", team="other")], []) == [[], []]


@pytest.mark.parametrize("state", ["nodata", "error", "suppressed"])
def test_every_state_of_an_alert_is_told_apart(state: str) -> None:
    """A rule that cannot be evaluated is something else than one that fires."""
    assert changes([active("A", "pending")], [active("A", state)], []) == [
        [("A", "pending")],
        [("A", state)],
        [("A", "inactive")],
    ]


def test_a_state_that_nobody_knows_counts_as_firing() -> None:
    """An alert that might be on must not be taken for silence."""
    assert changes([active("A", "shouting")]) == [[("A", "firing")]]


def test_what_ends_loses_its_value_and_keeps_its_beginning() -> None:
    """The value was of the moment in which it fired."""
    seen = Changes("prometheus", lambda _: True)
    seen.see(1.0, [active("A")])
    (gone,) = seen.see(2.0, [])

    assert (gone.t, gone.active_at, gone.value) == (2.0, 1.0, "")


class World:
    """Three backends that answer what a test puts into them, or fail."""

    def __init__(self) -> None:
        self.prometheus: list[dict[str, Any]] = []
        self.alertmanager: list[dict[str, Any]] = []
        self.arrivals: list[dict[str, Any]] = []
        self.broken: set[str] = set()
        self.answers: dict[str, str] = {}
        self.undecided: set[str] = set()
        self.ahead_s = 0.0

    def fire(self, name: str, **labels: str) -> None:
        """Prometheus fires an alert, Alertmanager has it, and the sink is told."""
        labels = {"alertname": name, **labels}
        self.prometheus.append({"labels": labels, "state": "firing", "activeAt": "2025-11-24T16:00:00Z", "value": "1"})
        self.alertmanager.append(
            {"labels": labels, "status": {"state": "active"}, "startsAt": "2025-11-24T16:00:00.123456789Z"}
        )
        self.tell(name, **labels)

    def tell(self, name: str, **labels: str) -> None:
        """The sink is told of an alert."""
        body = {"alerts": [{"status": "firing", "labels": {"alertname": name, **labels}}]}
        n = len(self.arrivals) + 1
        self.arrivals.append({"n": n, "t": time.time(), "receiver": "page", "body": body})

    def transport(self, backend: str) -> httpx.MockTransport:
        """The way to one of them."""

        def answer(request: httpx.Request) -> httpx.Response:
            if backend in self.broken:
                raise httpx.ConnectError("connection refused")
            if backend in self.answers:
                return httpx.Response(200, text=self.answers[backend])
            return httpx.Response(200, json=self._answer(request))

        return httpx.MockTransport(answer)

    def _answer(self, request: httpx.Request) -> Any:
        path = request.url.path
        if path == "/api/v1/query":
            return {"data": {"resultType": "scalar", "result": [0, str(time.time() + self.ahead_s)]}}
        if path == "/api/v1/alerts":
            return {"data": {"alerts": list(self.prometheus)}}
        if path == "/api/v1/rules":
            rules = [{"name": n, "query": "q", "lastEvaluation": "0001-01-01T00:00:00Z"} for n in self.undecided]
            return {"data": {"groups": [{"interval": 1, "rules": rules}]}}
        if path == "/api/v2/alerts":
            return list(self.alertmanager)
        assert path == "/arrivals/token"
        after = int(request.url.params["after"])
        return {"arrivals": [one for one in self.arrivals if one["n"] > after]}


class Watch:
    """A watcher on a world, and what it wrote down."""

    def __init__(self, world: World) -> None:
        self.events: list[Event] = []
        self._clients = (
            Prometheus("http://prometheus", transport=world.transport("prometheus")),
            Alertmanager("http://alertmanager", transport=world.transport("alertmanager")),
            Sink("http://sink", "token", transport=world.transport("sink")),
        )
        prometheus, alertmanager, sink = self._clients
        self.watcher = Watcher(
            namespace="small-1",
            sources={"prometheus": prometheus, "alertmanager": alertmanager},
            sink=sink,
            record=lambda *events: self.events.extend(events),
        )

    def of(self, kind: type[Event]) -> list[Any]:
        """All events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def until(self, kind: type[Event], count: int = 1) -> list[Any]:
        """All events of one kind, once there are so many."""
        return eventually(lambda: self.of(kind), lambda found: len(found) >= count, within_s=20, pause_s=0.01)

    def close(self) -> None:
        """End it."""
        self.watcher.stop()
        for client in self._clients:
            client.close()


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Three backends; the watcher looks often, and is impatient."""
    monkeypatch.setattr(module, "POLL_S", dict.fromkeys(module.POLL_S, 0.01))
    monkeypatch.setattr(module, "BLIND_AFTER_S", 0.1)
    return World()


@pytest.fixture
def watch(world: World) -> Iterator[Watch]:
    """A watcher that is ended in any case."""
    made = Watch(world)
    yield made
    made.close()


def test_the_whole_way_of_an_alert_is_seen(world: World, watch: Watch) -> None:
    """Prometheus, Alertmanager and the notification each have their own event, and its end too."""
    watch.watcher.start()
    world.fire("ErrorRateHigh", **OURS)
    found = watch.until(AlertChange, 2)
    assert {("prometheus", "firing"), ("alertmanager", "firing")} == {(c.source, c.state) for c in found}
    assert [told.name for told in watch.until(Notification)] == ["ErrorRateHigh"]

    world.prometheus.clear()
    gone = watch.until(AlertChange, 3)[-1]
    assert (gone.source, gone.state, gone.labels["service_name"]) == ("prometheus", "inactive", "frontend")


def test_a_restart_of_prometheus_does_not_look_like_a_resolution(world: World, watch: Watch) -> None:
    """Until it has evaluated its rules again, its alerts stay what they were; after that its list counts."""
    watch.watcher.start()
    world.fire("ErrorRateHigh", **OURS)
    watch.until(AlertChange, 2)

    world.undecided = {"ErrorRateHigh"}
    world.prometheus.clear()
    world.fire("TargetDown", component="collector")
    assert {change.name for change in watch.until(AlertChange, 4)[2:]} == {"TargetDown"}

    world.undecided = set()
    gone = watch.until(AlertChange, 5)[-1]
    assert (gone.source, gone.name, gone.state) == ("prometheus", "ErrorRateHigh", "inactive")


def test_alerts_of_other_drills_are_ignored_and_the_pipelines_are_not(world: World, watch: Watch) -> None:
    """Many drills share one stack; what belongs to no service concerns all of them."""
    watch.watcher.start()
    world.fire("ErrorRateHigh", service_namespace="other-1", service_name="frontend")
    world.fire("TargetDown", component="collector")

    watch.until(AlertChange, 2)
    watch.until(Notification)
    watch.close()
    assert {"TargetDown"} == {event.name for event in (*watch.of(AlertChange), *watch.of(Notification))}


def test_what_the_sink_had_before_the_drill_is_passed_over(world: World, watch: Watch) -> None:
    """It belongs to an earlier one."""
    world.tell("Early", **OURS)
    watch.watcher.start()
    world.tell("Late", **OURS)

    watch.until(Notification)
    watch.close()
    assert [told.name for told in watch.of(Notification)] == ["Late"]


@pytest.mark.parametrize("backend", ["prometheus", "alertmanager", "sink"])
def test_blindness_is_written_down_once(world: World, watch: Watch, backend: str) -> None:
    """With the moment of the last good answer, and the reason."""
    before = time.time()
    watch.watcher.start()
    world.broken.add(backend)
    watch.until(Blind)
    watch.close()

    (blind,) = watch.of(Blind)
    assert backend == blind.watcher
    assert "connection refused" in blind.reason
    assert before <= blind.t <= time.time() - module.BLIND_AFTER_S


def test_who_sees_again_and_goes_blind_again_says_so_twice(world: World, watch: Watch) -> None:
    """Each gap counts."""
    watch.watcher.start()
    world.broken.add("prometheus")
    watch.until(Blind)
    world.broken.clear()
    world.fire("ErrorRateHigh", **OURS)
    watch.until(AlertChange, 2)
    (again,) = watch.of(Sighted)
    world.broken.add("prometheus")

    first, second = watch.until(Blind, 2)
    assert first.t < again.t <= second.t
    assert (again.watcher, len(watch.of(Sighted))) == ("prometheus", 1)


@pytest.mark.parametrize("answer", ["not json", '{"data": {"alerts": [{"state": "firing"}]}}', "[]"])
def test_an_answer_that_makes_no_sense_is_blindness_too(world: World, watch: Watch, answer: str) -> None:
    """Otherwise its thread would end, and nobody would know that nobody looks."""
    watch.watcher.start()
    world.answers["prometheus"] = answer

    assert watch.until(Blind)[0].watcher == "prometheus"


def test_who_cannot_look_at_the_end_is_blind(world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """However short it lasted: what happened since the last good look is not known."""
    monkeypatch.setattr(module, "BLIND_AFTER_S", 3600.0)
    watch.watcher.start()
    world.broken.add("alertmanager")
    watch.close()

    assert [blind.watcher for blind in watch.of(Blind)] == ["alertmanager"]


def test_it_looks_once_more_before_it_ends(world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """What happened since the last look is not lost, however long ago that was."""
    monkeypatch.setattr(module, "POLL_S", dict.fromkeys(module.POLL_S, 3600.0))
    watch.watcher.start()
    world.fire("ErrorRateHigh", **OURS)
    watch.close()

    assert {"prometheus", "alertmanager"} == {change.source for change in watch.of(AlertChange)}
    assert [told.name for told in watch.of(Notification)] == ["ErrorRateHigh"]


@pytest.mark.parametrize("backend", ["sink"])
def test_a_backend_that_is_not_there_at_the_start_is_an_error(world: World, watch: Watch, backend: str) -> None:
    """The drill must not begin."""
    world.broken.add(backend)

    with pytest.raises(BackendError, match=f"{backend} did not answer"):
        watch.watcher.start()
