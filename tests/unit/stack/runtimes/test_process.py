"""Processes and rosters, with tiny programs in place of engines."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stack.errors import StackError
from stack.runtimes.process import Process, Program, log_tail
from stack.runtimes.roster import Roster, state_dir

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


def test_a_roster_of_a_living_owner_is_no_orphan(roster: Roster) -> None:
    """Ours is not swept while we run."""
    assert not roster.orphaned
    assert not roster.standing
    assert [roster.id] == [one.id for one in Roster.all()]


def test_a_standing_roster_has_no_owner() -> None:
    """It is never an orphan."""
    roster = Roster.create("stack", standing=True)

    assert roster.standing
    assert not roster.orphaned


def test_an_owner_that_was_killed_leaves_an_orphan_with_its_processes(start: Callable[[str], Process]) -> None:
    """Disbanding ends what carries the id, and removes the folder."""
    code = "from stack.runtimes.roster import Roster; print(Roster.create('dead').id)"
    made = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[4]
    )
    roster = next(one for one in Roster.all() if one.id == made.stdout.strip())
    process = Process(start(SLEEPER).program, roster=roster.id)
    process.start()

    assert roster.orphaned
    assert roster.disband() == 1
    until(lambda: not process.alive, "the orphan to end")
    assert not roster.path.exists()


def test_a_roster_keeps_documents_for_its_user_alone(roster: Roster) -> None:
    """They may hold secrets; a torn or missing one is empty."""
    roster.write("stack.json", {"token": "secret"})
    (roster.path / "torn.json").write_text('{"a":')

    assert roster.read("stack.json") == {"token": "secret"}
    assert (roster.path / "stack.json").stat().st_mode & 0o777 == 0o600
    assert roster.path.stat().st_mode & 0o777 == 0o700
    assert roster.read("torn.json") == roster.read("missing.json") == {}


def test_the_state_folder_can_be_chosen(tmp_path: Path) -> None:
    """By an environment variable."""
    assert state_dir() == tmp_path / "state"
    assert os.environ["TOCSIN_STATE"] == str(tmp_path / "state")
