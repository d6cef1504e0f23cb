"""Keeping: the history while it is written, and what is said when a run cannot be kept."""

import shutil
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from scenarios.history import Event, HistoryWriter
from tocsin.rundir import RunDir

LEAST_FREE_BYTES = 65_536
"""With less than this the disk counts as full: not even a log line of each part fits any more."""


class Observer(Protocol):
    """Somebody who is told of each event as it happens."""

    def see(self, *events: Event) -> None:
        """Take note of events."""
        ...


class HistoryFile:
    """
    The history while it is written: each event goes to disk, and to whoever watches.

    A disk that is full must not keep anything from being healed, so the first failed write becomes `problem` and no error.
    """

    def __init__(self, path: Path, observers: Sequence[Observer]) -> None:
        self._writer = HistoryWriter(path)
        self._observers = list(observers)
        self.problem = ""

    def observe(self, observer: Observer) -> None:
        """Tell one more of all that happens from now on."""
        self._observers.append(observer)

    def record(self, *events: Event) -> None:
        """Keep events; safe in any thread."""
        for observer in self._observers:
            observer.see(*events)
        try:
            self._writer.append(*events)
        except OSError as error:
            self.problem = self.problem or f"the history cannot be written: {error.strerror or error}"

    def close(self) -> None:
        """End the history; a later event is refused."""
        self._writer.close()


def unforeseen(run: RunDir, error: Exception) -> str:
    """What nobody thought of, in words; its traceback is kept among the logs."""
    with suppress(OSError):
        (run.logs / "tocsin.log").write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    return full_disk(run.path) or f"{type(error).__name__}: {error}; see logs/tocsin.log"


def full_disk(path: Path) -> str:
    """Says so if the disk is full, which explains any error better than the error does."""
    free = shutil.disk_usage(path).free
    return f"the disk of {path} is full: {free} bytes are left" if free < LEAST_FREE_BYTES else ""
