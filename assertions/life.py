"""Life: when one alert of a drill did what, by the watcher's changes and the sink's arrivals. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scenarios.history import AlertChange, AlertState, History, Notification
from scenarios.model import ENTRY_SERVICE, Alert, AlertSource

Labels = Mapping[str, str]

GRAFANA_RECEIVER = "grafana-"
"""How the names of Grafana's contact points begin at the sink."""

_REACHED: Mapping[str, frozenset[AlertState]] = {
    "firing": frozenset({"firing"}),
    "pending": frozenset({"pending", "firing"}),
    "nodata": frozenset({"nodata"}),
    "error": frozenset({"error"}),
}
"""The states in which an alert is that was expected to be in one: what fires has been pending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """
    When an alert did what, in seconds since the Unix epoch; None where it never did. To fire is to get into the expected state.

    `before` says what it was before its fault, if not silent. `lapsed_t` is when it first went back after it had fired,
    `refired_t` when it fired again after that, `resolved_t` when it went back for good. `told` are the notifications of it;
    `astray` names the receivers that were told instead of the one that should have been.
    """

    service: str
    labels: Labels
    before: AlertState | None = None
    active_t: float | None = None
    fired_t: float | None = None
    lapsed_t: float | None = None
    refired_t: float | None = None
    resolved_t: float | None = None
    notified_t: float | None = None
    resolved_notified_t: float | None = None
    told: tuple[Notification, ...] = ()
    astray: tuple[str, ...] = ()

    @property
    def notice(self) -> Notification | None:
        """The notification that told of it first."""
        return next((told for told in self.told if told.status == "firing"), None)

    def facts(self) -> dict[str, Any]:
        """As figures for the record."""
        names = ("active_t", "fired_t", "resolved_t", "notified_t", "resolved_notified_t")
        return {"labels": dict(self.labels), "service": self.service} | {name: getattr(self, name) for name in names}


def life_of(alert: Alert, history: History, *, source: AlertSource, namespace: str, since: float) -> Life:
    """
    The life in this drill of the one instance of the alert that fired first after `since`, the moment at which its fault began,
    as far as one source and its receivers know it.

    An instance is meant when it has the alert's name and labels and is of this drill's services.
    """
    reached = _REACHED[alert.state]
    changes = [c for c in history.of(AlertChange) if c.source == source and _is_meant(alert, c, namespace)]
    arrivals = [
        n for n in history.of(Notification) if is_told_by(n.receiver, source) and _is_meant(alert, n, namespace)
    ]
    labels = _first_to_fire([c for c in changes if c.t >= since], [n for n in arrivals if n.t >= since], reached)
    own = [c for c in changes if c.t >= since and c.labels == labels]
    heard = [n for n in arrivals if n.t >= since and labels.items() <= n.labels.items()]
    told = [n for n in heard if alert.receiver in (None, n.receiver, n.receiver.removeprefix(GRAFANA_RECEIVER))]
    notified_t = next((n.t for n in heard if n.status == "firing"), None)
    fired_t = next((c.t for c in own if c.state in reached), None)
    if notified_t is not None:
        # Alerts are polled, arrivals are stamped: what was notified had fired by then.
        fired_t = notified_t if fired_t is None else min(fired_t, notified_t)
    lapsed_t, refired_t = _lapse(own, reached)
    return Life(
        service=labels.get("service_name", alert.labels.get("service_name", ENTRY_SERVICE)),
        labels=labels,
        before=_before(changes, arrivals, since, reached),
        active_t=next((c.active_at or c.t for c in own if c.state == "pending" or c.alarming), None),
        fired_t=fired_t,
        lapsed_t=lapsed_t,
        refired_t=refired_t,
        resolved_t=_end(own, fired_t),
        notified_t=next((n.t for n in told if n.status == "firing"), None),
        resolved_notified_t=_end_told(told),
        told=tuple(told),
        astray=() if told else tuple(sorted({n.receiver for n in heard})),
    )


def is_told_by(receiver: str, source: str) -> bool:
    """Whether a receiver is one of Grafana's contact points, or one of Alertmanager's, which tells what Prometheus raised."""
    return receiver.startswith(GRAFANA_RECEIVER) == (source == "grafana")


def is_of_drill(labels: Labels, namespace: str) -> bool:
    """Whether an alert is of this drill's services, or of nobody's: the pipeline's own."""
    return labels.get("service_namespace", namespace) == namespace


def _is_meant(alert: Alert, event: AlertChange | Notification, namespace: str) -> bool:
    return (
        event.name == alert.told_as
        and is_of_drill(event.labels, namespace)
        and alert.identity.items() <= event.labels.items()
    )


def _first_to_fire(
    changes: Sequence[AlertChange], arrivals: Sequence[Notification], reached: frozenset[AlertState]
) -> Labels:
    """The labels of the instance that fired first, by whoever saw it; else of one that at least became pending."""
    firing: list[AlertChange | Notification] = [c for c in changes if c.state in reached]
    firing += [n for n in arrivals if n.status == "firing"]
    first = min(firing, key=lambda event: event.t, default=next(iter(changes), None))
    if isinstance(first, Notification):
        # It may carry labels that were added on its way; the change that it tells of has the instance's own.
        own = [c.labels for c in changes if c.labels.items() <= first.labels.items()]
        return max(own, key=len, default=first.labels)
    return first.labels if first else {}


def _before(
    changes: Sequence[AlertChange], arrivals: Sequence[Notification], since: float, reached: frozenset[AlertState]
) -> AlertState | None:
    """Not silent: it fired at any time before, or was pending when the fault began, so something else had caused it."""
    earlier = [c for c in changes if c.t < since]
    fired = next((c.state for c in earlier if c.alarming or c.state in reached), None)
    if fired or any(n.t < since and n.status == "firing" for n in arrivals):
        return fired or "firing"
    last = {frozenset(c.labels.items()): c.state for c in earlier}
    return "pending" if "pending" in last.values() else None


def _end(own: Sequence[AlertChange], fired_t: float | None) -> float | None:
    """When an instance went inactive for good; None if it never fired or is still active."""
    last = own[-1] if own else None
    if fired_t is None or last is None or last.state != "inactive" or last.t < fired_t:
        return None
    return last.t


def _end_told(told: Sequence[Notification]) -> float | None:
    """When a receiver that had been told was told for good that it is over."""
    fired = any(n.status == "firing" for n in told)
    return told[-1].t if fired and told[-1].status == "resolved" else None


def _lapse(own: Sequence[AlertChange], reached: frozenset[AlertState]) -> tuple[float | None, float | None]:
    """When an instance that had fired first left that state, and when it came back to it."""
    states = iter(own)
    fired = next((c for c in states if c.state in reached), None)
    lapsed = next((c for c in states if c.state not in reached), None) if fired else None
    again = next((c for c in states if c.state in reached), None) if lapsed else None
    return (lapsed.t if lapsed else None), (again.t if again else None)
