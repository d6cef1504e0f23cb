"""Run folder: `runs/<id>/`, all that is kept of one drill."""

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self


class RunError(ValueError):
    """A saved run cannot be read; the message names the file and says what to do."""


@dataclass(frozen=True, slots=True)
class RunDir:
    """
    The places of one run. The folder's name is the run's id, which is also the service namespace of its demo app.
    """

    path: Path

    @classmethod
    def create(cls, runs: Path, name: str) -> Self:
        """Make a folder for a new run of a drill. Raises OSError when it cannot be made."""
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
        run = cls(runs / f"{name}-{stamp}-{secrets.token_hex(2)}")
        run.logs.mkdir(parents=True)
        return run

    @classmethod
    def find(cls, runs: Path, wanted: str) -> Self:
        """
        The run of this path, id or beginning of an id; `last` is the newest. Raises FileNotFoundError that says what there is.
        """
        if (Path(wanted) / "scenario.json").is_file():
            return cls(Path(wanted).resolve())
        known = list(cls.all(runs))
        if wanted == "last" and known:
            return known[-1]
        exact = [run for run in known if run.id == wanted]
        matching = exact or [run for run in known if run.id.startswith(wanted)]
        if len(matching) == 1:
            return matching[0]
        shown = ", ".join(run.id for run in (matching or known)[-8:]) or "none yet; `tocsin run` makes one"
        problem = f"{len(matching)} runs begin with {wanted!r}" if matching else f"no run {wanted!r} in {runs}"
        raise FileNotFoundError(f"{problem}; there are: {shown}")

    @classmethod
    def all(cls, runs: Path) -> Iterator[Self]:
        """All runs, the oldest first."""
        # By what is written once, at the start: the folder itself changes whenever its run is judged again.
        scenarios = [path for path in runs.glob("*/scenario.json") if path.is_file()]
        for path in sorted(scenarios, key=lambda path: (path.stat().st_mtime_ns, path)):
            yield cls(path.parent)

    @property
    def id(self) -> str:
        """The run's id."""
        return self.path.name

    @property
    def scenario(self) -> Path:
        """What was to be done."""
        return self.path / "scenario.json"

    @property
    def history(self) -> Path:
        """What happened; closed before any backend is asked."""
        return self.path / "history.jsonl"

    @property
    def evidence(self) -> Path:
        """What the backends said."""
        return self.path / "evidence.json"

    @property
    def setting(self) -> Path:
        """On what it ran: runtime, profile and parts."""
        return self.path / "setting.json"

    @property
    def record(self) -> Path:
        """How it was judged."""
        return self.path / "record.json"

    @property
    def report(self) -> Path:
        """The record, for people."""
        return self.path / "report.html"

    @property
    def logs(self) -> Path:
        """A log of each part."""
        return self.path / "logs"
