"""Host: where components run; as processes of this machine, or as containers of an engine."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from stack.components import Component
from stack.runtimes.roster import Roster
from stack.runtimes.unit import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """
    Where each `component.port` is, as host:port: for us (`outside`), for other components (`inside`), and for itself (`listen`).

    To processes all three are one; a container listens on its own interface, is known to others by name, and to us by a port of loopback.
    """

    outside: Mapping[str, str]
    inside: Mapping[str, str]
    listen: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The folders of a component as it sees them itself: configuration of the stack, and data of its own."""

    config: str
    data: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A component as it runs: its unit, the version that was found, and whether it is a stand-in."""

    component: Component
    unit: Unit
    version: str
    stand_in: bool

    def state(self) -> dict[str, Any]:
        """What another command needs to find it again, as a JSON object."""
        return {"version": self.version, "stand_in": self.stand_in, "unit": dict(self.unit.state())}


class Host(Protocol):
    """What runs the components of one roster, and nobody else's."""

    @property
    def runtime(self) -> str:
        """What it is called on the command line and in records."""

    def reserve(self, table: Mapping[str, Component], *, fixed: Mapping[str, int] | None = None) -> Places:
        """
        Places for all ports of these components; `fixed` are ports that the user chose. They stay as long as the roster exists.

        Raises StackError for a port that is unknown or cannot be had.
        """

    def layout(self, component: Component) -> Layout:
        """Where a component will find its files; what is written below the roster's `config` folder appears in its `config`."""

    def make(self, component: Component, *, places: Places, values: Mapping[str, str]) -> Running:
        """
        Make a component's unit, not started yet. Its environment and arguments may name `values`, beside what is in Component.

        Raises StackError when there is nothing that could run it.
        """

    def adopt(self, component: Component, state: Mapping[str, Any]) -> Running:
        """A component that another command started, by the state of its Running."""

    def beside(self, roster: Roster, *, logs: Path) -> "Host":
        """A host for another roster whose components can reach those of this one; it writes logs into a folder of its own."""

    def close(self) -> None:
        """Let go of what the host itself holds; what runs goes on."""
