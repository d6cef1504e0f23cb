"""Logs: the last lines of each component, as much as a page can hold."""

from collections.abc import Mapping
from dataclasses import dataclass

from reports.figures import printable, shortened

MOST_LINES = 80
MOST_CHARACTERS = 400
"""Of one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """
    The end of one log; `lines` of `total` are shown.
    """

    name: str
    text: str
    lines: int
    total: int


def tails(logs: Mapping[str, str]) -> tuple[Tail, ...]:
    """
    The last MOST_LINES of each log, in order of name, with long lines cut.
    """
    return tuple(_tail(name, text) for name, text in sorted(logs.items()))


def _tail(name: str, text: str) -> Tail:
    lines = text.rstrip().splitlines() if text.strip() else []
    shown = [shortened(printable(line), MOST_CHARACTERS) for line in lines[-MOST_LINES:]]
    return Tail(name=name, text="\n".join(shown), lines=len(shown), total=len(lines))
