"""The documentation's commands: each one that stands behind a `$` is run, or is known to be run elsewhere.

What it shows as YAML, Python and JSON is tested in tests/unit/test_docs.py.
"""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from scenarios.loader import catalog
from stack import engines
from tests.unit.snippets import Snippet, snippets
from tests.unit.test_project import ROOT, tracked

pytestmark = pytest.mark.e2e

COMMANDS = sorted({command for snippet in snippets("console") for command in snippet.commands()})


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of all files of the project, in which a command may write what it likes; the virtual environment is lent."""
    folder = tmp_path_factory.mktemp("copy")
    for path in tracked(and_new=True):
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


def run(command: list[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end."""
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


def is_make(command: str) -> bool:
    """Whether make runs it."""
    return command.startswith("make ")


def catalogue_drills(command: str) -> list[str]:
    """The drills that `tocsin run NAME...` or pytest on the catalogue would run; empty for any other command."""
    words = shlex.split(command)
    if words[0].endswith("tocsin") and words[1] == "run":
        return words[2:]
    is_gate = words[0].endswith("pytest") and "--collect-only" not in words and "scenarios/catalog" in words
    return [path.name.removesuffix(".drill.yaml") for path in catalog()] if is_gate else []


OTHERS = [command for command in COMMANDS if not is_make(command) and not catalogue_drills(command)]


def test_commands_are_found() -> None:
    """Otherwise the tests below would test nothing."""
    assert {"make demo", "make test"} <= set(COMMANDS)
    assert len(COMMANDS) > 6


@pytest.mark.parametrize("command", [command for command in COMMANDS if is_make(command)])
def test_make_knows_what_to_do(command: str, copy: Path) -> None:
    """It is asked what it would do, and does not do it: `make test` runs this very test and would never end."""
    result = run([*shlex.split(command), "-n"], copy)

    assert result.returncode == 0, result.stderr
    assert result.stdout.strip()


@pytest.mark.parametrize("command", [command for command in COMMANDS if catalogue_drills(command)])
def test_drills_of_the_catalogue_are_run_by_their_own_tests(command: str) -> None:
    """pytest collects the catalogue beside these tests, so it is enough here that each drill is there."""
    testpaths = re.search(r"^testpaths = (.*)$", (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert testpaths
    assert "scenarios/catalog" in testpaths[1]

    result = run([str(ROOT / ".venv/bin/pytest"), "-p", "no:locust", "scenarios/catalog", "--collect-only", "-q"], ROOT)

    assert result.returncode == 0, result.stdout
    assert all(f"scenarios/catalog/{name}.drill.yaml::" in result.stdout for name in catalogue_drills(command))


@pytest.mark.parametrize("command", OTHERS)
def test_every_other_command_runs(command: str, copy: Path) -> None:
    """In a copy of the project, as it is written."""
    result = run(["/bin/sh", "-ec", command], copy)

    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("snippet", snippets("promql"), ids=str)
def test_every_query_is_one(snippet: Snippet, tmp_path: Path) -> None:
    """promtool, the real one, reads it."""
    promtool = engines.locate("promtool")
    assert promtool, "promtool is not there; `make engines` builds it"
    rule = {"groups": [{"name": "docs", "rules": [{"record": "docs:query", "expr": snippet.text}]}]}
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rule, allow_unicode=True))

    result = run([str(promtool), "check", "rules", "rules.yaml"], tmp_path)

    assert result.returncode == 0, result.stdout + result.stderr
