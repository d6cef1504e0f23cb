"""Ordeal: an alert, its fault, and all that happened to it by one source; and what can be wrong with that. Pure."""

from dataclasses import dataclass
from typing import Any

from assertions.bound import Bound
from assertions.evidence import Evidence, Lead
from assertions.life import Life
from scenarios.history import History
from scenarios.model import Alert, AlertSource, Fault
from scenarios.record import Rung


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordeal:
    """
    An alert and all that happened to it by one source: its fault, on from `on_t` until `healed_t`, and its life.

    Healing began at `healing_t`; until then the alert has every reason to fire. `leads` are the links of its first notification.
    """

    alert: Alert
    source: AlertSource
    fault: Fault
    on_t: float
    healing_t: float
    healed_t: float
    life: Life
    bound: Bound
    leads: tuple[Lead, ...] | None
    history: History
    evidence: Evidence

    @property
    def detect_s(self) -> float | None:
        """Seconds from the fault to the alert."""
        return None if self.life.fired_t is None else self.life.fired_t - self.on_t

    @property
    def teller(self) -> str:
        """Who tells people of what the source raises."""
        return "grafana and its contact points" if self.source == "grafana" else "alertmanager and its receivers"

    def facts(self) -> dict[str, Any]:
        """The figures for the record; `_s` count from the fault, `resolved_after_s` from its healing."""
        bound_s, detect_s, life = self.bound.seconds, self.detect_s, self.life
        return {
            **life.facts(),
            "name": self.alert.name,
            "source": self.source,
            "state": self.alert.state,
            "severity": life.labels.get("severity", ""),
            "fault_t": self.on_t,
            "healed_t": self.healed_t,
            "within_s": self.alert.within,
            "resolves_within_s": self.alert.resolves_within,
            "time_to_detect_s": detect_s,
            "bound_s": bound_s,
            "bound_t": None if bound_s is None else self.on_t + bound_s,
            "detect_to_bound": detect_s / bound_s if detect_s is not None and bound_s else None,
            "notified_after_s": None if life.notified_t is None else life.notified_t - self.on_t,
            "resolved_after_s": None if life.resolved_t is None else life.resolved_t - self.healed_t,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """
    What is wrong with an alert. `unless_blind` names the watchers without whom this would not have been seen right; what is not
    `known` is no failure, but no pass either.
    """

    expected: str
    observed: str
    where: str
    hint: str
    rung: Rung | None = None
    unless_blind: tuple[str, ...] = ()
    known: bool = True
