"""Annotations: a drill and each of its faults as marked regions on Grafana's dashboards, from the moment at which they begin."""

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from assertions.backend import BackendError
from assertions.grafana import Grafana
from scenarios.history import Event, FaultChange, Phase
from scenarios.model import Fault, Scenario

TAG = "tocsin"
"""All annotations of drills carry it; dashboards show what has it."""


@dataclass(slots=True, kw_only=True)
class Region:
    """
    One annotation, in seconds since the epoch; `end_t` is None while it lasts.

    Grafana knows it by its `id`, and whether it has ended if `closed`.
    """

    start_t: float
    text: str
    tags: tuple[str, ...]
    end_t: float | None = None
    id: int | None = None
    closed: bool = False


class Regions:
    """The whole drill from its first to its last request, and every fault that is on, as events tell. Pure."""

    def __init__(self, scenario: Scenario, run_id: str) -> None:
        self._drill = f"drill {scenario.name}: {' '.join(scenario.why.split())}", (TAG, run_id, "drill")
        self._faults = {
            f"{where}/{number}": (_words(fault), (TAG, run_id, "fault", fault.kind))
            for where, faults in (("faults", scenario.faults), ("noise", scenario.noise))
            for number, fault in enumerate(faults, 1)
        }
        self._known: dict[str, Region] = {}

    def see(self, event: Event) -> None:
        """Take note of an event; most of them begin and end nothing."""
        if isinstance(event, Phase) and event.name == "warm_up":
            self._begin("drill", event.t, *self._drill)
        elif isinstance(event, Phase) and event.name in ("stopped", "aborted"):
            self._end("drill", event.t)
        elif isinstance(event, FaultChange) and event.action == "applied":
            self._begin(event.fault, event.t, *self._faults[event.fault])
        elif isinstance(event, FaultChange) and event.action == "healed":
            self._end(event.fault, event.t)

    def __iter__(self) -> Iterator[Region]:
        """All that have begun, in that order."""
        return iter(tuple(self._known.values()))

    def _begin(self, key: str, t: float, text: str, tags: tuple[str, ...]) -> None:
        self._known.setdefault(key, Region(start_t=t, text=text, tags=tags))

    def _end(self, key: str, t: float) -> None:
        region = self._known.get(key)
        if region is not None and region.end_t is None:
            region.end_t = t


class Marker:
    """
    Keeps Grafana's annotations in step with a drill for as long as a block lasts, in a thread of its own: a Grafana that is slow,
    or that the drill itself has broken, must hold up nothing. What could not be said at once is said at the end.

    `problem` is why something could not be said even then.
    """

    def __init__(self, grafana: Grafana, scenario: Scenario, *, run_id: str, keep: bool = True) -> None:
        self._grafana = grafana
        self._regions = Regions(scenario, run_id)
        self._keep = keep
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="annotations", daemon=True)
        self.problem = ""

    def see(self, *events: Event) -> None:
        """Take note of events; safe in any thread, and done at once."""
        for event in events:
            if isinstance(event, Phase | FaultChange):
                self._events.put(event)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._events.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (event := self._events.get()) is not None:
            self._regions.see(event)
            if self._events.empty():
                self._tell()
        self._tell()
        if not self._keep:
            self._remove()

    def _tell(self) -> None:
        self.problem = ""
        for region in self._regions:
            try:
                tell(self._grafana, region)
            except BackendError as error:
                self.problem = str(error)
                return

    def _remove(self) -> None:
        for region in self._regions:
            try:
                if region.id is not None:
                    self._grafana.remove_annotation(region.id)
            except BackendError as error:
                self.problem = str(error)


def tell(grafana: Grafana, region: Region) -> None:
    """Have Grafana know as much of a region as there is to know. Raises BackendError when it does not take it."""
    if region.id is None:
        region.id = grafana.annotate(region.text, tags=region.tags, start_t=region.start_t, end_t=region.end_t)
        region.closed = region.end_t is not None
    elif region.end_t is not None and not region.closed:
        grafana.end_annotation(region.id, region.end_t)
        region.closed = True


def _words(fault: Fault) -> str:
    target = getattr(fault, "target", "")
    return f"fault {fault.kind}" + (f" in {target}" if target else "")
