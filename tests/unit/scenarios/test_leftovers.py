"""Leftovers: what a killed run left broken is healed by the next command, once, and not while the run lives."""

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
from pydantic import TypeAdapter

from scenarios.healnotes import ForeignFault, HealNote
from scenarios.leftovers import heal_leftovers


def note_of_the_dead(run_dir: Path, name: str, **fault: object) -> HealNote:
    """A note on disk whose process is gone."""
    read: TypeAdapter[ForeignFault] = TypeAdapter(ForeignFault)
    note = HealNote.of(name, read.validate_python({"at": "0s", "for": "1s", **fault}), run_dir=run_dir)
    dead = replace(note, started_t=note.started_t - 100)
    dead.write()
    return dead


def test_a_run_without_notes_has_nothing_to_heal(tmp_path: Path) -> None:
    """The usual case."""
    assert heal_leftovers(tmp_path) == []


def test_what_a_killed_run_broke_is_healed_once(tmp_path: Path) -> None:
    """Afterwards the note is gone."""
    flag = tmp_path / "broken"
    flag.touch()
    note = note_of_the_dead(tmp_path, "faults-1", kind="command", apply=["true"], heal=["rm", str(flag)])

    (leftover,) = heal_leftovers(tmp_path)

    assert (note.path, "") == (leftover.note, leftover.problem)
    assert not flag.exists()
    assert heal_leftovers(tmp_path) == []


def test_a_run_that_lives_heals_its_own_faults(tmp_path: Path) -> None:
    """Another command that starts meanwhile must not end its drill's fault."""
    note = note_of_the_dead(tmp_path, "faults-1", kind="command", apply=["true"], heal=["true"])
    HealNote.of("faults-1", note.fault, run_dir=tmp_path).write()

    assert heal_leftovers(tmp_path) == []
    assert note.path.exists()


def test_a_process_that_is_dead_but_not_buried_heals_nothing_any_more(tmp_path: Path) -> None:
    """Whoever started the command may look at how it ended only much later."""
    flag = tmp_path / "broken"
    flag.touch()
    dead = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    note = replace(
        note_of_the_dead(tmp_path, "faults-1", kind="command", apply=["true"], heal=["rm", str(flag)]),
        pid=dead.pid,
        started_t=psutil.Process(dead.pid).create_time(),
    )
    note.write()
    assert heal_leftovers(tmp_path) == []

    dead.kill()
    deadline = time.monotonic() + 60
    while psutil.Process(dead.pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    (leftover,) = heal_leftovers(tmp_path)

    assert leftover.problem == ""
    assert not flag.exists()
    dead.communicate()


def test_what_cannot_be_healed_is_told_and_kept_for_the_next_command(tmp_path: Path) -> None:
    """And does not keep the others from being healed."""
    call = {"url": "http://127.0.0.1:1/"}
    note_of_the_dead(tmp_path, "faults-1", kind="http", apply=call, heal=call)
    note_of_the_dead(tmp_path, "faults-2", kind="command", apply=["true"], heal=["true"])
    (tmp_path / "heal" / "faults-3.json").write_text("{}")

    first, second, third = heal_leftovers(tmp_path)

    assert "no answer" in first.problem
    assert second.problem == ""
    assert "fault" in third.problem
    assert sorted(path.name for path in (tmp_path / "heal").iterdir()) == ["faults-1.json", "faults-3.json"]


def test_a_run_that_is_killed_leaves_a_note_that_heals(tmp_path: Path) -> None:
    """End to end: a process breaks something, is killed without a chance to heal, and the next command does it."""
    flag = tmp_path / "broken"
    script = f"""
import os, pathlib, signal, types
from pydantic import TypeAdapter
from scenarios.faults import act_of
from scenarios.model import Fault

fault = TypeAdapter(Fault).validate_python(
    dict(kind="command", at="0s", apply=["touch", {str(flag)!r}], heal=["rm", {str(flag)!r}]) | {{"for": "1s"}}
)
services = types.SimpleNamespace(marker=dict)
act_of("faults/1", fault, services=services, run_dir=pathlib.Path({str(tmp_path)!r})).apply()
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", script], check=False, timeout=120)
    assert flag.exists()

    (leftover,) = heal_leftovers(tmp_path)

    assert leftover.problem == ""
    assert not flag.exists()
