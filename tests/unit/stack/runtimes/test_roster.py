"""Rosters: whose processes are whose, and that nothing of an owner that is gone stays, whoever notices it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from stack.runtimes.clearing import ended, orphan, told
from stack.runtimes.process import MARKER, Process, Program
from stack.runtimes.roster import Roster, guards_log, state_dir

SLEEPER = (sys.executable, "-c", "import time; time.sleep(600)")
ROOT = Path(__file__).parents[4]

OWNER = """
import os, pathlib, subprocess, sys, time
from stack.runtimes.roster import Roster

roster = Roster.create("owned", **{options})
environment = {{**os.environ, **roster.marker()}}
process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], env=environment, stdout=subprocess.DEVNULL)
os.kill(process.pid, {signal})
print(roster.id, process.pid, roster.guard.pid, flush=True)
sys.stdin.read()
{last}
"""
"""Owns a roster with one process, until its standard input ends; then does something `last`."""


def until(condition: Callable[[], object], what: str) -> None:
    """Ask until something holds; far longer than it ever takes."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, f"waited for {what}"
        time.sleep(0.01)


def lives(pid: int) -> bool:
    """Whether a process is there, and not only its last breath."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A state folder of the test's own; nothing of its rosters stays."""
    monkeypatch.setenv("TOCSIN_STATE", str(tmp_path / "state"))
    yield
    for one in Roster.all():
        one.disband()


@pytest.fixture
def roster() -> Iterator[Roster]:
    """A roster that is disbanded at the end."""
    made = Roster.create("test")
    yield made
    made.disband()


@pytest.fixture
def owner() -> Iterator[Callable[..., tuple["subprocess.Popen[str]", str, int, int]]]:
    """Starts a process that owns a roster: itself, the roster's id, and the pids of its process and of its guard."""
    started: list[subprocess.Popen[str]] = []

    def start(*, options: str = "{}", last: str = "", signal: int = 0) -> tuple["subprocess.Popen[str]", str, int, int]:
        process = subprocess.Popen(
            [sys.executable, "-c", OWNER.format(options=options, last=last, signal=signal)],
            cwd=ROOT,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        started.append(process)
        assert process.stdout
        roster_id, pid, guard = process.stdout.readline().split()
        return process, roster_id, int(pid), int(guard)

    yield start
    for process in started:
        process.kill()
        process.communicate()


def sleeper(roster: Roster, tmp_path: Path) -> Process:
    """A process of a roster."""
    program = Program(name="it", command=SLEEPER, environment={}, log=tmp_path / "it.log")
    process = Process(program, roster=roster.id)
    process.start()
    return process


def abandon(roster: Roster) -> None:
    """Let its owner be one that is gone, whose guard is gone as well."""
    assert roster.guard
    roster.guard.dismiss()
    roster.write("roster.json", {"owner": {"pid": os.getpid(), "started_t": psutil.Process().create_time() - 100}})


def test_a_roster_of_a_living_owner_is_no_orphan(roster: Roster) -> None:
    """Ours is not swept while we run."""
    assert not roster.orphaned
    assert not roster.standing
    assert [roster.id] == [one.id for one in Roster.all()]


def test_a_roster_that_is_given_away_has_no_owner_and_no_guard(roster: Roster) -> None:
    """It is never an orphan, and outlives us."""
    guard = roster.guard
    assert guard
    assert lives(guard.pid)

    roster.release()

    assert roster.standing
    assert not roster.orphaned
    assert not lives(guard.pid)


def test_an_orphan_is_disbanded_with_its_processes(roster: Roster, tmp_path: Path) -> None:
    """Ending it ends what carries the id, frozen or not; disbanding it removes the folder, too."""
    frozen, running = sleeper(roster, tmp_path), sleeper(roster, tmp_path)
    frozen.pause()
    abandon(roster)

    assert roster.orphaned
    assert ended(roster) == f"{roster.id}: its command was killed; ended 2 of its processes and containers"
    until(lambda: not frozen.alive and not running.alive, "the orphans to end")
    assert roster.path.exists()
    assert roster.disband() == 0
    assert not roster.path.exists()


def test_a_process_that_is_started_while_its_parent_is_ended_is_ended_too(roster: Roster, tmp_path: Path) -> None:
    """Whatever is born in the moment between looking and killing carries the marker, too."""
    seen = tmp_path / "seen"
    code = (
        "import subprocess, sys, time; from pathlib import Path\n"
        "while True:\n"
        "    child = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        f"    Path({str(seen)!r}).touch(); time.sleep(0.005)\n"
    )
    program = Program(name="it", command=(sys.executable, "-c", code), environment={}, log=tmp_path / "it.log")
    process = Process(program, roster=roster.id)
    process.start()
    until(seen.exists, "it to start others")

    roster.disband()

    assert roster.processes() == []
    assert not process.alive


def test_disbanding_ends_the_guard(roster: Roster) -> None:
    """It has nothing to watch any more, and leaves no zombie."""
    assert roster.guard
    pid = roster.guard.pid

    roster.disband()

    assert not psutil.pid_exists(pid)


def test_a_guard_is_cheap_and_carries_the_marker(roster: Roster) -> None:
    """A shell, not an interpreter of Python; whoever disbands the roster finds it."""
    assert roster.guard
    guard = psutil.Process(roster.guard.pid)
    until(lambda: guard.name() != "python", "the guard to become a shell")

    assert guard.environ()[MARKER] == roster.id
    assert guard.memory_info().rss < 8_000_000


@pytest.mark.parametrize("signal", [0, 19], ids=["running", "frozen"])
def test_when_an_owner_is_killed_its_guard_ends_all_that_is_left(
    owner: Callable[..., tuple["subprocess.Popen[str]", str, int, int]], signal: int
) -> None:
    """Without any other command: processes, folder, and then the guard itself; and it is told to the next command, once."""
    process, roster_id, pid, guard = owner(signal=signal)

    process.kill()
    process.wait()

    until(lambda: not Roster.called(roster_id).path.exists(), "the guard to remove the roster")
    until(lambda: not lives(guard), "the guard to end")
    assert not lives(pid)
    assert told() == [f"{roster_id}: its command was killed; ended 1 of its processes and containers"]
    assert told() == []


def test_a_guard_does_the_duty_that_it_was_given(
    owner: Callable[..., tuple["subprocess.Popen[str]", str, int, int]],
) -> None:
    """The id of the roster is all that it passes on."""
    process, roster_id, _, guard = owner(options="dict(duty='timeit')")

    process.kill()
    process.wait()

    until(lambda: not lives(guard), "the guard to end")
    until(lambda: roster_id.rpartition("-")[0] in guards_log().read_text(), "the duty to complain about the id")
    assert Roster.called(roster_id).path.exists()


@pytest.mark.parametrize("last", ["roster.disband()", "roster.release()"])
def test_a_guard_has_nothing_to_do_when_its_owner_ended_well(
    owner: Callable[..., tuple["subprocess.Popen[str]", str, int, int]], last: str
) -> None:
    """What was disbanded is gone, and what was given away stays."""
    process, roster_id, pid, guard = owner(last=last)

    process.communicate("")

    assert not lives(guard)
    assert lives(pid) is (last == "roster.release()")
    assert Roster.called(roster_id).path.exists() is (last == "roster.release()")
    assert told() == []


def test_a_guard_that_is_woken_for_nothing_leaves_the_roster_alone(
    roster: Roster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The owner only let go of the pipe; it lives, and clears up itself."""
    monkeypatch.setattr("stack.runtimes.clearing.GONE_WITHIN_S", 0.1)

    assert orphan(roster.id) is None
    assert roster.path.exists()
    assert orphan("no-such-roster") is None


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
