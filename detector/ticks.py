"""The clock: ticks aligned to whole intervals; one that comes too late is left out, never queued."""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable

from detector.telemetry import Telemetry

log = logging.getLogger(__name__)


class Ticks:
    """Calls back once per interval with the moment to be scored, which lies `lag_s` before the tick."""

    def __init__(
        self,
        interval_s: float,
        lag_s: float,
        clock: Callable[[], float],
        telemetry: Telemetry,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.interval_s, self.lag_s, self.clock, self.telemetry = interval_s, lag_s, clock, telemetry
        self.sleep = sleep

    async def run(self, tick: Callable[[float], Awaitable[None]]) -> None:
        """Tick for ever; ends by cancellation. A tick that fails is logged, and the next one comes all the same."""
        due = math.floor(self.clock() / self.interval_s)
        while True:
            now = math.floor(self.clock() / self.interval_s)
            if now > due:
                self.telemetry.skipped.inc(max(now - due - 1, 0))
                due = now
                await self._one(tick, due * self.interval_s)
            await self.sleep(max((due + 1) * self.interval_s - self.clock(), 0.001))

    async def _one(self, tick: Callable[[float], Awaitable[None]], at_s: float) -> None:
        self.telemetry.tick_lag.set(max(self.clock() - at_s, 0.0))
        started = time.perf_counter()
        try:
            await tick(self.align(at_s - self.lag_s))
        except Exception:
            log.exception("a tick failed")
        self.telemetry.tick_seconds.observe(time.perf_counter() - started)

    def align(self, at_s: float) -> float:
        """The last whole interval at or before a moment."""
        return math.floor(at_s / self.interval_s + 1e-6) * self.interval_s
