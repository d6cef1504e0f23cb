"""Scenario: one experiment, immutable: the load, what breaks, and what must then hold.

Pure values without I/O. `scenarios.loader` makes them from YAML; README.md beside this file specifies the language.
All times are seconds relative to the start of the drive (the end of the warm-up), unless a name says otherwise.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from scenarios.units import Names, PositiveSeconds, Ratio, Seconds, Share

Role = Literal["frontend", "catalog", "users"]
"""A part of the demo app."""

Component = Literal["collector", "prometheus", "alertmanager", "tempo", "grafana", "detector", "sink"]
"""A part of the stack under test."""

ENTRY_SERVICE: Role = "frontend"
"""The demo app's role that clients talk to; what they see is its truth."""

ROUTES: Mapping[str, tuple[Role, ...]] = {
    "/api/products": ("frontend", "catalog"),
    "/api/products/<int:id>": ("frontend", "catalog"),
    "/api/users": ("frontend", "users"),
    "/api/users/<int:id>": ("frontend", "users"),
    "/api/checkout": ("frontend", "catalog", "users"),
}
"""The demo app's routes, as clients call them, and the services that each passes through."""


class _Value(BaseModel):
    """A frozen value that refuses what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, validate_default=False)


# --- load ---------------------------------------------------------------------------------------------------------


class Load(_Value):
    """
    How much traffic, for how long: `users` at their own pace, or a steady `rate` that they share.

    The run is warm-up (not judged for silence), drive (faults happen here), cool-down (all is healed, traffic goes on).
    """

    users: int = Field(default=8, ge=1, le=100_000)
    rate: float | None = Field(
        default=40, gt=0, description="requests per second of all users together; null: as fast as they can"
    )
    warm_up: Seconds = 10.0
    for_s: PositiveSeconds = Field(alias="for")
    cool_down: Seconds = 0.0
    shape: Literal["constant", "ramp"] = "constant"
    routes: Mapping[str, int] | None = Field(default=None, description="weight of each route; null: the usual mix")
    processes: int = Field(default=1, ge=1, le=64, description="processes of Locust's own distribution")

    @property
    def total_s(self) -> float:
        """The traffic's whole length, from its first to its last second."""
        return self.warm_up + self.for_s + self.cool_down

    @field_validator("routes")
    @classmethod
    def _known_routes(cls, routes: Mapping[str, int] | None) -> Mapping[str, int] | None:
        for route, weight in (routes or {}).items():
            if route not in ROUTES:
                raise ValueError(f"unknown route {route!r}; known: {', '.join(ROUTES)}")
            if weight < 0:
                raise ValueError(f"route {route!r}: a weight cannot be negative, got {weight}")
        if routes is not None and not any(routes.values()):
            raise ValueError("at least one route needs a weight above 0")
        return routes


# --- faults -------------------------------------------------------------------------------------------------------


class _Fault(_Value):
    """What breaks, when (after the warm-up), and for how long."""

    at: Seconds
    for_s: PositiveSeconds = Field(alias="for")

    FELT_BY_CLIENT: ClassVar[bool] = True
    """Whether a client can see it; if not, the target's own word is the proof that it was applied."""

    @property
    def end_s(self) -> float:
        """When it is healed, in seconds after the warm-up."""
        return self.at + self.for_s


class _AppFault(_Fault):
    """A fault inside the demo app, through its fault API."""

    target: Role = "catalog"
    route: str | None = Field(default=None, description="a route of the target; null: all of them")
    ratio: Share = 1.0

    def api_body(self) -> dict[str, Any]:
        """The fault API's own words for it; see demo_app."""
        return {"kind": self.kind, "ratio": self.ratio, "route": self.route}  # type: ignore[attr-defined]


class LatencyFault(_AppFault):
    """Requests take longer by `delay`, give or take `jitter`."""

    kind: Literal["latency"]
    delay: PositiveSeconds
    jitter: Seconds = 0.0

    def api_body(self) -> dict[str, Any]:
        """The fault API's own words for it."""
        return super().api_body() | {"delay_s": self.delay, "jitter_s": self.jitter}


class ErrorsFault(_AppFault):
    """Requests are answered with an error status."""

    kind: Literal["errors"]
    status: int = Field(default=500, ge=400, le=599)

    def api_body(self) -> dict[str, Any]:
        """The fault API's own words for it."""
        return super().api_body() | {"status": self.status}


class ExceptionFault(_AppFault):
    """The handler raises."""

    kind: Literal["exception"]
    type: str = "RuntimeError"

    def api_body(self) -> dict[str, Any]:
        """The fault API's own words for it."""
        return super().api_body() | {"type": self.type}


class SlowDatabaseFault(_Fault):
    """Each database query takes longer."""

    kind: Literal["slow_database"]
    target: Literal["catalog", "users"] = "catalog"
    delay: PositiveSeconds
    jitter: Seconds = 0.0
    ratio: Share = 1.0

    def api_body(self) -> dict[str, Any]:
        """The fault API's own words for it."""
        return {"kind": self.kind, "delay_s": self.delay, "jitter_s": self.jitter, "ratio": self.ratio}


class TelemetrySilentFault(_Fault):
    """The app serves its traffic but exports nothing."""

    kind: Literal["telemetry_silent"]
    target: Role = "catalog"
    signals: tuple[Literal["traces", "metrics", "logs"], ...] = ("traces", "metrics", "logs")

    FELT_BY_CLIENT: ClassVar[bool] = False

    def api_body(self) -> dict[str, Any]:
        """The fault API's own words for it."""
        return {"kind": self.kind, "signals": list(self.signals)}


class TrafficFault(_Fault):
    """The clients themselves: their rate (or number) is multiplied by `factor`."""

    kind: Literal["spike", "drop", "ramp"]
    factor: float = Field(gt=0, le=1000)

    @model_validator(mode="after")
    def _direction(self) -> Self:
        if (self.kind == "drop") != (self.factor < 1):
            allowed = "below 1" if self.kind == "drop" else "of at least 1"
            raise ValueError(f"a {self.kind} needs a factor {allowed}, got {self.factor:g}")
        return self


class ComponentFault(_Fault):
    """A component of the stack or a role of the app is killed, frozen or restarted; a start or a thaw heals it."""

    kind: Literal["kill", "pause", "restart"]
    target: Component | Role


class CommandFault(_Fault):
    """A system that is not ours: one command breaks it, another heals it."""

    kind: Literal["command"]
    apply: tuple[str, ...] = Field(min_length=1)
    heal: tuple[str, ...] = Field(min_length=1)

    FELT_BY_CLIENT: ClassVar[bool] = False


class HttpFault(_Fault):
    """A system that is not ours: one HTTP call breaks it, another heals it."""

    class Call(_Value):
        """One HTTP request."""

        method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
        url: str = Field(pattern=r"^https?://")
        body: Any = None

    kind: Literal["http"]
    apply: Call
    heal: Call

    FELT_BY_CLIENT: ClassVar[bool] = False


AppFault = LatencyFault | ErrorsFault | ExceptionFault | SlowDatabaseFault | TelemetrySilentFault
"""Faults that the demo app's fault API knows."""

Fault = Annotated[AppFault | TrafficFault | ComponentFault | CommandFault | HttpFault, Field(discriminator="kind")]
"""Any fault."""


# --- expectations -------------------------------------------------------------------------------------------------


class Sli(_Value):
    """Prometheus agrees with what the clients saw; quantiles are allowed the resolution of their buckets on top."""

    KEY: ClassVar[str] = "sli"
    name: Literal["availability", "request_rate", "p50", "p95", "p99"]
    within: Ratio = 0.02
    service: Role = ENTRY_SERVICE


class Alert(_Value):
    """One alert was silent before, fires for the right service in time, is notified, and resolves."""

    KEY: ClassVar[str] = "alert"
    name: str
    labels: Mapping[str, str] = {}
    within: PositiveSeconds
    resolves_within: PositiveSeconds | None = None
    notified: bool = True
    fault: int = Field(default=1, ge=1, description="which fault of the list should cause it, counted from 1")


class Silent(_Value):
    """No alert but the named ones fired, of this drill's services or of the pipeline."""

    KEY: ClassVar[str] = "silent"
    except_: Names = Field(default=(), alias="except")


class Traces(_Value):
    """The clients' own trace ids are in Tempo: found, whole, rightly linked; failed ones are marked as errors."""

    KEY: ClassVar[str] = "traces"
    where: Literal["any", "error", "ok", "slow"] = "any"
    found: Share = 0.99
    services: tuple[Role, ...] = Field(default=(), description="services that each of these traces must pass through")
    sample: int = Field(default=50, ge=1, le=1000, description="how many of the clients' traces are looked up")


class Delivered(_Value):
    """The ledger balances: client = app = collector in = collector out = Prometheus and Tempo."""

    KEY: ClassVar[str] = "delivered"
    within: Ratio = 0.0


Expectation = Sli | Alert | Silent | Traces | Delivered
"""What must hold; one expectation is one check is one test."""

EXPECTATIONS: Mapping[str, type[Expectation]] = {kind.KEY: kind for kind in get_args(Expectation)}
"""The key in YAML, and what it makes."""


class Abort(_Value):
    """Stop the drill early and heal, when clients suffer more than was meant to be tried."""

    failed: Share | None = Field(default=None, description="share of failed requests")
    p95: PositiveSeconds | None = None
    for_s: PositiveSeconds = Field(default=5.0, alias="for", description="how long it must be so")

    @model_validator(mode="after")
    def _has_a_condition(self) -> Self:
        if self.failed is None and self.p95 is None:
            raise ValueError("needs `failed` or `p95`")
        return self


# --- the scenario -------------------------------------------------------------------------------------------------


class Scenario(_Value):
    """One drill."""

    name: str = Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,48}[a-z0-9])?$")
    why: str = Field(min_length=10)
    exclusive: bool = Field(default=False, description="needs a stack of its own, for it breaks the stack itself")
    load: Load
    faults: tuple[Fault, ...] = ()
    noise: tuple[Fault, ...] = Field(default=(), description="disturbance that must not raise an alert")
    abort: tuple[Abort, ...] = ()
    expect: tuple[Expectation, ...] = Field(min_length=1)

    @field_validator("expect", mode="before")
    @classmethod
    def _one_key_each(cls, value: Any) -> Any:
        if not isinstance(value, (list, tuple)):
            return value
        return tuple(_expectation(item) for item in value)

    def to_json(self) -> dict[str, Any]:
        """The scenario in the form of its language, ready for JSON; `Scenario.model_validate` reads it back."""
        data = self.model_dump(mode="json", by_alias=True, exclude={"expect"})
        return data | {"expect": [{item.KEY: item.model_dump(mode="json", by_alias=True)} for item in self.expect]}

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for where, faults in (("faults", self.faults), ("noise", self.noise)):
            for number, fault in enumerate(faults, 1):
                if fault.end_s > self.load.for_s:
                    raise ValueError(
                        f"{where}, number {number} ({fault.kind}): ends {fault.end_s:g}s after the warm-up, "
                        f"but the drive lasts {self.load.for_s:g}s; lengthen `load.for` or end it sooner"
                    )
        for item in self.expect:
            if isinstance(item, Alert) and item.fault > len(self.faults):
                raise ValueError(
                    f"alert {item.name}: there is no fault number {item.fault}; the drill has {len(self.faults)}"
                )
        return self


def _expectation(item: Any) -> Expectation:
    """Make one expectation of a mapping with one key, such as `{silent: {}}`."""
    if isinstance(item, Expectation):
        return item
    if not isinstance(item, Mapping) or len(item) != 1:
        raise ValueError(f"an expectation is one key with its details, such as `- silent: {{}}`; got {item!r}")
    ((key, body),) = item.items()
    if key not in EXPECTATIONS:
        raise ValueError(f"unknown expectation {key!r}; known: {', '.join(sorted(EXPECTATIONS))}")
    return EXPECTATIONS[key].model_validate(body or {})
