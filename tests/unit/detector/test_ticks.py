"""The clock and the fits around it."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from detector.config import Watch
from detector.fit import fit
from detector.fit_job import Fit, FitJob
from detector.fit_worker import FitError
from detector.fits import Fits
from detector.telemetry import Telemetry
from detector.ticks import Ticks
from detector.watcher import Watcher


class Clock:
    """Time that stands still until it is moved."""

    def __init__(self, now_s: float = 1000.0) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        return self.now_s


def play(interval_s: float, lag_s: float, moves: list[float]) -> tuple[list[float], Telemetry]:
    """Which moments are ticked while the clock moves; a move happens during each tick."""
    clock, telemetry, seen = Clock(), Telemetry(), []
    todo = iter(moves)

    async def tick(at_s: float) -> None:
        seen.append(at_s)
        clock.now_s += next(todo, 0.0)
        if len(seen) > len(moves):
            raise RuntimeError("one tick fails, the next comes all the same")

    async def sleep(wait_s: float) -> None:
        clock.now_s += wait_s
        if len(seen) > len(moves) + 1:
            raise asyncio.CancelledError

    async def go() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await Ticks(interval_s, lag_s, clock, telemetry, sleep).run(tick)

    asyncio.run(go())
    return seen, telemetry


def value(telemetry: Telemetry, name: str, **labels: str) -> float | None:
    """A metric's value."""
    return telemetry.registry.get_sample_value(name, labels)


def test_ticks_are_aligned_and_look_back_by_the_lag() -> None:
    """Each moment is a whole interval, one lag before the tick, one after the other."""
    seen, telemetry = play(5.0, 5.0, [0.0, 0.0, 0.0])
    steps = np.diff(seen)
    assert steps == pytest.approx(np.full(len(steps), 5.0))
    assert seen[0] == pytest.approx(1000.0)
    assert value(telemetry, "anomaly_ticks_skipped_total") == 0


def test_a_tick_that_takes_too_long_is_not_made_up_for() -> None:
    """What was missed is left out and counted; nothing queues up."""
    seen, telemetry = play(5.0, 0.0, [0.0, 21.0, 0.0])
    assert np.diff(seen).tolist() == [5.0, 20.0, 5.0, 5.0]
    assert value(telemetry, "anomaly_ticks_skipped_total") == 3


def test_a_failing_tick_is_logged_and_the_next_one_comes(caplog: pytest.LogCaptureFixture) -> None:
    """A mistake in one tick does not end the detector."""
    play(5.0, 0.0, [0.0])
    assert "a tick failed" in caplog.text


class Worker:
    """Fits in this process, or fails."""

    def __init__(self, answer: Callable[[FitJob], Fit] = fit) -> None:
        self.answer = answer

    def fit(self, job: FitJob) -> Fit:
        return self.answer(job)


def watcher(series: int, ticks: int) -> Watcher:
    """A watcher with some history."""
    watch = Watch.model_validate({"name": "w", "query": "q", "kind": "latency", "season": "none"})
    one = Watcher(watch, step_s=15.0, max_series=50, forget_after_s=3600.0)
    rng = np.random.default_rng(1)
    for at in range(ticks):
        one.take(at * 15.0, {(("n", str(i)),): 0.1 * float(np.exp(rng.normal(0, 0.1))) for i in range(series)}, None)
    return one


def fits(one: Watcher, worker: Any, every_s: float = 900.0) -> Fits:
    """The fits of one watcher."""
    return Fits({"w": one}, every_s, Telemetry(), worker)


def test_series_are_fitted_once_and_then_when_they_are_old() -> None:
    """Nothing is due before 240 samples; then each once; and the oldest first when its time has come."""
    assert fits(watcher(2, 100), Worker()).next() is None
    one = watcher(3, 250)
    plan = fits(one, Worker())

    async def all_due() -> list[str]:
        names = []
        while due := plan.next():
            names.append(due[1][0][1])
            await plan.refit(*due)
        return names

    assert sorted(asyncio.run(all_due())) == ["0", "1", "2"]
    assert value(plan.telemetry, "anomaly_fit_total", result="ok") == 3
    assert (one.fitted_s[:3] == one.bank.at_s).all()
    one.fitted_s[1] -= 1000.0
    due = plan.next()
    assert due is not None
    assert due[1] == (("n", "1"),)
    one.busy = True
    assert plan.next() is None


def test_a_failed_fit_keeps_the_parameters_and_is_not_tried_at_once() -> None:
    """The old parameters stay; the failure is counted."""

    def fail(_: FitJob) -> Fit:
        raise FitError("hung")

    one = watcher(1, 250)
    one.bank.state.alpha[0] = 0.0123
    plan = fits(one, Worker(fail))
    due = plan.next()
    assert due is not None
    asyncio.run(plan.refit(*due))
    assert one.bank.state.alpha[0] == 0.0123
    assert plan.next() is None
    assert value(plan.telemetry, "anomaly_fit_total", result="failed") == 1


def test_a_fit_of_a_series_in_trouble_is_tried_again_later() -> None:
    """While an alert is active nothing is taken over; in ten minutes there will be another try."""
    one = watcher(1, 250)
    one.bank.state.fired[0] = 1.0
    plan = fits(one, Worker())
    due = plan.next()
    assert due is not None
    asyncio.run(plan.refit(*due))
    assert one.fitted_s[0] == one.bank.at_s - 900.0 + 600.0


def test_a_fit_of_a_series_that_has_gone_is_thrown_away() -> None:
    """Its place may belong to another one by now."""
    one = watcher(1, 250)
    labels = (("n", "0"),)

    def leave(job: FitJob) -> Fit:
        one.bank.clear(one.roster.drop(labels))
        return fit(job)

    asyncio.run(fits(one, Worker(leave)).refit(one, labels))
    assert one.fitted_s[0] == -np.inf


def test_the_loop_fits_what_is_due_and_then_rests() -> None:
    """It goes on for ever, and ends by cancellation."""
    one = watcher(2, 250)
    plan = fits(one, Worker())

    async def go() -> None:
        task = asyncio.create_task(plan.run(0.01))
        async with asyncio.timeout(20.0):
            while plan.next() is not None:
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(go())
    assert (one.fitted_s[:2] > 0).all()
