"""HealNote: how to heal a fault in somebody else's system, kept on disk while it lasts, in case we are killed.

Faults in the app are leased and the stack is ours to tidy up, so only `command` and `http` faults need notes.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil
from pydantic import TypeAdapter

from scenarios.history import write_json
from scenarios.model import CommandFault, HttpFault

FOLDER = "heal"
"""Where a run's notes are, in its folder."""

ForeignFault = CommandFault | HttpFault
"""A fault in a system that is not ours."""

_FAULT: TypeAdapter[ForeignFault] = TypeAdapter(ForeignFault)


@dataclass(frozen=True, slots=True, kw_only=True)
class HealNote:
    """A fault that must be healed, and the process that means to do it."""

    path: Path
    fault: ForeignFault
    pid: int
    started_t: float

    @classmethod
    def of(cls, name: str, fault: ForeignFault, *, run_dir: Path) -> Self:
        """A note of this process; it is not on disk yet."""
        path = run_dir / FOLDER / f"{name}.json"
        return cls(path=path, fault=fault, pid=os.getpid(), started_t=psutil.Process().create_time())

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a note. Raises OSError or ValueError."""
        data = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            path=path,
            fault=_FAULT.validate_python(data["fault"]),
            pid=int(data["pid"]),
            started_t=float(data["started_t"]),
        )

    def write(self) -> None:
        """Put it on disk, whole or not at all."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fault = self.fault.model_dump(mode="json", by_alias=True)
        write_json(self.path, {"fault": fault, "pid": self.pid, "started_t": self.started_t})

    def remove(self) -> None:
        """It is healed."""
        self.path.unlink(missing_ok=True)

    @property
    def owner_lives(self) -> bool:
        """Whether the process that applied the fault is still there to heal it."""
        try:
            process = psutil.Process(self.pid)
            # One that nobody has buried yet heals nothing any more.
            return abs(process.create_time() - self.started_t) < 1.0 and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False


def notes(run_dir: Path) -> Iterator[Path]:
    """
    The files of all notes of a run.
    """
    yield from sorted((run_dir / FOLDER).glob("*.json"))
