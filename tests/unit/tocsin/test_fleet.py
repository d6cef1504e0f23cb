"""Fleet: which drills share a stack, what becomes of the others when one fails, and how all are ended."""

import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from assertions.backend import eventually
from scenarios.model import Treatment
from scenarios.record import Record
from stack.errors import StackError
from tests.unit.tocsin.saved import record, scenario
from tocsin import fleet as module
from tocsin.fleet import Fleet, Order
from tocsin.live import Live

WAIT_S = 30.0


class World:
    """Stacks and drills that only pretend, and what was done with them in which order."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.errors: dict[str, BaseException] = {}
        self.stack_error: BaseException | None = None
        self.gate = threading.Event()
        """Drills end when it is open."""
        self.gate.set()
        self.met: list[str] = []
        self._lock = threading.Lock()

    def note(self, text: str) -> None:
        """Remember it."""
        with self._lock:
            self.calls.append(text)

    @contextmanager
    def make_stack(
        self, *, exclusive: bool, extras: Collection[str], treatments: Sequence[Treatment], small_disks: Collection[str]
    ) -> Iterator[Any]:
        """A stack."""
        if self.stack_error:
            raise self.stack_error
        name = " with ".join(
            ["own stack" if exclusive else "shared stack", *extras, *(one.words for one in treatments), *small_disks]
        )
        self.note(f"{name} up")
        try:
            yield name
        finally:
            self.note(f"{name} down")


class FakeDrill:
    """Stands in for a drill: fails before it meets the others if it is told to, else ends when the gate opens or it is cancelled."""

    world: World

    def __init__(self, *, scenario: Any, stack: str, cancel: threading.Event, before_traffic: Any, **_: object) -> None:
        self.name, self.stack = scenario.name, stack
        self.cancel, self.meet = cancel, before_traffic
        self.live = Live(name=self.name, total_s=1)

    def run(self) -> Record:
        """Live through it."""
        world = self.world
        world.note(f"{self.name} on {self.stack}")
        if self.name in world.errors:
            raise world.errors[self.name]
        if self.name.startswith("broken"):
            return record(self.name, problem="its app did not start")
        self.meet()
        with world._lock:
            world.met.append(self.name)
        while not (world.gate.wait(0.01) or self.cancel.is_set()):
            pass
        return record(self.name, problem="cancelled" if self.cancel.is_set() else "")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Drills are faked."""
    made = World()
    monkeypatch.setattr(FakeDrill, "world", made, raising=False)
    monkeypatch.setattr(module, "Drill", FakeDrill)
    return made


def fleet_of(world: World, names: Sequence[str], *, at_once: int | None = None, lanes: int = 1) -> Fleet:
    """A fleet of drills; those whose name begins with `own` are exclusive."""
    orders = [Order(scenario=scenario(name=name, exclusive=name.startswith("own")), source=name) for name in names]
    return Fleet(orders, runs=Path("runs"), make_stack=world.make_stack, at_once=at_once, lanes=lanes)


def names(records: Sequence[Record]) -> list[str]:
    """The drills' names."""
    return [one.run_id.removesuffix("-1") for one in records]


def test_drills_share_one_stack(world: World) -> None:
    """Side by side: all of them meet before any of them has ended. Results come in the order of the orders."""
    world.gate.clear()
    with fleet_of(world, ["c", "a", "b"]) as fleet:
        met = eventually(lambda: len(world.met), lambda count: count == 3, within_s=WAIT_S, pause_s=0.01)
        world.gate.set()

    assert met == 3
    assert names(fleet.records()) == ["c", "a", "b"]
    assert world.calls[0] == "shared stack up"
    assert world.calls[-1] == "shared stack down"
    assert len(world.calls) == 5


def test_no_more_than_so_many_at_once(world: World) -> None:
    """The next batch begins when the stack of the last one is gone."""
    with fleet_of(world, ["a", "b", "c"], at_once=2) as fleet:
        pass

    assert names(fleet.records()) == ["a", "b", "c"]
    assert [world.calls[0], world.calls[3]] == ["shared stack up", "shared stack down"]
    assert world.calls[4:] == ["shared stack up", "c on shared stack", "shared stack down"]


def test_an_exclusive_drill_has_a_stack_of_its_own(world: World) -> None:
    """After the others, one by one, for it breaks the stack."""
    with fleet_of(world, ["own-1", "a", "own-2"]) as fleet:
        pass

    assert names(fleet.records()) == ["own-1", "a", "own-2"]
    assert [
        *("shared stack up", "a on shared stack", "shared stack down"),
        *("own stack up", "own-1 on own stack", "own stack down"),
        *("own stack up", "own-2 on own stack", "own stack down"),
    ] == world.calls


def test_exclusive_drills_run_in_lanes_beside_each_other(world: World) -> None:
    """Two at the same time in two lanes, each on a stack of its own; the third begins when one of them has ended."""
    world.gate.clear()
    with fleet_of(world, ["own-1", "own-2", "own-3"], lanes=2) as fleet:
        met = eventually(lambda: len(world.met), lambda count: count == 2, within_s=WAIT_S, pause_s=0.01)
        stacks = world.calls.count("own stack up")
        world.gate.set()

    assert (met, stacks) == (2, 2)
    assert names(fleet.records()) == ["own-1", "own-2", "own-3"]
    assert world.calls.count("own stack up") == world.calls.count("own stack down") == 3


def test_lanes_begin_when_the_drills_that_share_are_done(world: World) -> None:
    """What starts a stack would slow down those that are judged by the second."""
    with fleet_of(world, ["own-1", "own-2", "a"], lanes=2):
        pass

    assert world.calls[:3] == ["shared stack up", "a on shared stack", "shared stack down"]


def test_cancelling_ends_all_lanes(world: World) -> None:
    """Those that run end early, those that wait do not begin, and no stack is left."""
    world.gate.clear()
    fleet = fleet_of(world, ["own-1", "own-2", "own-3"], lanes=2)
    fleet.start()
    eventually(lambda: len(world.met), lambda count: count == 2, within_s=WAIT_S, pause_s=0.01)

    fleet.cancel()

    assert [fleet.result(index).problem for index in (0, 1)] == ["cancelled", "cancelled"]
    with pytest.raises(InterruptedError, match="cancelled before it began"):
        fleet.result(2)
    assert world.calls.count("own stack up") == world.calls.count("own stack down") == 2


def test_only_a_stack_of_ones_own_is_treated(world: World) -> None:
    """On a shared one a drill treats its own app alone."""
    sampling = [{"kind": "sampling", "ratio": "10%"}]
    slower = [{"kind": "scrape_interval", "every": "2s"}]
    orders = [
        Order(scenario=scenario(name="a", treatments=sampling), source=""),
        Order(scenario=scenario(name="own", exclusive=True, treatments=slower), source=""),
    ]
    with Fleet(orders, runs=Path("runs"), make_stack=world.make_stack):
        pass

    assert [call for call in world.calls if call.endswith(" up")] == [
        "shared stack up",
        "own stack with scrape interval 2s up",
    ]


def test_when_the_stack_does_not_start_every_result_says_so(world: World) -> None:
    """Nobody waits forever."""
    world.stack_error = StackError("port 9090 is taken")
    with fleet_of(world, ["a", "own-1", "b"]) as fleet:
        pass

    for index in range(3):
        with pytest.raises(StackError, match="port 9090 is taken"):
            fleet.result(index)
    assert fleet.records() == []
    assert isinstance(fleet.problem, StackError)
    assert fleet.begun.is_set()


def test_a_drill_that_raises_does_not_take_the_others_with_it(world: World) -> None:
    """Their records are there, and so is what went wrong."""
    world.errors["b"] = OSError(28, "No space left on device")
    with fleet_of(world, ["a", "b", "c"]) as fleet:
        pass

    assert names(fleet.records()) == ["a", "c"]
    assert world.errors["b"] is fleet.problem
    with pytest.raises(OSError, match="No space left"):
        fleet.result(1)


@pytest.mark.parametrize("bad", ["broken", "raising"])
def test_nobody_waits_for_a_drill_that_cannot_come(world: World, monkeypatch: pytest.MonkeyPatch, bad: str) -> None:
    """Drills meet before their traffic; one that ended before that, with a record or an error, is not waited for."""
    monkeypatch.setattr(module, "START_TOGETHER_WITHIN_S", WAIT_S * 100)
    world.errors["raising"] = StackError("no app")
    fleet = fleet_of(world, ["a", bad])
    fleet.start()

    assert fleet._futures[0].result(WAIT_S).run_id == "a-1"


def test_drills_wait_for_each_other_for_some_time_only(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An app that hangs while it starts must not stop all."""
    monkeypatch.setattr(module, "START_TOGETHER_WITHIN_S", 0.05)
    together = threading.Barrier(2)

    module._meet(together)()

    assert together.broken


def test_cancelling_ends_what_runs_and_starts_nothing_more(world: World) -> None:
    """Everything is healed and stopped when `cancel` returns."""
    world.gate.clear()
    fleet = fleet_of(world, ["a", "own-1"])
    fleet.start()
    assert fleet.begun.wait(WAIT_S)

    fleet.cancel()

    assert fleet.result(0).problem == "cancelled"
    with pytest.raises(InterruptedError, match="cancelled before it began"):
        fleet.result(1)
    assert world.calls[-1] == "shared stack down"


def test_cancelling_a_fleet_that_never_started_does_nothing(world: World) -> None:
    """As when Ctrl-C comes early."""
    fleet_of(world, ["a"]).cancel()

    assert world.calls == []


def test_an_error_in_the_block_ends_all_drills(world: World) -> None:
    """Ctrl-C while people watch."""
    world.gate.clear()

    with pytest.raises(KeyboardInterrupt), fleet_of(world, ["a"]) as fleet:
        raise KeyboardInterrupt

    assert fleet.done()


def test_leaving_the_block_waits_for_the_end_of_the_stack(world: World) -> None:
    """A command that ended sooner would leave it behind."""
    stopping = threading.Event()

    @contextmanager
    def slow_to_stop(**_: object) -> Iterator[Any]:
        yield "stack"
        stopping.wait(0.2)
        world.note("stack down")

    with Fleet([Order(scenario=scenario(), source="")], runs=Path("runs"), make_stack=slow_to_stop) as fleet:
        fleet.result(0)

    assert world.calls[-1] == "stack down"


def test_the_views_are_in_the_order_of_the_orders(world: World) -> None:
    """However the drills begin."""
    with fleet_of(world, ["c", "a", "own-1", "b"]) as fleet:
        pass

    assert [live.name for live in fleet.lives()] == ["c", "a", "own-1", "b"]


def test_by_default_there_are_some_for_each_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """A drill mostly waits."""
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    assert (module.at_once_by_default(), module.lanes_by_default()) == (12, 4)

    monkeypatch.setattr("os.cpu_count", lambda: None)
    assert (module.at_once_by_default(), module.lanes_by_default()) == (3, 1)
