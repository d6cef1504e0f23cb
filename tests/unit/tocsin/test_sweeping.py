"""Sweeping: what a killed command left behind is ended and healed, and what still has an owner is left alone."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from scenarios.healnotes import HealNote
from scenarios.model import CommandFault
from stack.runtimes.clearing import told
from stack.runtimes.roster import Roster, guards_log
from tocsin.sweeping import sweep


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rosters of the test's own."""
    monkeypatch.setenv("TOCSIN_STATE", str(tmp_path / "state"))


def orphaned(run: Path | None = None) -> Roster:
    """A roster whose owner is gone."""
    roster = Roster.create("drill")
    assert roster.guard
    roster.guard.dismiss()
    roster.write("roster.json", {"owner": {"pid": os.getpid(), "started_t": psutil.Process().create_time() - 100}})
    if run:
        roster.write("run.json", {"path": str(run)})
    return roster


def left_broken(run: Path, heal: list[str]) -> Path:
    """A fault in a system that is not ours, applied by a process that is gone."""
    fault = CommandFault.model_validate({"kind": "command", "apply": ["true"], "heal": heal, "at": "1s", "for": "1s"})
    note = HealNote.of("faults-1", fault, run_dir=run)
    HealNote(path=note.path, fault=fault, pid=note.pid, started_t=note.started_t - 100).write()
    return note.path


@pytest.fixture
def sleeper() -> Iterator[Any]:
    """Starts a process that carries a roster's marker, and would run for long."""
    started: list[subprocess.Popen[bytes]] = []

    def start(roster: Roster) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-c", "print(flush=True); import time; time.sleep(600)"],
            env={**os.environ, **roster.marker()},
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        process.stdout.readline()
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def until(condition: Callable[[], object], what: str) -> None:
    """Ask until something holds; far longer than it ever takes."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, f"waited for {what}"
        time.sleep(0.05)


def test_nothing_is_left_of_commands_that_ended_well() -> None:
    """The usual case."""
    assert sweep() == []


def test_processes_of_a_killed_command_are_ended(sleeper: Any) -> None:
    """And its roster is gone, so that the next sweep has nothing to do."""
    roster = orphaned()
    process = sleeper(roster)

    assert [f"{roster.id}: its command was killed; ended 1 of its processes and containers"] == sweep()
    assert not psutil.pid_exists(process.pid)
    assert sweep() == []


def test_what_has_an_owner_or_stays_up_on_purpose_is_left_alone(sleeper: Any) -> None:
    """Another command runs beside this one; a standing stack has no owner."""
    rosters = [Roster.create("drill"), Roster.create("stack")]
    rosters[1].release()
    processes = [sleeper(roster) for roster in rosters]

    assert sweep() == []
    assert [process.poll() for process in processes] == [None, None]
    assert {roster.id for roster in rosters} == {roster.id for roster in Roster.all()}
    for roster in rosters:
        roster.disband()


def test_faults_in_other_peoples_systems_are_healed(tmp_path: Path) -> None:
    """Only the run's own notes know of them."""
    flag = tmp_path / "broken"
    flag.touch()
    note = left_broken(tmp_path / "run", ["rm", str(flag)])
    roster = orphaned(tmp_path / "run")

    lines = sweep()

    assert f"{roster.id}: its command was killed; ended 0 of its processes and containers" == lines[0]
    assert [f"{note}: healed"] == lines[1:]
    assert not flag.exists()


def test_what_cannot_be_healed_is_told_and_tried_again(tmp_path: Path) -> None:
    """A person has to do it, or the next command can."""
    flag = tmp_path / "broken"
    note = left_broken(tmp_path / "run", ["rm", str(flag)])
    roster = orphaned(tmp_path / "run")

    _, line = sweep()
    assert line.startswith(f"{note}: cannot be healed: rm {flag}: exit status 1")
    assert line.endswith("; heal it by hand and remove this file, else every command tries again")
    assert roster.path.exists()

    flag.touch()
    assert sweep()[1:] == [f"{note}: healed"]
    assert not roster.path.exists()


def test_the_guard_of_a_drill_heals_when_its_command_is_killed(tmp_path: Path) -> None:
    """No other command is needed; what it did is told to the next one."""
    flag = tmp_path / "broken"
    script = f"""
import os, signal
from pathlib import Path
from scenarios.faults import CommandAct
from scenarios.healnotes import HealNote
from scenarios.model import CommandFault
from stack.runtimes.clearing import told
from stack.runtimes.roster import Roster
from tocsin.sweeping import DUTY

run = Path({str(tmp_path / "run")!r})
roster = Roster.create("drill", duty=DUTY)
roster.write("run.json", {{"path": str(run)}})
slow = "touch {flag}; sleep 600"
fault = CommandFault.model_validate(
    {{"kind": "command", "apply": ["sh", "-c", slow], "heal": ["rm", "-f", {str(flag)!r}], "at": "1s", "for": "1s"}}
)
CommandAct(fault=fault, note=HealNote.of("faults-1", fault, run_dir=run), marker=roster.marker()).apply()
"""
    command = subprocess.Popen([sys.executable, "-c", script], cwd=Path(__file__).parents[3])
    until(flag.exists, "the fault")

    command.kill()
    command.wait()

    until(lambda: not list(Roster.all()), "the guard to clear up")
    assert not flag.exists()
    assert list((tmp_path / "run" / "heal").iterdir()) == []
    until(lambda: "healed" in guards_log().read_text(), "the guard to tell")
    ended, healed = told()
    assert "its command was killed; ended 2 of its processes" in ended
    assert healed == f"{tmp_path / 'run' / 'heal' / 'faults-1.json'}: healed"


def test_a_run_folder_that_was_removed_is_no_error(tmp_path: Path) -> None:
    """There is nothing to heal then."""
    orphaned(tmp_path / "gone")

    assert len(sweep()) == 1
