"""Truth: the clients' seconds, summed and sliced as judges need them. Pure."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from scenarios.history import LATENCY_EDGES_S, History, Traffic
from scenarios.model import ROUTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """
    Requests of some routes in some seconds.

    `failed` are answers of 5xx, `lost` are requests without any answer (a server may or may not have seen those).
    """

    count: int = 0
    failed: int = 0
    lost: int = 0
    status: Mapping[str, int]
    latency: Mapping[int, int]

    @property
    def answered(self) -> int:
        """Requests that got an answer."""
        return self.count - self.lost

    def failed_share(self) -> float:
        """Failed ones among those answered; nought of nothing."""
        return self.failed / self.answered if self.answered else 0.0

    def quantile_s(self, q: float) -> float:
        """The upper edge of the bucket in which the q-quantile of latency lies; NaN of nothing."""
        return self.quantile_edges_s(q)[1]

    def quantile_edges_s(self, q: float) -> tuple[float, float]:
        """Lower and upper edge of that bucket."""
        total = sum(self.latency.values())
        if not total:
            return math.nan, math.nan
        rank, seen = q * total, 0
        for index in sorted(self.latency):
            seen += self.latency[index]
            if seen >= rank:
                return _edges(index)
        return _edges(max(self.latency))

    def above(self, threshold_s: float) -> int:
        """Requests in buckets whose lower edge is at or above a threshold."""
        return sum(n for index, n in self.latency.items() if _edges(index)[0] >= threshold_s * 0.999)


def _edges(index: int) -> tuple[float, float]:
    lower = LATENCY_EDGES_S[index - 1] if index > 0 else 0.0
    upper = LATENCY_EDGES_S[index] if index < len(LATENCY_EDGES_S) else math.inf
    return lower, upper


def routes_through(service: str) -> frozenset[str]:
    """The clients' routes that pass through a service; all of them for a service that we do not know."""
    routes = frozenset(route for route, services in ROUTES.items() if service in services)
    return routes or frozenset(ROUTES)


def window(
    history: History,
    *,
    since: float = -math.inf,
    until: float = math.inf,
    routes: Iterable[str] | None = None,
    sampled: bool = False,
) -> Window:
    """
    Sum the seconds that lie in [since, until) and the routes given (default: all).

    `sampled`: only requests whose traces the app keeps, which are all of them unless the drill says otherwise.
    """
    wanted = frozenset(routes) if routes is not None else None
    return add(
        second
        for second in history.of(Traffic)
        if since <= second.t < until and (wanted is None or second.route in wanted) and (second.sampled or not sampled)
    )


def add(seconds: Iterable[Traffic]) -> Window:
    """Sum any seconds."""
    count = failed = lost = 0
    status: Counter[str] = Counter()
    latency: Counter[int] = Counter()
    for second in seconds:
        count += second.count
        failed += second.failed - second.errors
        lost += second.errors
        status.update(second.status)
        latency.update(second.latency)
    return Window(count=count, failed=failed, lost=lost, status=status, latency=latency)


def traffic_span(history: History) -> tuple[float, float] | None:
    """From the first second of traffic to the end of the last one, or None without any."""
    seconds = [second.t for second in history.of(Traffic)]
    return (min(seconds), max(seconds) + 1) if seconds else None
