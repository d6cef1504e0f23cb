"""Alert: the expectation that somebody is told, in time, of what broke, and of nothing before."""

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from scenarios.model.expectation import BaseExpectation
from scenarios.model.value import Misfit
from scenarios.units import Flag, PositiveRatio, PositiveSeconds, Whole

AlertSource = Literal["prometheus", "grafana"]
"""Who evaluates rules and raises alerts."""

LinkName = Literal["runbook", "rule", "dashboard", "panel", "silence"]
"""Where a notification leads: to the page of what to do, and by Grafana to what to look at and how to be quiet."""

SYNTHETIC: Mapping[str, str] = {"nodata": "DatasourceNoData", "error": "DatasourceError"}
"""By which names Grafana tells of a rule that has no data or cannot be evaluated."""


class Alert(BaseExpectation):
    """One alert was silent before, fires for the right service in time, is notified, and resolves."""

    KEY: ClassVar[str] = "alert"
    name: str = Field(min_length=1, description="the name of the alert's rule")
    source: Literal["prometheus", "grafana", "both"] = Field(
        default="prometheus", description="whose rule raises it; both: each of them, in its own time"
    )
    state: Literal["firing", "pending", "nodata", "error"] = Field(
        default="firing", description="the state that its rule must get into"
    )
    labels: Mapping[str, str] = Field(default={}, description="labels that it must carry, such as severity")
    within: PositiveSeconds = Field(description="at most so long after the fault is applied")
    within_bound: PositiveRatio | None = Field(
        default=None,
        description="at most so much of the bound that its formula and the clients' truth give; null: not asked",
    )
    resolves_within: PositiveSeconds | None = Field(
        default=None, description="at most so long after the fault is healed; null: not asked"
    )
    notified: Flag = Field(default=True, description="whether the notification must arrive")
    receiver: str | None = Field(
        default=None,
        min_length=1,
        description="where it must arrive, such as page; null: at any receiver of its source",
    )
    annotations: Mapping[str, str] = Field(
        default={}, description="texts that the notification must carry; `*` stands for any letters"
    )
    links: tuple[LinkName, ...] = Field(default=(), description="links of the notification that must lead somewhere")
    fault: Whole = Field(default=1, ge=1, description="which fault of the list should cause it, counted from 1")

    @property
    def sources(self) -> tuple[AlertSource, ...]:
        """Who must raise it, each for itself."""
        return ("prometheus", "grafana") if self.source == "both" else (self.source,)

    @property
    def told_as(self) -> str:
        """The name under which people hear of it."""
        return SYNTHETIC.get(self.state, self.name)

    @property
    def identity(self) -> Mapping[str, str]:
        """The labels by which it is known."""
        return {**self.labels, "rulename": self.name} if self.state in SYNTHETIC else self.labels

    @field_validator("labels")
    @classmethod
    def _can_be_known(cls, labels: Mapping[str, str]) -> Mapping[str, str]:
        for label in labels:
            if not label.replace("_", "a").isalnum() or not label.isascii() or label[0].isdigit():
                hint = label.replace(".", "_").replace("-", "_")
                raise Misfit(f"{label!r} is not the name of a label; use letters, digits and _ (such as {hint})", label)
            if label == "service_namespace":
                raise Misfit("`service_namespace` is the run's id, which each run sets itself; leave it out", label)
        return labels

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        if self.state in SYNTHETIC and self.source != "grafana":
            raise Misfit(
                f"only Grafana has a state `{self.state}`, and `source` is {self.source}; write `source: grafana`",
                "source",
            )
        if self.state == "pending" and self.notified:
            raise Misfit("nobody is notified of an alert that is pending; add `notified: false`", "notified")
        if self.receiver is not None and not self.notified:
            raise Misfit(
                "a notification that need not arrive has no receiver; leave out `receiver` or `notified`", "receiver"
            )
        if not self.notified and (self.annotations or self.links):
            key = "annotations" if self.annotations else "links"
            raise Misfit(f"`{key}` are what the notification carries; leave `notified: false` out", key)
        return self
