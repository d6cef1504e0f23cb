"""Only runs whose stack had the detector are scored; the command prints the score as a table or as JSON."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.unit.tocsin.saved import save, setting
from tocsin.cli import app
from tocsin.scoring import drilled

DETECTOR = {"name": "detector", "version": "0.1.0", "stand_in": False, "detail": ""}


def test_a_run_with_the_detector_is_read(tmp_path: Path) -> None:
    """By its own id, which is its namespace."""
    run = save(tmp_path, on=setting(parts=[DETECTOR]))

    found = drilled(run)

    assert found is not None
    assert (found.namespace, found.scenario.name, found.history.count()) == ("small-1", "small", 150)


def test_a_run_without_it_is_left_out(tmp_path: Path) -> None:
    """So is one that was never carried out."""
    run = save(tmp_path)
    assert drilled(run) is None

    run.setting.unlink()
    assert drilled(run) is None


def test_the_command_prints_a_table_or_json(tmp_path: Path) -> None:
    """One row for each signal."""
    save(tmp_path, on=setting(parts=[DETECTOR]))

    table = CliRunner().invoke(app, ["scorecard", "--runs", str(tmp_path)])
    as_json = CliRunner().invoke(app, ["scorecard", "small-1", "--runs", str(tmp_path), "--json"])

    assert table.exit_code == 0
    assert "the anomaly detector in 1 drill\n" in table.output
    assert [one["signal"] for one in json.loads(as_json.output)] == ["traffic", "errors", "latency"]


def test_without_any_such_run_it_says_how_to_make_one(tmp_path: Path) -> None:
    """The message names the drill."""
    found = CliRunner().invoke(app, ["scorecard", "--runs", str(tmp_path)])

    assert isinstance(found.exception, FileNotFoundError)
    assert "`tocsin run anomalies` makes one" in str(found.exception)


def test_backfill_asks_for_promtool_and_writes_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the engine's own promtool."""
    asked: list[object] = []
    monkeypatch.setattr("stack.engines.ensure", lambda names: {names[0]: Path("/bin/promtool")})
    monkeypatch.setattr("detector.cli.backfill", lambda **options: asked.append(options))

    found = CliRunner().invoke(app, ["backfill", str(tmp_path), "--days", "2"])

    assert found.exit_code == 0, found.output
    assert asked == [
        {"data_dir": tmp_path, "promtool": Path("/bin/promtool"), "days": 2.0, "services": 2, "labels": None}
    ]
