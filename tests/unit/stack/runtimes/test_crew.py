"""Crews on the host of processes, with tiny web servers in place of engines."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from stack.components import Component
from stack.errors import StackError
from stack.runtimes.crew import Crew
from stack.runtimes.processes import ProcessHost
from stack.runtimes.roster import Roster
from tests.unit.stack.runtimes.test_process import until

SERVER = Component(
    name="store",
    image="test/store:1.2.3",
    module="http.server",
    args=("--bind", "{http_host}", "--directory", "{data}", "{http_port}"),
    ports={"http": 8000},
    ready="http/",
)


@pytest.fixture
def roster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Roster]:
    """A roster in a state folder of the test's own."""
    monkeypatch.setenv("TOCSIN_STATE", str(tmp_path / "state"))
    made = Roster.create("test")
    yield made
    made.disband()


def crew(roster: Roster, *components: Component) -> Crew:
    """These components, not started yet."""
    table = {component.name: component for component in components}
    host = ProcessHost(roster, logs=roster.path)
    return Crew(table, host=host, places=host.reserve(table), of="the stack")


def test_what_is_needed_is_started_first_and_stopped_last(roster: Roster) -> None:
    """Whoever asks to be told hears it in that order; all answer once `start` has returned, and none after `stop`."""
    front = replace(SERVER, name="front", needs=("store", "cache"))
    made = crew(roster, front, SERVER, replace(SERVER, name="cache"))
    told: list[str] = []

    made.start({}, report=told.append)
    assert told[-1] == "starting front"
    assert sorted(told) == ["starting cache", "starting front", "starting store"]
    assert all(made.ready(name) for name in ("front", "store", "cache"))
    assert {name: path.name for name, path in made.logs().items()} == {
        name: f"{name}.log" for name in ("store", "cache", "front")
    }

    made.stop()
    assert not any(running.unit.alive for running in made.running.values())


def test_a_component_that_dies_at_once_is_told_with_its_log(roster: Roster) -> None:
    """Not after the deadline: as soon as it has ended."""
    made = crew(roster, replace(SERVER, args=("--bind", "nowhere.invalid", "{http_port}")))

    with pytest.raises(StackError, match=r"(?s)store is not ready, it ended with code 1; its log ends:.*gaierror"):
        made.start({})
    made.stop()


def test_a_killed_component_is_the_same_unit_after_its_restart(roster: Roster) -> None:
    """It has its old address and its old files; only its start is another."""
    made = crew(roster, SERVER)
    made.start({})
    unit, started_t = made.unit("store"), made.unit("store").started_t
    (roster.path / "data" / "store" / "kept").write_text("kept")

    unit.kill()
    assert not made.ready("store")
    assert unit.usage() is None
    made.restart("store")

    assert made.ready("store")
    assert made.unit("store") is unit
    assert unit.started_t > started_t
    assert httpx.get(f"http://{made.places.outside['store.http']}/kept").text == "kept"
    made.stop()


def test_what_a_unit_uses_is_told_while_it_runs(roster: Roster) -> None:
    """An interpreter has some megabytes, and takes more CPU time the more it works."""
    made = crew(roster, SERVER)
    made.start({})
    first = made.unit("store").usage()
    assert first is not None
    assert first.memory_bytes > 2**20

    def more() -> bool:
        httpx.get(f"http://{made.places.outside['store.http']}/")
        now = made.unit("store").usage()
        return now is not None and now.cpu_s > first.cpu_s

    until(more, "its CPU time to grow")
    made.stop()


def test_another_command_takes_over_by_what_was_saved(roster: Roster) -> None:
    """The state of what runs is enough to see it, to end it, and to start it again."""
    made = crew(roster, SERVER)
    made.start({})
    states = {name: running.state() for name, running in made.running.items()}

    host = ProcessHost(roster, logs=roster.path)
    other = Crew({"store": SERVER}, host=host, places=made.places, of="the stack")
    other.adopt(states)
    assert other.ready("store")
    assert other.running["store"].version == "1.2.3"
    other.restart("store")
    assert other.ready("store")
    assert not made.unit("store").alive
    other.stop()


def test_a_name_that_is_not_there_is_told_with_those_that_are(roster: Roster) -> None:
    """A drill may ask for a component that its stack does not have."""
    made = crew(roster, SERVER)
    with pytest.raises(StackError, match="the stack has no component 'loki'; it has none"):
        made.unit("loki")
    made.start({})
    with pytest.raises(StackError, match="the stack has no component 'loki'; it has store"):
        made.unit("loki")
    made.stop()


def test_an_engine_that_is_missing_is_told_with_what_to_do(roster: Roster) -> None:
    """There is nothing of ours that could stand in for it."""
    made = crew(roster, replace(SERVER, module=None, binary="no-such-engine"))

    with pytest.raises(StackError, match="store: its engine no-such-engine is not there; `make engines` builds it"):
        made.start({})
