"""The files to begin with: they work as they stand, and nothing is overwritten for them."""

import subprocess
import sys
from pathlib import Path

import pytest

from scenarios import starter
from scenarios.errors import ScenarioError
from scenarios.loader import load


def test_the_drill_can_be_loaded_as_it_stands(tmp_path: Path) -> None:
    """Nobody's first drill begins with an error."""
    drill, test = starter.write(tmp_path / "new" / "folder")

    assert load(drill).name == "my-first"
    assert test.name == "test_drills.py"


def test_the_test_passes_as_it_stands(tmp_path: Path) -> None:
    """And nobody's first test with a failure; run as its author would run it, but for the drills themselves."""
    _, test = starter.write(tmp_path)

    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:locust", "-p", "no:cacheprovider", str(test)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


@pytest.mark.parametrize("name", sorted(starter.FILES))
def test_nothing_is_ever_overwritten(tmp_path: Path, name: str) -> None:
    """When one of the files is there, none is written, and the error says which one."""
    (tmp_path / name).write_text("mine")

    with pytest.raises(ScenarioError, match=f"{name}: is there already, and nothing is ever overwritten"):
        starter.write(tmp_path)

    assert [name] == [path.name for path in tmp_path.iterdir()]
    assert (tmp_path / name).read_text() == "mine"


def test_a_folder_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    """The system's own reason is part of the message."""
    (tmp_path / "file").write_text("")

    with pytest.raises(ScenarioError, match="cannot be written: Not a directory"):
        starter.write(tmp_path / "file" / "folder")
