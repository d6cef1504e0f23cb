"""The life of a fault: in time, renewed, and healed whatever happens; on a clock that moves when told."""

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import TypeAdapter

from scenarios.act import Act, Detail, FaultError
from scenarios.history import Event, FaultChange
from scenarios.injection import FaultRunner, Injection, Time
from scenarios.model import Fault

DRIVE_T = 1_000.0
SPIKE: Fault = TypeAdapter(Fault).validate_python({"kind": "spike", "factor": 2, "at": "5s", "for": "10s"})


class Clock:
    """Time that passes only while somebody sleeps, and what happens meanwhile."""

    def __init__(self) -> None:
        self.t = DRIVE_T
        self.then: list[tuple[float, Callable[[], None]]] = []

    def sleep(self, seconds: float) -> None:
        """Let time pass, and happen what is due."""
        self.t += seconds
        for due, action in [one for one in self.then if one[0] <= self.t]:
            self.then.remove((due, action))
            action()

    @property
    def time(self) -> Time:
        """What an injection gets."""
        return Time(now=lambda: self.t, sleep=self.sleep)


class FakeAct(Act):
    """A fault that does as it is told: each step takes answers (or errors) from its list, the last one for ever."""

    APPLY_FOR_S: ClassVar[float] = 3.0
    HEAL_FOR_S: ClassVar[float] = 5.0

    def __init__(self, clock: Clock, **steps: list[Detail | Exception]) -> None:
        self.clock = clock
        self.steps = steps
        self.calls: list[tuple[str, float]] = []

    def apply(self) -> Detail:
        return self._step("apply")

    def renew(self) -> Detail:
        return self._step("renew")

    def heal(self) -> Detail:
        return self._step("heal")

    def times(self, step: str) -> list[float]:
        """When a step was asked for, after the start of the drive."""
        return [round(t - DRIVE_T, 2) for name, t in self.calls if name == step]

    def _step(self, name: str) -> Detail:
        self.calls.append((name, self.clock.t))
        answers: list[Detail | Exception] = self.steps.get(name) or [{}]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


class LeasedAct(FakeAct):
    """The same, under a lease."""

    LEASED: ClassVar[bool] = True


def live(
    act: FakeAct, clock: Clock, aborted: threading.Event | None = None
) -> list[tuple[str, float, Mapping[str, Any]]]:
    """Let a fault live from 5 s to 15 s; what the history then says, with times after the start of the drive."""
    events: list[Event] = []
    Injection(
        id="faults/1",
        fault=SPIKE,
        act=act,
        record=events.append,
        aborted=aborted or threading.Event(),
        time=clock.time,
    ).run(DRIVE_T)
    changes = [event for event in events if isinstance(event, FaultChange)]
    assert len(changes) == len(events)
    return [(change.action, round(change.t - DRIVE_T, 2), change.detail) for change in changes]


def test_a_fault_is_applied_and_healed_in_time() -> None:
    """At the second of the drill, and not before."""
    clock = Clock()
    act = FakeAct(clock)

    assert live(act, clock) == [("applied", 5.0, {"kind": "spike"}), ("healed", 15.0, {})]
    assert (act.times("apply"), act.times("heal")) == ([5.0], [15.0])


def test_a_fault_is_renewed_once_a_second() -> None:
    """Four times as often as its lease needs."""
    clock = Clock()
    act = FakeAct(clock)
    live(act, clock)

    assert act.times("renew") == [6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0]


def test_only_changes_of_what_was_hit_are_recorded() -> None:
    """Histories stay small, and the last count is in the healing."""
    clock = Clock()
    renewals: list[Detail | Exception] = [{"affected": 1}, {"affected": 1}, {"affected": 4}]
    act = FakeAct(clock, apply=[{"affected": 0}], renew=renewals, heal=[{"affected": 9}])

    assert live(act, clock) == [
        ("applied", 5.0, {"kind": "spike", "affected": 0}),
        ("renewed", 6.0, {"affected": 1}),
        ("renewed", 8.0, {"affected": 4}),
        ("healed", 15.0, {"affected": 9}),
    ]


def test_an_apply_that_fails_is_tried_again_and_dated_when_it_succeeded() -> None:
    """The time to detect counts from the try that worked."""
    clock = Clock()
    act = FakeAct(clock, apply=[FaultError("busy"), FaultError("busy"), {}])

    assert live(act, clock)[0] == ("applied", 5.5, {"kind": "spike"})


def test_an_apply_that_keeps_failing_is_recorded_and_still_healed() -> None:
    """It may have broken something half way; and what it raised goes no further."""
    clock = Clock()
    act = FakeAct(clock, apply=[RuntimeError("nobody at home")])

    assert live(act, clock) == [
        ("failed", 8.0, {"doing": "apply", "reason": "nobody at home"}),
        ("healed", 8.0, {}),
    ]
    assert act.times("renew") == []


def test_a_final_error_is_not_tried_again() -> None:
    """A wrong token will not become right."""
    clock = Clock()
    act = FakeAct(clock, apply=[FaultError("status 401", final=True)])

    assert live(act, clock)[0] == ("failed", 5.0, {"doing": "apply", "reason": "status 401"})
    assert act.times("apply") == [5.0]


def test_renewals_that_fail_are_recorded_once_and_again_when_they_succeed() -> None:
    """The gap in between can be seen, and is no flood."""
    clock = Clock()
    renewals: list[Detail | Exception] = [{"affected": 1}, KeyError(), OSError("away"), {"affected": 1}]
    act = FakeAct(clock, renew=renewals)

    assert live(act, clock)[1:-1] == [
        ("renewed", 6.0, {"affected": 1}),
        ("failed", 7.0, {"doing": "renew", "reason": "KeyError"}),
        ("renewed", 9.0, {"affected": 1}),
    ]


def test_healing_is_tried_until_it_succeeds() -> None:
    """A moment's failure leaves nothing broken."""
    clock = Clock()
    act = FakeAct(clock, heal=[OSError("busy"), OSError("busy"), {}])

    assert live(act, clock)[-1] == ("healed", 15.5, {})


def test_healing_that_keeps_failing_is_recorded_with_its_reason() -> None:
    """It has had its time, and the drill must end."""
    clock = Clock()
    act = FakeAct(clock, heal=[OSError("still away")])

    assert live(act, clock)[-1] == ("failed", 20.0, {"doing": "heal", "reason": "still away"})
    assert len(act.times("heal")) == 21


def test_a_leased_fault_that_cannot_be_reached_is_off_after_its_lease() -> None:
    """Both facts are told: that we could not heal it, and that it healed itself."""
    clock = Clock()
    act = LeasedAct(clock, heal=[OSError("away")])

    assert live(act, clock)[-2:] == [
        ("failed", 20.0, {"doing": "heal", "reason": "away"}),
        ("healed", 20.0, {"by": "the end of its lease"}),
    ]


def test_a_fault_that_has_passed_is_healed_at_once() -> None:
    """A target that was restarted is well again when it is ready, not when its time is up."""

    class Restart(FakeAct):
        def apply(self) -> Detail:
            self.clock.sleep(2)
            self.over = True
            return super().apply()

    clock = Clock()

    assert live(Restart(clock), clock) == [("applied", 5.0, {"kind": "spike"}), ("healed", 7.0, {})]


def test_an_abort_heals_at_once() -> None:
    """Clients have suffered enough."""
    clock, aborted = Clock(), threading.Event()
    clock.then.append((DRIVE_T + 7.52, aborted.set))
    act = FakeAct(clock)

    assert [action for action, _, _ in live(act, clock, aborted)] == ["applied", "healed"]
    assert 7.5 <= act.times("heal")[0] <= 7.6


def test_an_abort_before_its_time_means_that_a_fault_never_happens() -> None:
    """What was not broken need not be healed."""
    clock, aborted = Clock(), threading.Event()
    clock.then.append((DRIVE_T + 2, aborted.set))
    act = FakeAct(clock)

    assert live(act, clock, aborted) == []
    assert act.calls == []


# --- many at once ---------------------------------------------------------------------------------------------------


class Roles:
    """Roles of which some take their time to start again."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.slow = threading.Event()

    def kill(self, name: str) -> None:
        self.calls.append(f"kill {name}")

    def pause(self, name: str) -> None:
        self.calls.append(f"pause {name}")

    def unpause(self, name: str) -> None:
        self.calls.append(f"unpause {name}")

    def restart(self, name: str) -> None:
        assert self.slow.wait(30)
        self.calls.append(f"restart {name}")

    def fault_api(self, role: str) -> tuple[str, str]:
        raise AssertionError(role)

    def fill_disk(self, name: str) -> None:
        raise AssertionError(name)

    def free_disk(self, name: str) -> None:
        raise AssertionError(name)

    def marker(self) -> Mapping[str, str]:
        raise AssertionError

    def toxiproxy(self) -> str:
        raise AssertionError

    def proxies(self, link: str) -> Mapping[str, str]:
        raise AssertionError(link)


def faults(**kinds: tuple[str, str, str]) -> dict[str, Fault]:
    """Faults of roles: kind, at, for by target."""
    read: TypeAdapter[Fault] = TypeAdapter(Fault)
    return {
        f"faults/{number}": read.validate_python({"kind": kind, "target": target, "at": at, "for": for_s})
        for number, (target, (kind, at, for_s)) in enumerate(kinds.items(), 1)
    }


def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so, and fail when it never is."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_slow_fault_does_not_delay_the_others(tmp_path: Path) -> None:
    """A restart that takes its time, and a freeze beside it that begins and ends in time."""
    roles, events = Roles(), list[Event]()
    both = faults(users=("restart", "0s", "100ms"), catalog=("pause", "10ms", "50ms"))

    with FaultRunner(faults=both, services=roles, record=events.append, run_dir=tmp_path) as runner:
        runner.start(time.time())
        until(lambda: roles.calls == ["pause catalog", "unpause catalog"])
        assert not runner.join(timeout_s=0.01)
        roles.slow.set()
        assert runner.join(timeout_s=30)

    assert roles.calls[-1] == "restart users"
    healed = {event.fault for event in events if isinstance(event, FaultChange) and event.action == "healed"}
    assert {"faults/1", "faults/2"} == healed


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_everything_is_healed_when_the_drill_crashes(tmp_path: Path, error: type[BaseException]) -> None:
    """Whatever ends the block: an error, Ctrl-C, a signal that became an exception."""
    roles = Roles()

    def crash() -> None:
        with FaultRunner(
            faults=faults(catalog=("pause", "0s", "1h"), users=("pause", "1h", "1h")),
            services=roles,
            record=lambda event: None,
            run_dir=tmp_path,
        ) as runner:
            runner.start(time.time())
            until(lambda: roles.calls == ["pause catalog"])
            raise error

    with pytest.raises(error):
        crash()

    assert roles.calls == ["pause catalog", "unpause catalog"]


def test_a_full_disk_does_not_keep_faults_from_being_healed(tmp_path: Path) -> None:
    """What could not be recorded is kept, for the drill to tell."""
    roles = Roles()

    def record(event: Event) -> None:
        raise OSError("No space left on device")

    with FaultRunner(
        faults=faults(catalog=("pause", "0s", "10ms")), services=roles, record=record, run_dir=tmp_path
    ) as runner:
        runner.start(time.time())
        assert runner.join(timeout_s=30)

    assert roles.calls == ["pause catalog", "unpause catalog"]
    assert runner.unrecorded == ["OSError: No space left on device"] * 2


def test_without_faults_there_is_nothing_to_wait_for(tmp_path: Path) -> None:
    """A baseline has none."""
    with FaultRunner(faults={}, services=Roles(), record=lambda event: None, run_dir=tmp_path) as runner:
        runner.start(time.time())
        assert runner.join()
