"""Vitals: whoever goes down, comes back, hangs or begins anew is written down, and what everybody uses."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from assertions.backend import eventually
from scenarios.history import ComponentChange, Event
from scenarios.history import Usage as Used
from stack.runtimes.app import App
from stack.runtimes.stack import Stack
from stack.runtimes.unit import Unit, Usage
from tocsin import vitals as module
from tocsin.vitals import Chart, Patient, State, Vitals, patients


def charted(*looks: tuple[float, State, float]) -> list[tuple[float, str, float | None]]:
    """What is noted of looks at one component: when, how it was, and when its process had begun."""
    chart = Chart("tempo")
    return [(c.t, c.state, c.started_t) for look in looks for c in chart.see(*look)]


def test_what_does_not_change_is_noted_once() -> None:
    """The first look says how it was at the beginning."""
    assert charted((1, "ready", 0.5), (2, "ready", 0.5)) == [(1, "ready", 0.5)]


def test_an_end_is_noted_at_once_and_so_is_a_beginning() -> None:
    """What does not run has no process that could have begun."""
    looks: list[tuple[float, State, float]] = [(1, "ready", 0.5), (2, "down", 0.5), (3, "ready", 2.5)]

    assert charted(*looks) == [(1, "ready", 0.5), (2, "down", None), (3, "ready", 2.5)]


def test_one_look_without_an_answer_tells_nothing() -> None:
    """A busy machine may be late."""
    assert charted((1, "ready", 0.5), (2, "unready", 0.5), (3, "ready", 0.5)) == [(1, "ready", 0.5)]


def test_two_looks_without_an_answer_tell_of_the_first() -> None:
    """It was frozen from then on, and is noted once."""
    looks: list[tuple[float, State, float]] = [(1, "ready", 0.5), *((t, "unready", 0.5) for t in (2, 3, 4))]

    assert charted(*looks) == [(1, "ready", 0.5), (2, "unready", 0.5)]


def test_a_restart_is_noted_although_nobody_saw_it_down() -> None:
    """Another process answers."""
    assert charted((1, "ready", 0.5), (2, "ready", 1.5)) == [(1, "ready", 0.5), (2, "ready", 1.5)]


class FakeUnit:
    """One that does as it is told."""

    def __init__(self) -> None:
        self.alive = True
        self.started_t = 1.0
        self.used: Usage | None = Usage(cpu_s=0.5, memory_bytes=1024)

    def usage(self) -> Usage | None:
        """What it used."""
        return self.used


class Ward:
    """Two that are looked after, and what was noted of them."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.units = {"tempo": FakeUnit(), "users": FakeUnit()}
        self.hanging = threading.Event()
        self.hanging.set()
        ready: dict[str, Callable[[], bool]] = {
            "tempo": lambda: self.hanging.wait() and self.units["tempo"].alive,
            "users": lambda: self.units["users"].alive,
        }
        self.vitals = Vitals(
            patients={name: Patient(unit=cast("Unit", unit), ready=ready[name]) for name, unit in self.units.items()},
            record=lambda *events: self.events.extend(events),
        )

    def states(self, name: str) -> list[str]:
        """What was noted of one."""
        return [e.state for e in self.events if isinstance(e, ComponentChange) and e.name == name]

    def until(self, name: str, *states: str) -> None:
        """Wait for what is to be noted of one."""
        eventually(lambda: self.states(name), lambda found: found == list(states), within_s=20, pause_s=0.01)
        assert self.states(name) == list(states)


@pytest.fixture
def ward(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ward]:
    """Vitals that look often and are ended in any case."""
    monkeypatch.setattr(module, "LOOK_S", 0.01)
    monkeypatch.setattr(module, "MEASURE_S", 0.01)
    made = Ward()
    yield made
    made.hanging.set()
    made.vitals.__exit__()


def test_who_goes_down_and_comes_back_is_followed(ward: Ward) -> None:
    """With the other one unharmed."""
    ward.vitals.__enter__()
    ward.until("tempo", "ready")
    ward.units["tempo"].alive = False
    ward.until("tempo", "ready", "down")
    ward.units["tempo"].started_t = 9.0
    ward.units["tempo"].alive = True
    ward.until("tempo", "ready", "down", "ready")

    assert ward.states("users") == ["ready"]


def test_one_that_hangs_does_not_hide_another(ward: Ward) -> None:
    """Each is looked at in a thread of its own."""
    ward.hanging.clear()
    ward.vitals.__enter__()
    ward.until("users", "ready")
    ward.units["users"].alive = False

    ward.until("users", "ready", "down")
    assert ward.states("tempo") == []


def test_what_is_used_is_measured_as_long_as_it_runs(ward: Ward) -> None:
    """What does not run uses nothing, which is no figure."""
    ward.units["users"].used = None
    ward.vitals.__enter__()
    used = eventually(
        lambda: [e for e in ward.events if isinstance(e, Used)], lambda found: len(found) > 2, within_s=20, pause_s=0.01
    )

    assert {(one.name, one.cpu_s, one.memory_bytes) for one in used} == {("tempo", 0.5, 1024)}


def test_a_look_that_fails_is_repeated(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    """One bad answer of an engine must not end the watch."""
    answers: Iterator[Any] = iter([RuntimeError("the engine is busy"), True])

    def alive(_: FakeUnit) -> bool:
        answer = next(answers, True)
        if isinstance(answer, Exception):
            raise answer
        return bool(answer)

    monkeypatch.setattr(FakeUnit, "alive", property(alive, lambda *_: None), raising=False)
    ward.vitals.__enter__()

    ward.until("users", "ready")
    ward.until("tempo", "ready")


def test_the_last_look_is_at_the_end(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long ago the one before was."""
    monkeypatch.setattr(module, "LOOK_S", 3600.0)
    ward.vitals.__enter__()
    ward.until("users", "ready")
    ward.units["users"].alive = False
    ward.vitals.__exit__()

    assert ward.states("users") == ["ready", "down"]


def test_components_and_roles_are_looked_after() -> None:
    """Those of the stack by its own word, those of the app by the app's."""

    class Runs:
        """A stack and an app in one."""

        def running(self) -> dict[str, Path]:
            """One component."""
            return {"tempo": Path()}

        def unit(self, name: str) -> str:
            """Whatever is asked for."""
            return name

        def ready(self, name: str) -> bool:
            """The app's catalog is not."""
            return name != "catalog"

    found = patients(cast("Stack", Runs()), cast("App", Runs()))

    assert {name: one.ready() for name, one in found.items()} == {
        "tempo": True,
        "frontend": True,
        "catalog": False,
        "users": True,
    }
    assert [str(one.unit) for one in found.values()] == list(found)


def test_a_host_is_asked_only_about_what_does_not_answer() -> None:
    """That takes an engine of containers longer than the answer itself."""

    class Dear:
        """Costs too much."""

        @property
        def alive(self) -> bool:
            """Asks the host."""
            raise AssertionError("asked for nothing")

    assert Patient(unit=cast("Unit", Dear()), ready=lambda: True).state() == "ready"
    assert Patient(unit=cast("Unit", FakeUnit()), ready=lambda: False).state() == "unready"
