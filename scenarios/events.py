"""Events: what can happen in a drill, as values; one line of a history each."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

LATENCY_EDGES_S: tuple[float, ...] = tuple(round(0.001 * 1.1**n, 6) for n in range(111))
"""Upper edges of the clients' latency buckets: 1 ms to 36 s, each 10 % above the last; the next index means beyond."""


class BaseEvent(BaseModel):
    """Something that happened at `t`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    t: float


class Phase(BaseEvent):
    """The drill entered a phase. `warm_up` begins with the first request, `drive` is time nought of the scenario."""

    kind: Literal["phase"] = "phase"
    name: Literal["warm_up", "drive", "cool_down", "stopped", "aborted"]
    reason: str = ""


class Traffic(BaseEvent):
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


class Request(BaseEvent):
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


class FaultChange(BaseEvent):
    """A fault was applied, renewed, healed, or could not be; `fault` is `faults/1`, `noise/2` and so on."""

    kind: Literal["fault"] = "fault"
    fault: str
    action: Literal["applied", "renewed", "healed", "failed"]
    detail: Mapping[str, Any] = {}


AlertState = Literal["inactive", "pending", "firing", "suppressed", "nodata", "error"]
"""What an alert can be."""


class AlertChange(BaseEvent):
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


class Notification(BaseEvent):
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


class ComponentChange(BaseEvent):
    """
    A component of the stack or a role of the drill's app was found in another state, or as another process, than before.

    `unready` runs but does not answer: it is frozen, hangs, or is starting. `started_t` is when its process began, by which
    a restart is known even if nobody saw it down; None while it does not run.
    """

    kind: Literal["component"] = "component"
    name: str
    state: Literal["ready", "unready", "down"]
    started_t: float | None = None


class Usage(BaseEvent):
    """What a component or role had used by now: CPU seconds since its process began, and resident memory; children included."""

    kind: Literal["usage"] = "usage"
    name: str
    cpu_s: float
    memory_bytes: int


class Clock(BaseEvent):
    """How far a backend's clock is ahead of ours, give or take half the round trip."""

    kind: Literal["clock"] = "clock"
    backend: str
    offset_s: float
    round_trip_s: float


class Blind(BaseEvent):
    """Something that should have watched could not from `t` on, so what it would have seen is unknown."""

    kind: Literal["blind"] = "blind"
    watcher: str
    reason: str


class Sighted(BaseEvent):
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


def parse_event(line: str | bytes) -> Event:
    """
    Read one line of a history. Raises ValueError (pydantic's ValidationError) when it is none.
    """
    return _ADAPTER.validate_json(line)
