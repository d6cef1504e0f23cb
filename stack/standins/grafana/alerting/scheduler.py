"""The scheduler: ticks on the wall clock, and in each tick the rules that are due, spread over it."""

import asyncio
import functools
import logging
import time
import zlib
from collections.abc import Callable, Sequence

from stack.standins.grafana.alerting.evaluation import Evaluator
from stack.standins.grafana.alerting.manager import Manager
from stack.standins.grafana.alerting.measure import Measures
from stack.standins.grafana.provisioning.rules import Rule

log = logging.getLogger("grafana.scheduler")


class Scheduler:
    """Runs until cancelled; `rules` and `evaluator` are asked at each tick, since a reload replaces them."""

    def __init__(
        self,
        tick_s: float,
        rules: Callable[[], Sequence[Rule]],
        evaluator: Callable[[], Evaluator],
        manager: Manager,
        measures: Measures,
    ) -> None:
        self._tick_s = tick_s
        self._rules = rules
        self._evaluator = evaluator
        self._manager = manager
        self._measures = measures
        self._running: dict[str, asyncio.Task[None]] = {}
        self._waiting: dict[str, tuple[Rule, float]] = {}

    async def run(self) -> None:
        """
        Tick for ever; of ticks that are missed the latest is made up for, as it sees the world of now.
        """
        number = int(time.time() // self._tick_s) + 1
        try:
            while True:
                await asyncio.sleep(max(0.0, number * self._tick_s - time.time()))
                self._tick(number)
                number = max(number + 1, int(time.time() // self._tick_s))
        finally:
            for task in list(self._running.values()):
                task.cancel()

    def due(self, number: int) -> Sequence[Rule]:
        """
        The rules that are evaluated in the tick of this number.
        """
        return [rule for rule in self._rules() if not rule.paused and is_due(rule, number, self._tick_s)]

    def _tick(self, number: int) -> None:
        at_s = number * self._tick_s
        self._measures.tick(at_s, len(self._rules()))
        self._measures.behind(time.time() - at_s)
        rules = self.due(number)
        for index, rule in enumerate(rules):
            self._begin(rule, at_s, at_s + index * self._tick_s / len(rules))

    def _begin(self, rule: Rule, at_s: float, not_before_s: float) -> None:
        # A rule that is still being evaluated is evaluated next for the latest tick; those between are missed.
        if rule.uid in self._running:
            if rule.uid in self._waiting:
                log.warning('msg="Tick dropped because alert rule evaluation is too slow" rule_uid=%s', rule.uid)
                self._measures.missed.inc()
            self._waiting[rule.uid] = (rule, at_s)
            return
        task = asyncio.create_task(self._evaluate(rule, at_s, not_before_s))
        self._running[rule.uid] = task
        task.add_done_callback(functools.partial(self._ended, rule.uid))

    def _ended(self, uid: str, task: "asyncio.Task[None]") -> None:
        del self._running[uid]
        if task.cancelled():
            return
        if task.exception() is not None:
            log.error('msg="rule evaluation failed" rule_uid=%s', uid, exc_info=task.exception())
        if uid in self._waiting:
            rule, at_s = self._waiting.pop(uid)
            self._begin(rule, at_s, at_s)

    async def _evaluate(self, rule: Rule, at_s: float, not_before_s: float) -> None:
        await asyncio.sleep(max(0.0, not_before_s - time.time()))
        await self.evaluate(rule, at_s)

    async def evaluate(self, rule: Rule, at_s: float) -> None:
        """
        Evaluate one rule as of a tick, unless a reload has replaced it meanwhile.
        """
        started_s = time.monotonic()
        found = await self._evaluator().evaluate(rule, at_s, self._manager.active(rule))
        took_s = time.monotonic() - started_s
        if rule in self._rules():
            self._manager.process(rule, found, at_s, took_s)
            self._measures.evaluated(took_s, failed=any(outcome.error for outcome in found))


def is_due(rule: Rule, number: int, tick_s: float) -> bool:
    """
    Whether a rule is evaluated in a tick: its group has an offset of its own inside the interval (jitter).
    """
    every = max(1, round(rule.interval_s / tick_s))
    return number % every == zlib.crc32(f"{rule.folder}/{rule.group}".encode()) % every
