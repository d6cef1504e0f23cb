"""Climb: by how much counters rose, also where their process began anew. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise

from assertions.evidence import Points


def climb(points: Sequence[tuple[float, float]], born_after: float, restarts: Sequence[float] = ()) -> float:
    """
    How much one counter rose. It began at nought when its first point is later than `born_after`, and again whenever it fell,
    for then its process was restarted; at known `restarts` also when it had caught up with itself before anybody looked.
    """
    return sum(step for _, step in _steps(points, born_after, restarts))


def total(series: Iterable[Sequence[tuple[float, float]]], born_after: float, restarts: Sequence[float] = ()) -> Points:
    """
    How much all series of one counter had risen together, at each time at which any of them was seen.
    """
    steps: dict[float, float] = defaultdict(float)
    for points in series:
        for t, step in _steps(points, born_after, restarts):
            steps[t] += step
    times = sorted(steps)
    return tuple(zip(times, accumulate(steps[t] for t in times), strict=True))


def _steps(
    points: Sequence[tuple[float, float]], born_after: float, restarts: Sequence[float]
) -> Iterable[tuple[float, float]]:
    """By how much it rose to each of its points; the first counts in full or not at all."""
    if not points:
        return
    first_t, first = points[0]
    yield first_t, first if first_t > born_after else 0.0
    for (before_t, before), (t, after) in pairwise(points):
        anew = after < before or any(before_t < restart <= t for restart in restarts)
        yield t, after if anew else after - before
