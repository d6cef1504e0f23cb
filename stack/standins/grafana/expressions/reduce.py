"""Reduce: each series to one number."""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from stack.standins.grafana.expressions.values import Number, Series, Value, Values

Reducer = Callable[[Sequence[float]], float]

REDUCERS: Mapping[str, Reducer] = {
    "last": lambda values: values[-1],
    "mean": lambda values: math.fsum(values) / len(values),
    "min": min,
    "max": max,
    "sum": math.fsum,
    "median": lambda values: statistics.median(values),
    "count": len,
}
MODES = ("", "dropNN", "replaceNN")
ALREADY = "Reduce operation is not needed. Input query or expression {} is already reduced data."


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduce:
    """One reduce expression; `mode` says what becomes of values that are no numbers."""

    source: str
    reducer: str
    mode: str = ""
    replacement: float = 0.0

    @property
    def refs(self) -> Sequence[str]:
        """
        What it reads.
        """
        return (self.source,)

    def apply(self, inputs: Mapping[str, Values]) -> Values:
        """
        A number for each item of the input.
        """
        values = inputs[self.source]
        notices = [ALREADY.format(self.source)] if values.numbers() else []
        return Values(items=[self._number(item) for item in values.items], notices=notices)

    def _number(self, item: Value) -> Number:
        raw = item.values if isinstance(item, Series) else [item.value]
        return Number(labels=item.labels, value=reduce_values(raw, self.reducer, self.mode, self.replacement))


def reduce_values(raw: Sequence[float | None], reducer: str, mode: str = "", replacement: float = 0.0) -> float | None:
    """
    One number of many; NaN when the strict mode meets a value that is none, None when nothing is left to reduce.
    """
    known = [value for value in raw if value is not None and math.isfinite(value)]
    if mode == "replaceNN":
        known = [value if value is not None and math.isfinite(value) else replacement for value in raw]
    elif mode != "dropNN" and reducer != "count":
        known = [math.nan if value is None else value for value in raw]
        if any(math.isnan(value) for value in known) and reducer != "last":
            return math.nan
    if reducer == "count":
        return float(len(raw) if mode != "dropNN" else len(known))
    if not known:
        return None if mode == "dropNN" else math.nan
    return float(REDUCERS[reducer](known))
