"""The search: which binary to use, and why not another."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stack.engines import cache
from stack.engines.errors import EngineError
from stack.engines.table import ENGINES, MAKERS, Engine, Version, spelled

ANSWER_WITHIN_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A binary that is there: where, which version it says, and whether from PATH or the cache."""

    binary: str
    path: Path
    version: str
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What is there of one engine: `missing` binaries would be built from `module`; `notes` say why something there is not used."""

    engine: str
    version: str
    module: str
    found: tuple[Found, ...]
    missing: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether nothing has to be built."""
        return not self.missing


def maker(binary: str) -> Engine:
    """The engine that a binary belongs to; raise EngineError if there is none."""
    try:
        return MAKERS[binary]
    except KeyError:
        raise EngineError(f"no engine makes {binary!r}; known: {', '.join(sorted(MAKERS))}") from None


def locate(binary: str) -> Path | None:
    """Where a binary is: on PATH if the version there is accepted, else in the cache; None if it has to be built."""
    found = _find(maker(binary), binary, notes=[])
    return found.path if found else None


def built(binary: str) -> Path | None:
    """Where a binary that was built here is: of the pinned version, and static; None if it has to be built."""
    return cache.find(maker(binary), binary)


def status() -> list[Status]:
    """What is there of each engine, and what is missing."""
    return [_status(engine) for engine in ENGINES.values()]


def version_line(program: Path) -> str:
    """The first line that a binary prints when asked for its version; empty if it does not run."""
    return _ask(program, "--version").partition("\n")[0].strip()


def version_in(line: str) -> Version | None:
    """The version in such a line."""
    found = re.search(r"\bversion[ =]+v?(\d+)\.(\d+)\.(\d+)", line)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def _status(engine: Engine) -> Status:
    notes: list[str] = []
    found = {binary: _find(engine, binary, notes=notes) for binary in engine.packages}
    return Status(
        engine=engine.name,
        version=engine.version,
        module=engine.module,
        found=tuple(one for one in found.values() if one),
        missing=tuple(binary for binary, one in found.items() if not one),
        notes=tuple(notes),
    )


def _find(engine: Engine, binary: str, *, notes: list[str]) -> Found | None:
    for path in _on_path(engine, binary):
        version = version_in(version_line(path))
        refusal = _refusal(engine, path, version)
        if version and not refusal:
            return Found(binary=binary, path=path, version=spelled(version), origin="PATH")
        notes.append(refusal)
    cached = cache.find(engine, binary)
    if cached:
        return Found(binary=binary, path=cached, version=engine.version, origin="cache")
    if cache.is_damaged(engine, binary):
        notes.append(
            f"{cache.home(engine) / 'bin' / binary} is not what was built (size or checksum): it will be built again"
        )
    return None


def _on_path(engine: Engine, binary: str) -> Iterator[Path]:
    for name in (binary, *engine.also_named.get(binary, ())):
        path = shutil.which(name)
        if path:
            yield Path(path)


def _refusal(engine: Engine, path: Path, version: Version | None) -> str:
    """Why a binary on PATH is not used; empty if it is."""
    wanted = f"{spelled(engine.at_least)} or newer, below {spelled(engine.below)}"
    if version is None:
        return f"{path} does not say its version; wanted: {wanted}"
    if not engine.at_least <= version < engine.below:
        return f"{path} is {spelled(version)}; wanted: {wanted}"
    absent = engine.parts - _parts(path) if engine.parts else set()
    return f"{path} lacks the components {', '.join(sorted(absent))}" if absent else ""


def _parts(path: Path) -> set[str]:
    return set(re.findall(r"^\s*- name: (\S+)$", _ask(path, "components"), re.MULTILINE))


def _ask(program: Path, argument: str) -> str:
    try:
        answer = subprocess.run(
            [program, argument],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=ANSWER_WITHIN_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout if answer.returncode == 0 else ""
