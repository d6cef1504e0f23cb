"""Services: what the faults of one drill may do: to the components of its stack, and to the roles of its own demo app."""

from collections.abc import Mapping
from dataclasses import dataclass

from stack.runtimes.app import ROLES, App
from stack.runtimes.roster import Roster
from stack.runtimes.stack import Stack
from stack.runtimes.unit import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillServices:
    """Finds each name where it runs; see `scenarios.act.Services`."""

    stack: Stack
    app: App
    roster: Roster

    def kill(self, name: str) -> None:
        """End it at once."""
        self._unit(name).kill()

    def pause(self, name: str) -> None:
        """Freeze it."""
        self._unit(name).pause()

    def unpause(self, name: str) -> None:
        """Thaw it."""
        self._unit(name).unpause()

    def restart(self, name: str) -> None:
        """Stop it where it runs, start it, and return when it is ready."""
        if name in ROLES:
            self.app.restart(name)
        else:
            self.stack.restart(name)

    def fault_api(self, role: str) -> tuple[str, str]:
        """Address and token of a role's fault API."""
        return self.app.fault_api(role)

    def fill_disk(self, name: str) -> None:
        """Fill the disk that is its own."""
        self._unit(name).fill_disk()

    def free_disk(self, name: str) -> None:
        """Take away what filled it."""
        self._unit(name).free_disk()

    def marker(self) -> Mapping[str, str]:
        """That of the drill's own roster."""
        return self.roster.marker()

    def toxiproxy(self) -> str:
        """The address of Toxiproxy's API."""
        return self.stack.url("toxiproxy.api")

    def proxies(self, link: str) -> Mapping[str, str]:
        """The proxies of a link by name, and where each is reached from here; none where the stack has no Toxiproxy."""
        return self.stack.proxies(link)

    def _unit(self, name: str) -> Unit:
        return self.app.unit(name) if name in ROLES else self.stack.unit(name)
