"""Wheels: fetched for the base's Python, not for the one that fetches them."""

import sys
from pathlib import Path

import pytest

from stack.engines.errors import EngineError
from stack.engines.progress import Reporter, silent
from stack.images import wheels
from stack.images.base import Base
from stack.images.errors import ImageError
from tests.unit.stack.images.engine import script

TEXT = """numpy==2.4.6 ; python_full_version < '3.12' \\
    --hash=sha256:aa
numpy==2.5.5 ; python_full_version >= '3.12' \\
    --hash=sha256:bb
"""
OLD, NEW = Base(python="3.11.2", machine="x86_64", glibc=36), Base(python="3.13.1", machine="aarch64", glibc=41)


@pytest.fixture
def requirements(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Pins in a file, a cache of their own, and a pip that notes how it is called and what it shall fetch."""
    monkeypatch.setenv("TOCSIN_CACHE", str(tmp_path / "cache"))
    program = script(
        tmp_path / "python", f'echo "$@" >> {tmp_path}/calls; for last; do :; done; cat "$last" >> {tmp_path}/asked'
    )
    monkeypatch.setattr(sys, "executable", str(program))
    (tmp_path / "requirements.txt").write_text(TEXT)
    return tmp_path / "requirements.txt"


def fetch(requirements: Path, base: Base) -> Path:
    """Fetch, and show nothing."""
    return wheels.fetch(requirements, base, Reporter("wheels", silent))


def test_for_the_python_of_the_base(requirements: Path) -> None:
    """Pip is told the base's version and machine, and is asked for the versions that its markers choose."""
    fetch(requirements, NEW)
    call, asked = ((requirements.parent / name).read_text() for name in ("calls", "asked"))

    assert "--python-version 3.13.1 --platform manylinux_2_41_aarch64" in call
    assert "--require-hashes" in call
    assert "numpy==2.5.5 \\\n    --hash=sha256:bb\n" in asked
    assert "2.4.6" not in asked


def test_fetched_once_for_each_base(requirements: Path) -> None:
    """The same pins for the same base are in the cache; another base has a folder of its own."""
    assert fetch(requirements, OLD) == fetch(requirements, OLD)
    assert fetch(requirements, OLD) != fetch(requirements, NEW)
    assert len((requirements.parent / "calls").read_text().splitlines()) == 2


def test_wheels_for_older_libraries_fit_too() -> None:
    """All tags from the base's own glibc down to the oldest are allowed."""
    tags = list(wheels.platforms_of(OLD))

    assert tags[0] == "manylinux_2_36_x86_64"
    assert {"manylinux_2_17_x86_64", "manylinux2014_x86_64", "manylinux_2_5_x86_64"} <= set(tags)
    assert "manylinux_2_37_x86_64" not in tags


def test_failed_download_keeps_nothing(requirements: Path, tmp_path: Path) -> None:
    """What pip printed is in the error; a half filled folder does not pass for a whole one."""
    script(tmp_path / "python", "echo 'ERROR: Could not find a version that satisfies numpy'; exit 1")

    with pytest.raises(EngineError, match=r"fetching wheels for Python 3\.11\.2 on x86_64 failed with exit status 1"):
        fetch(requirements, OLD)
    assert not [path for path in (tmp_path / "cache" / "images").iterdir() if path.is_dir()]


def test_without_pip(requirements: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python without pip is named, and the way to give it one."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)

    with pytest.raises(ImageError, match=r"this Python \(.*\) has no pip.*python -m ensurepip"):
        fetch(requirements, OLD)
