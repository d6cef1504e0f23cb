"""Vitals: writes into the history whenever a component or role goes down, comes back or begins anew, and what it uses."""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Literal, Self

from scenarios.history import ComponentChange, Event, Usage
from stack.runtimes.app import ROLES, App
from stack.runtimes.stack import Stack
from stack.runtimes.unit import Unit

LOOK_S = 0.25
"""How often each one is looked at: so precisely it is known when it went down and came back."""

MEASURE_S = 2.0
"""How often it is measured what each one uses, and asked whether its process is still the same."""

State = Literal["ready", "unready", "down"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """One that is looked after: what runs it, and whether it answers."""

    unit: Unit
    ready: Callable[[], bool]

    def state(self) -> State:
        """How it is now; what answers runs, so that its host is only asked about one that does not."""
        if self.ready():
            return "ready"
        return "unready" if self.unit.alive else "down"


def patients(stack: Stack, app: App) -> dict[str, Patient]:
    """
    All components of a stack and the roles of one drill's app, by name.
    """
    components = {name: Patient(unit=stack.unit(name), ready=partial(stack.ready, name)) for name in stack.running()}
    return components | {role: Patient(unit=app.unit(role), ready=partial(app.ready, role)) for role in ROLES}


class Chart:
    """
    What changed in the state of one since the last look. Pure.

    One look without an answer tells nothing, for a busy machine may be late; two in a row do, from the first of them on.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._last: tuple[State, float | None] | None = None
        self._unanswered_t: float | None = None

    @property
    def state(self) -> State | None:
        """How it was at last."""
        return self._last[0] if self._last else None

    def see(self, t: float, state: State, started_t: float) -> list[ComponentChange]:
        """
        The change, if there is one, given how it was found by a look that began at `t`.
        """
        if state != "unready":
            self._unanswered_t = None
        elif self._unanswered_t is None:
            self._unanswered_t = t
            return []
        now = state, None if state == "down" else started_t
        if now == self._last:
            return []
        self._last = now
        since = t if self._unanswered_t is None else self._unanswered_t
        return [ComponentChange(t=since, name=self._name, state=state, started_t=now[1])]


class Vitals:
    """
    Looks after each patient as long as its `with` block lasts, in a thread of its own, for one that hangs must not hide the others.
    """

    def __init__(self, *, patients: Mapping[str, Patient], record: Callable[..., None]) -> None:
        self._record = record
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._look_after, args=item, name=f"vitals-{item[0]}", daemon=True)
            for item in patients.items()
        ]

    def __enter__(self) -> Self:
        """Begin to look."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Look and measure once more, and end."""
        self._stop.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def _look_after(self, name: str, patient: Patient) -> None:
        chart, measured_t, started_t = Chart(name), 0.0, 0.0
        while True:
            last = self._stop.is_set()
            t = time.time()
            due = last or t - measured_t >= MEASURE_S
            # Whoever cannot be asked now is asked again soon; a history without an answer is no proof of anything.
            with suppress(Exception):
                state = patient.state()
                if due or state != chart.state:
                    started_t = patient.unit.started_t
                # It is ready since it answered, which one that was frozen did late; and gone at the latest when that was seen.
                self._note(*chart.see(t if state == "unready" else time.time(), state, started_t))
                if due:
                    self._note(*_measured(name, patient.unit))
                    measured_t = t
            if last:
                return
            self._stop.wait(LOOK_S)

    def _note(self, *events: Event) -> None:
        if events:
            self._record(*events)


def _measured(name: str, unit: Unit) -> list[Usage]:
    used = unit.usage()
    return [Usage(t=time.time(), name=name, cpu_s=used.cpu_s, memory_bytes=used.memory_bytes)] if used else []
