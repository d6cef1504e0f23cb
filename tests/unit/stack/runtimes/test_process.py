"""Processes and rosters, with tiny programs in place of engines."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stack.errors import StackError
from stack.runtimes.process import Process, Program, log_tail
from stack.runtimes.roster import Roster

SLEEPER = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
)
FAMILY = (
    "import subprocess, sys, time;"
    "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); print('up', flush=True); time.sleep(600)"
)


def until(condition: Callable[[], object], what: str) -> None:
    """Ask again until it holds."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, f"waited for {what}"
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state folder of the test's own."""
    monkeypatch.setenv("TOCSIN_STATE", str(tmp_path / "state"))


@pytest.fixture
def roster() -> Iterator[Roster]:
    """A roster that is disbanded at the end."""
    made = Roster.create("test")
    yield made
    made.disband()


@pytest.fixture
def start(tmp_path: Path, roster: Roster) -> Iterator[Callable[[str], Process]]:
    """Starts a piece of Python as a program and waits until it says that it is up; ends it with the test."""
    started: list[Process] = []

    def run(code: str) -> Process:
        program = Program(
            name="it", command=(sys.executable, "-c", code), environment={"COLOUR": "red"}, log=tmp_path / "it.log"
        )
        process = Process(program, roster=roster.id)
        process.start()
        started.append(process)
        until(lambda: "up" in process.log_tail() or not process.alive, "the program to start")
        return process

    yield run
    for process in started:
        process.kill()


def test_a_process_lives_until_it_is_stopped(start: Callable[[str], Process]) -> None:
    """It ends on request, and its exit code is known."""
    process = start(SLEEPER)
    assert process.alive
    assert process.exit_code is None

    process.stop()

    assert not process.alive
    assert process.exit_code == -15


def test_one_that_does_not_listen_is_killed(start: Callable[[str], Process]) -> None:
    """After the deadline nobody is asked any more."""
    process = start(STUBBORN)

    process.stop(within_s=0.1)

    assert process.exit_code == -9


def test_its_children_end_with_it(start: Callable[[str], Process], roster: Roster) -> None:
    """A kill hits the whole group."""
    process = start(FAMILY)
    until(lambda: len(roster.processes()) == 2, "the child")

    process.kill()

    until(lambda: not roster.processes(), "all of them to end")


def test_a_frozen_one_is_alive_and_can_still_be_stopped(start: Callable[[str], Process]) -> None:
    """Pause freezes, unpause thaws, and stop thaws by itself."""
    process = start(SLEEPER)
    process.pause()
    until(lambda: process.paused, "it to freeze")
    assert process.alive
    process.unpause()
    until(lambda: not process.paused, "it to thaw")
    process.pause()

    process.stop(within_s=5)

    assert process.exit_code == -15


def test_an_adopted_process_is_known_by_pid_and_start_time(start: Callable[[str], Process]) -> None:
    """Another command can steer it; a pid that was given to somebody else is not taken for it."""
    process = start(SLEEPER)

    state = process.state()
    pid, started_t = state["pid"], state["started_t"]
    adopted = Process.adopt(process.program, roster="test", pid=pid, started_t=started_t)
    stranger = Process.adopt(process.program, roster="test", pid=pid, started_t=started_t - 100)

    assert adopted.alive
    assert not stranger.alive
    stranger.kill()
    assert process.alive
    adopted.kill()
    until(lambda: not process.alive, "it to end")


def test_a_program_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    """The message names the component, the command and the reason."""
    program = Program(name="tempo", command=("/nowhere/tempo",), environment={}, log=tmp_path / "log")

    with pytest.raises(StackError, match="tempo: cannot start /nowhere/tempo: No such file"):
        Process(program, roster="none").start()


def test_a_log_tail_is_the_last_lines_and_never_an_error(tmp_path: Path) -> None:
    """Bytes that are no text are shown as such; a missing log is empty."""
    log = tmp_path / "log"
    log.write_bytes(b"\n".join(b"line %d" % n for n in range(50_000)) + b"\n\xff end")

    assert log_tail(log, 2) == "line 49999\n� end"
    assert log_tail(tmp_path / "none") == ""
