"""A tarball: files for the engine, the same bytes for the same content, whoever makes it and when."""

import hashlib
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self


class Tarball:
    """
    An archive being written to a file; use it as a context manager.

    Times are nought and owners are numbers, so that neither the clock nor the machine shows in it.
    """

    def __init__(self, path: Path) -> None:
        self._tar = tarfile.open(path, "w", format=tarfile.GNU_FORMAT)  # noqa: SIM115 - closed by __exit__

    def add_file(self, source: Path, name: str, *, mode: int = 0o644) -> None:
        """Add one file, owned by root."""
        with source.open("rb") as content:
            self._tar.addfile(_entry(name, size=source.stat().st_size, mode=mode), content)

    def add_text(self, text: str, name: str) -> None:
        """Add one file, owned by root and readable by all."""
        content = text.encode()
        self._tar.addfile(_entry(name, size=len(content), mode=0o644), io.BytesIO(content))

    def add_folder(self, name: str, *, mode: int = 0o755, owner: int = 0) -> None:
        """Add an empty folder; `owner` is the number of its user and of its group."""
        entry = _entry(name, size=0, mode=mode)
        entry.type, entry.uid, entry.gid = tarfile.DIRTYPE, owner, owner
        self._tar.addfile(entry)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._tar.close()


def _entry(name: str, *, size: int, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, mode
    return entry


def files_below(path: Path) -> Iterator[Path]:
    """A file itself, or all files of a folder in order, without caches and hidden ones."""
    if path.is_file():
        yield path
        return
    for inner in sorted(path.iterdir()):
        if not inner.name.startswith(".") and inner.name != "__pycache__":
            yield from files_below(inner)


def digest(*parts: str | Path) -> str:
    """Twelve hex digits of texts and of files' contents, in this order."""
    total = hashlib.sha256()
    for part in parts:
        content = part.read_bytes() if isinstance(part, Path) else part.encode()
        total.update(hashlib.sha256(content).digest())
    return total.hexdigest()[:12]
