"""The kinds of fault: what each is called, what it takes, and which places of a role it can hit."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

LONGEST_LEASE_S = 5.0
"""No fault outlives whoever asked for it by more than this."""

GOLDEN_RATIO = 0.6180339887498949
"""Its multiples, modulo 1, fill the unit interval evenly however many are taken: jitter without luck."""

EXCEPTIONS: Mapping[str, tuple[type[Exception], str]] = {
    "RuntimeError": (RuntimeError, "worker state is inconsistent"),
    "ValueError": (ValueError, "cannot parse price: 'n/a'"),
    "KeyError": (KeyError, "price_cents"),
    "TypeError": (TypeError, "unsupported operand type(s) for +: 'int' and 'NoneType'"),
    "ZeroDivisionError": (ZeroDivisionError, "division by zero"),
    "TimeoutError": (TimeoutError, "lock was not acquired in time"),
    "ConnectionResetError": (ConnectionResetError, "connection reset by peer"),
    "PermissionError": (PermissionError, "read-only file system"),
}
"""What the `exception` fault can raise, and the words it is raised with."""


def _known(name: str) -> str:
    if name not in EXCEPTIONS:
        raise ValueError(name)
    return name


Ratio = Annotated[float, Field(gt=0, le=1, description="a share above 0 and at most 1")]
Delay = Annotated[float, Field(gt=0, le=60, description="seconds above 0 and at most 60")]
Jitter = Annotated[float, Field(ge=0, le=60, description="seconds from 0 to 60")]
Route = Annotated[str | None, Field(description="a route of this role, or null for all of its /api routes")]
Upstream = Annotated[str, Field(description="the name of a service that this role calls")]
Signal = Literal["traces", "metrics", "logs"]


class Fault(BaseModel):
    """One thing that goes wrong until it is healed or its lease runs out."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    kind: str
    lease_s: Annotated[float, Field(gt=0, le=LONGEST_LEASE_S, description="seconds above 0 and at most 5")]

    @property
    def share(self) -> float:
        """How much of what it could hit it does hit."""
        return 1.0

    def hits(self, place: str) -> bool:
        """Whether it concerns this place: a route, an upstream, or a signal, as its kind has it."""
        return True

    def renews(self, other: "Fault") -> bool:
        """Whether this is the same fault asked for again, so that its counts go on."""
        return self.model_dump(exclude={"lease_s"}) == other.model_dump(exclude={"lease_s"})


class _Partial(Fault):
    ratio: Ratio = 1.0

    @property
    def share(self) -> float:
        return self.ratio


class _Routed(_Partial):
    route: Route = None

    def hits(self, place: str) -> bool:
        return self.route is None or self.route == place


class _Delayed(Fault):
    delay_s: Delay
    jitter_s: Jitter = 0.0

    def delay(self, nth: int) -> float:
        """Seconds to wait at the nth time: evenly spread over `delay_s` give or take `jitter_s`, never below 0."""
        return max(0.0, self.delay_s + self.jitter_s * (2 * (nth * GOLDEN_RATIO % 1) - 1))


class _OfUpstream(_Partial):
    upstream: Upstream

    def hits(self, place: str) -> bool:
        return self.upstream == place


class Latency(_Delayed, _Routed):
    """Requests take longer."""

    kind: Literal["latency"]


class Errors(_Routed):
    """Requests are answered with an error status in place of their answer."""

    kind: Literal["errors"]
    status: Annotated[int, Field(ge=400, le=599, description="a status from 400 to 599")] = 500


class Raised(_Routed):
    """The handler raises."""

    kind: Literal["exception"]
    type: Annotated[str, AfterValidator(_known), Field(description=f"one of {', '.join(EXCEPTIONS)}")] = "RuntimeError"

    def exception(self) -> Exception:
        """A fresh exception to raise."""
        kind, words = EXCEPTIONS[self.type]
        return kind(words)


class Hang(_Routed):
    """Requests get no answer before the fault ends."""

    kind: Literal["hang"]


class SlowDatabase(_Delayed, _Partial):
    """Statements take longer inside the database."""

    kind: Literal["slow_database"]


class TelemetrySilent(Fault):
    """The app serves, and exports nothing of the named signals."""

    kind: Literal["telemetry_silent"]
    signals: Annotated[
        tuple[Signal, ...], Field(min_length=1, description="a list of one or more of traces, metrics, logs")
    ] = ("traces", "metrics", "logs")

    def hits(self, place: str) -> bool:
        return place in self.signals


class DependencyTimeout(_OfUpstream):
    """Calls to one upstream get no answer before they time out."""

    kind: Literal["dependency_timeout"]


class RetryStorm(_OfUpstream):
    """Calls to one upstream are made again and again: each one, or only those that fail."""

    kind: Literal["retry_storm"]
    attempts: Annotated[int, Field(ge=2, le=20, description="a whole number from 2 to 20")] = 4
    only_failed: Annotated[bool, Field(description="true or false")] = False


class BrokenContext(_Partial):
    """Calls to upstreams lose their trace context, so that one trace becomes several."""

    kind: Literal["broken_context"]


class Cpu(Fault):
    """Busy threads fight the requests for the interpreter."""

    kind: Literal["cpu"]
    workers: Annotated[int, Field(ge=1, le=16, description="a whole number from 1 to 16")] = 1
    load: Annotated[float, Field(gt=0, le=1, description="a share above 0 and at most 1")] = 1.0


class MemoryLeak(Fault):
    """Memory is taken and not given back before the fault ends."""

    kind: Literal["memory_leak"]
    mib_per_s: Annotated[float, Field(gt=0, le=256, description="MiB per second above 0 and at most 256")] = 8.0
    cap_mib: Annotated[int, Field(ge=1, le=1024, description="MiB from 1 to 1024")] = 128


class LabelCardinality(Fault):
    """A business metric gets a label whose values never repeat."""

    kind: Literal["label_cardinality"]
    per_s: Annotated[float, Field(gt=0, le=1000, description="values per second above 0 and at most 1000")] = 20.0


KINDS: Mapping[str, type[Fault]] = {
    "latency": Latency,
    "errors": Errors,
    "exception": Raised,
    "hang": Hang,
    "slow_database": SlowDatabase,
    "telemetry_silent": TelemetrySilent,
    "dependency_timeout": DependencyTimeout,
    "retry_storm": RetryStorm,
    "broken_context": BrokenContext,
    "cpu": Cpu,
    "memory_leak": MemoryLeak,
    "label_cardinality": LabelCardinality,
}
"""The name of each kind of fault, and its model."""
