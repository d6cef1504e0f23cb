"""Treatments: how a drill changes the observability configuration itself, for as long as it lasts; rules stay what they are.

A fault asks whether a signal sees what broke. A treatment asks how much the signals still see.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, get_args

from pydantic import Field, field_validator

from scenarios.model.value import Misfit, Value
from scenarios.units import POSITIVE_DURATION_SCHEMA, PositiveSeconds, Share, Whole

ALL = 2**64
"""The SDK's sampler looks at the lower 64 bits of a trace id."""

Every = Annotated[PositiveSeconds, Field(le=60), POSITIVE_DURATION_SCHEMA]
"""How often something is done: once a minute at least."""


class BaseTreatment(Value):
    """One setting that is not what it usually is."""

    OF_THE_STACK: ClassVar[bool] = True
    """Whether it is a setting of a component, which drills may share; others are settings of the drill's own app."""

    UNIT: ClassVar[str] = ""

    @property
    def words(self) -> str:
        """What it is, and what it is set to: `scrape interval 5s`."""
        written = self.model_dump(mode="json")
        kind = written.pop("kind").replace("_", " ")
        return " ".join([kind, *map(str, written.values())]) + self.UNIT


class SamplingTreatment(BaseTreatment):
    """Head sampling: the app's SDKs keep a share of all traces, by their ids; who calls does not decide."""

    OF_THE_STACK: ClassVar[bool] = False

    kind: Literal["sampling"]
    ratio: Share = Field(description="the share of traces that are kept")


class ExportIntervalTreatment(BaseTreatment):
    """The app exports its metrics at another pace."""

    OF_THE_STACK: ClassVar[bool] = False

    kind: Literal["export_interval"]
    every: Every = Field(description="how often the app exports its metrics, at most 60s")


class ScrapeIntervalTreatment(BaseTreatment):
    """Prometheus scrapes all its targets at another pace."""

    kind: Literal["scrape_interval"]
    every: Every = Field(description="how often Prometheus scrapes, in whole seconds, at most 60s")

    @field_validator("every")
    @classmethod
    def _whole_seconds(cls, every: float) -> float:
        if not every.is_integer():
            raise Misfit(f"`every` is {every:g}s; a scrape interval is whole seconds, such as {max(1, round(every))}s")
        return every


class DropLabelTreatment(BaseTreatment):
    """The collector removes one attribute from all metrics, and adds up what it told apart."""

    kind: Literal["drop_label"]
    label: str = Field(
        pattern=r"^[A-Za-z_][A-Za-z0-9_.]{0,99}$", description="the attribute's name in OpenTelemetry's words"
    )

    @field_validator("label")
    @classmethod
    def _leaves_drills_apart(cls, label: str) -> str:
        if label == "service.namespace":
            raise Misfit(
                "`service.namespace` is the run's id, without which no drill can be judged; drop another label"
            )
        return label


class MemoryLimitTreatment(BaseTreatment):
    """The collector's memory limit is so small that it must refuse what it is sent."""

    UNIT: ClassVar[str] = " MiB"

    kind: Literal["memory_limit"]
    mib: Whole = Field(ge=1, le=65_536, description="the limit of the collector's heap")


class QueueTreatment(BaseTreatment):
    """The collector's queue to the store of traces is so short that a small outage fills it."""

    UNIT: ClassVar[str] = " spans"

    kind: Literal["queue"]
    spans: Whole = Field(ge=1, le=1_000_000, description="how many spans may wait to be sent")


class LiveTracesTreatment(BaseTreatment):
    """Tempo takes so few traces at a time that a busy minute is too much for it."""

    kind: Literal["live_traces"]
    traces: Whole = Field(ge=1, le=1_000_000, description="how many traces may be in the making")


AnyTreatment = (
    SamplingTreatment
    | ExportIntervalTreatment
    | ScrapeIntervalTreatment
    | DropLabelTreatment
    | MemoryLimitTreatment
    | QueueTreatment
    | LiveTracesTreatment
)

Treatment = Annotated[AnyTreatment, Field(discriminator="kind")]
"""Any treatment."""

TREATMENT_KINDS: Mapping[str, type[AnyTreatment]] = {
    get_args(model.model_fields["kind"].annotation)[0]: model for model in get_args(AnyTreatment)
}
"""Each kind of treatment, and the model that reads it."""


def is_kept(trace_id: str, ratio: float) -> bool:
    """
    Whether OpenTelemetry's `traceidratio` sampler keeps the trace of this id (32 hexadecimal digits).
    """
    return ratio >= 1 or int(trace_id[16:], 16) < round(ratio * ALL)
