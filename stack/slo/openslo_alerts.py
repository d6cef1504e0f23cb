"""OpenSLO v1, alerting: conditions, the policies that raise them, and who is told."""

from typing import Literal

from pydantic import Field

from stack.slo.fields import Duration, Name, Number, Text
from stack.slo.objects import Metadata, OpenSlo, Strict


class ConditionAnnotations(Strict):
    """Ours: how the burn rate is put into a rule, and the short window that lets it end soon."""

    kind: Literal["burn-rate", "error-ratio", "latency-quantile", "absent"] = Field(alias="tocsin/kind")
    short_window: Duration | None = Field(None, alias="tocsin/short-window")


class ConditionMetadata(Metadata):
    """A condition's name and our annotations."""

    annotations: ConditionAnnotations  # type: ignore[assignment]


class BurnRate(Strict):
    """The budget is burnt `threshold` times as fast as the objective allows, over the window."""

    kind: Literal["burnrate"]
    threshold: Number = Field(gt=0)
    lookbackWindow: Duration = Field(gt=0)
    alertAfter: Duration


class ConditionSpec(Strict):
    """When to alert, and how urgently."""

    description: Text = ""
    severity: Literal["page", "ticket", "info"]
    condition: BurnRate


class AlertCondition(OpenSlo):
    """When to alert."""

    kind: Literal["AlertCondition"]
    metadata: ConditionMetadata
    spec: ConditionSpec


class PolicyAnnotations(Strict):
    """Ours: the alert's name; policies of one SLO with the same name make one alert with several windows."""

    alert: str = Field(
        alias="tocsin/alert", pattern=r"^[A-Z][A-Za-z0-9]+$", description="a name in CamelCase, such as ErrorRateHigh"
    )


class PolicyMetadata(Metadata):
    """A policy's name and our annotations."""

    annotations: PolicyAnnotations  # type: ignore[assignment]


class ConditionRef(Strict):
    """A condition, by name."""

    conditionRef: Name


class TargetRef(Strict):
    """Who is told, by name."""

    targetRef: Name


class PolicySpec(Strict):
    """Which condition is told to whom."""

    description: Text = ""
    alertWhenNoData: bool = False
    alertWhenResolved: bool = False
    alertWhenBreaching: bool = False
    conditions: list[ConditionRef] = Field(min_length=1, max_length=1)
    notificationTargets: list[TargetRef] = Field(min_length=1)


class AlertPolicy(OpenSlo):
    """Which condition makes which alert."""

    kind: Literal["AlertPolicy"]
    metadata: PolicyMetadata
    spec: PolicySpec


class TargetSpec(Strict):
    """Where notifications go."""

    target: Literal["webhook"]
    description: Text | None = None


class AlertNotificationTarget(OpenSlo):
    """Who is told."""

    kind: Literal["AlertNotificationTarget"]
    metadata: Metadata
    spec: TargetSpec
