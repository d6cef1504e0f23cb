"""Readiness: ask until something answers as it should, or until a deadline."""

import time
from collections.abc import Callable
from functools import cache

import httpx

from stack.errors import StackError

_POLL_S = 0.03


def answers(url: str, *, timeout_s: float = 1) -> bool:
    """Whether a GET of this address gives 200 now."""
    try:
        return _client().get(url, timeout=timeout_s).status_code == 200
    except httpx.HTTPError:
        return False


@cache
def _client() -> httpx.Client:
    """One for all, for making one takes longer than asking; it keeps no connection, so that each answer is a new one's."""
    return httpx.Client(limits=httpx.Limits(max_keepalive_connections=0), trust_env=False)


def wait_until(
    condition: Callable[[], bool],
    *,
    within_s: float,
    otherwise: Callable[[], str],
    alive: Callable[[], bool] = lambda: True,
) -> None:
    """
    Ask until the condition holds.

    Raises StackError with the text of `otherwise` at the deadline, or as soon as `alive` says no.
    """
    deadline = time.monotonic() + within_s
    while not condition():
        if not alive() or time.monotonic() > deadline:
            raise StackError(otherwise())
        time.sleep(_POLL_S)
