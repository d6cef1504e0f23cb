"""Many series of one kind, scored together: one vectorised step of robust Holt-Winters per tick."""

from collections.abc import Iterator

import numpy as np

from detector.alarm import Alarm, End, Tick
from detector.counts import RatioWindow, counted
from detector.fit_job import Fit, FitJob
from detector.history import History, moments
from detector.kinds import MEASURES, Bools, Floats, Kind
from detector.seasons import Seasons
from detector.settings import Settings
from detector.state import State

MAD_TO_SIGMA = 1.4826
SIGMA_TO_MAD = 1.0 / MAD_TO_SIGMA
SCALE_GAIN = 1.17  # the gain at which a streaming median of a normal deviation learns fastest, times samples seen
REBASE_POINTS = 60
LARGEST = 1e30  # a greater y is no measurement, and would not fit the history's single precision


class Bank:
    """
    Detectors for `size` series of one kind and one step; a place ("slot") per series.

    `step` takes the values of all series at one moment, NaN where there is none, and costs the same few array
    operations for one series as for thousands. A bank never looks ahead and does no input or output.
    """

    def __init__(self, *, kind: Kind, step_s: float, settings: Settings | None = None, size: int = 1) -> None:
        self.kind = kind
        self.step_s = step_s
        self.settings = settings or Settings()
        self.counted_over_s = self.settings.counted_over_s or step_s
        self.measure = MEASURES[kind]
        self.alarm = Alarm(kind, self.settings)
        self.late = 0
        self.state = State.empty(size)
        self.state.alpha[:], self.state.gamma[:] = self.settings.alpha, self.settings.gamma
        self.seasons = Seasons(step_s=step_s, size=size)
        self.history = History(step_s=step_s, size=size, seasons_s=self.settings.seasons_s)
        self.ratios = RatioWindow(samples=self.settings.ratio_window, size=size)

    @property
    def size(self) -> int:
        """How many places there are."""
        return len(self.state.level)

    @property
    def at_s(self) -> float:
        """The moment of the last tick, minus infinity before the first."""
        return self.state.at_s

    def step(self, at_s: float, values: Floats, requests: Floats | None = None) -> Tick | None:
        """
        Score one value per series at `at_s` (seconds since the epoch) and learn from it.

        Errors are given as errors per second with requests per second, or as ratios without. A moment that is not
        later than the last one is counted in `late`, changes nothing and gives None.
        """
        if not self.at_s < at_s < np.inf:
            self.late += 1
            return None
        skipped = 0 if np.isinf(self.at_s) else max(round((at_s - self.at_s) / self.step_s) - 1, 0)
        self.state.at_s = at_s
        with np.errstate(all="ignore"):
            return self._step(values, requests, skipped)

    def bulk(self, at_s: Floats, values: Floats, requests: Floats | None = None) -> Iterator[Tick]:
        """Step through many moments (rows); late ones give nothing."""
        for row, moment in enumerate(at_s):
            tick = self.step(float(moment), values[row], None if requests is None else requests[row])
            if tick is not None:
                yield tick

    def _step(self, values: Floats, requests: Floats | None, skipped: int) -> Tick:
        state = self.state
        noise = self._measure(values, requests)
        ok = np.abs(state.y) < LARGEST
        self._wake(ok, skipped)
        state.expected = state.level + self.seasons.at(state.at_s)
        state.sigma = np.maximum(state.scale, self._floor(noise))
        residual = state.y - state.expected
        if not ok.all():
            residual[~ok], state.sigma[~ok], state.y[~ok] = 0.0, state.scale[~ok], np.nan
        reach = self.settings.huber_z * state.sigma
        judged = ok & (state.seen >= self.settings.warm_up)
        tick = self.alarm.judge(state, judged, residual, reach)
        self.history.add(state.at_s, state.y, ok)
        self._learn(judged, np.minimum(np.maximum(residual, -reach), reach))
        state.seen += ok
        if np.count_nonzero(judged) < np.count_nonzero(ok):
            for grown in np.flatnonzero(ok & ~judged & (state.seen >= self.settings.warm_up)).tolist():
                self.settle(grown, self.settings.warm_up)
        for slot, end in tick.ended:
            if end is End.REBASELINED:
                self.settle(slot, REBASE_POINTS)
        return tick

    def _measure(self, values: Floats, requests: Floats | None) -> Floats | float:
        """Note the value as people know it and its transform; returns what counting alone makes that vary."""
        state = self.state
        noise: Floats | float = 0.0
        if self.kind is Kind.ERRORS and requests is not None:
            state.value, state.y, noise = counted(values, requests, self.counted_over_s)
        elif self.kind is Kind.ERRORS:
            state.value, state.y = self.ratios.add(values)
        else:
            state.value = values
            state.y = self.measure.forward(values.copy())
        return noise

    def _floor(self, noise: Floats | float) -> Floats | float:
        """The least deviation that can be believed at this moment."""
        if self.kind is Kind.ERRORS:
            return np.maximum(noise, self.measure.floor)
        if self.kind is Kind.TRAFFIC:
            count = self.measure.inverse(self.state.expected) * self.counted_over_s
            return np.maximum(1.0 / np.sqrt(count + 1.0), self.measure.floor)
        if self.kind is Kind.GAUGE:
            return np.maximum(0.01 * np.abs(self.state.expected), self.measure.floor)
        return self.measure.floor

    def _wake(self, ok: Bools, skipped: int) -> None:
        """Count what is missing; a series that was away for long learns its level again, but keeps its season."""
        state = self.state
        state.gap += skipped
        back = ok & (state.gap > self.settings.rebaseline_after)
        if back.any():
            state.seen[back] = 0.0
        state.gap = (state.gap + 1.0) * ~ok

    def _learn(self, judged: Bools, clipped: Floats) -> None:
        """Move level, scales, range and season; not while an alert is active, but the season, a little."""
        state = self.state
        quiet = judged & (state.fired == 0)
        state.level += state.alpha * clipped * quiet
        pace = np.maximum(SCALE_GAIN / np.maximum(state.seen, 1.0), SCALE_GAIN / self.settings.scale_memory) * quiet
        state.scale *= 1.0 + pace * np.sign(np.abs(clipped) - SIGMA_TO_MAD * state.scale)
        state.slow_scale *= 1.0 + pace * np.sign(np.abs(state.slow) - SIGMA_TO_MAD * state.slow_scale)
        wider = ((state.y < state.low) | (state.y > state.high)) & quiet
        if wider.any():
            state.low[wider] = np.minimum(state.low, state.y)[wider]
            state.high[wider] = np.maximum(state.high, state.y)[wider]
        if self.seasons.any:
            self.seasons.learn(state.at_s, state.gamma * clipped * (0.1 * judged + 0.9 * quiet))

    def settle(self, slot: int, count: int) -> None:
        """Take level and scale of one series from its last `count` points."""
        state = self.state
        points = self.history.last(slot)
        at_s = moments(self.at_s, self.step_s, len(points))
        rest = (points - self.seasons.past(slot, at_s))[np.isfinite(points)][-count:]
        level = float(np.median(rest))
        scale = max(MAD_TO_SIGMA * float(np.median(np.abs(rest - level))), 0.5 * self.measure.floor)
        state.level[slot], state.scale[slot] = level, scale
        state.slow_scale[slot] = 1.5 * self.alarm.slow_deviation(scale)
        state.slow[slot] = 0.0
        state.seen[slot] = float(max(len(rest), self.settings.warm_up))

    def job(self, slot: int) -> FitJob:
        """What a fit of one series needs."""
        found = self.seasons.of(slot)
        return FitJob(
            step_s=self.step_s,
            at_s=self.at_s,
            points=self.history.last(slot),
            rings=tuple((ring.season, *ring.series(slot)) for ring in self.history.rings if ring.bucket >= 0),
            period_s=found[0].period_s if found else 0.0,
            pace=self.alarm.pace,
        )

    def adopt(self, slot: int, fit: Fit) -> bool:
        """Take over what a fit found; not while an alert is active. True if it was taken."""
        state = self.state
        if state.fired[slot] > 0 or state.seen[slot] < self.settings.warm_up:
            return False
        state.alpha[slot], state.gamma[slot] = fit.alpha, fit.gamma
        before = self.seasons.of(slot)
        if (before[0] if before else None) != fit.season:
            self.seasons.accept(slot, fit.season, fit.profile)
            state.level[slot], state.scale[slot], state.slow_scale[slot] = fit.level, fit.scale, fit.slow_scale
            state.slow[slot] = 0.0
        return True

    def grow(self, size: int) -> None:
        """Make room for more series."""
        before = self.size
        for part in (self.state, self.seasons, self.history, self.ratios):
            part.grow(size)
        self.state.alpha[before:], self.state.gamma[before:] = self.settings.alpha, self.settings.gamma

    def clear(self, slot: int) -> None:
        """Forget one series, so that another one can take its place."""
        self.state.clear(slot)
        self.state.alpha[slot], self.state.gamma[slot] = self.settings.alpha, self.settings.gamma
        if self.seasons.buckets[slot]:
            self.seasons.accept(slot, None, None)
        self.history.clear(slot)
        self.ratios.clear(slot)
