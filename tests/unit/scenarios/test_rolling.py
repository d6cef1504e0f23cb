"""Rolling views: when a drill must stop, and when it may not yet."""

import math
from typing import Any

import pytest

from scenarios.history import LATENCY_EDGES_S, Traffic
from scenarios.model import Abort
from scenarios.rolling import Rolling


def rolling(**condition: Any) -> Rolling:
    """A condition over 3 s."""
    return Rolling(Abort.model_validate({"for": "3s"} | condition))


def second(t: float, count: int = 10, failed: int = 0, latency: dict[int, int] | None = None) -> Traffic:
    """One second of traffic."""
    return Traffic(t=t, route="/api/users", count=count, failed=failed, latency=latency or {})


def breaches(view: Rolling, *seconds: Traffic) -> list[bool]:
    """Whether it must stop, after each second."""
    found = []
    for one in seconds:
        view.add(one)
        found.append(view.breach() is not None)
    return found


def test_nothing_seen_says_nothing() -> None:
    """Neither good nor bad."""
    view = rolling(failed="50%", p95="1s")

    assert (view.failed_share, view.p95_s, view.breach()) == (None, None, None)


def test_it_must_be_bad_for_so_long() -> None:
    """Before three seconds have been seen, a drill goes on."""
    assert breaches(rolling(failed="50%"), *(second(t, failed=9) for t in (1, 2, 3))) == [False, False, True]


def test_seconds_are_taken_together_and_old_ones_forgotten() -> None:
    """Two bad seconds in three are above one half; when they are past, all is well again."""
    failures = [0, 0, 0, 9, 9, 0, 0]
    view = rolling(failed="50%")

    assert breaches(view, *(second(t, failed=failed) for t, failed in enumerate(failures))) == [
        False,
        False,
        False,
        False,
        True,
        True,
        False,
    ]


def test_a_gap_is_no_time_of_trouble() -> None:
    """Seconds in which no request ended count as time, but have no share in the average."""
    view = rolling(failed="50%")

    assert breaches(view, second(1), second(10, failed=9)) == [False, True]
    assert view.failed_share == 0.9


def test_routes_of_one_second_are_one() -> None:
    """Events of the same second add up."""
    view = rolling(failed="50%")
    breaches(view, second(1, 10, 10), second(1, 30, 0))

    assert view.failed_share == 0.25


@pytest.mark.parametrize(
    ("latency", "p95"),
    [
        ({}, None),
        ({10: 1}, LATENCY_EDGES_S[10]),
        ({10: 95, 50: 5}, LATENCY_EDGES_S[10]),
        ({10: 94, 50: 6}, LATENCY_EDGES_S[50]),
        ({len(LATENCY_EDGES_S): 1}, math.inf),
    ],
)
def test_p95_is_the_upper_edge_of_its_bucket(latency: dict[int, int], p95: float | None) -> None:
    """So a limit is never overlooked; beyond all edges it is endless."""
    view = rolling(p95="1s")
    view.add(second(1, latency=latency))

    assert p95 == view.p95_s


def test_one_condition_of_two_is_enough() -> None:
    """Slow answers stop a drill though none of them failed."""
    slow = {60: 10}

    assert breaches(rolling(failed="50%", p95="100ms"), *(second(t, latency=slow) for t in range(3))) == [
        False,
        False,
        True,
    ]


def test_the_reason_says_what_was_seen_and_what_was_allowed() -> None:
    """In the words of the scenario."""
    failing, slow = rolling(failed="50%"), rolling(p95="100ms")
    breaches(failing, *(second(t, count=3, failed=2) for t in range(3)))
    breaches(slow, *(second(t, latency={60: 10}) for t in range(3)))

    assert failing.breach() == "66.67% of requests failed in the last 3s; the drill stops at 50%"
    assert slow.breach() == "p95 was 0.304s in the last 3s; the drill stops at 0.1s"
