"""Faults: what can break, as values; `scenarios.faults` makes them happen."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import Field, model_validator

from scenarios.errors import did_you_mean
from scenarios.model.basefault import BaseFault
from scenarios.model.links import NetworkFault
from scenarios.model.topology import OPTIONAL, ROLE_ROUTES, Component, Role
from scenarios.model.value import Misfit, Value
from scenarios.units import (
    DURATION_SCHEMA,
    POSITIVE_DURATION_SCHEMA,
    Flag,
    Number,
    PositiveSeconds,
    Seconds,
    Share,
    Whole,
)

NOT_FOR_THE_API = frozenset({"at", "for_s", "target"})
"""Fields of an app fault that are ours; all the others go to the demo app, durations in seconds."""


Delay = Annotated[PositiveSeconds, Field(le=60), POSITIVE_DURATION_SCHEMA]
"""The demo app delays nothing for longer than a minute."""

Jitter = Annotated[Seconds, Field(le=60), DURATION_SCHEMA]
"""The same, and may be nought."""


class BaseAppFault(BaseFault):
    """A fault inside the demo app, through its fault API."""

    IN_SECONDS: ClassVar[Mapping[str, str]] = {"delay": "delay_s", "jitter": "jitter_s"}

    def api_body(self) -> dict[str, Any]:
        """The fault API's own words for it: our names, but durations as `<name>_s` in seconds."""
        fields = {name: getattr(self, name) for name in type(self).model_fields if name not in NOT_FOR_THE_API}
        return {
            self.IN_SECONDS.get(name, name): list(value) if isinstance(value, tuple) else value
            for name, value in fields.items()
        }


class RequestFault(BaseAppFault):
    """A fault of requests that one role of the demo app serves: all of them, or those of one route."""

    target: Role = Field(default="catalog", description="the role of the demo app that suffers")
    route: str | None = Field(default=None, description="a route of the target; null: all of them")
    ratio: Share = Field(default=1.0, description="the share of requests that suffer")

    @model_validator(mode="after")
    def _route_of_the_target(self) -> Self:
        known = ROLE_ROUTES[self.target]
        if self.route is not None and self.route not in known:
            raise Misfit(
                f"{self.target} has no route {self.route!r}; it has: {', '.join(known)}"
                f"{did_you_mean(self.route, known)}",
                "route",
            )
        return self


class LatencyFault(RequestFault):
    """Requests take longer by `delay`, give or take `jitter`."""

    kind: Literal["latency"]
    delay: Delay = Field(description="how much longer")
    jitter: Jitter = Field(default=0.0, description="give or take so much, spread evenly")


class ErrorsFault(RequestFault):
    """Requests are answered with an error status."""

    kind: Literal["errors"]
    status: Whole = Field(default=500, ge=400, le=599, description="the status of the answer")


class ExceptionFault(RequestFault):
    """The handler raises."""

    kind: Literal["exception"]
    type: Literal[
        "RuntimeError",
        "ValueError",
        "KeyError",
        "TypeError",
        "ZeroDivisionError",
        "TimeoutError",
        "ConnectionResetError",
        "PermissionError",
    ] = Field(default="RuntimeError", description="the exception's class")


class HangFault(RequestFault):
    """Requests are held without an answer until the fault is healed."""

    kind: Literal["hang"]


class SlowDatabaseFault(BaseAppFault):
    """Each database query takes longer."""

    kind: Literal["slow_database"]
    target: Literal["catalog", "users"] = Field(default="catalog", description="the role whose database it is")
    delay: Delay = Field(description="how much longer")
    jitter: Jitter = Field(default=0.0, description="give or take so much, spread evenly")
    ratio: Share = Field(default=1.0, description="the share of queries that suffer")


class TelemetrySilentFault(BaseAppFault):
    """The app serves its traffic but exports nothing."""

    FELT_BY_CLIENT: ClassVar[bool] = False

    kind: Literal["telemetry_silent"]
    target: Role = Field(default="catalog", description="the role of the demo app that suffers")
    signals: tuple[Literal["traces", "metrics", "logs"], ...] = Field(
        default=("traces", "metrics", "logs"), min_length=1, description="what it exports no more"
    )


class UpstreamFault(BaseAppFault):
    """A fault of the calls that the frontend makes."""

    target: Literal["frontend"] = Field(default="frontend", description="the role that makes the calls")
    ratio: Share = Field(default=1.0, description="the share of calls that suffer")


class DependencyTimeoutFault(UpstreamFault):
    """The frontend's calls to one upstream hang until its own timeout ends them."""

    kind: Literal["dependency_timeout"]
    upstream: Literal["catalog", "users"] = Field(description="the role that is called")


class RetryStormFault(UpstreamFault):
    """The frontend repeats each call to one upstream."""

    FELT_BY_CLIENT: ClassVar[bool] = False

    kind: Literal["retry_storm"]
    upstream: Literal["catalog", "users"] = Field(description="the role that is called")
    attempts: Whole = Field(default=4, ge=2, le=20, description="calls made in place of one")
    only_failed: Flag = Field(default=False, description="repeat only the calls that fail, until one succeeds")


class BrokenContextFault(UpstreamFault):
    """The frontend drops the trace context on its way to its upstreams, so traces are torn."""

    FELT_BY_CLIENT: ClassVar[bool] = False

    kind: Literal["broken_context"]


class CpuFault(BaseAppFault):
    """Busy threads of the role fight its requests for the interpreter."""

    FELT_BY_CLIENT: ClassVar[bool] = False

    kind: Literal["cpu"]
    target: Role = Field(default="catalog", description="the role of the demo app that suffers")
    workers: Whole = Field(default=1, ge=1, le=16, description="how many threads")
    load: Share = Field(default=1.0, description="the share of its time that each thread is busy")


class MemoryLeakFault(BaseAppFault):
    """The role takes more and more memory, and gives it back when healed."""

    FELT_BY_CLIENT: ClassVar[bool] = False

    kind: Literal["memory_leak"]
    target: Role = Field(default="catalog", description="the role of the demo app that suffers")
    mib_per_s: Number = Field(default=8.0, gt=0, le=256, description="how fast it grows")
    cap_mib: Whole = Field(default=128, ge=1, le=1024, description="where the leak stops")


class LabelCardinalityFault(BaseAppFault):
    """A metric of the role gets new label values all the time."""

    FELT_BY_CLIENT: ClassVar[bool] = False

    kind: Literal["label_cardinality"]
    target: Role = Field(default="catalog", description="the role of the demo app that suffers")
    per_s: Number = Field(default=20.0, gt=0, le=1000, description="new label values per second")


class TrafficFault(BaseFault):
    """The clients themselves: their rate (or number) is multiplied by `factor`; a ramp gets there bit by bit."""

    kind: Literal["spike", "drop", "ramp"]
    factor: Number = Field(gt=0, le=1000, description="above 1; for a drop below 1")

    @model_validator(mode="after")
    def _direction(self) -> Self:
        if self.factor == 1 or (self.kind == "drop") != (self.factor < 1):
            allowed = "below 1" if self.kind == "drop" else "above 1"
            raise Misfit(f"a {self.kind} needs a factor {allowed}, got {self.factor:g}", "factor")
        return self


class ComponentFault(BaseFault):
    """A component of the stack or a role of the app is killed, frozen or restarted; a start or a thaw heals it."""

    kind: Literal["kill", "pause", "restart"]
    target: Literal[Component, Role] = Field(description="what is hit")

    @property
    def breaks_the_stack(self) -> bool:
        """Whether it hits the stack under test, which other drills may share."""
        return self.target in get_args(Component)

    @property
    def needs(self) -> frozenset[str]:
        """What is not there cannot be hit."""
        return OPTIONAL & {self.target}

    @property
    def felt_by_client(self) -> bool:
        """Clients talk to the app, not to the stack."""
        return not self.breaks_the_stack


class DiskFullFault(BaseFault):
    """A component that stores can write no more."""

    FELT_BY_CLIENT: ClassVar[bool] = False

    kind: Literal["disk_full"]
    target: Literal["prometheus", "tempo"] = Field(description="whose disk it is")

    @property
    def breaks_the_stack(self) -> bool:
        """All drills on a stack share what it stores."""
        return True


class CommandFault(BaseFault):
    """A system that is not ours: one command breaks it, another heals it. No shell reads them."""

    FELT_BY_CLIENT: ClassVar[bool] = False

    kind: Literal["command"]
    apply: tuple[str, ...] = Field(min_length=1, description="the program and its arguments")
    heal: tuple[str, ...] = Field(min_length=1, description="the program and its arguments; may run more than once")


class HttpFault(BaseFault):
    """A system that is not ours: one HTTP call breaks it, another heals it."""

    class Call(Value):
        """One HTTP request; any answer below 400 is good."""

        method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = Field(default="POST", description="the method")
        url: str = Field(pattern=r"^https?://[^/\s]+", description="the address")
        body: Any = Field(default=None, description="sent as JSON")

    FELT_BY_CLIENT: ClassVar[bool] = False

    kind: Literal["http"]
    apply: Call = Field(description="the call that breaks it")
    heal: Call = Field(description="the call that heals it; may be made more than once")


AppFault = (
    LatencyFault
    | ErrorsFault
    | ExceptionFault
    | HangFault
    | SlowDatabaseFault
    | TelemetrySilentFault
    | DependencyTimeoutFault
    | RetryStormFault
    | BrokenContextFault
    | CpuFault
    | MemoryLeakFault
    | LabelCardinalityFault
)
"""Faults that the demo app's fault API knows."""

Fault = Annotated[
    AppFault | TrafficFault | ComponentFault | NetworkFault | DiskFullFault | CommandFault | HttpFault,
    Field(discriminator="kind"),
]
"""Any fault."""
