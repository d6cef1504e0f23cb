"""OpenSLO v1: the kinds of documents that a service level file may hold (https://github.com/OpenSLO/OpenSLO)."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from stack.slo.fields import Duration, Name, Number, Text


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, arbitrary_types_allowed=True)


class Metadata(_Strict):
    """An object's name; its annotations mean nothing here."""

    name: Name
    displayName: str | None = None
    labels: Mapping[str, str | list[str]] = {}
    annotations: Mapping[str, str] = {}


class _Object(_Strict):
    apiVersion: Literal["openslo/v1"]


# --- Service ------------------------------------------------------------------------------------------------------


class ServiceSpec(_Strict):
    """What the levels are about."""

    description: Text | None = None


class Service(_Object):
    """A group of SLOs."""

    kind: Literal["Service"]
    metadata: Metadata
    spec: ServiceSpec


# --- SLI ----------------------------------------------------------------------------------------------------------


class Query(_Strict):
    """A selector of one counter in Prometheus; the functions around it are the generator's work."""

    query: str = Field(
        pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]*(\{[^{}]*\})?$",
        description="""a counter's plain selector, such as requests_total{code=~"5.."}, without functions or ranges""",
    )


class MetricSource(_Strict):
    """Where a metric is found; only Prometheus is known."""

    type: Literal["Prometheus"]
    spec: Query


class Metric(_Strict):
    """One side of a ratio."""

    metricSource: MetricSource

    @property
    def query(self) -> str:
        """The selector itself."""
        return self.metricSource.spec.query


class RatioMetric(_Strict):
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


class SliSpec(_Strict):
    """How a level is measured; `thresholdMetric` is not supported."""

    description: Text | None = None
    ratioMetric: RatioMetric


class Sli(_Object):
    """A service level indicator."""

    kind: Literal["SLI"]
    metadata: Metadata
    spec: SliSpec


# --- SLO ----------------------------------------------------------------------------------------------------------


class RollingWindow(_Strict):
    """The period of the error budget; calendar windows are not supported."""

    duration: Duration = Field(gt=0)
    isRolling: Literal[True]


class Objective(_Strict):
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


class SloAnnotations(_Strict):
    """Ours: who evaluates the alerts, and how many requests a window must have seen to be judged."""

    alerting: Literal["prometheus", "grafana", "prometheus,grafana"] = Field("prometheus", alias="tocsin/alerting")
    min_requests: str = Field(
        "10", alias="tocsin/min-requests", pattern=r"^\d+$", description="a whole number in quotes, such as '10'"
    )


class SloMetadata(Metadata):
    """An SLO's name and our annotations."""

    annotations: SloAnnotations = SloAnnotations()  # type: ignore[assignment]


class PolicyRef(_Strict):
    """A policy of the SLO, by name."""

    alertPolicyRef: Name


class SloSpec(_Strict):
    """What is promised, about which indicator, and what happens when it is broken."""

    description: Text = ""
    service: Name
    indicatorRef: Name
    timeWindow: list[RollingWindow] = Field(min_length=1, max_length=1)
    budgetingMethod: Literal["Occurrences"]
    objectives: list[Objective] = Field(min_length=1, max_length=1)
    alertPolicies: list[PolicyRef] = []


class Slo(_Object):
    """A service level objective."""

    kind: Literal["SLO"]
    metadata: SloMetadata
    spec: SloSpec


# --- alerts -------------------------------------------------------------------------------------------------------


class ConditionAnnotations(_Strict):
    """Ours: how the burn rate is put into a rule, and the short window that lets it end soon."""

    kind: Literal["burn-rate", "error-ratio", "latency-quantile", "absent"] = Field(alias="tocsin/kind")
    short_window: Duration | None = Field(None, alias="tocsin/short-window")


class ConditionMetadata(Metadata):
    """A condition's name and our annotations."""

    annotations: ConditionAnnotations  # type: ignore[assignment]


class BurnRate(_Strict):
    """The budget is burnt `threshold` times as fast as the objective allows, over the window."""

    kind: Literal["burnrate"]
    threshold: Number = Field(gt=0)
    lookbackWindow: Duration = Field(gt=0)
    alertAfter: Duration


class ConditionSpec(_Strict):
    """When to alert, and how urgently."""

    description: Text = ""
    severity: Literal["page", "ticket", "info"]
    condition: BurnRate


class AlertCondition(_Object):
    """When to alert."""

    kind: Literal["AlertCondition"]
    metadata: ConditionMetadata
    spec: ConditionSpec


class PolicyAnnotations(_Strict):
    """Ours: the alert's name; policies of one SLO with the same name make one alert with several windows."""

    alert: str = Field(
        alias="tocsin/alert", pattern=r"^[A-Z][A-Za-z0-9]+$", description="a name in CamelCase, such as ErrorRateHigh"
    )


class PolicyMetadata(Metadata):
    """A policy's name and our annotations."""

    annotations: PolicyAnnotations  # type: ignore[assignment]


class ConditionRef(_Strict):
    """A condition, by name."""

    conditionRef: Name


class TargetRef(_Strict):
    """Who is told, by name."""

    targetRef: Name


class PolicySpec(_Strict):
    """Which condition is told to whom."""

    description: Text = ""
    alertWhenNoData: bool = False
    alertWhenResolved: bool = False
    alertWhenBreaching: bool = False
    conditions: list[ConditionRef] = Field(min_length=1, max_length=1)
    notificationTargets: list[TargetRef] = Field(min_length=1)


class AlertPolicy(_Object):
    """Which condition makes which alert."""

    kind: Literal["AlertPolicy"]
    metadata: PolicyMetadata
    spec: PolicySpec


class TargetSpec(_Strict):
    """Where notifications go."""

    target: Literal["webhook"]
    description: Text | None = None


class AlertNotificationTarget(_Object):
    """Who is told."""

    kind: Literal["AlertNotificationTarget"]
    metadata: Metadata
    spec: TargetSpec


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
