"""Truth: what the clients saw, in as many bins as a chart can draw. Counts and histograms add up, so nothing is guessed."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from scenarios.history import LATENCY_EDGES_S, History, Traffic

MOST_BINS = 300

_LEAST_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """
    Some seconds of traffic, of one route or of all together; `latency` counts requests by index of LATENCY_EDGES_S.
    """

    t: float
    width_s: float
    count: int
    failed: int
    latency: Mapping[int, int]

    @property
    def middle_t(self) -> float:
        """The time at which a chart draws it."""
        return self.t + self.width_s / 2

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.count / self.width_s

    @property
    def failed_ratio(self) -> float | None:
        """Share of failed requests, or None where there were no requests."""
        return self.failed / self.count if self.count else None

    @property
    def p95_s(self) -> float | None:
        """Time within which 95 of 100 requests were answered."""
        return self.quantile(0.95)

    def quantile(self, q: float) -> float | None:
        """
        Time within which a share `q` of requests was answered: the upper edge of its bucket, so at most 10 % too long.
        """
        total = sum(self.latency.values())
        seen = 0
        for index in sorted(self.latency):
            seen += self.latency[index]
            if seen >= q * total > 0:
                return LATENCY_EDGES_S[min(index, len(LATENCY_EDGES_S) - 1)]
        return None


def bins(history: History, most: int = MOST_BINS) -> tuple[Bin, ...]:
    """
    All traffic, in bins of whole seconds, at most `most` of them; a second in which no request ended counts as 0.
    """
    seconds = list(history.of(Traffic))
    if not seconds:
        return ()
    start, end = seconds[0].t, seconds[-1].t + 1.0
    width_s = max(1, math.ceil((end - start) / most))
    filled: dict[int, list[Traffic]] = {}
    for second in seconds:
        # A second's start may be a hair below the whole number that it means.
        filled.setdefault(int((second.t - start + 1e-6) // width_s), []).append(second)
    begun, stopped = history.phase("warm_up") or start, history.phase("stopped") or history.phase("aborted") or end
    edges = [(start + n * width_s, min(start + (n + 1) * width_s, end)) for n in range(max(filled) + 1)]
    return tuple(
        total(filled.get(n, ()), t=left, width_s=_worked_s(left, right, begun, stopped))
        for n, (left, right) in enumerate(edges)
    )


def _worked_s(left: float, right: float, begun: float, stopped: float) -> float:
    """How much of a bin had traffic, for it begins and ends within a second; a sliver of one says nothing of a rate."""
    worked_s = min(right, stopped) - max(left, begun)
    return worked_s if worked_s >= _LEAST_S else right - left


def total(seconds: Iterable[Traffic], *, t: float = 0.0, width_s: float = 1.0) -> Bin:
    """
    Add seconds of traffic up.
    """
    count = failed = 0
    latency: Counter[int] = Counter()
    for second in seconds:
        count += second.count
        failed += second.failed
        latency.update(second.latency)
    return Bin(t=t, width_s=width_s, count=count, failed=failed, latency=latency)


def during(history: History, start: float, end: float) -> Bin:
    """
    All traffic that ended in [start, end).
    """
    inside = (second for second in history.of(Traffic) if start <= second.t < end)
    return total(inside, t=start, width_s=max(end - start, 1.0))


def by_route(history: History) -> tuple[tuple[str, Bin], ...]:
    """
    The traffic of the whole run by method and route, busiest first.
    """
    routes: dict[str, list[Traffic]] = {}
    for second in history.of(Traffic):
        routes.setdefault(f"{second.method} {second.route}", []).append(second)
    rows = [(route, total(seconds, width_s=float(len(seconds)))) for route, seconds in routes.items()]
    return tuple(sorted(rows, key=lambda row: (-row[1].count, row[0])))
