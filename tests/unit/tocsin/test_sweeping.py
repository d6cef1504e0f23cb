"""Sweeping: what a killed command left behind is ended and healed, and what still has an owner is left alone."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from scenarios.healnotes import HealNote
from scenarios.model import CommandFault
from stack.runtimes.roster import Roster
from tocsin.sweeping import sweep


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rosters of the test's own."""
    monkeypatch.setenv("TOCSIN_STATE", str(tmp_path / "state"))


def orphaned(run: Path | None = None) -> Roster:
    """A roster whose owner is gone."""
    roster = Roster.create("drill")
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
    rosters = [Roster.create("drill"), Roster.create("stack", standing=True)]
    processes = [sleeper(roster) for roster in rosters]

    assert sweep() == []
    assert [process.poll() for process in processes] == [None, None]
    assert {roster.id for roster in rosters} == {roster.id for roster in Roster.all()}


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


def test_what_cannot_be_healed_is_told(tmp_path: Path) -> None:
    """A person has to do it."""
    note = left_broken(tmp_path / "run", ["false"])
    orphaned(tmp_path / "run")

    _, line = sweep()

    assert line.startswith(f"{note}: cannot be healed: ")


def test_a_run_folder_that_was_removed_is_no_error(tmp_path: Path) -> None:
    """There is nothing to heal then."""
    orphaned(tmp_path / "gone")

    assert len(sweep()) == 1
