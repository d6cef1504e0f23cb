"""The commands up, status and down; no stack is started."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from stack import engines
from stack.runtimes.stack import Stack
from tests.unit.tocsin.conftest import Tocsin


class FakeStack:
    """A standing stack."""

    def __init__(self, *, ready: bool = True) -> None:
        self.is_ready, self.stopped = ready, False

    def stop(self) -> None:
        """Note it."""
        self.stopped = True

    def running(self) -> Mapping[str, Any]:
        """One component."""
        from types import SimpleNamespace

        return {"sink": SimpleNamespace(version="1", stand_in=False, component=SimpleNamespace(ready="http/ready"))}

    def ready(self, _: str) -> bool:
        """Whether it answers."""
        return self.is_ready

    def url(self, port: str) -> str:
        """Where it listens."""
        return f"http://127.0.0.1/{port}"


@pytest.fixture
def standing(monkeypatch: pytest.MonkeyPatch) -> Callable[[FakeStack | None], None]:
    """Sets the standing stack."""

    def put(stack: FakeStack | None) -> None:
        monkeypatch.setattr(Stack, "standing", lambda: stack)

    put(None)
    return put


@pytest.fixture
def created(monkeypatch: pytest.MonkeyPatch, standing: object) -> list[Mapping[str, Any]]:
    """With which options stacks were created."""
    asked: list[Mapping[str, Any]] = []

    def create(**options: Any) -> FakeStack:
        asked.append(options)
        options["report"]("starting sink")
        return FakeStack()

    monkeypatch.setattr(engines, "ensure", lambda **_: {})
    monkeypatch.setattr(Stack, "create", create)
    return asked


def test_up_starts_a_stack_that_stays(tocsin_: Tocsin, created: list[Mapping[str, Any]]) -> None:
    """With the profile and the ports of one's choice; it shows where everything listens."""
    result = tocsin_("up", "--profile", "production", "--port", "sink.http=9099", "--port", "prometheus.http=9090")

    assert result.code == 0
    assert "up: sink (production profile)" in result.out
    assert "http://127.0.0.1/sink.http" in result.out
    (options,) = created
    assert (options["profile"].name, options["standing"], options["runtime"]) == ("production", True, "processes")
    assert options["fixed_ports"] == {"sink.http": 9099, "prometheus.http": 9090}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--profile", "prod"), "unknown profile 'prod'; known: production, drill"),
        (("--runtime", "lorries"), "unknown runtime 'lorries'; known: auto, processes, containers"),
        (("--port", "9090"), "'9090': write COMPONENT.PORT=N, such as prometheus.http=9090"),
        (("--port", "sink.http=0"), "'sink.http=0': write COMPONENT.PORT=N"),
        (("--port", "sink.http=65536"), "'sink.http=65536': write COMPONENT.PORT=N"),
        (("--port", "sink.http=http"), "'sink.http=http': write COMPONENT.PORT=N"),
    ],
)
def test_a_mistake_of_up_names_what_is_allowed(
    tocsin_: Tocsin, created: list[Mapping[str, Any]], arguments: tuple[str, ...], said: str
) -> None:
    """Exit code 2, and nothing is started."""
    result = tocsin_("up", *arguments)

    assert result.code == 2
    assert said in result.error
    assert created == []


def test_a_second_stack_is_refused(
    tocsin_: Tocsin, created: list[Mapping[str, Any]], standing: Callable[[FakeStack | None], None]
) -> None:
    """The first one would be forgotten."""
    standing(FakeStack())
    result = tocsin_("up")

    assert (result.code, created) == (3, [])
    assert "a stack is up already; `tocsin status` shows it, `tocsin down` ends it" in result.error


@pytest.mark.parametrize(("stack", "code"), [(None, 0), (FakeStack(), 0), (FakeStack(ready=False), 3)])
def test_status_says_by_its_exit_code_whether_all_is_well(
    tocsin_: Tocsin, standing: Callable[[FakeStack | None], None], stack: FakeStack | None, code: int
) -> None:
    """No stack is fine, a broken one is not."""
    standing(stack)
    result = tocsin_("status")

    assert result.code == code
    assert ("no stack is up; `tocsin up` starts one" in result.out) == (stack is None)


def test_down_ends_the_standing_stack(tocsin_: Tocsin, standing: Callable[[FakeStack | None], None]) -> None:
    """And says so when there is none."""
    stack = FakeStack()
    standing(stack)
    assert (tocsin_("down").code, stack.stopped) == (0, True)

    standing(None)
    assert tocsin_("down").out == "nothing to end: no stack is up\n"


@pytest.mark.parametrize("command", ["up", "down", "status"])
def test_what_a_killed_command_left_is_cleared_up_first(
    tocsin_: Tocsin, created: list[Mapping[str, Any]], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """And told."""
    monkeypatch.setattr(
        "tocsin.sweeping.sweep", lambda: ["drill-1: its command was killed; ended [3] of its processes and containers"]
    )

    assert (
        "cleared up drill-1: its command was killed; ended [3] of its processes and containers"
        in tocsin_(command).error
    )
