"""The cache: where built engines are kept, whole or not at all, for every checkout of this user."""

import functools
import hashlib
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

from stack.engines.table import Engine

HERE = Path(__file__).parent
MANIFEST = "manifest.json"
LOOK_AGAIN_S = 0.5
LDFLAGS = "-s -w"
"""Without symbol tables: a third smaller, and nobody debugs an engine here."""

GCFLAGS = "all=-dwarf=false"
"""Nor write what the linker would only drop again: a fifth less work. One value for all, so that they share the standard library."""


def folder() -> Path:
    """Tocsin's cache: $TOCSIN_CACHE, or the user's cache folder (XDG)."""
    given = os.environ.get("TOCSIN_CACHE")
    return Path(given).expanduser().resolve() if given else platformdirs.user_cache_path("tocsin")


def key(engine: Engine) -> str:
    """Twelve hex digits of all that decides what a build gives: another version, setting, pinned file or machine gives another."""
    settings = [
        engine.name,
        engine.version,
        engine.version_symbol,
        LDFLAGS,
        GCFLAGS,
        *engine.tags,
        *engine.packages.values(),
    ]
    digest = hashlib.sha256("\0".join([*settings, platform.system(), platform.machine()]).encode())
    for source in engine.sources:
        digest.update(b"\0" + (HERE / source).read_bytes())
    return digest.hexdigest()[:12]


def home(engine: Engine) -> Path:
    """Where the engine is, or will be: a folder with `bin/` and a manifest."""
    return folder() / "engines" / f"{engine.name}-{engine.version}-{key(engine)}"


def log_of(engine: Engine) -> Path:
    """Where the log of the engine's last build is."""
    return folder() / "engines" / "logs" / f"{home(engine).name}.log"


def find(engine: Engine, binary: str) -> Path | None:
    """One binary of a built engine, or None: not built, or not the bytes that were built."""
    path = home(engine) / "bin" / binary
    try:
        recorded = json.loads((home(engine) / MANIFEST).read_text(encoding="utf-8"))["binaries"][binary]
        state = path.stat()
        whole = state.st_size == recorded["size"] and _digest(path, state.st_mtime_ns) == recorded["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return path if whole and os.access(path, os.X_OK) else None


def is_damaged(engine: Engine, binary: str) -> bool:
    """Whether the binary is in the cache, but not as it was built."""
    return home(engine).is_dir() and find(engine, binary) is None


@contextmanager
def locked(name: str, *, on_wait: Callable[[], None], below: str = "engines") -> Iterator[None]:
    """
    Keep other processes from making the same thing, in the folder `below` of the cache, meanwhile.

    `on_wait` is called again and again while one is at it, and may raise.
    """
    path = folder() / below / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        while not lock.is_locked:
            try:
                lock.acquire(timeout=LOOK_AGAIN_S)
            except Timeout:
                on_wait()
        yield
    finally:
        lock.release()


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """
    Give an empty folder that becomes `target` if the body succeeds; else nothing is left of it. To be used under the target's lock.

    Leftovers of a killed build are removed; a target already there is replaced.
    """
    for leftover in target.parent.glob(f"{target.name}.part-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    part = Path(tempfile.mkdtemp(prefix=f"{target.name}.part-", dir=target.parent))
    try:
        yield part
        part.chmod(0o755)
        if target.exists():
            target.rename(part / "replaced")
        part.rename(target)
        shutil.rmtree(target / "replaced", ignore_errors=True)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def write_manifest(built: Path, engine: Engine, *, facts: Mapping[str, str]) -> None:
    """Record the size and checksum of each binary in `built/bin`, beside what is said of the build."""
    binaries = {
        binary: {"size": path.stat().st_size, "sha256": _digest(path, path.stat().st_mtime_ns)}
        for binary, path in ((binary, built / "bin" / binary) for binary in engine.packages)
    }
    content = {"engine": engine.name, "version": engine.version, "key": key(engine), **facts, "binaries": binaries}
    (built / MANIFEST).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


@functools.lru_cache(maxsize=64)
def _digest(path: Path, _mtime_ns: int) -> str:
    """The file's SHA-256; remembered in this process for as long as the file is not written to."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
