"""Feeds: history first, then moment by moment; what was missed is fetched; failures are counted and paused over."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest

from detector.config import Config
from detector.feed import Feed, ratio
from detector.matrix import Matrix
from detector.source import Prometheus
from detector.watcher import Watcher

A = (("n", "a"),)


class Stage:
    """A feed, its watcher and a Prometheus, at one-second steps."""

    def __init__(self, config: Config, prometheus: Any) -> None:
        self.prometheus = prometheus
        self.reasons: list[str] = []
        self.watcher = Watcher(config.series[0], step_s=config.interval, max_series=50, forget_after_s=3600.0)
        self.feed = Feed(config, self.watcher, Prometheus(prometheus.connect()), on_error=self.reasons.append)

    async def advance(self, at_s: float, now_s: float | None = None) -> bool:
        """Advance, and wait for what goes on in the background."""
        await self.feed.advance(at_s, at_s if now_s is None else now_s)
        if self.feed.catching_up is not None:
            await self.feed.catching_up
        return self.watcher.bank.at_s == at_s

    def queries(self, path: str = "query_range") -> list[dict[str, str]]:
        """What was asked on one route."""
        return [asked for asked in self.prometheus.asked if asked["path"].endswith(path)]


def test_history_is_read_first_and_then_one_moment_at_a_time(
    configured: Callable[..., Config], prometheus: Any, quiet: Any, start_s: float
) -> None:
    """The lookback at the start, instant queries afterwards, and the same state as if it had always run."""
    prometheus.add("latency", quiet(0.1), n="a")
    stage = Stage(configured(), prometheus)

    async def go() -> None:
        assert await stage.advance(start_s)
        assert stage.feed.ready
        for at in range(1, 4):
            assert await stage.advance(start_s + at)

    asyncio.run(go())
    (history,) = stage.queries()
    assert float(history["end"]) - float(history["start"]) == 60.0
    assert len(stage.queries("/query")) == 3
    assert stage.watcher.bank.state.seen[0] == 64


def test_what_was_missed_is_fetched_as_a_range(
    configured: Callable[..., Config], prometheus: Any, quiet: Any, start_s: float
) -> None:
    """After an outage no sample is lost that Prometheus has; the state is that of an uninterrupted run."""
    prometheus.add("latency", quiet(0.1), n="a")
    broken, plain = Stage(configured(), prometheus), Stage(configured(), prometheus)

    async def go() -> None:
        for at in range(40):
            await plain.advance(start_s + at)
            if at not in range(5, 12):
                await broken.advance(start_s + at)

    asyncio.run(go())
    for name, array in plain.watcher.bank.state.arrays().items():
        np.testing.assert_array_equal(array, broken.watcher.bank.state.arrays()[name], err_msg=name)


def test_failures_pause_the_feed_and_make_it_blind(
    configured: Callable[..., Config], prometheus: Any, quiet: Any, start_s: float
) -> None:
    """Each failure lengthens the pause; three in a row mean blind; the first success heals all."""
    prometheus.add("latency", quiet(0.1), n="a")
    stage = Stage(configured(), prometheus)

    async def go() -> None:
        await stage.advance(start_s)
        prometheus.failure = lambda _: httpx.Response(503, text="down")
        now_s = start_s
        for failures in (1, 2, 3):
            now_s += 40.0
            await stage.advance(start_s + 1, now_s)
            assert stage.feed.failures == failures
        asked = len(prometheus.asked)
        await stage.advance(start_s + 1, now_s + 0.1)
        assert len(prometheus.asked) == asked
        assert stage.feed.blind
        assert "not the JSON of a Prometheus" in stage.feed.problem
        assert stage.feed.failing_since_s == start_s + 40.0
        prometheus.failure = None
        assert await stage.advance(start_s + 2, now_s + 60.0)
        assert stage.feed.failures == 0
        assert stage.feed.problem == ""

    asyncio.run(go())
    assert stage.reasons == ["answer"] * 3


def test_a_feed_that_is_busy_is_left_alone(
    configured: Callable[..., Config], prometheus: Any, quiet: Any, start_s: float
) -> None:
    """While history is read no second reading begins."""
    prometheus.add("latency", quiet(0.1), n="a")
    stage = Stage(configured(), prometheus)

    async def go() -> None:
        assert not await stage.feed.advance(start_s, start_s)
        assert stage.feed.busy
        assert not await stage.feed.advance(start_s + 1, start_s + 1)
        assert stage.feed.catching_up is not None
        await stage.feed.catching_up

    asyncio.run(go())
    assert len(stage.queries()) == 1


def test_counts_of_errors_are_read_together(configured: Callable[..., Config], prometheus: Any, start_s: float) -> None:
    """Errors and requests of the same moments, from history and live."""
    watch = {"name": "e", "query": "errors", "requests_query": "requests", "kind": "errors", "season": "none"}
    prometheus.add("requests", lambda _: 100.0, n="a")
    prometheus.add("errors", lambda at: 30.0 if at >= start_s + 3 else None, n="a")
    stage = Stage(configured(series=[watch]), prometheus)

    async def go() -> None:
        for at in range(6):
            await stage.advance(start_s + at)

    asyncio.run(go())
    assert list(stage.watcher.firing()) == [A]
    assert stage.watcher.firing()[A].since_s == start_s + 4


def test_a_season_is_known_from_history_on_the_first_day(
    configured: Callable[..., Config], prometheus: Any, start_s: float
) -> None:
    """Coarse means of the last cycles are read before the lookback; for errors they are ratios."""
    watches: list[dict[str, Any]] = [
        {"name": "l", "query": "latency", "kind": "latency", "season": "1h"},
        {"name": "e", "query": "errors", "requests_query": "requests", "kind": "errors", "season": "1h"},
    ]
    over = "[12s:1s]"
    prometheus.add(f"avg_over_time((latency){over})", lambda at: 0.2 if at % 3600 < 600 else 0.1, n="a")
    prometheus.add(f"avg_over_time((requests){over})", lambda _: 50.0, n="a")
    prometheus.add(f"avg_over_time((errors){over})", lambda at: 5.0 if at % 3600 < 600 else None, n="a")
    for query, value in (("latency", 0.1), ("requests", 50.0), ("errors", 0.0)):
        prometheus.add(query, lambda _, value=value: value, n="a")
    for watch, low, high in ((watches[0], np.log(0.1), np.log(0.2)), (watches[1], 0.0158, 0.3166)):
        stage = Stage(configured(series=[watch]), prometheus)
        asyncio.run(stage.advance(start_s))
        ring = stage.watcher.bank.history.rings[0]
        _, means = ring.series(0)
        finite = means[np.isfinite(means)]
        assert len(finite) > 7 * ring.season.buckets
        assert (finite.min(), finite.max()) == (pytest.approx(low, abs=1e-3), pytest.approx(high, abs=1e-3))


def test_ratios_are_zero_where_there_were_requests_and_no_errors() -> None:
    """And nothing where there were no requests."""
    at_s = np.arange(2.0)
    errors = Matrix(at_s=at_s, labels=(A,), values=np.array([[1.0], [np.nan]]))
    asked = Matrix(at_s=at_s, labels=(A, (("n", "b"),)), values=np.array([[4.0, 5.0], [0.0, 5.0]]))
    np.testing.assert_array_equal(ratio(errors, asked).values, [[0.25, 0.0], [np.nan, 0.0]])
