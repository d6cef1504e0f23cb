"""History: what happened, as an append-only list of events; the only ground truth.

One JSON object per line in `history.jsonl`, each with `kind` and `t`: seconds since the Unix epoch by the drill's clock.
The file is closed before any backend is asked, and read again before anything is judged.
"""

import io
import json
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from scenarios.events import (
    LATENCY_EDGES_S,
    AlertChange,
    AlertState,
    BaseEvent,
    Blind,
    Clock,
    ComponentChange,
    Event,
    FaultChange,
    Notification,
    Phase,
    Request,
    Sighted,
    Traffic,
    Usage,
    parse_event,
)

__all__ = [
    "LATENCY_EDGES_S",
    "AlertChange",
    "AlertState",
    "Blind",
    "Clock",
    "ComponentChange",
    "Event",
    "FaultChange",
    "History",
    "HistoryError",
    "HistoryWriter",
    "Notification",
    "Phase",
    "Request",
    "Sighted",
    "Traffic",
    "Usage",
    "parse_event",
    "write_json",
]
"""Events are told by histories alone, so they are at hand here, too."""

_E = TypeVar("_E", bound=BaseEvent)


class HistoryError(ValueError):
    """A history file cannot be read."""


class HistoryWriter:
    """
    The open end of a history: many threads append, each event is on disk when `append` returns.

    A write that fails (disk full) raises OSError; what was written before stays whole.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._file: io.FileIO = path.open("ab", buffering=0)

    def append(self, *events: Event) -> None:
        """
        Add events, all or none of them.
        """
        data = b"".join(event.model_dump_json().encode() + b"\n" for event in events)
        with self._lock:
            whole = self._file.tell()
            try:
                self._write(data)
            except OSError:
                # A torn line in the middle would make all that follows it unreadable.
                self._file.truncate(whole)
                raise

    def _write(self, data: bytes) -> None:
        """On a disk that is nearly full one write may take only a part."""
        while data:
            data = data[self._file.write(data) :]

    def close(self) -> None:
        """
        Close the file; a later `append` raises ValueError.
        """
        with self._lock:
            self._file.close()

    def __enter__(self) -> "HistoryWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class History:
    """
    A closed history: an immutable list of events in order of time, with the questions that judges ask.
    """

    def __init__(self, events: Iterable[Event]) -> None:
        self.events: tuple[Event, ...] = tuple(sorted(events, key=lambda event: event.t))

    @classmethod
    def read(cls, path: Path) -> "History":
        """
        Read `history.jsonl`. A torn last line (the writer was killed in the middle of it) is left out.

        Raises HistoryError, naming the line, for any other line that is no event; OSError when there is no file.
        """
        lines = path.read_bytes().split(b"\n")
        events: list[Event] = []
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                events.append(parse_event(line))
            except ValidationError as error:
                if number == len(lines):
                    break
                problem = error.errors()[0]
                raise HistoryError(f"{path}:{number}: not an event: {problem['msg']} at {problem['loc']}") from error
        return cls(events)

    def of(self, kind: type[_E]) -> Iterator[_E]:
        """All events of one kind, in order of time."""
        return (event for event in self.events if isinstance(event, kind))

    def phase(self, name: str) -> float | None:
        """When the drill entered a phase, or None if it never did."""
        return next((event.t for event in self.of(Phase) if event.name == name), None)

    @property
    def drive_t(self) -> float:
        """Time nought of the scenario. Raises HistoryError when the drill never got so far."""
        start = self.phase("drive")
        if start is None:
            raise HistoryError("the drill ended before its drive began")
        return start

    def count(self, *, since: float | None = None, until: float | None = None, failed: bool = False) -> int:
        """Requests that ended in [since, until), or only the failed ones."""
        return sum(
            second.failed if failed else second.count
            for second in self.of(Traffic)
            if (since is None or second.t >= since) and (until is None or second.t < until)
        )

    def fault_window(self, fault: str) -> tuple[float, float] | None:
        """From when to when a fault was on, or None if it was never applied; an unhealed one lasts to the end."""
        changes = [event for event in self.of(FaultChange) if event.fault == fault]
        start = next((event.t for event in changes if event.action == "applied"), None)
        if start is None:
            return None
        end = next((event.t for event in changes if event.action == "healed" and event.t >= start), None)
        return start, end if end is not None else self.events[-1].t


def write_json(path: Path, value: Any) -> None:
    """
    Write JSON so that a reader sees the old file or the new one, never half of it.
    """
    part = path.with_suffix(path.suffix + ".part")
    part.write_text(json.dumps(value, indent=2, sort_keys=False) + "\n", encoding="utf-8")
    part.replace(path)
