"""Stacks: who shares the standing stack and who gets one of his own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from scenarios.model import ScrapeIntervalTreatment
from stack.config import DRILL, Profile
from stack.errors import StackError
from stack.runtimes.stack import Stack
from tocsin import stacks
from tocsin.stacks import stack_for


class FakeStack:
    """A standing stack of processes, of which some components may be down."""

    runtime = "processes"

    def __init__(self, *down: str) -> None:
        self._down = down
        self.closed = False

    def running(self) -> dict[str, str]:
        """Its components."""
        return dict.fromkeys(("prometheus", "tempo", "sink"), "running")

    def ready(self, name: str) -> bool:
        """Whether one answers."""
        return name not in self._down

    def close(self) -> None:
        """Let go of its engine."""
        self.closed = True


OWN: Any = object()
"""A stack of one's own."""


@pytest.fixture(autouse=True)
def own(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What happens to stacks of one's own; none is really started."""
    calls: list[str] = []

    @contextmanager
    def running_stack(*, runtime: str, profile: Profile, extras: Any, report: Any) -> Iterator[Any]:
        report("starting prometheus")
        treated = [f"scraped every {profile.scrape_interval_s} s"] if profile != DRILL else []
        calls.append(" ".join(["up", runtime, *extras, *treated]))
        yield OWN
        calls.append("down")

    monkeypatch.setattr(stacks, "running_stack", running_stack)
    return calls


def standing(monkeypatch: pytest.MonkeyPatch, stack: Any) -> None:
    """Let there be a standing stack, or none."""
    monkeypatch.setattr(Stack, "standing", lambda: stack)


def test_without_a_standing_stack_one_is_started_for_the_block(monkeypatch: pytest.MonkeyPatch, own: list[str]) -> None:
    """It ends with the block, and tells what it starts."""
    standing(monkeypatch, None)
    told: list[str] = []

    with stack_for(exclusive=False, report=told.append) as stack:
        assert stack is OWN
        assert own == ["up processes"]

    assert own == ["up processes", "down"]
    assert told == ["starting prometheus"]


def test_a_standing_stack_is_shared_and_stays(monkeypatch: pytest.MonkeyPatch, own: list[str]) -> None:
    """Nothing else is started."""
    shared: Any = FakeStack()
    standing(monkeypatch, shared)

    with stack_for(exclusive=False) as stack:
        assert stack is shared

    assert own == []


def test_who_breaks_the_stack_gets_one_of_his_own(monkeypatch: pytest.MonkeyPatch, own: list[str]) -> None:
    """The standing one is for others."""
    standing(monkeypatch, FakeStack("tempo"))

    with stack_for(exclusive=True) as stack:
        assert stack is OWN

    assert own == ["up processes", "down"]


def test_a_standing_stack_that_lacks_what_is_needed_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, own: list[str]
) -> None:
    """The drill gets one of its own, with the extra, and nothing holds on to the other."""
    other = FakeStack()
    standing(monkeypatch, other)

    with stack_for(exclusive=False, extras=["detector"]) as stack:
        assert stack is OWN
        assert other.closed

    assert own == ["up processes detector", "down"]


def test_a_stack_of_ones_own_is_treated(monkeypatch: pytest.MonkeyPatch, own: list[str]) -> None:
    """From its start to its end."""
    standing(monkeypatch, FakeStack())
    treatment = ScrapeIntervalTreatment.model_validate({"kind": "scrape_interval", "every": "5s"})

    with stack_for(exclusive=True, treatments=[treatment]) as stack:
        assert stack is OWN

    assert own == ["up processes scraped every 5 s", "down"]


def test_a_drill_that_fills_a_disk_gets_a_small_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The profile of its stack says whose."""
    profiles: list[Profile] = []

    @contextmanager
    def running_stack(*, profile: Profile, **_: Any) -> Iterator[Any]:
        profiles.append(profile)
        yield OWN

    monkeypatch.setattr(stacks, "running_stack", running_stack)

    with stack_for(exclusive=True, small_disks={"tempo", "prometheus"}):
        assert profiles == [replace(DRILL, small_disks=("prometheus", "tempo"))]


def test_a_broken_standing_stack_is_refused(monkeypatch: pytest.MonkeyPatch, own: list[str]) -> None:
    """A drill on it would judge the wrong thing; the message names what is down, and what to do."""
    standing(monkeypatch, FakeStack("tempo", "sink"))

    with (
        pytest.raises(StackError, match=r"tempo, sink does not answer; `tocsin down`, then `tocsin up`"),
        stack_for(exclusive=False),
    ):
        pytest.fail("it must not be used")

    assert own == []


def test_a_standing_stack_on_another_runtime_is_left_alone(monkeypatch: pytest.MonkeyPatch, own: list[str]) -> None:
    """Who asks for a runtime gets it; who does not takes what is up."""
    shared: Any = FakeStack()
    standing(monkeypatch, shared)

    with stack_for(exclusive=False, runtime="processes") as stack:
        assert stack is shared
    with stack_for(exclusive=False, runtime="containers") as stack:
        assert stack is OWN

    assert own == ["up containers", "down"]
