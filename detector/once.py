"""A single look: every series of a configuration, scored up to one moment from the history in Prometheus."""

from typing import Any

from detector.api import entry, plain
from detector.config import Config
from detector.feed import Feed
from detector.http_client import client
from detector.source import Prometheus
from detector.watcher import Watcher


async def look(config: Config, at_s: float) -> list[dict[str, Any]]:
    """Read the history up to a moment and say of each series what the service would say; raises SourceError."""
    at_s = at_s // config.interval * config.interval
    found: list[dict[str, Any]] = []
    async with client(config.prometheus) as http:
        for watch in config.series:
            watcher = Watcher(
                watch, step_s=config.interval, max_series=config.max_series, forget_after_s=config.forget_after
            )
            await Feed(config, watcher, Prometheus(http), on_error=lambda _: None).catch_up(at_s)
            found += [entry(watcher, labels, slot) for labels, slot in watcher.roster.slots.items()]
    rows: list[dict[str, Any]] = plain(found)
    return rows
