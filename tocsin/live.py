"""Live: what a drill is doing right now, as far as its history tells; for people who watch. Pure but for a lock."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from assertions.watchdog import WATCHDOG
from scenarios.history import AlertChange, Event, FaultChange, Notification, Phase, Traffic


@dataclass(slots=True, kw_only=True)
class Live:
    """
    A view of one drill that eats its events as they happen. Read it from any thread.
    """

    name: str
    total_s: float
    stage: str = "waiting"
    started_t: float | None = None
    requests: int = 0
    failed: int = 0
    rate: float = 0.0
    faults: dict[str, str] = field(default_factory=dict)
    alerts: dict[str, str] = field(default_factory=dict)
    notifications: int = 0
    verdict: str = ""
    _second: float = 0.0
    _in_second: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def see(self, *events: Event) -> None:
        """Take note of events."""
        with self._lock:
            for event in events:
                self._see(event)

    def enter(self, stage: str) -> None:
        """The drill entered a stage that is not part of its history, such as `gathering`."""
        self.stage = stage

    def active_alerts(self) -> Mapping[str, str]:
        """Alerts that are pending or firing now, and since which of both."""
        with self._lock:
            return {name: state for name, state in self.alerts.items() if state != "inactive"}

    def active_faults(self) -> list[str]:
        """Faults that are on now."""
        with self._lock:
            return [name for name, action in self.faults.items() if action in ("applied", "renewed")]

    def _see(self, event: Event) -> None:
        if isinstance(event, Phase):
            self.stage = event.name.replace("_", " ")
            self.started_t = self.started_t or event.t
        elif isinstance(event, Traffic):
            self._count(event)
        elif isinstance(event, FaultChange):
            self.faults[event.fault] = event.action
        elif isinstance(event, AlertChange) and event.source == "prometheus" and event.name != WATCHDOG:
            whose = event.labels.get("service_name", "")
            self.alerts[f"{event.name} {whose}".strip()] = event.state
        elif isinstance(event, Notification):
            self.notifications += 1

    def _count(self, second: Traffic) -> None:
        self.requests += second.count
        self.failed += second.failed
        if second.t > self._second:
            self.rate, self._second, self._in_second = float(self._in_second), second.t, 0
        self._in_second += second.count
