"""A single look: every series of a configuration, scored up to one moment from the history in Prometheus."""

from typing import Any

from detector.api import entry, plain
from detector.config import Config
from detector.feed import Feed
from detector.http_client import client
from detector.replay import FIRST_FIT_AFTER
from detector.source import Prometheus
from detector.watcher import Watcher

FITTED_BEFORE = 0.25  # the share of the history that is scored with fitted parameters


def fit_all(watcher: Watcher) -> None:
    """Fit every series that has history enough, as the service would have done by now."""
    from detector.fit import fit  # statsmodels takes seconds to load; other commands should not wait for it

    for slot in watcher.roster.slots.values():
        if watcher.bank.state.seen[slot] >= FIRST_FIT_AFTER:
            watcher.bank.adopt(slot, fit(watcher.bank.job(slot)))


async def look(config: Config, at_s: float) -> list[dict[str, Any]]:
    """Read the history up to a moment and say of each series what the service would say; raises SourceError."""
    at_s = at_s // config.interval * config.interval
    found: list[dict[str, Any]] = []
    async with client(config.prometheus) as http:
        for watch in config.series:
            watcher = Watcher(
                watch, step_s=config.interval, max_series=config.max_series, forget_after_s=config.forget_after
            )
            feed = Feed(config, watcher, Prometheus(http), on_error=lambda _: None)
            await feed.catch_up(at_s - FITTED_BEFORE * config.lookback // config.interval * config.interval)
            fit_all(watcher)
            await feed.catch_up(at_s)
            found += [entry(watcher, labels, slot) for labels, slot in watcher.roster.slots.items()]
    rows: list[dict[str, Any]] = plain(found)
    return rows
