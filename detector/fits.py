"""Which series is fitted next: spread over time, one after the other, in the worker process."""

import asyncio
import logging
import time
from collections.abc import Mapping

import numpy as np

from detector.fit_job import Fit
from detector.fit_worker import FitError, FitWorker
from detector.matrix import Labels
from detector.replay import FIRST_FIT_AFTER
from detector.telemetry import Telemetry
from detector.watcher import Watcher

RETRY_S = 600.0
log = logging.getLogger(__name__)


class Fits:
    """
    Keeps the parameters of all series young.

    A series is due first after 240 samples and then every `every_s`; the one that has waited longest comes first.
    Extracting the history and swapping in what was found cost microseconds; the fit itself is the worker's.
    """

    def __init__(
        self, watchers: Mapping[str, Watcher], every_s: float, telemetry: Telemetry, worker: FitWorker
    ) -> None:
        self.watchers, self.every_s = watchers, every_s
        self.telemetry, self.worker = telemetry, worker

    def next(self) -> tuple[Watcher, Labels] | None:
        """The series that has been due for longest."""
        best: tuple[float, Watcher, Labels] | None = None
        for watcher in self.watchers.values():
            if watcher.busy:
                continue
            state = watcher.bank.state
            age = np.where(state.seen >= FIRST_FIT_AFTER, watcher.bank.at_s - watcher.fitted_s, 0.0)
            slot = int(np.argmax(age))
            if age[slot] >= self.every_s and (best is None or age[slot] > best[0]):
                labels = next((labels for labels, place in watcher.roster.slots.items() if place == slot), None)
                if labels is not None:
                    best = (float(age[slot]), watcher, labels)
        return None if best is None else best[1:]

    async def run(self, pause_s: float) -> None:
        """Fit what is due, for ever; ends by cancellation."""
        while True:
            due = self.next()
            if due is None:
                await asyncio.sleep(pause_s)
            else:
                await self.refit(*due)
                await asyncio.sleep(0)

    async def refit(self, watcher: Watcher, labels: Labels) -> None:
        """One fit; a failure keeps the parameters as they are."""
        slot = watcher.roster.slots[labels]
        job, started = watcher.bank.job(slot), time.perf_counter()
        found: Fit | None = None
        try:
            found = await asyncio.to_thread(self.worker.fit, job)
        except FitError as error:
            log.warning("fit of %s %s failed: %s", watcher.watch.name, dict(labels), error)
        self.telemetry.fit_seconds.observe(time.perf_counter() - started)
        result = "failed" if found is None else "fallback" if found.fallback else "ok"
        self.telemetry.fits.labels(result=result).inc()
        if watcher.busy or watcher.roster.slots.get(labels) != slot:
            return
        taken = found is None or watcher.bank.adopt(slot, found)
        watcher.fitted_s[slot] = watcher.bank.at_s if taken else watcher.bank.at_s - self.every_s + RETRY_S
