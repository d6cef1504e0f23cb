"""Scenario: one drill, with its load, its faults and its expectations."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from scenarios.model.consistency import misfits
from scenarios.model.expectations import Anomaly, Dashboard, Datasource, Expectation, Keyed
from scenarios.model.faults import DiskFullFault, Fault
from scenarios.model.load import Load
from scenarios.model.outages import Budget, ComponentState
from scenarios.model.topology import OPTIONAL
from scenarios.model.treatments import SamplingTreatment, Treatment
from scenarios.model.value import Misfit, Misfits, Value
from scenarios.units import Flag, PositiveSeconds, Share


class Abort(Value):
    """Stop the drill early and heal, when clients suffer more than was meant to be tried."""

    failed: Share | None = Field(default=None, description="share of failed requests")
    p95: PositiveSeconds | None = Field(default=None, description="latency of the slowest 5 %")
    for_s: PositiveSeconds = Field(default=5.0, alias="for", description="how long it must be so")

    @model_validator(mode="after")
    def _has_a_condition(self) -> Self:
        if self.failed is None and self.p95 is None:
            raise Misfit("an `abort` that does not say when; it needs `failed` (such as 60%) or `p95` (such as 5s)")
        return self


class Scenario(Value):
    """One drill."""

    name: str = Field(
        pattern=r"^[a-z0-9]([a-z0-9-]{0,48}[a-z0-9])?$", description="small letters, digits and dashes, at most 50"
    )
    why: str = Field(min_length=10, description="what the drill proves; printed with its result")
    exclusive: Flag = Field(default=False, description="needs a stack of its own, for it breaks the stack itself")
    with_: tuple[Literal["detector", "grafana"], ...] = Field(
        default=(), alias="with", description="optional components that the stack must have, whatever is expected"
    )
    load: Load = Field(description="how much traffic, for how long")
    faults: tuple[Fault, ...] = Field(default=(), description="what breaks")
    noise: tuple[Fault, ...] = Field(default=(), description="disturbance that must not raise an alert")
    treatments: tuple[Treatment, ...] = Field(
        default=(), description="how the observability configuration differs, from the stack's start to its end"
    )
    abort: tuple[Abort, ...] = Field(default=(), description="each one alone stops the drill")
    expect: tuple[Keyed, ...] = Field(min_length=1, description="what must hold; one expectation is one test")

    @property
    def needs(self) -> frozenset[str]:
        """Optional components of the stack without which it cannot be run or judged."""
        of_faults = (fault.needs for fault in (*self.faults, *self.noise))
        asked = {name for item in self.expect if (name := _component(item))}
        return frozenset(self.with_).union(*of_faults, asked & OPTIONAL)

    @property
    def sampling(self) -> float:
        """The share of all traces that the app's SDKs keep."""
        return next((one.ratio for one in self.treatments if isinstance(one, SamplingTreatment)), 1.0)

    @property
    def small_disks(self) -> frozenset[str]:
        """Components whose data have to be on a small disk of their own, for it is going to be filled."""
        return frozenset(fault.target for fault in (*self.faults, *self.noise) if isinstance(fault, DiskFullFault))

    def to_json(self) -> dict[str, Any]:
        """The scenario in the form of its language, ready for JSON; `Scenario.model_validate` reads it back."""
        data = self.model_dump(mode="json", by_alias=True, exclude={"expect"})
        return data | {"expect": [{item.KEY: item.model_dump(mode="json", by_alias=True)} for item in self.expect]}

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        found = list(misfits(self))
        if found:
            raise Misfits(found)
        return self


def _component(item: Expectation) -> str | None:
    """The component that an expectation is about, as far as it is said by name or by kind."""
    if isinstance(item, Anomaly):
        return "detector"
    if isinstance(item, ComponentState | Budget):
        return item.name if isinstance(item, ComponentState) else item.component
    by_grafana = isinstance(item, Dashboard | Datasource) or getattr(item, "source", "") in ("grafana", "both")
    return "grafana" if by_grafana else None
