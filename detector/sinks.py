"""Telling: alerts on their way to Alertmanager and to webhooks, kept and sent again until they have arrived."""

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import httpx

from detector.alerts import Alert, iso
from detector.config import AlertmanagerPeer

MOST_WAITING = 10_000
LONGEST_PAUSE_S = 15.0
ENDS_AFTER_RESENDS = 4


class Sink(Protocol):
    """Somebody who is told."""

    name: str
    resend_s: float | None

    async def send(self, alerts: Sequence[Alert], now_s: float) -> None:
        """Deliver; raises httpx.HTTPError if that did not work."""


class Alertmanager:
    """Alertmanager's API v2. An active alert ends by itself unless it is sent again within four resends."""

    def __init__(self, http: httpx.AsyncClient, peer: AlertmanagerPeer, name: str) -> None:
        self.http, self.name = http, name
        self.resend_s: float | None = peer.resend
        self.lasts_s = ENDS_AFTER_RESENDS * peer.resend

    async def send(self, alerts: Sequence[Alert], now_s: float) -> None:
        """POST all of them as one list."""
        answer = await self.http.post("/api/v2/alerts", json=[self._wire(alert, now_s) for alert in alerts])
        answer.raise_for_status()

    def _wire(self, alert: Alert, now_s: float) -> dict[str, Any]:
        return {
            "labels": alert.labels,
            "annotations": alert.annotations,
            "startsAt": iso(alert.starts_s),
            "endsAt": iso(now_s + self.lasts_s if alert.ends_s is None else alert.ends_s),
            "generatorURL": alert.generator,
        }


class Webhook:
    """A plain webhook: told once of each change, with a key by which a repetition can be recognised."""

    resend_s: float | None = None

    def __init__(self, http: httpx.AsyncClient, name: str) -> None:
        self.http, self.name = http, name

    async def send(self, alerts: Sequence[Alert], now_s: float) -> None:
        """POST one message with all changes."""
        body = {"version": "1", "sent_at": iso(now_s), "alerts": [self._wire(alert) for alert in alerts]}
        answer = await self.http.post("", json=body)
        answer.raise_for_status()

    def _wire(self, alert: Alert) -> dict[str, Any]:
        status = "firing" if alert.ends_s is None else "resolved"
        return {
            "status": status,
            "key": f"{alert.fingerprint}:{alert.starts_s:.3f}:{status}:{alert.grade}",
            "fingerprint": alert.fingerprint,
            "labels": alert.labels,
            "annotations": alert.annotations,
            "startsAt": iso(alert.starts_s),
            "endsAt": None if alert.ends_s is None else iso(alert.ends_s),
        }


class Delivery:
    """
    What one sink has still to be told.

    An alert waits under its fingerprint, so that only its latest state is ever sent, and a failed delivery is tried
    again with growing, jittered pauses until it works. The number that can wait is bounded; what does not fit is
    refused and counted.
    """

    def __init__(
        self,
        sink: Sink,
        clock: Callable[[], float],
        count: Callable[[str, str, int], None],
        emptied: Callable[[], None] = lambda: None,
    ) -> None:
        self.sink, self.clock, self.count, self.emptied = sink, clock, count, emptied
        self.waiting: dict[str, Alert] = {}
        self.told: dict[str, tuple[Alert, float]] = {}
        self.failures = 0
        self._woken = asyncio.Event()

    def put(self, alerts: Sequence[Alert]) -> None:
        """Queue what changed."""
        for alert in alerts:
            if alert.fingerprint not in self.waiting and len(self.waiting) >= MOST_WAITING:
                self.count(self.sink.name, "dropped", 1)
                continue
            self.waiting[alert.fingerprint] = alert
        if alerts:
            self._woken.set()

    def keep(self, active: dict[str, Alert]) -> None:
        """Take the latest words for alerts that are told again and again anyway."""
        for fingerprint, (_, told_s) in list(self.told.items()):
            if fingerprint in active:
                self.told[fingerprint] = (active[fingerprint], told_s)
            else:
                del self.told[fingerprint]

    async def run(self) -> None:
        """Deliver for ever; ends by cancellation."""
        while True:
            if self.due():
                await self.attempt()
            self._woken.clear()
            if not self.waiting or self.failures:
                await self._pause(self.wait_s())

    async def _pause(self, wait_s: float) -> None:
        try:
            async with asyncio.timeout(wait_s):
                await self._woken.wait()
        except TimeoutError:
            return

    def due(self) -> list[Alert]:
        """What should be sent now: what waits, and active alerts whose last telling is a resend ago."""
        now_s, resend_s = self.clock(), self.sink.resend_s
        again = []
        if resend_s is not None:
            again = [
                alert for key, (alert, at) in self.told.items() if now_s - at >= resend_s and key not in self.waiting
            ]
        return [*self.waiting.values(), *again]

    async def attempt(self) -> bool:
        """Try once to deliver what is due."""
        batch, now_s = self.due(), self.clock()
        try:
            await self.sink.send(batch, now_s)
        except httpx.HTTPStatusError as error:
            if error.response.status_code == 400:
                return await self._one_by_one(batch, now_s)
            return self._failed(batch)
        except (httpx.HTTPError, OSError):
            return self._failed(batch)
        self._arrived(batch, now_s, "ok")
        return True

    async def _one_by_one(self, batch: list[Alert], now_s: float) -> bool:
        """One of them is not accepted: find out which, so that it does not hold up the others."""
        for alert in batch:
            try:
                await self.sink.send([alert], now_s)
            except httpx.HTTPStatusError as error:
                if error.response.status_code != 400:
                    return self._failed([alert])
                self._arrived([alert], now_s, "refused")
            except (httpx.HTTPError, OSError):
                return self._failed([alert])
            else:
                self._arrived([alert], now_s, "ok")
        return True

    def _failed(self, batch: list[Alert]) -> bool:
        self.failures += 1
        self.count(self.sink.name, "failed", len(batch))
        return False

    def _arrived(self, batch: list[Alert], now_s: float, result: str) -> None:
        self.failures = 0
        self.count(self.sink.name, result, len(batch))
        waited = len(self.waiting)
        for alert in batch:
            if self.waiting.get(alert.fingerprint) is alert:
                del self.waiting[alert.fingerprint]
            if alert.ends_s is None:
                self.told[alert.fingerprint] = (alert, now_s)
            else:
                self.told.pop(alert.fingerprint, None)
        if len(self.waiting) < waited:
            self.emptied()

    def wait_s(self) -> float:
        """How long to rest: growing pauses after failures, else until the next resend."""
        if self.failures:
            longest = min(LONGEST_PAUSE_S, 0.5 * 2.0 ** min(self.failures - 1, 10))
            return longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret
        now_s = self.clock()
        waits = [at + self.sink.resend_s - now_s for _, at in self.told.values()] if self.sink.resend_s else []
        return max(min([LONGEST_PAUSE_S, *waits]), 0.01)
