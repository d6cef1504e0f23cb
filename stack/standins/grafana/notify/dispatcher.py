"""The dispatcher: alerts into groups by the policy tree, and each group told when its time has come."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from stack.standins.grafana.alerting.measure import Measures
from stack.standins.grafana.labels import Labels, quoted
from stack.standins.grafana.notify.alerts import Alert, Alerts, in_order
from stack.standins.grafana.notify.log import NotificationLog, Told
from stack.standins.grafana.notify.routes import DEFAULT_TIMING, Route, Timing
from stack.standins.grafana.notify.sender import Sender
from stack.standins.grafana.notify.silences import Silences
from stack.standins.grafana.notify.webhook import Notification
from stack.standins.grafana.provisioning.contact_points import ContactPoint, Integration
from stack.standins.grafana.provisioning.world import Alerting

TIDY_S = 30.0
LOG_KEPT_S = 5 * 86400.0


@dataclass(slots=True, kw_only=True)
class Group:
    """Alerts of one policy with the same group labels; `flush_s` is when it is told next."""

    route_key: str
    receiver: str
    timing: Timing
    labels: Labels
    flush_s: float
    flushed: bool = False
    busy: bool = False
    alerts: dict[str, Alert] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """
        What identifies it.
        """
        return f"{self.route_key}:{quoted(self.labels)}"

    def put(self, alert: Alert, now_s: float) -> None:
        """
        Take in an alert; one that has waited long enough already is told at once.
        """
        self.alerts[alert.fingerprint] = alert
        if not self.flushed and alert.starts_s + (self.timing.group_wait_s or 0.0) < now_s:
            self.flush_s = now_s


class Dispatcher:
    """Holds the groups; `run` tells them until it is cancelled."""

    def __init__(
        self,
        alerting: Callable[[], Alerting],
        silences: Silences,
        sender: Sender,
        measures: Measures,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._alerting = alerting
        self._silences = silences
        self._sender = sender
        self._measures = measures
        self._clock = clock
        self._groups: dict[str, Group] = {}
        self._changed = asyncio.Event()
        self._flushes: set[asyncio.Task[None]] = set()
        self.alerts = Alerts()
        self.log = NotificationLog()
        self.on_told: Callable[[], None] = lambda: None

    def put(self, alert: Alert) -> None:
        """
        Take in an alert.
        """
        self._measures.received.labels("1").inc()
        self._dispatch(self.alerts.put(alert))
        self._changed.set()

    def routes(self, alert: Alert) -> Sequence[tuple[str, str, Timing, dict[str, str]]]:
        """
        Key, receiver, timing and group labels of each policy that handles an alert.
        """
        root: Route = self._alerting().route
        if alert.direct is not None:
            by = alert.direct.timing.group_by or ("grafana_folder", "alertname")
            timing = alert.direct.timing.below(DEFAULT_TIMING)
            direct = Route(receiver=alert.direct.receiver, timing=Timing(group_by=by).below(timing), written={})
            key = f'{{}}/{{__grafana_receiver__="{direct.receiver}"}}'
            return [(key, direct.receiver, timing, direct.group_labels(alert.labels))]
        found = root.matching(alert.labels)
        return [(route.key, route.receiver, route.timing, route.group_labels(alert.labels)) for route in found]

    def groups(self) -> Sequence[Group]:
        """
        The groups, sorted by labels and receiver.
        """
        return sorted(self._groups.values(), key=lambda group: (quoted(group.labels), group.receiver))

    def rebuild(self) -> None:
        """
        Route all alerts again: after a restart or a reload.
        """
        self._groups.clear()
        for alert in self.alerts.current(self._clock()):
            self._dispatch(alert)
        self._changed.set()

    def due(self, now_s: float) -> Sequence[Group]:
        """
        The groups whose time has come; each is then busy until it was flushed.
        """
        found = [group for group in self._groups.values() if group.flush_s <= now_s and not group.busy]
        for group in found:
            group.flush_s = now_s + (group.timing.group_interval_s or 0.0)
            group.flushed = group.busy = True
        return found

    async def run(self) -> None:
        """
        Tell each group at its time, for ever.
        """
        tidy_s = self._clock() + TIDY_S
        while True:
            now_s = self._clock()
            for group in self.due(now_s):
                task = asyncio.create_task(self.flush(group, now_s))
                self._flushes.add(task)
                task.add_done_callback(self._flushes.discard)
            if now_s >= tidy_s:
                self.tidy(now_s)
                tidy_s = now_s + TIDY_S
            waiting = [group.flush_s for group in self._groups.values() if not group.busy]
            await self._wait(min([tidy_s, *waiting]) - self._clock())

    async def _wait(self, seconds: float) -> None:
        self._changed.clear()
        with contextlib.suppress(TimeoutError):
            # Not wait_for, which can swallow a cancellation that comes together with the event.
            async with asyncio.timeout(max(0.0, seconds)):
                await self._changed.wait()

    async def flush(self, group: Group, now_s: float) -> None:
        """
        Tell a group's contact point what has changed, and drop what was told to have ended.
        """
        try:
            alerts = in_order(list(group.alerts.values()))
            heard = [alert for alert in alerts if not self._silences.muting(alert.labels, now_s)]
            done = True
            if heard and not self._is_muted(group.timing, now_s):
                done = await self._tell(group, heard, now_s)
            if done:
                for alert in alerts:
                    if alert.resolved(now_s) and group.alerts.get(alert.fingerprint) is alert:
                        del group.alerts[alert.fingerprint]
        finally:
            group.busy = False
            self._changed.set()

    async def _tell(self, group: Group, alerts: Sequence[Alert], now_s: float) -> bool:
        point = self._alerting().contact_point(group.receiver)
        taken = [await self._tell_one(group, alerts, now_s, point, one) for one in point.integrations]
        return all(taken)

    async def _tell_one(
        self, group: Group, alerts: Sequence[Alert], now_s: float, point: ContactPoint, integration: Integration
    ) -> bool:
        told = Told(
            at_s=now_s,
            firing=[alert.fingerprint for alert in alerts if not alert.resolved(now_s)],
            resolved=[alert.fingerprint for alert in alerts if alert.resolved(now_s)],
        )
        key = (group.key, f"{point.name}/{integration.uid}")
        repeat_s, resolved = group.timing.repeat_interval_s or 0.0, integration.sends_resolved
        if not self.log.needs(key, told, repeat_s=repeat_s, sends_resolved=resolved):
            return True
        sent = alerts if resolved else [alert for alert in alerts if not alert.resolved(now_s)]
        note = Notification(route_key=group.route_key, group_labels=group.labels, alerts=sent, now_s=now_s)
        if sent and not await self._sender.send(note, point, integration):
            self._measures.failed.labels("1", integration.kind).inc()
            return False
        self._measures.notified.labels("1", integration.kind).inc()
        self.log.put(key, told)
        self.on_told()
        return True

    def _is_muted(self, timing: Timing, now_s: float) -> bool:
        known = self._alerting().mute_timings
        muted = any(known[name].contains(now_s) for name in timing.mute_times if name in known)
        active = [known[name].contains(now_s) for name in timing.active_times if name in known]
        return muted or (bool(active) and not any(active))

    def _dispatch(self, alert: Alert) -> None:
        now_s = self._clock()
        for key, receiver, timing, labels in self.routes(alert):
            wait_s = timing.group_wait_s or 0.0
            fresh = Group(route_key=key, receiver=receiver, timing=timing, labels=labels, flush_s=now_s + wait_s)
            if alert.resolved(now_s) and fresh.key not in self._groups and not self.log.knows(fresh.key):
                continue  # nobody was told that it fires, so nobody needs to hear that it has ended
            group = self._groups.setdefault(fresh.key, fresh)
            group.put(alert, now_s)

    def tidy(self, now_s: float) -> None:
        """
        Drop empty groups and what is too old.
        """
        self._groups = {key: group for key, group in self._groups.items() if group.alerts or group.busy}
        self.alerts.forget(now_s)
        self._silences.forget(now_s)
        self.log.forget(now_s - LOG_KEPT_S)
