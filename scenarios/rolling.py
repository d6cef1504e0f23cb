"""Rolling: how clients fared in the last seconds, for the conditions that stop a drill early."""

import math
from collections import Counter, deque

from scenarios.history import LATENCY_EDGES_S, Traffic
from scenarios.model import Abort
from scenarios.units import format_ratio


class Rolling:
    """
    One `abort` condition, watched over the last `for` seconds taken together.

    Before so many seconds have been seen it says nothing; nor when nobody asked anything.
    """

    def __init__(self, condition: Abort) -> None:
        self._condition = condition
        self._seconds: deque[Traffic] = deque()
        self._since: float | None = None
        self._last = -math.inf

    def add(self, second: Traffic) -> None:
        """
        Take in one event, in order of time; several may be of the same second.
        """
        self._since = second.t if self._since is None else self._since
        self._last = max(self._last, second.t)
        self._seconds.append(second)
        while self._seconds[0].t <= self._last - self._condition.for_s:
            self._seconds.popleft()

    @property
    def failed_share(self) -> float | None:
        """The share of failed requests, None without any request."""
        count = sum(second.count for second in self._seconds)
        return sum(second.failed for second in self._seconds) / count if count else None

    @property
    def p95_s(self) -> float | None:
        """The upper edge of the bucket in which the 95th of 100 answers lies; None without any answer."""
        latency: Counter[int] = Counter()
        for second in self._seconds:
            latency.update(second.latency)
        left = math.ceil(0.95 * latency.total())
        for bucket, count in sorted(latency.items()):
            left -= count
            if left <= 0:
                return LATENCY_EDGES_S[bucket] if bucket < len(LATENCY_EDGES_S) else math.inf
        return None

    def breach(self) -> str | None:
        """
        Why the drill must stop, in words; None when it may go on.
        """
        limit = self._condition
        if self._since is None or self._last + 1 - self._since < limit.for_s:
            return None
        failed, p95_s = self.failed_share, self.p95_s
        if limit.failed is not None and failed is not None and failed >= limit.failed:
            return (
                f"{format_ratio(round(failed, 4))} of requests failed in the last {limit.for_s:g}s; "
                f"the drill stops at {format_ratio(limit.failed)}"
            )
        if limit.p95 is not None and p95_s is not None and p95_s >= limit.p95:
            return f"p95 was {p95_s:.3g}s in the last {limit.for_s:g}s; the drill stops at {limit.p95:g}s"
        return None
