"""State on disk: a restart forgets nothing, and a damaged or foreign file is left aside."""

from pathlib import Path

import numpy as np
import pytest

from detector import journal, snapshot
from detector.alerts import Alert
from detector.config import Watch
from detector.fit import fit
from detector.matrix import Labels
from detector.snapshot import Snapshot
from detector.watcher import Watcher

STEP_S = 15.0


def watcher(kind: str = "latency", **changes: object) -> Watcher:
    """A watcher with seasons, at 15 seconds."""
    values = {"name": "w", "query": "q", "kind": kind, **changes}
    return Watcher(Watch.model_validate(values), step_s=STEP_S, max_series=50, forget_after_s=3600.0)


def sample(at: int, count: int = 12) -> dict[Labels, float]:
    """Values of some series that come and go, with faults."""
    rng = np.random.default_rng(at)
    values = 0.1 * np.exp(rng.normal(0.0, 0.08, count)) * np.where((at // 40 + np.arange(count)) % 9 == 0, 4.0, 1.0)
    return {(("n", str(i)),): float(values[i]) for i in range(count) if rng.random() > 0.05}


def restarted(one: Watcher) -> Watcher:
    """The watcher after its state went through the arrays of a file."""
    other = watcher(str(one.watch.kind))
    assert Snapshot(snapshot.pack({"w": one})).restore(other)
    return other


@pytest.mark.parametrize("kind", ["latency", "errors"])
def test_state_after_a_thousand_restarts_equals_an_uninterrupted_run(kind: str) -> None:
    """At each of 1,000 ticks the detector is stopped and started again, and nobody could tell."""
    plain, broken = watcher(kind), watcher(kind)
    for at in range(1000):
        values = sample(at)
        for one in (plain, broken):
            one.take(at * STEP_S, values, None)
        if at in (400, 700):
            for one in (plain, broken):
                slot = one.roster.slots[(("n", "3"),)]
                one.bank.adopt(slot, fit(one.bank.job(slot)))
        broken = restarted(broken)
    assert broken.roster.slots == plain.roster.slots
    wanted, found = snapshot.bank_arrays(plain.bank), snapshot.bank_arrays(broken.bank)
    assert wanted.keys() == found.keys()
    for name, array in wanted.items():
        np.testing.assert_array_equal(array, found[name], err_msg=name)


def test_a_state_goes_through_a_file(tmp_path: Path) -> None:
    """Written whole, read back, with the roster and what was refused; nothing else is left in the folder."""
    one = watcher()
    for at in range(50):
        one.take(at * STEP_S, sample(at), None)
    one.roster.refused[(("n", "x"),)] = "a raw counter; query its rate()"
    one.fitted_s[2] = 123.0
    snapshot.write(tmp_path / "state", snapshot.pack({"w": one}))
    read = snapshot.read(tmp_path / "state")
    assert read is not None
    other = watcher()
    assert read.restore(other)
    assert other.roster.refused == one.roster.refused
    assert other.fitted_s[2] == 123.0
    assert other.bank.at_s == one.bank.at_s
    assert [path.name for path in (tmp_path / "state").iterdir()] == [snapshot.FILE]


@pytest.mark.parametrize(
    "other", [watcher("traffic"), watcher(query="p"), watcher(sensitivity=2.0), watcher(season="none")]
)
def test_the_state_of_another_watch_is_not_taken(other: Watcher) -> None:
    """A changed query, kind or dial means another series."""
    assert not Snapshot(snapshot.pack({"w": watcher()})).restore(other)
    assert other.bank.at_s == -np.inf


def test_no_file_is_no_state_and_a_damaged_one_is_an_error(tmp_path: Path) -> None:
    """A half-written, foreign or emptied file is told, not believed."""
    assert snapshot.read(tmp_path) is None
    snapshot.write(tmp_path, snapshot.pack({"w": watcher()}))
    whole = (tmp_path / snapshot.FILE).read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"not a zip"):
        (tmp_path / snapshot.FILE).write_bytes(damaged)
        with pytest.raises(ValueError, match="cannot be used"):
            snapshot.read(tmp_path)


def test_a_state_of_another_version_is_not_taken() -> None:
    """Layouts change; the message says which version was found."""
    arrays = snapshot.pack({"w": watcher()})
    arrays["meta"] = np.frombuffer(b'{"version": 99, "watches": {}}', dtype=np.uint8)
    with pytest.raises(ValueError, match="state of version 99"):
        Snapshot(arrays)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk in the middle of writing costs the new state, not the old one."""
    snapshot.replace_file(tmp_path / "file", b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        snapshot.replace_file(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"old"


def test_the_journal_keeps_active_and_waiting_alerts(tmp_path: Path) -> None:
    """What was active, of which watch, and what each sink has still to be told."""
    one = Alert(labels={"alertname": "A"}, annotations={"grade": "warning"}, starts_s=5.0)
    over = Alert(labels={"alertname": "B"}, annotations={}, starts_s=5.0, ends_s=9.0)
    written = journal.Journal(
        active={one.fingerprint: one},
        scopes={one.fingerprint: "w"},
        waiting={"am": {over.fingerprint: over}, "hook": {}},
    )
    assert journal.read(tmp_path) == journal.Journal()
    journal.write(tmp_path, written)
    assert journal.read(tmp_path) == written


@pytest.mark.parametrize("damaged", [b"", b"[]", b"{}", b'{"active": [{"x": 1}]}', b"\xff\xfe"])
def test_a_damaged_journal_is_told(tmp_path: Path, damaged: bytes) -> None:
    """The message says what happens next."""
    (tmp_path / journal.FILE).write_bytes(damaged)
    with pytest.raises(ValueError, match=r"is damaged .* found again from history"):
        journal.read(tmp_path)
