"""One watch and its source: brings the bank up to a moment, whatever was missed, and backs off when that fails."""

import asyncio
import random
from collections.abc import Callable

import numpy as np

from detector.alarm import Tick
from detector.bank import Bank
from detector.config import Config
from detector.history import BucketRing
from detector.kinds import MEASURES, Floats
from detector.matrix import Matrix
from detector.source import Prometheus, SourceError
from detector.watcher import Watcher

LONGEST_PAUSE_S = 30.0
LONGEST_WAIT = 20  # steps that a tick waits for; a longer way is gone in the background
BLIND_AFTER = 3


class Feed:
    """
    Asks for a watch's values and hands them to its bank.

    Normally one moment is asked for. After a pause of whatever cause (the detector was down, Prometheus was down, a
    tick took too long) the range that was missed is asked for, so that no sample is lost that Prometheus has.
    """

    def __init__(
        self, config: Config, watcher: Watcher, source: Prometheus, *, on_error: Callable[[str], None]
    ) -> None:
        self.config, self.watcher, self.source = config, watcher, source
        self.on_error = on_error
        self.failures = 0
        self.problem = ""
        self.failing_since_s: float | None = None
        self.ready = False
        self._not_before_s = 0.0
        self.catching_up: asyncio.Task[bool] | None = None

    @property
    def blind(self) -> bool:
        """Whether nothing has been seen for several ticks."""
        return self.failures >= BLIND_AFTER

    @property
    def busy(self) -> bool:
        """Whether the bank is being worked on in the background."""
        return self.watcher.busy

    async def advance(self, at_s: float, now_s: float) -> bool:
        """Bring the bank up to `at_s`; True if it is there. A long way is gone in the background."""
        if self.busy or now_s < self._not_before_s:
            return False
        bank, step_s = self.watcher.bank, self.config.interval
        behind = self.config.lookback if np.isinf(bank.at_s) else at_s - bank.at_s
        self.watcher.busy = True
        if behind > LONGEST_WAIT * step_s:
            self.catching_up = asyncio.create_task(self._guarded(at_s, now_s))
            return False
        return await self._guarded(at_s, now_s)

    async def _guarded(self, at_s: float, now_s: float) -> bool:
        try:
            await self.catch_up(at_s)
        except SourceError as error:
            self._failed(error, now_s)
            return False
        finally:
            self.watcher.busy = False
        self.failures, self.problem, self.failing_since_s, self._not_before_s = 0, "", None, 0.0
        self.ready = True
        return True

    def _failed(self, error: SourceError, now_s: float) -> None:
        self.failures += 1
        self.problem = str(error)
        self.failing_since_s = now_s if self.failing_since_s is None else self.failing_since_s
        longest = min(LONGEST_PAUSE_S, self.config.interval * 2.0 ** min(self.failures - 1, 8))
        self._not_before_s = now_s + longest * random.uniform(0.5, 0.9)  # noqa: S311 - jitter, no secret
        self.on_error(error.reason)

    async def catch_up(self, at_s: float) -> None:
        """Ask for everything from the bank's last moment until `at_s`, and score it."""
        bank, step_s = self.watcher.bank, self.config.interval
        first_s = at_s - self.config.lookback
        if np.isinf(bank.at_s):
            await self._season_history(first_s)
        else:
            first_s = max(first_s, bank.at_s + step_s)
        count = round((at_s - first_s) / step_s) + 1
        if count == 1:
            await self._moment(at_s)
        elif count > 1:
            await self._range(at_s - step_s * np.arange(count - 1, -1, -1, dtype=np.float64))

    async def _moment(self, at_s: float) -> Tick | None:
        watch = self.watcher.watch
        if watch.requests_query is None:
            return self.watcher.take(at_s, await self.source.instant(watch.query, at_s), None)
        errors, requests = await asyncio.gather(
            self.source.instant(watch.query, at_s), self.source.instant(watch.requests_query, at_s)
        )
        return self.watcher.take(at_s, errors, requests)

    async def _range(self, moments: Floats) -> None:
        watch, width = self.watcher.watch, len(self.watcher.roster.slots)
        values = await self.source.range(watch.query, moments, width=width)
        requests = None
        if watch.requests_query is not None:
            requests = await self.source.range(watch.requests_query, moments, width=width)
        await asyncio.to_thread(self.watcher.replay, values, requests)

    async def _season_history(self, until_s: float) -> None:
        """Fill the coarse rings from before the lookback, so that a season is known from the first day."""
        for ring in self.watcher.bank.history.rings:
            season = ring.season
            if season.bucket_s <= self.config.interval:
                continue
            last_s = np.floor(until_s / season.bucket_s) * season.bucket_s
            ends_s = last_s - season.bucket_s * np.arange(season.buckets * season.cycles - 1, -1, -1, dtype=np.float64)
            await self._fill(ring, ends_s)

    async def _fill(self, ring: BucketRing, ends_s: Floats) -> None:
        watch, bucket_s = self.watcher.watch, ring.season.bucket_s
        over = f"[{round(bucket_s)}s:{max(round(self.config.interval), 1)}s]"
        values = await self.source.range(f"avg_over_time(({watch.query}){over})", ends_s)
        if watch.requests_query is not None:
            requests = await self.source.range(f"avg_over_time(({watch.requests_query}){over})", ends_s)
            values = ratio(values, requests)
        fill(self.watcher, ring, values)


def ratio(errors: Matrix, requests: Matrix) -> Matrix:
    """Errors over requests, 0 where there were requests and no series of errors."""
    place = {labels: at for at, labels in enumerate(errors.labels)}
    counts = np.zeros_like(requests.values)
    for at, labels in enumerate(requests.labels):
        if labels in place:
            counts[:, at] = np.nan_to_num(errors.values[:, place[labels]])
    with np.errstate(all="ignore"):
        shares = np.where(requests.values > 0, counts / requests.values, np.nan)
    return Matrix(at_s=requests.at_s, labels=requests.labels, values=shares)


def fill(watcher: Watcher, ring: BucketRing, values: Matrix) -> None:
    """Put coarse history into a season's ring; each value is the mean of the bucket that ends at its moment."""
    bank: Bank = watcher.bank
    slots = {at: watcher.place(labels) for at, labels in enumerate(values.labels)}
    columns = [(at, slot) for at, slot in slots.items() if slot is not None]
    with np.errstate(all="ignore"):
        y = MEASURES[bank.kind].forward(values.values)
    for row, end_s in enumerate(values.at_s):
        line = np.full(bank.size, np.nan)
        line[[slot for _, slot in columns]] = y[row, [at for at, _ in columns]]
        ring.fill(float(end_s) - 0.5 * ring.season.bucket_s, line)
