"""The recordings that are replayed as stages of an alert's life, and how the world came to each stage."""

import asyncio
import itertools
from collections.abc import Mapping
from pathlib import Path

from stack.standins.grafana.standin import Standin
from tests.contract.grafana.world import RECORDED, World, epoch, provision, recorded, standin

NAMES = sorted(path.stem for path in RECORDED.glob("*.json"))
KINDS = ("rules", "prom-alerts", "am-alerts", "am-groups")
TIMES = ("normal", "pending", "firing", "notified", "firing-later", "resolved", "resolved-notified")
SPECIAL = ("nodata-resolved", "nodata-after-firing", "datasource-down")
ORDER = (*TIMES, *SPECIAL)
HISTORIES = (
    ("annotations-alert-history", "", "resolved"),
    ("fast-annotations-alert-history", "fast-", "resolved-notified"),
    ("annotations-alert-history-dashboard", "", "resolved"),
)
FILTERED = ("rules-filter-dashboard", "rules-filter-dashboard-panel", "rules-filter-panel-only", "auth-viewer-rules")
NEWER = ("rules-filter-ignored-newer", "metrics")
SILENCED = ("am-alerts-silenced", "am-alerts-active-only", "am-alerts-filter", "am-alerts-receiver")

STAGES: Mapping[str, tuple[str, str]] = {
    f"{prefix}{kind}-{time}": (prefix, time)
    for prefix, kind, time in itertools.product(("", "fast-"), KINDS, ORDER)
    if f"{prefix}{kind}-{time}" in NAMES
}


def at(clock: str) -> float:
    """
    Seconds of a clock time on the day of the recordings.
    """
    return epoch(f"2026-11-24T{clock}Z")


def inside(at_s: float, *spans: tuple[str, str]) -> bool:
    """
    Whether an instant is between two clock times, the second excluded.
    """
    return any(at(low) <= at_s < at(high) for low, high in spans)


def stock_world() -> World:
    """
    The world of the recordings with a 10 s tick: the ratio is raised once.
    """
    world = World(at("10:48:10"))
    world.ratio = lambda at_s: 0.25 if inside(at_s, ("10:48:20", "10:49:10")) else 0.0
    return world


def fast_world() -> World:
    """
    The world of the recordings with a 1 s tick: the ratio is raised twice, shards come and go, data appears, Prometheus dies.
    """
    world = World(at("10:50:41"))
    raised = (("10:50:46", "10:50:55"), ("10:52:35", "10:52:45"))
    world.ratio = lambda at_s: 0.25 if inside(at_s, *raised) else 0.0
    world.absent = lambda at_s: 0.0 if inside(at_s, ("10:52:50", "10:53:09")) else None
    world.prometheus_is_up = lambda at_s: not inside(at_s, ("10:53:24", "10:53:45"))

    def shards(at_s: float) -> Mapping[str, float]:
        found = {
            "a": 0.5 if inside(at_s, ("10:51:59", "10:52:20")) else 0.0,
            "b": 0.7 if inside(at_s, ("10:52:03", "10:52:07")) else 0.0,
        }
        return {key: value for key, value in found.items() if key != "a" or not inside(at_s, ("10:52:12", "10:52:20"))}

    world.shards = shards
    return world


class Recording:
    """A stand-in that lives through a recording, tick by tick, and can be stopped at any of them."""

    def __init__(self, folder: Path, prefix: str, *, links: bool = False) -> None:
        self.tick_s = 1.0 if prefix else 10.0
        self.world = fast_world() if prefix else stock_world()
        provision(folder, "rules-1s.yaml" if prefix else "rules-10s.yaml", links=links)
        self.standin: Standin = standin(folder, self.world, self.tick_s)
        self._evaluated: dict[str, float] = {}
        self._begin_s = self.world.now_s

    def evaluate_until(self, ticks: Mapping[str, float]) -> None:
        """
        Evaluate each rule (by title) at every tick up to its last.
        """
        asyncio.run(self._until(ticks))

    async def _until(self, ticks: Mapping[str, float]) -> None:
        rules = self.standin.provisioned.alerting.rules
        number = round(self._begin_s / self.tick_s)
        last = round(max(ticks.values()) / self.tick_s)
        for tick in range(number, last + 1):
            at_s = tick * self.tick_s
            for index, rule in enumerate(rules):
                if self._evaluated.get(rule.uid, 0.0) < at_s <= ticks.get(rule.title, 0.0):
                    self.world.now_s = at_s + index * self.tick_s / 2 / len(rules)
                    await self.standin.scheduler.evaluate(rule, at_s)
                    self._evaluated[rule.uid] = at_s

    def tell_until(self, until_s: float, step_s: float = 0.1) -> None:
        """
        Let time pass, telling each group when it is due.
        """
        asyncio.run(self._tell(until_s, step_s))

    async def _tell(self, until_s: float, step_s: float) -> None:
        while self.world.now_s < until_s:
            for group in self.standin.dispatcher.due(self.world.now_s):
                await self.standin.dispatcher.flush(group, self.world.now_s)
            self.world.now_s += step_s

    def live_until(self, until_s: float) -> None:
        """
        Evaluate all rules tick by tick, telling in between.
        """
        titles = [rule.title for rule in self.standin.provisioned.alerting.rules]
        tick_s = max([self._begin_s, *(value + self.tick_s for value in self._evaluated.values())])
        while tick_s <= until_s:
            self.evaluate_until(dict.fromkeys(titles, tick_s))
            self.tell_until(min(tick_s + self.tick_s, until_s))
            tick_s += self.tick_s


def last_evaluations(name: str) -> Mapping[str, float]:
    """
    When each rule had last been evaluated, in a recorded answer of the rules API.
    """
    groups = recorded(name)["response_body"]["data"]["groups"]
    return {rule["name"]: epoch(rule["lastEvaluation"]) for group in groups for rule in group["rules"]}


FLOWS = tuple(
    name
    for name in NAMES
    if name.startswith(("annotation-", "silence-", "silences-", "fast-silence", "webhook-")) or "am-receivers-" in name
    if "anonymous" not in name or name == "annotation-list-anonymous-viewer"
    if name != "am-receivers-test"
)
STAGED: set[str] = {
    *STAGES,
    *(f"{prefix}{name}" for prefix in ("", "fast-") for name in SILENCED),
    *(name for name, _, _ in HISTORIES),
    *FILTERED,
    *NEWER,
    *FLOWS,
    "am-alerts-anonymous-viewer",
    "fast-am-groups-two-instances",
    "fast-am-alerts-all-silenced",
    "fast-am-groups-all-silenced",
} & set(NAMES)
