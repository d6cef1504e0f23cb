"""Sweeping: clear up after commands that were killed, so that no process and no fault of theirs outlives the next command."""

from collections.abc import Iterator
from pathlib import Path

from scenarios.leftovers import heal_leftovers
from stack.errors import StackError
from stack.runtimes.roster import Roster


def sweep() -> list[str]:
    """
    End what every roster has whose owner is gone, and heal the faults that its run left in systems that are not ours.

    Returns a sentence for each.
    """
    return [line for roster in list(Roster.all()) if roster.orphaned for line in _clear(roster)]


def _clear(roster: Roster) -> Iterator[str]:
    run = roster.read("run.json").get("path")
    # First the roster's own processes, so that nothing breaks again what is healed next.
    try:
        yield f"{roster.id}: its command was killed; ended {roster.disband()} of its processes and containers"
    except StackError as error:
        yield f"{roster.id}: its command was killed; its containers cannot be removed: {error}"
    for leftover in heal_leftovers(Path(run)) if run and Path(run).is_dir() else ():
        yield f"{leftover.note}: " + (f"cannot be healed: {leftover.problem}" if leftover.problem else "healed")
