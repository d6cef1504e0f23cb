"""The decision: when a deviation becomes an alert, how grave it is, and when it is over."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from detector.kinds import MEASURES, Bools, Direction, Floats, Kind
from detector.settings import Settings
from detector.state import State

SLOW_FLOOR = 0.7
SPIKE_MEMORY = 5760.0  # samples over which lone spikes are remembered; a day at 15 s
MANY_SPIKES = 24.0  # within that memory: two of so many would meet by chance once in ten days
Rows = npt.NDArray[np.int64]


class End(StrEnum):
    """Why an alert ended."""

    CLEARED = "cleared"
    REBASELINED = "rebaselined"
    STALE = "stale"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """What one step changed: the series whose alert began, and those whose alert ended and why."""

    at_s: float
    began: tuple[int, ...] = ()
    ended: tuple[tuple[int, End], ...] = ()


class Alarm:
    """
    Two rules over one residual, both with a minimum effect and in the bad direction only.

    Fast: the limit crossed in `confirm` of `confirm + 1` samples, with none back to normal between them, so that a
    lone spike is never an alert. Where lone spikes are common one sample more is needed, since two would meet by
    chance. Slow: the smoothed residual, clipped so that no single sample decides, crosses the limit of its own
    deviation; it sees what is weak but lasts.
    """

    def __init__(self, kind: Kind, settings: Settings) -> None:
        self.settings = settings
        self.absolute_ratio = kind is Kind.ERRORS
        self.direction = settings.direction_of(kind)
        self.pace = MEASURES[kind].pace
        effect, relative = settings.effect_of(kind), MEASURES[kind].relative
        self._less = float(np.log1p(-min(effect, 0.999))) if relative else -effect
        self._more = float(np.log1p(effect)) if relative else effect
        self._slow_reach = 1.25 * abs(self._less) if relative else 0.0
        self._slow_unit = float(np.sqrt(self.pace / (2.0 - self.pace)))
        self._mask = 2 ** (settings.confirm + 2) - 1
        self._votes = np.array([self._agreed(bits, settings.confirm) for bits in range(self._mask + 1)])
        self._more_votes = np.array([self._agreed(bits, settings.confirm + 1) for bits in range(self._mask + 1)])

    @staticmethod
    def _agreed(bits: int, needed: int) -> bool:
        """Whether enough of the last `needed + 1` samples crossed the limit."""
        return (bits & ((2 << needed) - 1)).bit_count() >= needed

    def slow_deviation(self, sigma: float) -> float:
        """The standard deviation of the smoothed residual if the residuals were independent."""
        return sigma * self._slow_unit

    def judge(self, state: State, judged: Bools, residual: Floats, reach: Floats) -> Tick:
        """Score every series, decide on the suspicious ones. `residual` is 0 where there is no value."""
        patience = np.sqrt(1.0 + 10.0 / state.seen) * (1.0 / self.settings.sensitivity)
        state.z = self._signed(residual / state.sigma) * judged
        wide = np.maximum(reach, self._slow_reach)
        state.slow += (np.minimum(np.maximum(residual, -wide), wide) - state.slow) * (self.pace * judged)
        sigma = np.maximum(state.slow_scale, (SLOW_FLOOR * self._slow_unit) * state.sigma)
        state.slow_z = self._signed(state.slow / sigma) * judged
        over = (state.z >= self.settings.limit_z * patience) | (state.slow_z >= self.settings.slow_limit_z * patience)
        over |= (state.bits > 0) | (state.fired > 0)
        if not over.any():
            return Tick(at_s=state.at_s)
        rows = np.flatnonzero(over)
        return self._decide(state, rows, judged[rows], residual[rows], patience[rows])

    def _signed(self, deviation: Floats) -> Floats:
        """Positive is worse."""
        if self.direction is Direction.UP:
            return deviation
        return -deviation if self.direction is Direction.DOWN else np.abs(deviation)

    def _matters(self, deviation: Floats, expected: Floats) -> Bools:
        """Whether a deviation is large enough for people, whatever its z."""
        change = deviation * (2.0 * expected + deviation) if self.absolute_ratio else deviation
        if self.direction is Direction.UP:
            return change >= self._more
        worse = change <= self._less
        return worse if self.direction is Direction.DOWN else worse | (change >= self._more)

    def _decide(self, state: State, rows: Rows, judged: Bools, residual: Floats, patience: Floats) -> Tick:
        limit = self.settings.limit_z * patience
        slow_limit = self.settings.slow_limit_z * patience
        z, slow_z, expected = state.z[rows], state.slow_z[rows], state.expected[rows]
        hot = judged & (z >= limit) & self._matters(residual, expected)
        normal = judged & (z < 0.5 * limit)
        self._note_spikes(state, rows[normal & (state.bits[rows] > 0) & (state.fired[rows] == 0)])
        bits = np.where(judged, ((state.bits[rows] << 1) | hot) & self._mask, state.bits[rows])
        state.bits[rows] = bits = np.where(normal, 0, bits).astype(np.uint8)
        slow = judged & (slow_z >= slow_limit) & self._matters(state.slow[rows], expected)
        fast = np.where(self._spiky(state, rows), self._more_votes[bits], self._votes[bits]) & hot
        creeping = np.where(state.fired[rows] > 0, state.creeping[rows], slow) & ~fast
        state.creeping[rows] = creeping
        bad = fast | slow
        if not (bad.any() or (state.fired[rows] > 0).any()):
            return Tick(at_s=state.at_s)
        calm = normal & ~(creeping & (slow_z >= 0.5 * slow_limit))
        return self._turn(state, rows, judged, bad, calm)

    def _note_spikes(self, state: State, lone: Rows) -> None:
        """Remember spikes that came alone."""
        state.spikes[lone] = state.spikes[lone] * self._faded(state, lone) + 1.0
        state.spike_seen[lone] = state.seen[lone]

    def _spiky(self, state: State, rows: Rows) -> Bools:
        """Whether lone spikes are common in a series."""
        return np.asarray(state.spikes[rows] * self._faded(state, rows) >= MANY_SPIKES)

    def _faded(self, state: State, rows: Rows) -> Floats:
        """How much is left of the memory of spikes since the last one."""
        return np.asarray(np.exp((state.spike_seen[rows] - state.seen[rows]) / SPIKE_MEMORY))

    def _turn(self, state: State, rows: Rows, judged: Bools, bad: Bools, calm: Bools) -> Tick:
        """Begin and end alerts."""
        fired = state.fired[rows]
        firing = fired > 0
        began = bad & ~firing
        fired = np.where(began, 1.0, fired + (firing & judged))
        counted = np.where(firing & calm, state.calm[rows] + 1.0, np.where(judged, 0.0, state.calm[rows]))
        state.fired[rows], state.calm[rows] = fired, counted
        state.since_s[rows[began]] = state.at_s
        state.critical[rows] |= (fired > 0) & self._grave(state, rows)
        cleared = firing & (counted >= self.settings.clear_after)
        rebased = firing & (fired > self.settings.rebaseline_after)
        stale = firing & (state.gap[rows] > self.settings.expire_after)
        ends = [End.CLEARED if cleared[i] else End.REBASELINED if rebased[i] else End.STALE for i in range(len(rows))]
        over = np.flatnonzero(cleared | rebased | stale)
        ended = tuple((int(rows[i]), ends[i]) for i in over)
        self._forgive(state, rows[over])
        return Tick(at_s=state.at_s, began=tuple(rows[began].tolist()), ended=ended)

    def _grave(self, state: State, rows: Rows) -> Bools:
        """Whether an active alert is critical: far out, or out and never seen before, or past the objective."""
        z, y = state.z[rows], state.y[rows]
        margin = 0.1 * (state.high[rows] - state.low[rows])
        record = (y > state.high[rows] + margin) | (y < state.low[rows] - margin)
        grave = (z >= self.settings.critical_z) | ((z >= self.settings.record_z) & record)
        if self.settings.objective is not None:
            value = state.value[rows]
            down = self.direction is Direction.DOWN
            grave |= value <= self.settings.objective if down else value >= self.settings.objective
        return np.asarray(grave)

    def _forgive(self, state: State, over: Rows) -> None:
        """Start with a clean slate after an alert."""
        state.fired[over] = state.calm[over] = state.slow[over] = 0.0
        state.bits[over] = 0
        state.critical[over] = state.creeping[over] = False
