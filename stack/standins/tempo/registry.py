"""Counters and histograms by label values, bounded in number, forgotten when stale, as the metrics generator keeps them."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

Labels = tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Series:
    """One series: a sum for a counter; for a histogram also counts per bucket (the last is +Inf) and exemplars."""

    seen_s: float
    total: float = 0.0
    buckets: list[int] = field(default_factory=list)
    exemplars: dict[int, tuple[str, float]] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Family:
    """A metric with its label names; `bounds` are a histogram's upper bounds, None for a counter."""

    name: str
    help: str
    labels: Labels
    bounds: Sequence[float] | None = None
    series: dict[Labels, Series] = field(default_factory=dict)

    def copy(self) -> "Family":
        """
        The same values in objects of their own.
        """
        series = {
            labels: replace(one, buckets=list(one.buckets), exemplars=dict(one.exemplars))
            for labels, one in self.series.items()
        }
        return replace(self, series=series)


class Registry:
    """Not thread-safe: the generator holds its lock around all calls. Times are seconds of one monotonic clock."""

    def __init__(self, *, max_series: int, stale_s: float) -> None:
        self._max_series = max_series
        self._stale_s = stale_s
        self._families: list[Family] = []
        self._active = 0
        self.limited = 0

    def family(self, name: str, text: str, labels: Labels, bounds: Sequence[float] | None = None) -> Family:
        """
        Declare a metric: a counter, or a histogram when it has bounds.
        """
        family = Family(name=name, help=text, labels=labels, bounds=bounds)
        self._families.append(family)
        return family

    def add(self, family: Family, labels: Labels, amount: float, now_s: float) -> None:
        """
        Raise a counter; beyond the limit of series a new one is only counted as limited.
        """
        series = family.series.get(labels) or self._create(family, labels, now_s)
        if series is not None:
            series.total += amount
            series.seen_s = now_s

    def observe(self, family: Family, labels: Labels, value: float, trace_id: str, now_s: float) -> None:
        """
        Put a value into a histogram, the trace it came from being the bucket's exemplar.
        """
        series = family.series.get(labels) or self._create(family, labels, now_s)
        if series is not None and family.bounds is not None:
            index = bisect_left(family.bounds, value)
            series.buckets[index] += 1
            series.exemplars[index] = (trace_id, value)
            series.total += value
            series.seen_s = now_s

    def forget_stale(self, now_s: float) -> None:
        """
        Drop the series that nothing touched for the stale duration.
        """
        for family in self._families:
            stale = [labels for labels, series in family.series.items() if now_s - series.seen_s > self._stale_s]
            for labels in stale:
                del family.series[labels]
            self._active -= len(stale)

    def families(self) -> Iterator[Family]:
        """
        The declared metrics, in order of declaration.
        """
        yield from self._families

    @property
    def active(self) -> int:
        """How many series there are."""
        return self._active

    def _create(self, family: Family, labels: Labels, now_s: float) -> Series | None:
        if self._active >= self._max_series:
            self.limited += 1
            return None
        buckets = [0] * (len(family.bounds) + 1) if family.bounds is not None else []
        series = family.series[labels] = Series(seen_s=now_s, buckets=buckets)
        self._active += 1
        return series
