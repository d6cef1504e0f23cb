"""History: what happened, as an append-only list of events; the only ground truth.

One JSON object per line in `history.jsonl`, each with `kind` and `t`: seconds since the Unix epoch by the drill's clock.
The file is closed before any backend is asked, and read again before anything is judged.
"""

import io
import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

LATENCY_EDGES_S: tuple[float, ...] = tuple(round(0.001 * 1.1**n, 6) for n in range(111))
"""Upper edges of the clients' latency buckets: 1 ms to 36 s, each 10 % above the last; the next index means beyond."""


class _Event(BaseModel):
    """Something that happened at `t`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    t: float


class Phase(_Event):
    """The drill entered a phase. `warm_up` begins with the first request, `drive` is time nought of the scenario."""

    kind: Literal["phase"] = "phase"
    name: Literal["warm_up", "drive", "cool_down", "stopped", "aborted"]
    reason: str = ""


class Traffic(_Event):
    """
    What clients saw of one route in one second, by the time at which requests ended; `t` is the second's start.

    `failed` counts answers of 5xx and requests without an answer (`errors` alone counts those);
    `latency` maps the index of a bucket of LATENCY_EDGES_S to its requests. Where the app keeps only some traces, requests
    whose traces are not `sampled` are counted apart.
    """

    kind: Literal["traffic"] = "traffic"
    route: str
    method: str = "GET"
    count: int
    failed: int = 0
    errors: int = 0
    status: Mapping[str, int] = {}
    latency: Mapping[int, int] = {}
    sum_s: float = 0.0
    sampled: bool = True


class Request(_Event):
    """
    One request out of the reservoir; `t` is when it began. Failed ones are all kept, up to a cap.

    `sampled`: by its id and the drill's sampling its trace is one of those that the app keeps.
    """

    kind: Literal["request"] = "request"
    route: str
    method: str = "GET"
    status: int
    duration_s: float
    trace_id: str
    error: str = ""
    sampled: bool = True

    @property
    def failed(self) -> bool:
        """Whether the client got no good answer: a 5xx, or none at all (status 0)."""
        return self.status == 0 or self.status >= 500


class FaultChange(_Event):
    """A fault was applied, renewed, healed, or could not be; `fault` is `faults/1`, `noise/2` and so on."""

    kind: Literal["fault"] = "fault"
    fault: str
    action: Literal["applied", "renewed", "healed", "failed"]
    detail: Mapping[str, Any] = {}


AlertState = Literal["inactive", "pending", "firing", "suppressed", "nodata", "error"]
"""What an alert can be."""


class AlertChange(_Event):
    """
    One alert changed its state in one source. `state` `inactive` means that the source no longer lists it; `nodata` and `error`
    are Grafana's, for rules that have no data or cannot be evaluated.
    """

    kind: Literal["alert"] = "alert"
    source: Literal["prometheus", "alertmanager", "grafana"]
    name: str
    labels: Mapping[str, str]
    state: AlertState
    active_at: float | None = None
    value: str = ""

    @property
    def alarming(self) -> bool:
        """Whether it is in a state of which people are told."""
        return self.state in ("firing", "nodata", "error")


class Notification(_Event):
    """The sink was told of one alert; `t` is its arrival. `links` are addresses by what they lead to, such as `rule` or `panel`."""

    kind: Literal["notification"] = "notification"
    receiver: str
    status: Literal["firing", "resolved"]
    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str] = {}
    starts_at: float | None = None
    ends_at: float | None = None
    links: Mapping[str, str] = {}


class ComponentChange(_Event):
    """
    A component of the stack or a role of the drill's app was found in another state, or as another process, than before.

    `unready` runs but does not answer: it is frozen, hangs, or is starting. `started_t` is when its process began, by which
    a restart is known even if nobody saw it down; None while it does not run.
    """

    kind: Literal["component"] = "component"
    name: str
    state: Literal["ready", "unready", "down"]
    started_t: float | None = None


class Usage(_Event):
    """What a component or role had used by now: CPU seconds since its process began, and resident memory; children included."""

    kind: Literal["usage"] = "usage"
    name: str
    cpu_s: float
    memory_bytes: int


class Clock(_Event):
    """How far a backend's clock is ahead of ours, give or take half the round trip."""

    kind: Literal["clock"] = "clock"
    backend: str
    offset_s: float
    round_trip_s: float


class Blind(_Event):
    """Something that should have watched could not from `t` on, so what it would have seen is unknown."""

    kind: Literal["blind"] = "blind"
    watcher: str
    reason: str


class Sighted(_Event):
    """A watcher that was blind can look again; it has not missed what still is, only what came and went."""

    kind: Literal["sighted"] = "sighted"
    watcher: str


Event = (
    Phase
    | Traffic
    | Request
    | FaultChange
    | AlertChange
    | Notification
    | ComponentChange
    | Usage
    | Clock
    | Blind
    | Sighted
)
"""Anything that a history can hold."""

_ADAPTER: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="kind")])
_E = TypeVar("_E", bound=_Event)


def parse_event(line: str | bytes) -> Event:
    """
    Read one line of a history. Raises ValueError (pydantic's ValidationError) when it is none.
    """
    return _ADAPTER.validate_json(line)


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
