"""Keeping: what cannot be kept is said, and breaks nothing else."""

from pathlib import Path

import pytest

from scenarios.history import History, Phase
from tocsin import keeping as module
from tocsin.keeping import HistoryFile, full_disk
from tocsin.live import Live


def test_a_full_disk_becomes_a_problem_and_no_error() -> None:
    """Whoever records goes on: a disk that is full must not keep anything from being healed."""
    live = Live(name="small", total_s=1)
    history = HistoryFile(Path("/dev/full"), [live])

    history.record(Phase(t=1, name="drive"))
    first = history.problem
    history.record(Phase(t=2, name="cool_down"))
    history.close()

    assert first.startswith("the history cannot be written: ")
    assert (first, "cool down") == (history.problem, live.stage)


def test_a_good_history_has_no_problem(tmp_path: Path) -> None:
    """Each event is on disk when `record` returns."""
    history = HistoryFile(tmp_path / "history.jsonl", [Live(name="small", total_s=1)])

    history.record(Phase(t=1, name="drive"))

    assert len(History.read(tmp_path / "history.jsonl").events) == 1
    history.close()
    assert history.problem == ""


def test_a_full_disk_is_said_to_be_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It explains any other error; a disk with room left explains nothing."""
    assert full_disk(tmp_path) == ""

    monkeypatch.setattr(module, "LEAST_FREE_BYTES", 1 << 62)
    assert f"the disk of {tmp_path} is full: " in full_disk(tmp_path)
