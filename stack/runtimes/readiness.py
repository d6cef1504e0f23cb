"""Readiness: ask until something answers as it should, or until a deadline."""

import time
from collections.abc import Callable

import httpx

from stack.errors import StackError

_POLL_S = 0.03


def answers(url: str, *, timeout_s: float = 1) -> bool:
    """Whether a GET of this address gives 200 now."""
    try:
        return httpx.get(url, timeout=timeout_s).status_code == 200
    except httpx.HTTPError:
        return False


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
