"""Confluence: where the accounts of all processes of clients become one, second by second."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from scenarios.history import Request, Traffic

PATIENCE_S = 5.0
"""How long a second waits for a process that is silent; what comes later is an event of its own, and adds up."""


def merge(parts: Iterable[Traffic]) -> Traffic:
    """
    One second of one route, as several processes saw it; all parts must be of the same second, route, method and sampling.
    """
    first, *others = parts
    return first.model_copy(
        update={
            "count": first.count + sum(part.count for part in others),
            "failed": first.failed + sum(part.failed for part in others),
            "errors": first.errors + sum(part.errors for part in others),
            "sum_s": first.sum_s + sum(part.sum_s for part in others),
            "status": _sum(part.status for part in (first, *others)),
            "latency": _sum(part.latency for part in (first, *others)),
        }
    )


class Confluence:
    """
    Streams of seconds, one of each worker, merged into one.
    """

    def __init__(self, workers: Iterable[str]) -> None:
        self._complete = dict.fromkeys(workers, 0)
        self._seconds: dict[float, dict[tuple[str, str, bool], list[Traffic]]] = defaultdict(lambda: defaultdict(list))
        self._requests: list[Request] = []
        self._ended: set[str] = set()

    @property
    def missing(self) -> set[str]:
        """Workers that have not said that all is told."""
        return set(self._complete) - self._ended

    def add(self, worker: str, events: Iterable[Traffic | Request], *, complete: int, final: bool = False) -> None:
        """
        What one worker tells: all of its seconds before `complete` are told by now; with `final`, it ends here.
        """
        self._complete[worker] = max(complete, self._complete.get(worker, 0))
        if final:
            self._ended.add(worker)
        for event in events:
            if isinstance(event, Traffic):
                self._seconds[event.t][event.route, event.method, event.sampled].append(event)
            else:
                self._requests.append(event)

    def take(self, now: float) -> list[Traffic | Request]:
        """
        What is complete at `now` (seconds since the epoch): told by all, or older than anyone's patience.
        """
        told = min((self._complete[worker] for worker in self.missing), default=float("inf"))
        ready = sorted(second for second in self._seconds if second < told or second < now - PATIENCE_S)
        requests, self._requests = self._requests, []
        return [merge(parts) for second in ready for parts in self._seconds.pop(second).values()] + requests


def _sum(counts: Iterable[Mapping[str, int]] | Iterable[Mapping[int, int]]) -> dict[str | int, int]:
    total: Counter[str | int] = Counter()
    for count in counts:
        total.update(count)
    return dict(total)
