"""Leftover: what a killed run left broken in other people's systems, healed by the next command."""

from dataclasses import dataclass
from pathlib import Path

from scenarios.act import Act
from scenarios.faults import CommandAct, HttpAct
from scenarios.healnotes import HealNote, notes
from scenarios.model import CommandFault


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """A fault that was still on: its note, and why it could not be healed, or nothing if it was."""

    note: Path
    problem: str = ""


def heal_leftovers(run_dir: Path) -> list[Leftover]:
    """
    Heal what is left of a run whose process is gone; a run that still lives is left alone.

    Nothing is raised. A note whose fault could not be healed stays, so that the next command tries again.
    """
    found = []
    for path in notes(run_dir):
        try:
            note = HealNote.read(path)
            if note.owner_lives:
                continue
            _act(note).heal()
        except Exception as error:
            found.append(Leftover(note=path, problem=str(error) or type(error).__name__))
        else:
            found.append(Leftover(note=path))
    return found


def _act(note: HealNote) -> Act:
    if isinstance(note.fault, CommandFault):
        return CommandAct(fault=note.fault, note=note)
    return HttpAct(fault=note.fault, note=note)
