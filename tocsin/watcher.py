"""Watcher: writes every change of every alert, and every notification, into the history while a drill runs."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Set
from typing import Literal, Protocol

from assertions.prometheus import ActiveAlert
from assertions.sink import Sink
from scenarios.history import AlertChange, AlertState, Blind, Event, Sighted

POLL_S: Mapping[str, float] = {"prometheus": 0.2, "alertmanager": 0.5, "grafana": 0.25, "sink": 1.0}
"""How often each source is asked. A change in Prometheus is known to this precision; the sink stamps its arrivals itself."""

BLIND_AFTER_S = 3.0
"""A source that has not answered for so long has been watched by nobody."""

Record = Callable[..., None]
"""Appends events to the history."""

AlertSourceName = Literal["prometheus", "alertmanager", "grafana"]
_STATES: Mapping[str, AlertState] = {
    "pending": "pending",
    "firing": "firing",
    "suppressed": "suppressed",
    "nodata": "nodata",
    "error": "error",
}


class AlertSource(Protocol):
    """Anything that lists alerts."""

    def alerts(self) -> list[ActiveAlert]:
        """Those that are pending or firing now."""
        ...

    def undecided(self) -> Set[str]:
        """Names of alerts of which it knows nothing yet, for it has not evaluated their rules since it was started."""
        ...


class Changes:
    """
    What is different from the last time we looked at one source. Pure.
    """

    def __init__(self, source: AlertSourceName, concerns: Callable[[Mapping[str, str]], bool]) -> None:
        self._source: AlertSourceName = source
        self._concerns = concerns
        self._known: dict[frozenset[tuple[str, str]], AlertChange] = {}

    def see(self, t: float, alerts: Iterable[ActiveAlert], undecided: Set[str] = frozenset()) -> list[AlertChange]:
        """
        The changes since the last look, given all alerts that are active at `t`; those that are undecided stay what they were.
        """
        now = {
            frozenset(alert.labels.items()): AlertChange(
                t=t,
                source=self._source,
                name=alert.name,
                labels=dict(alert.labels),
                state=_STATES.get(alert.state, "firing"),
                active_at=alert.active_at,
                value=alert.value,
            )
            for alert in alerts
            if self._concerns(alert.labels)
        }
        now = {key: c for key, c in self._known.items() if not undecided.isdisjoint(_names(c))} | now
        changes = [c for key, c in now.items() if key not in self._known or self._known[key].state != c.state]
        gone = [c for key, c in self._known.items() if key not in now]
        self._known = now
        return changes + [c.model_copy(update={"t": t, "state": "inactive", "value": ""}) for c in gone]

    def lack(self, alerts: Iterable[ActiveAlert]) -> bool:
        """
        Whether an alert that was active at the last look is not among these.
        """
        return not self._known.keys() <= {frozenset(alert.labels.items()) for alert in alerts}


def _names(change: AlertChange) -> Set[str]:
    """The alert's name, and its rule's, where they differ."""
    return {change.name, change.labels.get("rulename", change.name)}


class Watcher:
    """
    Polls every source of alerts and the sink from `start` to `stop`, each in a thread of its own.

    Only alerts of this drill's namespace are kept, and those that belong to no service: the pipeline's.
    """

    def __init__(
        self, *, namespace: str, sources: Mapping[AlertSourceName, AlertSource], sink: Sink, record: Record
    ) -> None:
        self._namespace = namespace
        self._record = record
        self._stop = threading.Event()
        self._sink = sink
        self._threads = [
            threading.Thread(target=self._watch, args=(name, look), name=f"watch-{name}", daemon=True)
            for name, look in (
                *((name, self._changes(name, source)) for name, source in sources.items()),
                ("sink", self._arrivals),
            )
        ]

    def start(self) -> None:
        """
        Pass over what the sink had already, and begin to look. Raises BackendError when the sink does not answer.
        """
        self._sink.skip()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Look once more and end."""
        self._stop.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def _changes(self, name: AlertSourceName, source: AlertSource) -> Callable[[], Iterable[Event]]:
        changes = Changes(name, self._is_ours)

        def look() -> Iterable[Event]:
            alerts: Iterable[ActiveAlert] = source.alerts()
            undecided: Set[str] = frozenset()
            if changes.lack(alerts):
                # It may have been started again. Asked in this order, each rule is either undecided or already in the answer.
                undecided = source.undecided()
                alerts = source.alerts()
            return changes.see(time.time(), alerts, undecided)

        return look

    def _arrivals(self) -> Iterable[Event]:
        return [told for told in self._sink.new() if self._is_ours(told.labels)]

    def _is_ours(self, labels: Mapping[str, str]) -> bool:
        return labels.get("service_namespace", self._namespace) == self._namespace

    def _watch(self, name: str, look: Callable[[], Iterable[Event]]) -> None:
        answered_t, blind = time.time(), False
        while True:
            last = self._stop.is_set()
            try:
                events = list(look())
            except Exception as error:  # no answer, or one that cannot be understood: nobody has watched either way
                if (last or time.time() - answered_t > BLIND_AFTER_S) and not blind:
                    blind = True
                    self._record(Blind(t=answered_t, watcher=name, reason=str(error) or type(error).__name__))
            else:
                answered_t = time.time()
                if blind:
                    blind = False
                    self._record(Sighted(t=answered_t, watcher=name))
                if events:
                    self._record(*events)
            if last:
                return
            self._stop.wait(POLL_S[name])
