"""The service: ticks, alerts, fits and snapshots around the banks, from one configuration that can change."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable

import httpx

from detector import alerts, journal, snapshot
from detector.alerts import Alert, AlertBook
from detector.config import Config, Watch
from detector.feed import Feed
from detector.fit_worker import FitWorker
from detector.fits import Fits
from detector.http_client import client
from detector.sinks import Alertmanager, Delivery, Webhook
from detector.source import Prometheus
from detector.telemetry import Telemetry, publish
from detector.ticks import Ticks
from detector.watcher import Watcher

log = logging.getLogger(__name__)
Connect = Callable[..., httpx.AsyncClient]


class Service:
    """
    Everything that runs, in one event loop.

    `connect` makes the HTTP clients; tests give their own and need no network.
    """

    def __init__(self, config: Config, *, connect: Connect = client, clock: Callable[[], float] = time.time) -> None:
        self.config, self.connect, self.clock = config, connect, clock
        self.telemetry = Telemetry()
        self.book = AlertBook()
        self.watchers: dict[str, Watcher] = {}
        self.feeds: dict[str, Feed] = {}
        self.deliveries: dict[str, Delivery] = {}
        self.worker = FitWorker()
        self.failed_ticks = 0
        self._clients: list[httpx.AsyncClient] = []
        self._tasks: list[asyncio.Task[None]] = []

    # Life

    async def start(self) -> None:
        """Take up the state on disk, and start to work."""
        # Whoever has just begun has missed nothing yet.
        self.telemetry.last_success.set(self.clock())
        self._build(self.config)
        if self.config.state_dir is not None:
            self._restore(self.config)
        self._launch()

    def _build(self, config: Config) -> None:
        """Make source, watchers and sinks; a watch that did not change keeps its bank."""
        self.config = config
        kept = {name: watcher for name, watcher in self.watchers.items() if self._same(config, watcher)}
        made = {watch.name: kept.get(watch.name) or self._watcher(config, watch) for watch in config.series}
        self.watchers = made
        http = self._client(
            config.prometheus.model_copy(update={"timeout": min(config.prometheus.timeout, config.interval)})
        )
        source = Prometheus(http, seconds=self.telemetry.query_seconds.observe)
        self.feeds = {
            name: Feed(
                config, watcher, source, on_error=lambda reason: self.telemetry.query_errors.labels(reason).inc()
            )
            for name, watcher in made.items()
        }
        self.telemetry.series.published = {}
        self._build_sinks(config)

    def _build_sinks(self, config: Config) -> None:
        sinks: list[Alertmanager | Webhook] = [
            Alertmanager(self._client(peer), peer, f"alertmanager-{at}")
            for at, peer in enumerate(config.sinks.alertmanager)
        ]
        sinks += [Webhook(self._client(peer), f"webhook-{at}") for at, peer in enumerate(config.sinks.webhook)]
        before, self.deliveries = self.deliveries, {}
        for sink in sinks:
            delivery = Delivery(sink, self.clock, self.telemetry.told, self._write_journal)
            old = before.get(sink.name)
            delivery.waiting = dict(old.waiting) if old else {}
            if sink.resend_s is not None:
                delivery.told = {key: (alert, 0.0) for key, alert in self.book.active.items()}
            self.deliveries[sink.name] = delivery

    def _client(self, peer: object) -> httpx.AsyncClient:
        made = self.connect(peer)
        self._clients.append(made)
        return made

    def _watcher(self, config: Config, watch: Watch) -> Watcher:
        return Watcher(watch, step_s=config.interval, max_series=config.max_series, forget_after_s=config.forget_after)

    def _same(self, config: Config, watcher: Watcher) -> bool:
        fresh = [self._watcher(config, watch) for watch in config.series if watch.name == watcher.watch.name]
        same = bool(fresh) and snapshot.fingerprint(fresh[0]) == snapshot.fingerprint(watcher)
        return same and fresh[0].roster.limit == watcher.roster.limit

    def _launch(self) -> None:
        fits = Fits(self.watchers, self.config.refit_every, self.telemetry, self.worker)
        ticks = Ticks(self.config.interval, self.config.lag_s, self.clock, self.telemetry)
        work = [delivery.run() for delivery in self.deliveries.values()]
        work += [ticks.run(self.tick), fits.run(min(self.config.interval, 5.0)), self._save_for_ever()]
        self._tasks = [asyncio.create_task(job) for job in work]

    async def stop(self) -> None:
        """Stop working and write the state; active alerts stay active, the next start goes on with them."""
        await self._halt()
        self.save()
        await asyncio.to_thread(self.worker.stop)

    async def _halt(self) -> None:
        catching_up = [feed.catching_up for feed in self.feeds.values() if feed.catching_up is not None]
        for task in [*self._tasks, *catching_up]:
            task.cancel()
        await asyncio.gather(*self._tasks, *catching_up, return_exceptions=True)
        for http in self._clients:
            await http.aclose()
        self._tasks, self._clients = [], []

    async def reload(self, config: Config) -> None:
        """Take over another configuration; alerts of watches that are gone are resolved."""
        await self._halt()
        removed = {watch.name for watch in self.config.series} - {watch.name for watch in config.series}
        self._build(config)
        for name in removed:
            self._tell(name, {}, "removed")
            self._tell(f"{name}/self", {}, "removed")
        self._launch()

    # Ticks

    async def tick(self, at_s: float) -> None:
        """One tick: ask, score, tell, publish."""
        now_s = self.clock()
        done = await asyncio.gather(*(feed.advance(at_s, now_s) for feed in self.feeds.values()))
        for name, feed in self.feeds.items():
            self._tell_of_self(name, feed, now_s)
            if feed.ready and not feed.busy:
                self._sync(name, feed, now_s)
        all_well = all(done)
        self.failed_ticks = 0 if all_well else self.failed_ticks + 1
        if all_well:
            self.telemetry.last_success.set(at_s)
        for name, delivery in self.deliveries.items():
            delivery.keep(self.book.active)
            self.telemetry.queue.labels(sink=name).set(len(delivery.waiting))

    @property
    def ready(self) -> bool:
        """Whether all watches have read their history and none has failed for three ticks."""
        return all(feed.ready and not feed.blind for feed in self.feeds.values())

    def _sync(self, name: str, feed: Feed, now_s: float) -> None:
        """Tell what changed in one watch, and publish its numbers."""
        watcher = feed.watcher
        found = [alerts.anomaly(self.config, watcher.watch, labels, said) for labels, said in watcher.firing().items()]
        found += [alerts.absent(watcher.watch, labels, since_s=now_s) for labels in watcher.absent()]
        ends = {
            alerts.fingerprint_of(alerts.identity(alerts.ANOMALY, watcher.watch, labels)): end
            for labels, end in watcher.ends.items()
        }
        watcher.ends.clear()
        self._tell(name, {alert.fingerprint: alert for alert in found}, "cleared", ends)
        self.telemetry.series.published[name] = publish(watcher)

    def _tell_of_self(self, name: str, feed: Feed, now_s: float) -> None:
        """Tell when a watch cannot be read, and when it can again."""
        found = []
        if feed.blind:
            found.append(alerts.blind(feed.watcher.watch, feed.problem, since_s=feed.failing_since_s or now_s))
        self._tell(f"{name}/self", {alert.fingerprint: alert for alert in found}, "sees again")

    def _tell(self, scope: str, current: dict[str, Alert], why: str, ends: dict[str, str] | None = None) -> None:
        told = self.book.sync(scope, current, ends or {}, self.clock(), why)
        for alert in told:
            state = "resolved" if alert.ends_s is not None else f"firing, {alert.grade}"
            log.info("%s %s: %s", state, alert.labels, alert.annotations.get("description", ""))
        for delivery in self.deliveries.values():
            delivery.put(told)
        if told:
            self._write_journal()

    # State on disk

    def _restore(self, config: Config) -> None:
        folder = config.state_dir
        assert folder is not None
        try:
            saved = snapshot.read(folder)
            restored = [name for name, one in self.watchers.items() if saved is not None and saved.restore(one)]
            log.info("state taken up for %s", ", ".join(restored) or "no series")
        except ValueError as error:
            log.warning("%s", error)
            self._build(config)
        try:
            written = journal.read(folder)
        except ValueError as error:
            log.warning("%s", error)
            return
        self.book.active, self.book.scopes = dict(written.active), dict(written.scopes)
        for name, delivery in self.deliveries.items():
            delivery.waiting = dict(written.waiting.get(name, {}))
            if delivery.sink.resend_s is not None:
                delivery.told = {key: (alert, 0.0) for key, alert in written.active.items()}

    def _write_journal(self) -> None:
        if self.config.state_dir is None:
            return
        waiting = {name: delivery.waiting for name, delivery in self.deliveries.items()}
        journal.write(
            self.config.state_dir,
            journal.Journal(active=self.book.active, scopes=self.book.scopes, waiting=waiting),
        )

    def save(self) -> None:
        """Write all state now."""
        if self.config.state_dir is not None:
            snapshot.write(self.config.state_dir, snapshot.pack(self.watchers))
            self._write_journal()

    async def _save_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self.config.snapshot_every)
            if self.config.state_dir is not None and not any(feed.busy for feed in self.feeds.values()):
                arrays = snapshot.pack(self.watchers)
                with contextlib.suppress(OSError):
                    await asyncio.to_thread(snapshot.write, self.config.state_dir, arrays)
                self._write_journal()
