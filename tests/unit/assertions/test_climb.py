"""Climb: what counters rose by, restarts or not."""

import pytest

from assertions.climb import climb, total


@pytest.mark.parametrize(
    ("points", "rose"),
    [
        ([], 0),
        ([(0, 5)], 0),
        ([(0, 5), (1, 8), (2, 8)], 3),
        ([(1, 5), (2, 8)], 3),
        ([(1.1, 5), (2, 8)], 8),
        ([(0, 5), (1, 8), (2, 2), (3, 4)], 7),
        ([(2, 5), (3, 0)], 5),
    ],
)
def test_how_much_a_counter_climbed(points: list[tuple[float, float]], rose: float) -> None:
    """From nought when it was born after the first second, and again from nought after a restart."""
    assert climb(points, born_after=1) == rose


def test_a_known_restart_counts_what_a_fall_cannot_show() -> None:
    """A counter that had caught up with itself before anybody looked again had begun at nought all the same."""
    points = [(0, 5.0), (1, 6.0), (10, 7.0), (11, 9.0)]

    assert climb(points, born_after=0, restarts=[9.5]) == 1 + 7 + 2
    assert climb(points, born_after=0, restarts=[20.0, -1.0]) == 4


def test_the_series_of_a_counter_rise_together() -> None:
    """At each moment at which one of them was seen, and one that is gone keeps what it had."""
    early, late = [(0, 2.0), (1, 4.0), (3, 1.0)], [(1, 10.0), (2, 11.0)]

    assert total([early, late, []], born_after=-1) == ((0, 2.0), (1, 14.0), (2, 15.0), (3, 16.0))
    assert total([], born_after=-1) == ()
