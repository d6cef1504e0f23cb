"""Generation: what is committed is what the service levels say."""

from pathlib import Path

import pytest

from stack.dashboards.__main__ import main
from stack.dashboards.generate import DASHBOARDS, RULES, generate, stale, write
from stack.slo.generate import SOURCE
from tests.unit.stack.dashboards.pages import FILES


def test_committed_files_are_in_step_with_their_source() -> None:
    """
    If this fails: `python -m stack.dashboards generate`.
    """
    assert stale(FILES) == []


def test_generation_gives_the_same_each_time() -> None:
    """
    No clock, no chance, no order of a set in it.
    """
    assert generate() == FILES


def test_what_changed_is_missing_or_left_over_is_stale(tmp_path: Path) -> None:
    """
    Each kind of difference is found, and writing mends all.
    """
    write(FILES, tmp_path)
    assert stale(FILES, tmp_path) == []

    (tmp_path / DASHBOARDS / "slo.json").write_text("{}", encoding="utf-8")
    (tmp_path / DASHBOARDS / "old.json").touch()
    (tmp_path / RULES / "drill/rules.yaml").unlink()
    assert stale(FILES, tmp_path) == [
        f"{RULES}/drill/rules.yaml",
        f"{DASHBOARDS}/old.json",
        f"{DASHBOARDS}/slo.json",
    ]

    write(FILES, tmp_path)
    assert stale(FILES, tmp_path) == []


def test_command_writes_checks_and_says_what_is_out_of_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Exit code 1 for out of step, with the file and what to do.
    """
    assert main(["generate", "--out", str(tmp_path)]) == 0
    assert main(["generate", "--check", "--out", str(tmp_path)]) == 0
    (tmp_path / DASHBOARDS / "drill.json").unlink()
    capsys.readouterr()

    assert main(["generate", "--check", "--out", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "drill.json: out of step; run `python -m stack.dashboards generate`" in said


def test_command_names_a_mistake_of_the_service_levels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Exit code 2, with file and line, and nothing written.
    """
    broken = tmp_path / "slo.yaml"
    broken.write_text(SOURCE.read_text(encoding="utf-8").replace("targetPercent: 99}", "targetPercent: 200}"))
    assert main(["generate", "--slo", str(broken), "--out", str(tmp_path / "out")]) == 2
    assert f"{broken}:" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_dashboards_follow_the_service_levels(tmp_path: Path) -> None:
    """
    Another objective is another line in the pictures; a level that is gone has no row.
    """
    changed = tmp_path / "slo.yaml"
    changed.write_text(SOURCE.read_text(encoding="utf-8").replace("targetPercent: 99.9", "targetPercent: 99.5"))
    before, after = FILES[f"{DASHBOARDS}/slo.json"], generate(changed)[f"{DASHBOARDS}/slo.json"]
    assert '"value": 0.999' in before
    assert '"value": 0.999' not in after
    assert '"value": 0.995' in after
