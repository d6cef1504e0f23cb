"""Pace: exact rates, whoever is ready; no burst after a standstill; shares of several processes."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scenarios.model import Load
from scenarios.pace import CATCH_UP_S, NEVER_S, Pace
from scenarios.plan import Plan

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""On a busy machine an example may take long."""


def pace(*, index: int = 0, of: int = 1, **load: Any) -> Pace:
    """The pace of 10 s at 40 requests per second by 8 users, unless told otherwise."""
    body = {"for": "10s", "warm_up": "0s", "rate": 40, "users": 8} | load
    plan = Plan.model_validate({"host": "http://127.0.0.1:1", "events": "x", "load": body})
    assert isinstance(plan.load, Load)
    return Pace(plan, index=index, of=of)


def moments(one: Pace, *, at: float = 0.0) -> list[float]:
    """All moments that are dealt out to somebody who asks again and again at the same time."""
    dealt = []
    while (due := one.due(at)) < NEVER_S:
        dealt.append(due)
    return dealt


def test_requests_are_due_at_even_intervals() -> None:
    """At 40 per second each 25 ms, from the very beginning, and not one more than planned."""
    assert [pytest.approx(number / 40) for number in range(400)] == moments(pace())


@settings(PATIENT, max_examples=25)
@given(of=st.integers(1, 7), rate=st.integers(1, 50))
def test_several_processes_share_one_schedule(of: int, rate: int) -> None:
    """Together they send exactly what one alone would have sent, at the same moments."""
    together = sorted(due for index in range(of) for due in moments(pace(index=index, of=of, rate=rate)))

    assert together == moments(pace(rate=rate))


def test_a_small_lag_is_caught_up_with() -> None:
    """Who is a little late sends at once; nothing is left out."""
    late = pace()
    late.due(0)

    assert late.due(CATCH_UP_S) == pytest.approx(1 / 40)


def test_after_a_standstill_there_is_no_burst() -> None:
    """What could not be sent for 4 s is left out; the schedule goes on from now."""
    late = pace()
    late.due(0)

    assert late.due(4.01) == pytest.approx(4.025)
    assert late.due(4.01) == pytest.approx(4.05)


@settings(PATIENT, max_examples=50)
@given(index=st.integers(0, 2), standstill=st.floats(1, 9))
def test_after_a_standstill_each_process_keeps_its_own_numbers(index: int, standstill: float) -> None:
    """Nobody takes the number of another process."""
    numbers = [round(due * 40, 6) for due in moments(pace(index=index, of=3), at=standstill)]

    assert set(numbers) <= set(range(index, 400, 3))
    assert min(numbers, default=400) >= standstill * 40 - 1e-6


def test_after_the_end_nothing_is_due() -> None:
    """Neither with a rate nor without one does a user work any longer."""
    assert pace().due(10) == NEVER_S
    assert pace(rate=None).works_from(0, 10) == NEVER_S
    assert pace().works_from(0, 10) == NEVER_S


def test_without_a_rate_who_works_sends_at_once() -> None:
    """As fast as they can."""
    assert pace(rate=None).due(3.21) == 3.21


def test_users_work_when_the_plan_needs_so_many() -> None:
    """The first ones always, others only in the spike, the rest never."""
    load = {"rate": None, "users": 2, "for": "10s", "warm_up": "0s"}
    spike = {"kind": "spike", "factor": 2, "at": "4s", "for": "2s"}
    plan = Plan.model_validate({"host": "http://127.0.0.1:1", "events": "x", "load": load, "faults": [spike]})
    one = Pace(plan)
    users = [one.enlist() for _ in range(5)]

    assert [one.works_from(user, 0) for user in users] == [0, 0, 4, 4, NEVER_S]
    assert [one.works_from(user, 5) for user in users] == [5, 5, 5, 5, NEVER_S]
    assert [one.works_from(user, 6) for user in users] == [6, 6, NEVER_S, NEVER_S, NEVER_S]


def test_users_are_numbered_across_processes() -> None:
    """Of three processes the second has the users 1, 4, 7."""
    second = pace(index=1, of=3)

    assert [second.enlist() for _ in range(3)] == [1, 4, 7]
