"""Pace: which user may send its next request, and when; pure reckoning, so that the rate is exact and can be tested.

All users of a run share one schedule: request number k is due when the planned sum of requests reaches k.
Who is ready takes the next number. With several processes, process i of n takes the numbers i, i + n, i + 2n, ...
"""

import math

from scenarios.plan import Plan

CATCH_UP_S = 0.5
"""How far the schedule may lag and still be caught up with; beyond that, requests are left out, lest a burst follow."""

NEVER_S = 1e8
"""Later than the end of any run (three years)."""


class Pace:
    """
    One process's share of the schedule. All times are seconds after the first request.
    """

    def __init__(self, plan: Plan, *, index: int = 0, of: int = 1) -> None:
        self._crowd = plan.crowd()
        self._rate = plan.rate()
        self._step = of
        self._user = index
        self._number = index

    def enlist(self) -> int:
        """
        Count in one more user, and tell its number: those with low numbers work, the others wait for a spike.
        """
        user, self._user = self._user, self._user + self._step
        return user

    def works_from(self, user: int, t: float) -> float:
        """
        When a user works, from `t` on: `t` itself if it is needed now, NEVER_S if no more.
        """
        since = self._crowd.next_above(user, t)
        return NEVER_S if since is None else since

    def due(self, t: float) -> float:
        """
        When the working user that asks at `t` sends its next request: a moment of its own, nobody else's.

        It may have passed; then the request is sent at once. NEVER_S when the plan has no more requests.
        """
        if self._rate is None:
            return t
        due = self._rate.when(self._number)
        if due is not None and due < t - CATCH_UP_S:
            self._number += self._step * math.ceil((self._rate.area(t) - self._number) / self._step)
            due = self._rate.when(self._number)
        self._number += self._step
        return NEVER_S if due is None else due
