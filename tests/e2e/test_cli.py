"""The command line and the gate on real engines: exit codes, what they leave on disk, and that they leave nothing else."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from scenarios.record import Record, Verdict
from stack.runtimes.process import MARKER

pytestmark = pytest.mark.e2e

GOOD = """
name: good
why: Everything is as it should be, so everything passes.
load: {users: 2, rate: 10, warm_up: 3s, for: 6s}
expect:
  - sli: {name: availability, within: 0.5%}
  - silent: {}
"""

BAD = """
name: bad
why: It wants traces of failures where nothing fails, which is no pass.
load: {users: 2, rate: 10, warm_up: 3s, for: 6s}
expect:
  - traces: {where: error}
  - sli: {name: availability, within: 0.5%}
"""

CUT_SHORT = """
name: cut-short
why: Clients suffer more than was meant, so it is stopped, and proves nothing.
load: {users: 2, rate: 20, warm_up: 3s, for: 60s}
faults: [{kind: errors, target: catalog, at: 1s, for: 58s}]
abort: [{failed: 20%, for: 2s}]
expect:
  - sli: {name: availability}
"""

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three drills, of which each ends in another way."""
    path = tmp_path_factory.mktemp("drills")
    for name, text in (("good", GOOD), ("bad", BAD), ("cut-short", CUT_SHORT)):
        (path / f"{name}.drill.yaml").write_text(text)
    return path


@pytest.fixture(scope="module")
def command(folder: Path) -> Command:
    """Runs a Python module in that folder, with a state of its own."""

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=folder,
            env={**os.environ, "TOCSIN_STATE": str(folder / "state")},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run


@pytest.fixture(scope="module")
def tocsin(command: Command) -> Command:
    """Runs `tocsin`."""
    return lambda *arguments: command("-c", "from tocsin.cli import main; main()", *arguments)


@pytest.fixture(scope="module")
def gate(command: Command) -> "subprocess.CompletedProcess[str]":
    """What pytest says of the three drills, side by side on one stack."""
    return command("-m", "pytest", "-p", "no:locust", "-p", "no:cacheprovider", "--junitxml=drills.xml")


@pytest.fixture(scope="module")
def runs(folder: Path, gate: "subprocess.CompletedProcess[str]") -> dict[str, Path]:
    """The folder of each drill's run, by the drill's name."""
    assert gate.returncode in (0, 1), gate.stdout
    return {path.name.rsplit("-", 3)[0]: path for path in (folder / "runs").iterdir()}


def left_running(state: Path) -> Iterator[str]:
    """Processes that belong to a roster of this state folder."""
    for process in psutil.process_iter():
        try:
            environment = process.environ()
            if MARKER in environment and environment.get("TOCSIN_STATE") == str(state):
                yield " ".join(process.cmdline())
        except (psutil.Error, OSError):
            continue


def test_the_gate_tells_pass_fail_and_unknown_apart(gate: "subprocess.CompletedProcess[str]") -> None:
    """Passed, failed, error; and the messages are the judges' own."""
    assert gate.returncode == 1
    assert "1 failed, 3 passed, 2 errors" in gate.stdout, gate.stdout
    assert "no data is no pass" in gate.stdout
    assert "of requests failed in the last 2s; the drill stops at 20%" in gate.stdout


def test_the_gate_writes_what_a_ci_system_reads(folder: Path, runs: dict[str, Path]) -> None:
    """Each check is a test case, with its run's id."""
    cases = {case.get("name"): case for case in ET.parse(folder / "drills.xml").getroot().iter("testcase")}

    assert {"expect/1 sli availability", "expect/2 silent", "expect/1 traces error", "faults/1 errors is felt"} <= set(
        cases
    )
    text = (folder / "drills.xml").read_text()
    assert all(path.name in text for path in runs.values())


def test_every_run_has_its_record_and_its_report(runs: dict[str, Path]) -> None:
    """Also the one that was stopped."""
    records = {name: Record.read(path / "record.json") for name, path in runs.items()}

    assert {name: record.verdict for name, record in records.items()} == {
        "good": Verdict.PASS,
        "bad": Verdict.FAIL,
        "cut-short": Verdict.UNKNOWN,
    }
    assert all((path / "report.html").stat().st_size > 10_000 for path in runs.values())


@pytest.mark.parametrize(("name", "code"), [("good", 0), ("bad", 1), ("cut-short", 3)])
def test_judging_a_real_run_again_gives_the_same_verdicts(
    tocsin: Command, runs: dict[str, Path], name: str, code: int
) -> None:
    """Without a stack; the exit code says how it ended."""
    before = Record.read(runs[name] / "record.json")
    result = tocsin("analyze", name)

    assert result.returncode == code, result.stderr
    assert Record.read(runs[name] / "record.json") == before


def test_a_summary_and_a_comparison_of_real_runs_can_be_printed(tocsin: Command, runs: dict[str, Path]) -> None:
    """In Markdown, with exit code 0 whatever the verdict."""
    summary, comparison = tocsin("report", "bad", "--markdown"), tocsin("compare", "good", "bad")

    assert (summary.returncode, comparison.returncode) == (0, 0)
    assert "FAIL" in summary.stdout
    assert all(runs[name].name in comparison.stdout for name in ("good", "bad"))


def test_run_ends_its_own_stack_before_it_ends(tocsin: Command, folder: Path) -> None:
    """It tells what it starts, and leaves no process and no state behind."""
    result = tocsin("run", "good.drill.yaml")

    assert result.returncode == 0, result.stdout + result.stderr
    assert "starting prometheus" in result.stderr
    assert "good: drive" in result.stdout
    assert list(left_running(folder / "state")) == []
    assert list((folder / "state" / "rosters").iterdir()) == []
