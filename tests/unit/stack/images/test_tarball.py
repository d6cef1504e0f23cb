"""A tarball: the same bytes for the same content."""

import os
import tarfile
from pathlib import Path

from stack.images.tarball import Tarball, digest, files_below


def write(path: Path, content: Path) -> bytes:
    """An archive with one of each kind."""
    with Tarball(path) as tarball:
        tarball.add_file(content, "bin/engine", mode=0o755)
        tarball.add_text("engine:x:1:1\n", "etc/passwd")
        tarball.add_folder("data", owner=10001)
    return path.read_bytes()


def test_neither_clock_nor_machine_shows(tmp_path: Path) -> None:
    """Two archives of the same content are equal, whenever the files were written."""
    content = tmp_path / "engine"
    content.write_bytes(b"engine")
    first = write(tmp_path / "first.tar", content)
    os.utime(content, (1, 1))

    assert first == write(tmp_path / "second.tar", content)


def test_modes_and_owners(tmp_path: Path) -> None:
    """Programs can be run by all and written by root alone; a data folder belongs to its user."""
    content = tmp_path / "engine"
    content.write_bytes(b"engine")
    write(tmp_path / "made.tar", content)
    with tarfile.open(tmp_path / "made.tar") as archive:
        found = {member.name: (member.mode, member.uid, member.isdir()) for member in archive}

    assert found == {
        "bin/engine": (0o755, 0, False),
        "etc/passwd": (0o644, 0, False),
        "data": (0o755, 10001, True),
    }


def test_caches_and_hidden_files_stay_out(tmp_path: Path) -> None:
    """Only sources are found, in order."""
    for name in ("b.py", "a.py", ".hidden", "__pycache__/a.pyc", "inner/.git/config", "inner/c.json"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    assert [str(path.relative_to(tmp_path)) for path in files_below(tmp_path)] == ["a.py", "b.py", "inner/c.json"]


def test_digest_knows_where_a_part_ends(tmp_path: Path) -> None:
    """The same letters in other parts, or as a file's other content, give another digest."""
    file = tmp_path / "file"
    file.write_text("ab")

    assert digest("ab", "c") != digest("a", "bc")
    assert digest("ab") == digest(file)
    before = digest(file)
    file.write_text("ac")
    assert before != digest(file)
