"""Runtime: which one is taken, and why; engines and images are made up."""

from types import SimpleNamespace
from typing import Any

import pytest

from stack import engines
from stack.errors import StackError
from stack.runtimes import containers, engine
from stack.runtimes.stack import Stack
from tocsin.runtime import Choice, settle


class Machine:
    """A machine with a container engine that has all images, and nothing that is up."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch
        self.done: list[str] = []
        self.problem = ""
        self.up(None)
        monkeypatch.setattr(engines, "ensure", lambda **_: self.done.append("engines"))
        monkeypatch.setattr(engine, "connected", self._connected)
        monkeypatch.setattr(containers, "provide", self._provide)
        monkeypatch.setattr(containers, "summary", lambda _: "all images are there")

    def up(self, runtime: str | None) -> None:
        """A stack that `tocsin up` left, or none."""
        stack = SimpleNamespace(runtime=runtime, close=lambda: None) if runtime else None
        self._patch.setattr(Stack, "standing", lambda: stack)

    def _connected(self, **_: object) -> Any:
        if self.problem.startswith("no engine"):
            raise StackError(self.problem)
        return engine.Engine(FakeClient(), place="")

    def _provide(self, _: object, table: dict[str, object], *, report: object) -> dict[str, object]:
        if self.problem:
            raise StackError(self.problem)
        self.done.append(f"images {'with' if 'grafana' in table else 'without'} grafana")
        return {}


class FakeClient:
    """The client of an engine."""

    def version(self) -> dict[str, str]:
        """It is a new one."""
        return {"Version": "28.1"}

    def close(self) -> None:
        """It was never open."""


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """One that has everything."""
    return Machine(monkeypatch)


def test_auto_takes_containers_where_an_engine_has_or_gets_all_images(machine: Machine) -> None:
    """Those of optional components only if they are wanted; no engine is built for nothing."""
    choice = settle("auto")

    assert choice == Choice(runtime="containers", why="engine 28.1 answers; all images are there")
    settle("auto", extras=["grafana"])
    assert machine.done == ["images without grafana", "images with grafana"]


@pytest.mark.parametrize(
    "problem", ["no engine answers\n  start one", "prom/prometheus:v3 cannot be pulled: no such host\n  try"]
)
def test_auto_takes_processes_else_and_says_why_in_one_line(machine: Machine, problem: str) -> None:
    """The engines are there then."""
    machine.problem = problem

    assert settle("auto") == Choice(runtime="processes", why=problem.splitlines()[0])
    assert machine.done == ["engines"]


@pytest.mark.parametrize("runtime", ["processes", "containers"])
def test_auto_takes_what_the_stack_that_is_up_has(machine: Machine, runtime: str) -> None:
    """Nothing is fetched or built for it."""
    machine.up(runtime)

    assert settle("auto") == Choice(runtime=runtime, why="the stack that is up runs so")
    assert machine.done == []


def test_what_was_asked_for_is_taken_or_refused(machine: Machine) -> None:
    """Never the other one in its place."""
    assert settle("processes").runtime == "processes"
    assert settle("containers").runtime == "containers"
    assert machine.done == ["engines", "images without grafana"]

    machine.problem = "no engine answers"
    with pytest.raises(StackError, match="no engine answers"):
        settle("containers")
    assert settle("processes").runtime == "processes"


def test_an_unknown_runtime_is_refused_with_those_that_there_are(machine: Machine) -> None:
    """As it may come from an environment variable."""
    with pytest.raises(StackError, match="no runtime 'lorries'; there is: auto, processes, containers"):
        settle("lorries")
