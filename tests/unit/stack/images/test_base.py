"""The base: what its Python is, and a local one from Debian's packages."""

from contextlib import nullcontext
from pathlib import Path

import pytest

from stack.engines.errors import EngineError
from stack.engines.progress import Reporter, silent
from stack.images import base
from stack.images.errors import ImageError
from tests.unit.stack.images.engine import PYTHON, Engine, script


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The only folder on PATH but for the shell's own, and a cache of its own."""
    monkeypatch.setenv("TOCSIN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path / "bin"


def build(engine: Engine) -> str:
    """Build it, and show nothing."""
    return base.build_local(engine.client, Reporter("base", silent))


def test_python_of_a_base_is_asked_not_guessed() -> None:
    """Version, machine and C library come from the very Python that will run."""
    assert base.examine(Engine(images={"any": {}}).client, "any") == base.Base(
        python="3.11.2", machine="x86_64", glibc=36
    )


def test_nothing_is_left_of_the_question() -> None:
    """The container that was asked goes with its volumes, also when its program fails."""
    for status in (0, 127):
        engine = Engine(images={"any": {}}, status=status)
        with nullcontext() if status == 0 else pytest.raises(ImageError, match="any does not run: exit status 127"):
            base.examine(engine.client, "any")
        assert engine.removed == [("any", {"v": True, "force": True})]


def test_base_without_glibc_is_refused() -> None:
    """On Alpine the wheels do not fit; that is said before anything is fetched."""
    engine = Engine(images={"alpine": {}}, said_by_python={**PYTHON, "libc": ["", ""]})

    with pytest.raises(
        ImageError, match=r"alpine: its Python is not built on glibc 2 .*; a base must be one such as python:"
    ):
        base.examine(engine.client, "alpine")


def test_archive_is_kept_for_the_next_engine(programs: Path) -> None:
    """Debian is asked once: an engine that lost its images gets the base from the cache, and one that has it nothing."""
    script(programs / "mmdebstrap", f'echo once >> {programs}/calls; for last; do :; done; echo tar > "$last"')
    first = Engine()
    _tarfile_is_not_read(first)
    assert build(first) == build(first)
    _tarfile_is_not_read(second := Engine())
    build(second)

    assert (programs / "calls").read_text() == "once\n"
    assert first.images.keys() == second.images.keys() == {base.LOCAL_BASE}


def test_without_mmdebstrap(programs: Path) -> None:
    """The package to install is named, and the way without it."""
    programs.mkdir()

    with pytest.raises(ImageError, match=r"sudo apt-get install mmdebstrap.*--base python:3\.13-slim"):
        build(Engine())


@pytest.mark.parametrize(
    ("printed", "told"),
    [
        ("E: unable to pick chroot mode automatically (use --mode for manual selection)", "mmdebstrap needs root"),
        ("W: GPG error: NO_PUBKEY 0E98404D386FA1D9", "install debian-archive-keyring"),
        ("E: Could not connect: connection refused", "the registry did not serve a download"),
    ],
)
def test_failed_bootstrap_says_what_to_try(programs: Path, printed: str, told: str) -> None:
    """No root, no keys, no network: each has its advice, and nothing half made is kept."""
    script(programs / "mmdebstrap", f"echo '{printed}'; exit 25")

    with pytest.raises(EngineError, match=f"exit status 25\n  try: .*{told}"):
        build(Engine())
    assert not list((programs.parent / "cache" / "images").glob("**/*.tar"))


def _tarfile_is_not_read(engine: Engine) -> None:
    """Let the engine take an archive that is none."""

    def take(_filename: str, *, repository: str, tag: str, changes: list[str]) -> str:
        labels = dict(line.removeprefix("LABEL ").split("=", 1) for line in changes if line.startswith("LABEL "))
        engine.hold(f"{repository}:{tag}", **labels)
        return ""

    engine.import_archive = take
