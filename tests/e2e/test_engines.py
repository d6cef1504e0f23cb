"""The engines for real: each binary runs, and is what the table says."""

import subprocess
from pathlib import Path

import pytest

from stack.engines import ENGINES, MAKERS, ensure, status
from stack.engines.search import version_in

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def engines() -> dict[str, Path]:
    """All binaries; built first where they are missing."""
    return dict(ensure())


def say(*command: str | Path) -> str:
    """What a program prints."""
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.mark.parametrize("binary", MAKERS)
def test_binary_runs_and_says_its_version(engines: dict[str, Path], binary: str) -> None:
    """A built binary says exactly the pinned version; one on PATH says one that is accepted."""
    origin = {found.binary: found.origin for one in status() for found in one.found}[binary]
    engine = MAKERS[binary]
    version = version_in(say(engines[binary], "--version"))

    assert version is not None
    assert engine.at_least <= version < engine.below
    assert origin == "PATH" or version == version_in(f"version {engine.version}")


def test_nothing_is_missing_after_ensure(engines: dict[str, Path]) -> None:
    """The status agrees with what ensure answered."""
    assert all(one.complete for one in status())
    assert engines == {found.binary: found.path for one in status() for found in one.found}


def test_collector_has_the_components_of_the_manifest(engines: dict[str, Path]) -> None:
    """Each component that is asked of a Collector on PATH is in the one that is built, under the same name."""
    listed = say(engines["otelcol"], "components")

    for part in ENGINES["collector"].parts:
        assert f"- name: {part}\n" in listed


def test_built_binaries_are_static(engines: dict[str, Path]) -> None:
    """A built binary needs no library, so that it also runs in an empty image: it names no interpreter."""
    for path in engines.values():
        if path.parents[2].name == "engines":
            assert b"/ld-linux" not in path.read_bytes()[:4096], path
