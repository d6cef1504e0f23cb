"""Ticks, jitter, slow rules, and what a restart remembers."""

import asyncio
import time
from pathlib import Path

import httpx
import pytest

from stack.standins.grafana import snapshot
from stack.standins.grafana.alerting.scheduler import is_due
from stack.standins.grafana.problems import ProvisioningError
from stack.standins.grafana.provisioning.datasources import Datasource
from stack.standins.grafana.settings import Settings
from stack.standins.grafana.standin import Standin
from tests.unit.stack.standins.grafana.made import rule

DEADLINE_S = 30.0
FILES = {
    "datasources/d.yaml": "datasources: [{name: P, uid: p, type: prometheus, url: http://p, jsonData: {timeInterval: 1s}}]",
    "alerting/r.yaml": """
contactPoints: [{name: hook, receivers: [{uid: h, type: webhook, settings: {url: http://hook/}}]}]
policies: [{receiver: hook, group_wait: 0s, group_interval: 1s, repeat_interval: 1h}]
groups:
  - name: g
    folder: F
    interval: 1s
    rules:
      - {uid: r, title: R, condition: A, for: 0s, execErrState: Error,
         data: [{refId: A, datasourceUid: p, relativeTimeRange: {from: 60, to: 0}, model: {expr: up, instant: true}}]}
""",
}


class World:
    """A Prometheus whose value is set, and a webhook."""

    def __init__(self) -> None:
        self.value = "1"
        self.slow_s = 0.0
        self.asked = 0
        self.hooks: list[str] = []

    async def answer(self, request: httpx.Request) -> httpx.Response:
        """One request to either."""
        if request.url.host == "hook":
            self.hooks.append(request.content.decode().split('"status":"', 1)[1].split('"', 1)[0])
            return httpx.Response(200)
        self.asked += 1
        await asyncio.sleep(self.slow_s)
        rows = [{"metric": {"job": "shop"}, "value": [time.time(), self.value]}]
        return httpx.Response(200, json={"status": "success", "data": {"resultType": "vector", "result": rows}})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Provisioned with one rule of a 1 s interval."""
    for part, text in FILES.items():
        (tmp_path / part).parent.mkdir()
        (tmp_path / part).write_text(text)
    return tmp_path


def start(folder: Path, world: World) -> Standin:
    """A stand-in with a tick of 1 s."""
    settings = Settings(provisioning=folder, data=folder / "data", tick_s=1.0, min_interval_s=1.0)
    return Standin(settings, {}, httpx.MockTransport(world.answer))


async def until(condition: object) -> None:
    """Poll until it holds, or fail at the deadline."""
    assert callable(condition)
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "not within the deadline"
        await asyncio.sleep(0.02)


def test_a_restart_forgets_nothing_and_tells_nothing_twice(folder: Path) -> None:
    """
    State, history and what was told are there again; what ended meanwhile is told to have ended.
    """
    world = World()

    async def first() -> None:
        made = start(folder, world)
        await made.start()
        await until(lambda: world.hooks)
        await made.stop()

    async def second() -> None:
        made = start(folder, world)
        (one,) = made.manager.all()
        assert (str(one.state), world.hooks) == ("Alerting", ["firing"])
        history = [found.new_state for found in made.annotations]
        assert history == ["Alerting"]
        await made.start()
        seen = world.asked
        await until(lambda: world.asked >= seen + 3)
        assert world.hooks == ["firing"]
        world.value = "0"
        await until(lambda: len(world.hooks) > 1)
        assert world.hooks == ["firing", "resolved"]
        await made.stop()

    asyncio.run(first())
    asyncio.run(second())


def test_a_slow_rule_misses_ticks_but_is_evaluated_again(folder: Path) -> None:
    """
    Evaluations of one rule never overlap; the tick that was missed last is made up for, and the others are counted.
    """
    world = World()
    world.slow_s = 3.4

    async def live() -> None:
        made = start(folder, world)
        await made.start()
        await until(lambda: world.asked >= 2)
        assert made.measures.missed._value.get() >= 1
        await made.stop()

    asyncio.run(live())


def test_evaluations_are_at_whole_ticks(folder: Path) -> None:
    """
    Times are those of the wall clock's ticks, however late the evaluation itself is.
    """
    world = World()

    async def live() -> None:
        made = start(folder, world)
        await made.start()
        await until(lambda: made.manager.evaluated)
        await made.stop()
        assert made.manager.evaluated["r"].at_s % 1.0 == 0

    asyncio.run(live())


def test_a_group_has_its_own_place_in_the_interval() -> None:
    """
    Each rule is due once per interval; the rules of a group together; groups apart.
    """
    one, same, other = rule(interval_s=60.0), rule(interval_s=60.0, uid="s"), rule(interval_s=60.0, group="h")
    due = {made.uid + made.group: [n for n in range(12) if is_due(made, n, 10.0)] for made in (one, same, other)}

    assert [len(ticks) for ticks in due.values()] == [2, 2, 2]
    assert due["rg"] == due["sg"] != due["rh"]
    assert all(is_due(rule(), n, 10.0) for n in range(5))


def test_a_broken_snapshot_refuses_the_start(folder: Path) -> None:
    """
    With its path and what to do, rather than forgetting silently.
    """
    (folder / "data").mkdir()
    (folder / "data" / snapshot.FILE).write_text("{")

    with pytest.raises(ProvisioningError, match="the saved state cannot be read, remove it to begin anew"):
        start(folder, World())


def test_a_rule_that_is_gone_leaves_nothing(folder: Path) -> None:
    """
    The saved instances of a rule that is no longer provisioned are not taken back.
    """
    world = World()

    async def live() -> None:
        made = start(folder, world)
        await made.scheduler.evaluate(made.provisioned.alerting.rules[0], 1000.0)
        await made.stop()

    asyncio.run(live())
    (folder / "alerting" / "r.yaml").write_text(FILES["alerting/r.yaml"].replace("uid: r,", "uid: other,"))

    assert list(start(folder, world).manager.all()) == []


def test_a_datasources_secret_is_not_printed() -> None:
    """
    Nor would it be in a log.
    """
    assert "hush" not in repr(Datasource(id=1, uid="p", name="P", type="prometheus", url="http://p", password="hush"))
