"""Run folders: how a run is named, kept and found again."""

import os
from pathlib import Path

import pytest

from tests.unit.tocsin.saved import save
from tocsin.rundir import RunDir


def aged(runs: Path, run_id: str, seconds_ago: int) -> RunDir:
    """A saved run that began some time ago."""
    run = save(runs, run_id)
    moment = run.scenario.stat().st_mtime - seconds_ago
    os.utime(run.scenario, (moment, moment))
    return run


def test_a_new_run_is_named_after_its_drill_and_is_one_of_a_kind(tmp_path: Path) -> None:
    """Two that begin in the same second do not share a folder."""
    one, other = RunDir.create(tmp_path, "error-burst"), RunDir.create(tmp_path, "error-burst")

    assert one.id.startswith("error-burst-")
    assert one != other
    assert one.logs.is_dir()


def test_a_folder_is_no_run_before_it_says_what_is_to_be_done(tmp_path: Path) -> None:
    """Other things may lie beside the runs."""
    RunDir.create(tmp_path, "empty")
    (tmp_path / "notes.txt").write_text("scenario.json")

    assert list(RunDir.all(tmp_path)) == []
    assert list(RunDir.all(tmp_path / "nothing-here")) == []


def test_a_run_is_found_by_its_path(tmp_path: Path) -> None:
    """Wherever it lies, and also from within it, where its id is still the folder's name."""
    run = save(tmp_path / "elsewhere", "small-1")
    before = Path.cwd()
    os.chdir(run.path)
    try:
        found = RunDir.find(tmp_path, ".")
    finally:
        os.chdir(before)

    assert RunDir.find(tmp_path, str(run.path)).path == run.path
    assert ("small-1", run.path) == (found.id, found.path)


def test_a_run_is_found_by_its_id_or_the_beginning_of_it(tmp_path: Path) -> None:
    """As long as the beginning means one run only."""
    save(tmp_path, "small-1")
    save(tmp_path, "other-1")

    assert "small-1" == RunDir.find(tmp_path, "small-1").id == RunDir.find(tmp_path, "sm").id


def test_an_id_wins_over_longer_ones_that_begin_with_it(tmp_path: Path) -> None:
    """It was named in full."""
    save(tmp_path, "small-1")
    save(tmp_path, "small-12")

    assert RunDir.find(tmp_path, "small-1").id == "small-1"


def test_last_is_the_run_that_began_last(tmp_path: Path) -> None:
    """Judging an old run again does not make it the last one."""
    old, new = aged(tmp_path, "b-old", 60), aged(tmp_path, "a-new", 10)
    old.record.write_text("{}")
    os.utime(old.path)

    assert [old, new] == list(RunDir.all(tmp_path))
    assert new == RunDir.find(tmp_path, "last")


def test_an_ambiguous_beginning_is_refused_with_the_runs_that_it_may_mean(tmp_path: Path) -> None:
    """Nobody wants to judge the wrong run."""
    for run_id in ("small-1", "small-2", "other-1"):
        save(tmp_path, run_id)

    with pytest.raises(FileNotFoundError) as caught:
        RunDir.find(tmp_path, "small")

    assert str(caught.value).startswith("2 runs begin with 'small'; there are: ")
    assert "small-1" in str(caught.value)
    assert "other-1" not in str(caught.value)


def test_an_unknown_run_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    """The message says where was looked."""
    save(tmp_path, "small-1")

    with pytest.raises(FileNotFoundError, match=rf"no run 'large' in {tmp_path}; there are: small-1"):
        RunDir.find(tmp_path, "large")


@pytest.mark.parametrize("wanted", ["last", "small"])
def test_without_any_run_the_message_says_how_to_make_one(tmp_path: Path, wanted: str) -> None:
    """Also where there is no folder of runs at all."""
    with pytest.raises(FileNotFoundError, match="none yet; `tocsin run` makes one"):
        RunDir.find(tmp_path / "runs", wanted)
