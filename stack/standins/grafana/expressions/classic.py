"""Classic conditions: one verdict for all series, as Grafana's old alerts had it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stack.standins.grafana.expressions.reduce import reduce_values
from stack.standins.grafana.expressions.threshold import Evaluator
from stack.standins.grafana.expressions.values import Number, Series, Value, Values

CLASSIC_REDUCERS: Mapping[str, str] = {
    "avg": "mean",
    "min": "min",
    "max": "max",
    "sum": "sum",
    "count": "count",
    "last": "last",
    "median": "median",
}
CLASSIC_EVALUATORS = ("gt", "lt", "eq", "ne", "gte", "lte", "within_range", "outside_range", "no_value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One row: a reducer over a query, and what it is compared with; without an evaluator it asks for no value."""

    source: str
    reducer: str
    evaluator: Evaluator | None
    either: bool = False

    def fires(self, values: Values) -> tuple[bool | None, list[dict[str, object]]]:
        """
        Whether any series matches (None when there is no data), and which.
        """
        if values.empty:
            return (True, [{"metric": "NoData", "labels": None, "value": None}]) if not self.evaluator else (None, [])
        reduced = [(item, self._reduce(item)) for item in values.items]
        if self.evaluator is None:
            return any(value is None for _, value in reduced), []
        matched = [(item, value) for item, value in reduced if self.evaluator.holds(value) == 1.0]
        if not matched and all(value is None for _, value in reduced):
            return None, []
        return bool(matched), [
            {"metric": item.name, "labels": dict(item.labels), "value": value} for item, value in matched
        ]

    def _reduce(self, item: Value) -> float | None:
        raw = item.values if isinstance(item, Series) else [item.value]
        value = reduce_values(raw, CLASSIC_REDUCERS[self.reducer], "dropNN")
        return None if value is not None and math.isnan(value) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Classic:
    """A classic condition: its rows, joined from the left by and/or."""

    conditions: Sequence[Condition]

    @property
    def refs(self) -> Sequence[str]:
        """
        What it reads.
        """
        return tuple(condition.source for condition in self.conditions)

    def apply(self, inputs: Mapping[str, Values]) -> Values:
        """
        One number without labels: 1 firing, 0 not, null when no row had data.
        """
        verdict, missing = False, True
        matches: list[dict[str, object]] = []
        for index, condition in enumerate(self.conditions):
            fires, found = condition.fires(inputs[condition.source])
            missing = missing and fires is None
            matches += found
            loose = index == 0 or condition.either
            verdict = (verdict or bool(fires)) if loose else (verdict and bool(fires))
        value = None if missing else float(verdict)
        return Values(items=[Number(labels={}, value=value)], matches=matches)
