"""Resample: a series onto an even grid."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from stack.standins.grafana.expressions.reduce import REDUCERS
from stack.standins.grafana.expressions.values import ExpressionError, Series, Value, Values

DOWNSAMPLERS = ("mean", "min", "max", "sum", "last")
UPSAMPLERS = ("pad", "backfilling", "fillna")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resample:
    """One resample expression; the window is in milliseconds."""

    source: str
    window_ms: int
    down: str
    up: str

    @property
    def refs(self) -> Sequence[str]:
        """
        What it reads.
        """
        return (self.source,)

    def apply(self, inputs: Mapping[str, Values]) -> Values:
        """
        Each series of the input on a grid of the window, from its own first time to its last.
        """
        return Values(items=[self._series(item) for item in inputs[self.source].items])

    def _series(self, item: Value) -> Series:
        if not isinstance(item, Series):
            raise ExpressionError(f"can only resample type series, got type number: {self.source}")
        if not item.times_ms:
            return item
        times = range(item.times_ms[0], item.times_ms[-1] + 1, self.window_ms)
        points = list(zip(item.times_ms, item.values, strict=True))
        values: list[float | None] = []
        position, last = 0, None
        for time_ms in times:
            inside: list[float] = []
            while position < len(points) and points[position][0] <= time_ms:
                last = points[position][1]
                if last is not None and not math.isnan(last):
                    inside.append(last)
                position += 1
            values.append(self._value(inside, last, points[position:]))
        return Series(labels=item.labels, times_ms=list(times), values=values, name=item.name)

    def _value(
        self, inside: Sequence[float], last: float | None, later: Sequence[tuple[int, float | None]]
    ) -> float | None:
        if inside:
            reducer: Callable[[Sequence[float]], float] = REDUCERS[self.down]
            return float(reducer(inside))
        if self.up == "pad":
            return last
        return later[0][1] if self.up == "backfilling" and later else None
