"""Disks: filled to the last byte and freed, where this process may mount; where not, filling one says what to do."""

import errno
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from stack.errors import StackError
from stack.runtimes.disk import Disk, unmount_below


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where a disk may be mounted; nothing stays mounted there."""
    place = tmp_path / "with space" / "data"
    place.mkdir(parents=True)
    yield place
    unmount_below(tmp_path)


@pytest.fixture
def disk(folder: Path) -> Disk:
    """A disk of one megabyte; where there can be none, the test is skipped."""
    made = Disk(folder, mb=1)
    if made.problem:
        pytest.skip(made.problem)
    return made


def writes(folder: Path, size: int = 1) -> bool:
    """Whether something can be written there."""
    try:
        (folder / "some").write_bytes(b"x" * size)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return False
    return True


def test_a_disk_that_was_filled_takes_no_byte_more_until_it_is_freed(disk: Disk) -> None:
    """And what was written before is still there."""
    kept = disk.folder / "kept"
    kept.write_bytes(b"x" * 10_000)
    (disk.folder / "some").touch()

    disk.fill()
    assert not writes(disk.folder)

    disk.free()
    assert writes(disk.folder, 100_000)
    assert len(kept.read_bytes()) == 10_000
    disk.free()


def test_what_was_freed_meanwhile_is_filled_again(disk: Disk) -> None:
    """As by a database that removes old files when it has no room."""
    old, some = disk.folder / "old", disk.folder / "some"
    old.write_bytes(b"x" * 100_000)
    some.touch()
    disk.fill()
    old.unlink()

    disk.fill()

    assert not writes(disk.folder)


def test_a_disk_is_taken_away_with_what_uses_it(disk: Disk, tmp_path: Path) -> None:
    """A file that is still open does not keep it; the folder is empty then."""
    with (disk.folder / "open").open("wb"):
        unmount_below(tmp_path)

    assert list(disk.folder.iterdir()) == []
    assert not [one for one in psutil.disk_partitions(all=True) if Path(one.mountpoint).is_relative_to(tmp_path)]


def test_without_the_right_to_mount_filling_says_what_to_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else is the worse for it: the folder is a folder."""

    def refuse(command: list[str], **_: object) -> None:
        raise subprocess.CalledProcessError(32, command, stderr="mount: only root can do that.\n")

    monkeypatch.setattr("stack.runtimes.disk.subprocess.run", refuse)
    disk = Disk(folder, mb=1)

    assert writes(folder)
    with pytest.raises(StackError) as caught:
        disk.fill()
    assert str(caught.value) == (
        "a disk of its own needs the right to mount (mount: only root can do that.); run as root, or with `--runtime containers`"
    )
    disk.free()
