"""Tally: what one process of clients saw, second by second: counts and histograms, and a sample of requests.

Memory and output grow with seconds and routes, not with requests. A request belongs to the second in which it ended.
Latencies are those of answers: a request without an answer has none, and counts as an error.
"""

import random
from bisect import bisect_left
from dataclasses import dataclass
from typing import NamedTuple

from scenarios.history import LATENCY_EDGES_S, Request, Traffic
from scenarios.plan import Plan, Route


class Seen(NamedTuple):
    """One request as its client saw it; `status` 0 means that there was no answer, and `error` says why."""

    route: Route
    status: int
    ended_t: float
    duration_s: float
    trace_id: str
    error: str = ""
    sampled: bool = True

    @property
    def failed(self) -> bool:
        """Whether the client got no good answer, as in `history.Request`."""
        return self.status == 0 or self.status >= 500

    def to_event(self) -> Request:
        """The event of the history."""
        return Request(
            t=self.ended_t - self.duration_s,
            route=self.route.template,
            method=self.route.method,
            status=self.status,
            duration_s=self.duration_s,
            trace_id=self.trace_id,
            error=self.error,
            sampled=self.sampled,
        )


class Reservoir:
    """
    A sample of at most `size` of all that was offered, each with the same chance.
    """

    def __init__(self, size: int) -> None:
        self.kept: list[Seen] = []
        self._size = size
        self._offered = 0

    def offer(self, seen: Seen) -> None:
        """
        Keep it, perhaps in place of another.
        """
        self._offered += 1
        if len(self.kept) < self._size:
            self.kept.append(seen)
        elif (place := random.randrange(self._offered)) < self._size:  # noqa: S311 - no secret
            self.kept[place] = seen


class _Cell:
    """One route in one second, of requests whose traces are sampled or of those whose are not."""

    __slots__ = ("answered", "count", "failed", "latency", "status", "sum_s")

    def __init__(self) -> None:
        self.count = self.answered = self.failed = 0
        self.sum_s = 0.0
        self.status: dict[int, int] = {}
        self.latency: dict[int, int] = {}

    def add(self, seen: Seen) -> None:
        self.count += 1
        self.failed += seen.failed
        if seen.status:
            self.answered += 1
            self.sum_s += seen.duration_s
            self.status[seen.status] = self.status.get(seen.status, 0) + 1
            bucket = bisect_left(LATENCY_EDGES_S, seen.duration_s)
            self.latency[bucket] = self.latency.get(bucket, 0) + 1

    def to_event(self, second: int, route: Route, *, sampled: bool) -> Traffic:
        return Traffic(
            t=float(second),
            route=route.template,
            method=route.method,
            count=self.count,
            failed=self.failed,
            errors=self.count - self.answered,
            status={str(status): count for status, count in sorted(self.status.items())},
            latency=dict(sorted(self.latency.items())),
            sum_s=self.sum_s,
            sampled=sampled,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """
    How many requests are kept: the first `failures` failed ones, and a sample of each second (of those whose traces the
    app keeps, and as many of the others).
    """

    failures: int
    per_s: int

    @classmethod
    def share(cls, plan: Plan, *, of: int) -> "Limits":
        """
        One process's share, when there are so many.
        """
        return cls(failures=plan.failures // of, per_s=-(-plan.sample_per_s // of))


class _Second:
    """One second that is being counted."""

    def __init__(self, start: int, per_s: int) -> None:
        self.start = start
        self.cells: dict[tuple[Route, bool], _Cell] = {}
        self.good = {sampled: Reservoir(per_s) for sampled in (True, False)}
        self.slowest: Seen | None = None
        self.failures: list[Seen] = []
        self.more_failures = Reservoir(per_s)

    def to_events(self) -> list[Traffic | Request]:
        good = [*self.good[True].kept, *self.good[False].kept]
        slowest = [self.slowest] if self.slowest and self.slowest not in good else []
        kept = [*good, *slowest, *self.failures, *self.more_failures.kept]
        return [
            *(cell.to_event(self.start, route, sampled=sampled) for (route, sampled), cell in self.cells.items()),
            *(seen.to_event() for seen in kept),
        ]


class Tally:
    """
    The account of one process. `add` each request once, when it ended; `take` what is complete.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._failures_left = limits.failures
        self._done: list[Traffic | Request] = []
        self._now = _Second(0, limits.per_s)

    @property
    def second(self) -> int:
        """The second that is being counted; all before it are complete."""
        return self._now.start

    def add(self, seen: Seen) -> None:
        """
        Account one request.
        """
        if seen.ended_t >= self._now.start + 1:
            self.close_before(int(seen.ended_t))
        now = self._now
        cell = now.cells.get((seen.route, seen.sampled))
        if cell is None:
            cell = now.cells[seen.route, seen.sampled] = _Cell()
        cell.add(seen)
        if seen.failed:
            self._keep_failure(seen)
            return
        now.good[seen.sampled].offer(seen)
        if now.slowest is None or seen.duration_s > now.slowest.duration_s:
            now.slowest = seen

    def close_before(self, second: int) -> None:
        """
        Nothing more will end before this second. A clock that was set back reopens nothing.
        """
        if second > self._now.start:
            self._done += self._now.to_events()
            self._now = _Second(second, self._limits.per_s)

    def take(self) -> list[Traffic | Request]:
        """
        All that was completed since the last call.
        """
        done, self._done = self._done, []
        return done

    def _keep_failure(self, seen: Seen) -> None:
        """All of them while the run's limit lasts, then a sample of each second."""
        if self._failures_left:
            self._failures_left -= 1
            self._now.failures.append(seen)
        else:
            self._now.more_failures.offer(seen)
