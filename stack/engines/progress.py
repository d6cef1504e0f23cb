"""Progress: how far the making of an engine is, for whoever shows it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """What is done with an engine at the moment."""

    WAIT = "waiting for another build"
    INSTALL = "installing"
    DOWNLOAD = "downloading"
    GENERATE = "generating sources"
    COMPILE = "compiling"
    BUILD = "building"
    CHECK = "checking"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One step: `done` of `total` packages or modules (0: not known), `elapsed_s` seconds after its engine was begun."""

    engine: str
    stage: Stage
    elapsed_s: float
    done: int = 0
    total: int = 0
    detail: str = ""


Report = Callable[[Progress], None]


def silent(_progress: Progress) -> None:
    """Show nothing."""


class Reporter:
    """Reports the progress of one engine, and keeps its time."""

    def __init__(self, engine: str, report: Report, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._report = report
        self._clock = clock
        self._begun = clock()

    def __call__(self, stage: Stage, *, done: int = 0, total: int = 0, detail: str = "") -> None:
        """Tell how far the engine is."""
        elapsed_s = self._clock() - self._begun
        self._report(
            Progress(engine=self._engine, stage=stage, elapsed_s=elapsed_s, done=done, total=total, detail=detail)
        )
