"""Services: a fault finds what it breaks, be it a component of the stack or a role of the drill's own app."""

from typing import Any

import pytest

from stack.runtimes.roster import Roster
from tocsin.services import DrillServices


class Recorder:
    """Notes what is done to it, and to its units."""

    def __init__(self, name: str, calls: list[str]) -> None:
        self._name, self._calls = name, calls

    def unit(self, name: str) -> "Recorder":
        """One of its units."""
        return Recorder(f"{self._name}: {name}", self._calls)

    def restart(self, name: str) -> None:
        """Note it."""
        self._calls.append(f"{self._name}: {name} restart")

    def fault_api(self, role: str) -> tuple[str, str]:
        """Where a role's faults are switched."""
        return f"{self._name}: {role}", "token"

    def url(self, port: str) -> str:
        """Where one reaches a port."""
        return f"{self._name}: {port}"

    def proxies(self, link: str) -> dict[str, str]:
        """The proxies of a link."""
        return {f"{self._name}: {link}": "place"}

    def kill(self) -> None:
        """Note it."""
        self._calls.append(f"{self._name} kill")

    def pause(self) -> None:
        """Note it."""
        self._calls.append(f"{self._name} pause")

    def fill_disk(self) -> None:
        """Note it."""
        self._calls.append(f"{self._name} fill_disk")

    def free_disk(self) -> None:
        """Note it."""
        self._calls.append(f"{self._name} free_disk")

    def unpause(self) -> None:
        """Note it."""
        self._calls.append(f"{self._name} unpause")


@pytest.fixture
def calls() -> list[str]:
    """What was done."""
    return []


@pytest.fixture
def services(calls: list[str]) -> DrillServices:
    """A stack and an app that only take note."""
    stack: Any = Recorder("stack", calls)
    app: Any = Recorder("app", calls)
    return DrillServices(stack=stack, app=app, roster=Roster.called("drill-1"))


@pytest.mark.parametrize("deed", ["kill", "pause", "unpause", "restart", "fill_disk", "free_disk"])
@pytest.mark.parametrize(("name", "owner"), [("tempo", "stack"), ("catalog", "app"), ("frontend", "app")])
def test_what_is_broken_is_found_where_it_runs(
    services: DrillServices, calls: list[str], name: str, owner: str, deed: str
) -> None:
    """Roles are the drill's own; everything else is of the stack, which says so if it has no such component."""
    getattr(services, deed)(name)

    assert calls == [f"{owner}: {name} {deed}"]


def test_the_fault_api_is_that_of_the_drills_own_app(services: DrillServices) -> None:
    """Other drills on the same stack have apps, too."""
    assert services.fault_api("users") == ("app: users", "token")


def test_toxiproxy_is_that_of_the_stack(services: DrillServices) -> None:
    """It stands in the middle of links that all drills on it share."""
    assert services.toxiproxy() == "stack: toxiproxy.api"
    assert services.proxies("collector -> tempo") == {"stack: collector -> tempo": "place"}


def test_what_a_fault_starts_is_marked_as_the_drills(services: DrillServices) -> None:
    """So that it ends with the drill, however that ends."""
    assert services.marker() == {"TOCSIN_ROSTER": "drill-1"}
