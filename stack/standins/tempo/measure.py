"""What a metrics query measures of spans: observations by group and step, and the value that a function makes of them."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from stack.standins.tempo.spans import Span
from stack.standins.tempo.traceql.check import type_of
from stack.standins.tempo.traceql.fields import compile_field, is_number
from stack.standins.tempo.traceql.spansets import compile_pipeline
from stack.standins.tempo.traceql.syntax import Metric, Query, Type
from stack.standins.tempo.traces import TraceView
from stack.standins.tempo.windows import Steps

SECOND = 1_000_000_000
LARGEST = 2.0**1023
EXEMPLARS_PER_STEP = 2
BUCKETED = ("quantile_over_time", "histogram_over_time")
Group = tuple[object, ...]


@dataclass(slots=True, kw_only=True)
class Observations:
    """What fell into one step of one group; `buckets` count by the power of two that a value is at most."""

    count: int = 0
    total: float = 0.0
    least: float = math.inf
    most: float = -math.inf
    buckets: dict[float, int] = field(default_factory=dict)

    def add(self, value: float) -> None:
        """
        Take one value in.
        """
        self.count += 1
        self.total += value
        self.least = min(self.least, value)
        self.most = max(self.most, value)

    def count_bucket(self, value: float) -> None:
        """
        Count one value in its bucket.
        """
        bound = log2_bound(value)
        self.buckets[bound] = self.buckets.get(bound, 0) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemplar:
    """A span that stands for the step that ends at `end_ns`; its value is None where spans are only counted."""

    end_ns: int
    value: float | None
    span: Span
    view: TraceView


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One group: its observations by the end of their step, and exemplars."""

    steps: dict[int, Observations] = field(default_factory=dict)
    exemplars: list[Exemplar] = field(default_factory=list)


class Measurement:
    """The observations of one query; `size` counts the bytes of the traces that were read."""

    def __init__(self, query: Query, metric: Metric, steps: Steps, exemplars: int) -> None:
        self._match = compile_pipeline(query.pipeline)
        self._read = _reader(metric)
        self._by = [compile_field(item) for item in metric.by]
        self._steps = steps
        self._exemplars = exemplars
        self._counts = metric.field is None
        self._needs_buckets = metric.function in BUCKETED
        self.groups: dict[Group, Measured] = {}
        self.size = 0

    def read(self, views: Sequence[TraceView]) -> None:
        """
        Take in the matching spans that started within the steps.
        """
        for view in views:
            if view.start_ns > self._steps.until_ns or view.end_ns <= self._steps.after_ns:
                continue
            self.size += view.size
            for spanset in self._match(view):
                for span in spanset.spans:
                    self._observe(span, view)

    def _observe(self, span: Span, view: TraceView) -> None:
        end_ns = self._steps.end_of(span.start_ns)
        value = self._read(span, view) if end_ns is not None else None
        if end_ns is None or value is None:
            return
        measured = self.groups.setdefault(tuple(getter(span, view) for getter in self._by), Measured())
        step = measured.steps.setdefault(end_ns, Observations())
        step.add(value)
        if self._needs_buckets:
            step.count_bucket(value)
        if step.count <= EXEMPLARS_PER_STEP and len(measured.exemplars) < self._exemplars:
            shown = None if self._counts else value
            measured.exemplars.append(Exemplar(end_ns=end_ns, value=shown, span=span, view=view))


def _reader(metric: Metric) -> Callable[[Span, TraceView], float | None]:
    if metric.field is None:
        return lambda span, view: 1.0
    getter = compile_field(metric.field)
    scale = SECOND if type_of(metric.field) is Type.DURATION else 1

    def read(span: Span, view: TraceView) -> float | None:
        value = getter(span, view)
        return value / scale if is_number(value) and math.isfinite(value) else None

    return read


def log2_bound(value: float) -> float:
    """
    The upper bound of a value's bucket; of seconds, the next power of two in nanoseconds.
    """
    nanoseconds = value * SECOND
    if nanoseconds < 1:
        return 0.0
    return 2.0 ** math.ceil(math.log2(nanoseconds)) / SECOND if nanoseconds < LARGEST else value


def log2_quantile(quantile: float, buckets: Mapping[float, int]) -> float:
    """
    A quantile of counts by power of two, interpolated exponentially between a bucket's bound and the one below.
    """
    wanted = max(1, math.ceil(quantile * sum(buckets.values())))
    below, seen = 0.0, 0
    for bound in sorted(buckets):
        count = buckets[bound]
        if seen + count >= wanted:
            lower = below or bound / 2
            return lower * (bound / lower) ** ((wanted - seen) / count) if bound else 0.0
        below, seen = bound, seen + count
    return below


def reduce(function: str, step: Observations, step_ns: int) -> float:
    """
    What a function without parameters makes of the observations of one step.
    """
    match function:
        case "rate":
            return step.count / (step_ns / SECOND)
        case "count_over_time":
            return float(step.count)
        case "min_over_time":
            return step.least
        case "max_over_time":
            return step.most
        case "sum_over_time":
            return step.total
    return step.total / step.count
