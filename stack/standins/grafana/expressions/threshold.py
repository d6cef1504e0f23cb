"""Threshold: one where a number is on the wrong side, else zero; with an unload threshold, also hysteresis."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from stack.standins.grafana.expressions.values import ExpressionError, Number, Value, Values
from stack.standins.grafana.labels import fingerprint

Test = Callable[[float, Sequence[float]], bool]

EVALUATORS: Mapping[str, tuple[int, Test]] = {
    "gt": (1, lambda value, params: value > params[0]),
    "lt": (1, lambda value, params: value < params[0]),
    "eq": (1, lambda value, params: value == params[0]),
    "ne": (1, lambda value, params: value != params[0]),
    "gte": (1, lambda value, params: value >= params[0]),
    "lte": (1, lambda value, params: value <= params[0]),
    "within_range": (2, lambda value, params: params[0] < value < params[1]),
    "outside_range": (2, lambda value, params: value < params[0] or value > params[1]),
    "within_range_included": (2, lambda value, params: params[0] <= value <= params[1]),
    "outside_range_included": (2, lambda value, params: value <= params[0] or value >= params[1]),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluator:
    """A comparison with one or two numbers."""

    kind: str
    params: Sequence[float]

    def holds(self, value: float | None) -> float | None:
        """
        1.0 or 0.0; None for null, NaN for NaN.
        """
        if value is None or math.isnan(value):
            return value
        return float(EVALUATORS[self.kind][1](value, self.params))


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """One threshold expression; `unload` is what an instance that is already active is held against."""

    source: str
    load: Evaluator
    unload: Evaluator | None = None
    active: Collection[str] = ()

    @property
    def refs(self) -> Sequence[str]:
        """
        What it reads.
        """
        return (self.source,)

    def with_active(self, active: Collection[str]) -> "Threshold":
        """
        The same, knowing the fingerprints of the instances that are active now.
        """
        return replace(self, active=active) if self.unload else self

    def apply(self, inputs: Mapping[str, Values]) -> Values:
        """
        One or zero for each number of the input; series are refused, as Grafana does.
        """
        return Values(items=[self._number(item) for item in inputs[self.source].items])

    def _number(self, item: Value) -> Number:
        if not isinstance(item, Number):
            raise ExpressionError(
                f"looks like time series data, only reduced data can be alerted on: reduce {self.source}"
            )
        if self.unload is None or fingerprint(item.labels) not in self.active:
            return Number(labels=item.labels, value=self.load.holds(item.value), name=self.source)
        # An active instance stays active until the unload condition holds.
        left = self.unload.holds(item.value)
        kept = None if left is None else left if math.isnan(left) else 1.0 - left
        return Number(labels=item.labels, value=kept, name=self.source)
