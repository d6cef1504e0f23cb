"""OpenSLO v1: the kinds of documents that a service level file may hold (https://github.com/OpenSLO/OpenSLO)."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Literal, Self

from pydantic import Field, model_validator

from stack.slo.fields import Duration, Name, Number, Text
from stack.slo.objects import Metadata, OpenSlo, Strict
from stack.slo.openslo_alerts import AlertCondition, AlertNotificationTarget, AlertPolicy

__all__ = ["KINDS", "AlertCondition", "AlertNotificationTarget", "AlertPolicy", "Object", "Service", "Sli", "Slo"]


# --- Service ------------------------------------------------------------------------------------------------------


class ServiceSpec(Strict):
    """What the levels are about."""

    description: Text | None = None


class Service(OpenSlo):
    """A group of SLOs."""

    kind: Literal["Service"]
    metadata: Metadata
    spec: ServiceSpec


# --- SLI ----------------------------------------------------------------------------------------------------------


class Query(Strict):
    """A selector of one counter in Prometheus; the functions around it are the generator's work."""

    query: str = Field(
        pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]*(\{[^{}]*\})?$",
        description="""a counter's plain selector, such as requests_total{code=~"5.."}, without functions or ranges""",
    )


class MetricSource(Strict):
    """Where a metric is found; only Prometheus is known."""

    type: Literal["Prometheus"]
    spec: Query


class Metric(Strict):
    """One side of a ratio."""

    metricSource: MetricSource

    @property
    def query(self) -> str:
        """The selector itself."""
        return self.metricSource.spec.query


class RatioMetric(Strict):
    """Good or bad ones among all."""

    counter: Literal[True]
    good: Metric | None = None
    bad: Metric | None = None
    total: Metric

    @model_validator(mode="after")
    def _one_numerator(self) -> Self:
        if (self.good is None) == (self.bad is None):
            raise ValueError("needs exactly one of good and bad")
        return self


class SliSpec(Strict):
    """How a level is measured; `thresholdMetric` is not supported."""

    description: Text | None = None
    ratioMetric: RatioMetric


class Sli(OpenSlo):
    """A service level indicator."""

    kind: Literal["SLI"]
    metadata: Metadata
    spec: SliSpec


# --- SLO ----------------------------------------------------------------------------------------------------------


class RollingWindow(Strict):
    """The period of the error budget; calendar windows are not supported."""

    duration: Duration = Field(gt=0)
    isRolling: Literal[True]


class Objective(Strict):
    """What is promised."""

    displayName: str | None = None
    target: Number | None = Field(None, gt=0, lt=1)
    targetPercent: Number | None = Field(None, gt=0, lt=100)

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if (self.target is None) == (self.targetPercent is None):
            raise ValueError("needs exactly one of target and targetPercent")
        return self

    @property
    def ratio(self) -> Fraction:
        """The target as a share of 1."""
        return self.target if self.target is not None else (self.targetPercent or Fraction(0)) / 100


class SloAnnotations(Strict):
    """Ours: who evaluates the alerts, and how many requests a window must have seen to be judged."""

    alerting: Literal["prometheus", "grafana", "prometheus,grafana"] = Field("prometheus", alias="tocsin/alerting")
    min_requests: str = Field(
        "10", alias="tocsin/min-requests", pattern=r"^\d+$", description="a whole number in quotes, such as '10'"
    )


class SloMetadata(Metadata):
    """An SLO's name and our annotations."""

    annotations: SloAnnotations = SloAnnotations()  # type: ignore[assignment]


class PolicyRef(Strict):
    """A policy of the SLO, by name."""

    alertPolicyRef: Name


class SloSpec(Strict):
    """What is promised, about which indicator, and what happens when it is broken."""

    description: Text = ""
    service: Name
    indicatorRef: Name
    timeWindow: list[RollingWindow] = Field(min_length=1, max_length=1)
    budgetingMethod: Literal["Occurrences"]
    objectives: list[Objective] = Field(min_length=1, max_length=1)
    alertPolicies: list[PolicyRef] = Field(default_factory=list)


class Slo(OpenSlo):
    """A service level objective."""

    kind: Literal["SLO"]
    metadata: SloMetadata
    spec: SloSpec


Object = Service | Sli | Slo | AlertCondition | AlertPolicy | AlertNotificationTarget
"""Any of them."""

KINDS: Mapping[str, type[Object]] = {
    "Service": Service,
    "SLI": Sli,
    "SLO": Slo,
    "AlertCondition": AlertCondition,
    "AlertPolicy": AlertPolicy,
    "AlertNotificationTarget": AlertNotificationTarget,
}
"""The model of each kind of document; `DataSource` is not supported: a query names its Prometheus by type."""
