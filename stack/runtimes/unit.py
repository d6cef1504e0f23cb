"""Unit: one thing that runs, be it a process or a container, and what may be done to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a unit and its children have used: CPU seconds since it started, and bytes of memory that are resident now."""

    cpu_s: float
    memory_bytes: int


class Unit(Protocol):
    """
    Made once, then started as often as need be; it stays the same unit when it ends and is started again.

    A fault may meet it in any state, so to kill, pause, unpause or stop what does not run is no error.
    """

    @property
    def name(self) -> str:
        """What it is called: its component's name."""

    @property
    def alive(self) -> bool:
        """Whether it runs, or is frozen."""

    @property
    def paused(self) -> bool:
        """Whether it is frozen."""

    @property
    def started_t(self) -> float:
        """When it was last started, in seconds since the epoch; 0 if never."""

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs, or where that cannot be known."""

    def start(self) -> None:
        """Start it, again if need be, on the same files and addresses. Raises StackError when it cannot be started at all."""

    def kill(self) -> None:
        """End it at once, without a chance to clean up."""

    def pause(self) -> None:
        """Freeze it: its sockets stay open and nothing answers."""

    def unpause(self) -> None:
        """Thaw it."""

    def stop(self, within_s: float = 5) -> None:
        """Ask it to end, frozen or not; after `within_s` seconds end it."""

    def fill_disk(self) -> None:
        """Fill the disk of its own until not a byte more can be written. Raises StackError where it has none."""

    def free_disk(self) -> None:
        """Take away what filled its disk; nothing happens where it has none."""

    def log(self) -> Path:
        """A file with all that it has said until now; it may be missing."""

    def log_tail(self, lines: int = 15) -> str:
        """The last lines of its log."""

    def usage(self) -> Usage | None:
        """What it has used; None when it does not run."""

    def state(self) -> Mapping[str, Any]:
        """What another command needs to find it again: its host adopts it by this. A JSON object."""
