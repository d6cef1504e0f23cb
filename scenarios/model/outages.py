"""Outages: what must hold of the parts that break: they come back, what was promised arrives, people are reached again."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from scenarios.model.expectation import BaseExpectation
from scenarios.model.topology import Component, Role
from scenarios.model.value import Misfit
from scenarios.units import Names, Number, PositiveSeconds, Ratio, Size, Whole, format_ratio

Part = Literal[Component, Role]
"""A component of the stack or a role of the demo app."""


class ComponentState(BaseExpectation):
    """A component or role goes down with its fault and comes back, or stays up; and nothing else goes down."""

    KEY: ClassVar[str] = "component"
    name: Part = Field(description="the component of the stack or the role of the app")
    down_within: PositiveSeconds | None = Field(
        default=None,
        description="at most so long after its fault begins it answers no more; null: any time until the healing",
    )
    back_within: PositiveSeconds | None = Field(
        default=None, description="at most so long after its healing begins it answers again; null: not asked"
    )
    restarts: Whole | None = Field(
        default=None, ge=0, le=1000, description="how many times its process began anew; null: not asked"
    )
    except_: Names = Field(default=(), alias="except", description="others that may go down, too")
    fault: Whole = Field(default=1, ge=1, description="which fault of the list takes it down, counted from 1")

    @property
    def goes_down(self) -> bool:
        """Whether it is meant to go down at all; else it must stay up."""
        return self.down_within is not None or self.back_within is not None


class Recovered(BaseExpectation):
    """After the outage the backlog is drained, and no more of a signal is lost than is stated."""

    KEY: ClassVar[str] = "recovered"
    signal: Literal["traces", "metrics"] = Field(default="traces", description="which signal")
    within: PositiveSeconds = Field(description="at most so long after the last fault is healed the backlog is drained")
    lost: Ratio = Field(
        default=0.0, description="what may be lost at most, as a share of the requests from the first fault to the last"
    )
    lost_at_least: Ratio = Field(default=0.0, description="what must be lost at least, of the same")
    gap: PositiveSeconds | None = Field(
        default=None, description="metrics: the longest time without a sample in the store; null: not asked"
    )

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        if self.lost_at_least > self.lost:
            raise Misfit(
                f"`lost_at_least` is {format_ratio(self.lost_at_least)}, but `lost` allows at most {format_ratio(self.lost)}; "
                "state a `lost` that is no less",
                "lost_at_least",
            )
        if self.gap is not None and self.signal != "metrics":
            raise Misfit("only metrics have a `gap`; leave it out, or write `signal: metrics`", "gap")
        return self


class Budget(BaseExpectation):
    """A component or role takes no more CPU time and memory than it is given."""

    KEY: ClassVar[str] = "budget"
    component: Part = Field(description="the component of the stack or the role of the app")
    cpu: PositiveSeconds | None = Field(
        default=None, description="CPU time at most, from the first request to the end; null: not asked"
    )
    cores: Number | None = Field(
        default=None, gt=0, le=1000, description="the same as a mean number of busy cores; null: not asked"
    )
    memory: Size | None = Field(default=None, description="resident memory at its highest; null: not asked")

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if self.cpu is None and self.cores is None and self.memory is None:
            raise Misfit(
                "a `budget` that limits nothing; it needs `cpu` (such as 10s), `cores` (such as 0.5) or `memory` (such as 200MiB)"
            )
        return self


class Watchdog(BaseExpectation):
    """The alert that always fires stays away while the way to people is cut, and arrives again afterwards."""

    KEY: ClassVar[str] = "watchdog"
    missing_within: PositiveSeconds = Field(
        description="at most so long after the fault begins it is missed: overdue by its own pace before"
    )
    back_within: PositiveSeconds = Field(description="at most so long after the fault is healed it arrives again")
    fault: Whole = Field(default=1, ge=1, description="which fault of the list cuts the way, counted from 1")
