"""Crew: components that run together on one host: started in the order of their needs, each watched until it is ready."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter
from pathlib import Path

from stack.components import Component
from stack.errors import StackError
from stack.runtimes.host import Host, Places, Running
from stack.runtimes.readiness import answers, wait_until
from stack.runtimes.unit import Unit

READY_WITHIN_S = 60

Report = Callable[[str], None]
"""Is told, in a few words, what is going on."""


class Crew:
    """
    The components of a table, by name. `of` says whose they are, for messages: "the stack has no component 'x'".
    """

    def __init__(self, table: Mapping[str, Component], *, host: Host, places: Places, of: str) -> None:
        self.host = host
        self.places = places
        self.running: dict[str, Running] = {}
        self._table = table
        self._of = of

    def start(self, values: Mapping[str, str], *, report: Report = lambda _: None) -> None:
        """
        Start each component as soon as those that it needs are ready; independent ones at once.

        `values` may be named by arguments and environments, beside those that Component tells of.
        Raises StackError with the log of one that does not get ready.
        """
        order = self._order()
        order.prepare()
        futures: dict[Future[None], str] = {}
        with ThreadPoolExecutor(len(self._table)) as pool:
            while order.is_active():
                for name in order.get_ready():
                    report(f"starting {name}")
                    futures[pool.submit(self._start, self._table[name], values)] = name
                done, _ = wait(futures, return_when=FIRST_COMPLETED)
                for future in done:
                    future.result()
                    order.done(futures.pop(future))

    def stop(self) -> None:
        """End all; those that others need last, independent ones at once."""
        for level in reversed(list(self._levels())):
            units = [self.running[name].unit for name in level if name in self.running]
            if units:
                with ThreadPoolExecutor(len(units)) as pool:
                    list(pool.map(lambda unit: unit.stop(), units))

    def adopt(self, states: Mapping[str, Mapping[str, object]]) -> None:
        """Take over what another command started."""
        for name, state in states.items():
            self.running[name] = self.host.adopt(self._table[name], state)

    def unit(self, name: str) -> Unit:
        """What runs one component. Raises StackError when nothing of this name was started."""
        if name not in self.running:
            has = ", ".join(self.running) or "none"
            raise StackError(f"{self._of} has no component {name!r}; it has {has}")
        return self.running[name].unit

    def restart(self, name: str) -> None:
        """End a component if it still runs, start it again on the same addresses and files, and wait until it is ready."""
        unit = self.unit(name)
        unit.stop()
        unit.start()
        self._wait_ready(self.running[name])

    def ready(self, name: str) -> bool:
        """Whether a component answers now, as only one that runs does."""
        running = self.running.get(name)
        return bool(running and answers(self._ready_url(running.component)))

    def logs(self) -> dict[str, Path]:
        """The log of each component."""
        return {name: running.unit.log() for name, running in self.running.items()}

    def _start(self, component: Component, values: Mapping[str, str]) -> None:
        running = self.host.make(component, places=self.places, values={**self._own(component), **values})
        self.running[component.name] = running
        running.unit.start()
        self._wait_ready(running)

    def _own(self, component: Component) -> dict[str, str]:
        """What Component promises to its arguments and environment."""
        layout = self.host.layout(component)
        config = f"{layout.config}/{component.config or ''}"
        own = {"config": config, "config_dir": layout.config, "data": layout.data}
        for port in component.ports:
            place = self.places.listen[f"{component.name}.{port}"]
            host, _, number = place.rpartition(":")
            url = f"http://{self.places.outside[f'{component.name}.{port}']}"
            own |= {port: place, f"{port}_host": host, f"{port}_port": number, f"{port}_url": url}
        return own

    def _wait_ready(self, running: Running) -> None:
        component, unit = running.component, running.unit
        wait_until(
            lambda: answers(self._ready_url(component)),
            within_s=READY_WITHIN_S,
            alive=lambda: unit.alive,
            otherwise=lambda: (
                f"{component.name} is not ready"
                + (f", it ended with code {unit.exit_code}" if not unit.alive else f" after {READY_WITHIN_S} s")
                + f"; its log ends:\n{unit.log_tail()}"
            ),
        )

    def _ready_url(self, component: Component) -> str:
        port, _, path = component.ready.partition("/")
        return f"http://{self.places.outside[f'{component.name}.{port}']}/{path}"

    def _order(self) -> "TopologicalSorter[str]":
        return TopologicalSorter({component.name: component.needs for component in self._table.values()})

    def _levels(self) -> Iterator[tuple[str, ...]]:
        """Names in the order of needs; those of one level do not need each other."""
        order = self._order()
        order.prepare()
        while order.is_active():
            level = order.get_ready()
            yield level
            order.done(*level)
