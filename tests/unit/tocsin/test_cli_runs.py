"""The command line on saved runs: analyze, report, compare; no stack is needed."""

import os
from pathlib import Path

import pytest

from scenarios.record import Record
from tests.unit.tocsin.conftest import Tocsin
from tests.unit.tocsin.saved import evidence, save
from tocsin import analysis
from tocsin.rundir import RunDir


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Three saved runs: one passes, one fails, one is unknown."""
    save(tmp_path / "runs", "good-1")
    save(tmp_path / "runs", "bad-1", found=evidence(failed=50))
    save(tmp_path / "runs", "unknown-1").evidence.unlink()
    for age, name in enumerate(("unknown-1", "bad-1", "good-1")):
        os.utime(tmp_path / "runs" / name / "scenario.json", (1_764_000_000 + age, 1_764_000_000 + age))
    return tmp_path / "runs"


@pytest.mark.parametrize(("run", "code"), [("last", 0), ("good-1", 0), ("bad", 1), ("unknown", 3)])
def test_analyze_judges_a_saved_run_again(tocsin_: Tocsin, runs: Path, run: str, code: int) -> None:
    """Its exit code is the drill's."""
    result = tocsin_("analyze", run)

    assert result.code == code
    assert "report: runs/" in result.out


def test_analyze_names_the_report_of_a_run_that_lies_elsewhere(tocsin_: Tocsin, runs: Path) -> None:
    """Not one in the usual folder that does not exist."""
    moved = runs.rename(runs.parent / "artifacts")

    assert f"report: {moved}/good-1/report.html" in tocsin_("analyze", "artifacts/good-1").out
    assert "report: artifacts/good-1/report.html" in tocsin_("analyze", "good-1", "--runs", "artifacts").out


def test_report_writes_the_page_and_says_where(tocsin_: Tocsin, runs: Path) -> None:
    """Also of a drill that failed: that is what reports are for."""
    result = tocsin_("report", "bad")

    assert (result.code, result.out) == (0, "runs/bad-1/report.html\n")
    assert (runs / "bad-1/report.html").is_file()


def test_report_in_markdown_goes_to_stdout(tocsin_: Tocsin, runs: Path) -> None:
    """For the job page of a CI system."""
    tocsin_("analyze", "bad")
    result = tocsin_("report", "bad", "--markdown")

    assert result.code == 0
    assert result.out.startswith("## ❌ FAIL: small")


def test_compare_tells_what_changed(tocsin_: Tocsin, runs: Path) -> None:
    """In Markdown."""
    for run in ("good", "bad"):
        tocsin_("analyze", run)
    result = tocsin_("compare", "good", "bad")

    assert result.code == 0
    assert "good-1" in result.out
    assert "bad-1" in result.out
    assert "FAIL" in result.out


@pytest.mark.parametrize("command", [("report", "good", "--markdown"), ("compare", "good", "bad")])
def test_what_needs_a_record_says_how_to_get_one(tocsin_: Tocsin, runs: Path, command: tuple[str, ...]) -> None:
    """The drill may have been killed before it was judged."""
    result = tocsin_(*command)

    assert result.code == 2
    assert "record.json: the run has not been judged yet; `tocsin analyze good-1` does it" in result.error


@pytest.mark.parametrize("command", [("analyze", "x"), ("report", "x"), ("compare", "good-1", "x")])
def test_an_unknown_run_is_a_usage_error_that_names_the_known_ones(
    tocsin_: Tocsin, runs: Path, command: tuple[str, ...]
) -> None:
    """Exit code 2."""
    analysis.analyze(RunDir(runs / "good-1"))
    result = tocsin_(*command)

    assert result.code == 2
    assert "no run 'x' in runs; there are: unknown-1, bad-1, good-1" in result.error


def test_a_damaged_run_is_a_bad_file(tocsin_: Tocsin, runs: Path) -> None:
    """Exit code 2, and not the 1 of a failed expectation."""
    (runs / "good-1/scenario.json").write_text("{")
    result = tocsin_("analyze", "good-1")

    assert result.code == 2
    assert "scenario.json: not a scenario" in result.error


def test_a_disk_on_which_no_record_fits_is_no_verdict(
    tocsin_: Tocsin, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 3."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", str(runs))

    monkeypatch.setattr(Record, "save", full)
    result = tocsin_("analyze", "good-1")

    assert (result.code, result.error) == (3, f"tocsin: {runs}: No space left on device")


def test_a_scorecard_of_runs_without_a_detector_says_how_to_get_one(tocsin_: Tocsin, runs: Path) -> None:
    """Exit code 2; a score of nothing would be a lie."""
    for arguments in ((), ("good-1",)):
        result = tocsin_("scorecard", *arguments)

        assert result.code == 2
        assert "no run in runs had the detector; `tocsin run anomalies` makes one" in result.error


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Missing argument 'DIR'"),
        (("data", "--days", "0"), "'--days': Input should be greater than or equal to 0.1"),
        (("data", "--services", "2000"), "'--services': Input should be less than or equal to 1000"),
    ],
)
def test_a_mistake_of_backfill_names_what_is_allowed(
    tocsin_: Tocsin, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    """Exit code 2, and nothing is built or written."""
    monkeypatch.setattr("stack.engines.ensure", lambda *_: pytest.fail("nothing may be built"))
    result = tocsin_("backfill", *arguments)

    assert result.code == 2
    assert said in result.error
