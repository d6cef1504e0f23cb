"""Sweeping: clear up after commands that were killed, so that no process and no fault of theirs outlives the next command."""

import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from stack.errors import StackError
from stack.runtimes.clearing import ended, orphan
from stack.runtimes.roster import Roster

if TYPE_CHECKING:
    from scenarios.leftovers import Leftover

DUTY = "tocsin.sweeping"
"""The module to run when the owner of a drill's roster is gone."""


def sweep() -> list[str]:
    """
    End what every roster has whose owner is gone, and heal the faults that its run left in systems that are not ours.

    Returns a sentence for each.
    """
    return [line for roster in list(Roster.all()) if roster.orphaned for line in _clear(roster)]


def main() -> None:
    """What the guard of a drill does when the drill's command is gone."""
    roster = orphan(sys.argv[1])
    for line in _clear(roster) if roster else ():
        print(line, flush=True)


def _clear(roster: Roster) -> Iterator[str]:
    run = roster.read("run.json").get("path")
    # First the roster's own processes, so that nothing breaks again what is healed next.
    yield ended(roster)
    leftovers = _healed(Path(run)) if run and Path(run).is_dir() else []
    for leftover in leftovers:
        yield f"{leftover.note}: {_became_of(leftover)}"
    # One that still has something to heal stays, for only by it the next command finds the run.
    if not any(leftover.problem for leftover in leftovers):
        with suppress(StackError):
            roster.disband()


def _healed(run: Path) -> "list[Leftover]":
    # What deals with faults takes a moment to load, and until here there was no need of it.
    from scenarios.leftovers import heal_leftovers

    return heal_leftovers(run)


def _became_of(leftover: "Leftover") -> str:
    if not leftover.problem:
        return "healed"
    return f"cannot be healed: {leftover.problem}; heal it by hand and remove this file, else every command tries again"


if __name__ == "__main__":
    main()
