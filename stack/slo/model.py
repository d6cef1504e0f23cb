"""Service level: what is promised of a service, how it is measured, and which alerts guard it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

IDENTITY = ("service_namespace", "service_name")
"""The labels that tell one service from another; everything is measured and alerted for each of them on its own."""

AlertKind = Literal["burn-rate", "error-ratio", "latency-quantile", "absent"]
"""How a condition is put into a rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """A counter in Prometheus: its name, and matchers as PromQL writes them within the braces."""

    metric: str
    matchers: str = ""

    @classmethod
    def parse(cls, query: str) -> "Selector":
        """From its PromQL text, which has been checked before."""
        metric, _, rest = query.partition("{")
        return cls(metric=metric, matchers=rest.removesuffix("}").strip())

    def __str__(self) -> str:
        return f"{self.metric}{{{self.matchers}}}" if self.matchers else self.metric

    def without(self, label: str) -> "Selector":
        """The same without the matchers of one label."""
        kept = [matcher for matcher in self.matchers.split(",") if not re.match(rf"\s*{label}\s*[=!]", matcher)]
        return Selector(metric=self.metric, matchers=",".join(kept).strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class Sli:
    """How a level is measured: good or bad requests among all; exactly one of `good` and `bad` is given."""

    name: str
    total: Selector
    good: Selector | None = None
    bad: Selector | None = None

    @property
    def threshold_s(self) -> Fraction | None:
        """If good means fast: how fast, in seconds, from the bucket's upper edge."""
        edge = re.search(r'\ble\s*=\s*"([0-9.]+)"', self.good.matchers) if self.good else None
        return Fraction(edge[1]) if edge else None

    @property
    def bad_word(self) -> str:
        """What makes a request bad, for formulas: `5xx`, `slow`, or `custom` if clients cannot tell."""
        if self.threshold_s is not None:
            return "slow"
        return "5xx" if self.bad and '_status_code=~"5.."' in self.bad.matchers.replace(" ", "") else "custom"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """
    The budget burns `factor` times as fast as allowed over `window_s`, and over `short_s` where given.

    Times are nominal seconds, as in production; a profile scales them.
    """

    factor: Fraction
    window_s: int
    short_s: int | None = None
    hold_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert; it fires if any of its conditions holds."""

    name: str
    kind: AlertKind
    severity: str
    description: str
    conditions: Sequence[Condition]

    @property
    def hold_s(self) -> int:
        """How long a condition must hold, in nominal seconds."""
        return max(condition.hold_s for condition in self.conditions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slo:
    """One promise."""

    name: str
    title: str
    description: str
    service: str
    sli: Sli
    objective: Fraction
    period_s: int
    min_requests: int
    alerting: Sequence[str]
    alerts: Sequence[Alert]

    @property
    def budget(self) -> Fraction:
        """The share of requests that may be bad."""
        return 1 - self.objective
