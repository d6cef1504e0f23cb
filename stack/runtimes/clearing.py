"""Clearing: what is done with a roster whose owner is gone, by its guard or by the next command."""

import sys
import time
from contextlib import suppress

from stack.errors import StackError
from stack.runtimes.roster import Roster, guards_log

GONE_WITHIN_S = 10.0
"""A pipe closes a moment before its owner is gone; an owner that is there after so long lives."""


def ended(roster: Roster) -> str:
    """End all that a roster left running, and keep its folder; a sentence that says what came of it."""
    try:
        return f"{roster.id}: its command was killed; ended {roster.end()} of its processes and containers"
    except StackError as error:
        return f"{roster.id}: its command was killed; its containers cannot be removed: {error}"


def orphan(roster_id: str) -> Roster | None:
    """
    The roster whose guard was woken, once its owner is really gone; None if it has been disbanded or given away, or its owner lives.
    """
    deadline = time.monotonic() + GONE_WITHIN_S
    roster = Roster.called(roster_id)
    while not roster.orphaned:
        if roster.standing or time.monotonic() > deadline:
            return None
        time.sleep(0.02)
    return roster


def told() -> list[str]:
    """What guards have said since this was last asked; they have nobody who listens."""
    try:
        with guards_log().open("r+", encoding="utf-8", errors="replace") as log:
            lines = log.read().splitlines()
            # Not removed: guards that wait have it open.
            log.truncate(0)
    except FileNotFoundError:
        return []
    return lines


def main() -> None:
    """The duty of a guard that knows nothing but the id of its roster."""
    roster = orphan(sys.argv[1])
    if roster:
        print(ended(roster), flush=True)
        # Where its containers could not be removed, the next command finds it.
        with suppress(StackError):
            roster.disband()


if __name__ == "__main__":
    main()
