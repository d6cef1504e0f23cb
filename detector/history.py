"""The recent past of a bank of series: the last points, and means per bucket of each season that might be there."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.kinds import Floats
from detector.settings import HOUR_S

RAW_POINTS = 1440
MOST_BUCKETS = 336
EDGE = 1e-6  # a time that ought to be the start of a bucket may lie a rounding error before it
Small = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """A length of time after which things may repeat, cut into buckets; aligned to the epoch."""

    period_s: float
    buckets: int

    @classmethod
    def of(cls, period_s: float, step_s: float) -> "Season":
        """Cut a period into at most 336 buckets, each a whole number of steps where that divides the period."""
        first = max(1, math.ceil(period_s / MOST_BUCKETS / step_s))
        for steps in range(first, 4 * first + 1):
            if period_s % (steps * step_s) == 0:
                return cls(period_s=period_s, buckets=round(period_s / (steps * step_s)))
        return cls(period_s=period_s, buckets=max(1, min(MOST_BUCKETS, int(period_s // step_s))))

    @property
    def bucket_s(self) -> float:
        """How long one bucket lasts."""
        return self.period_s / self.buckets

    @property
    def cycles(self) -> int:
        """How many cycles are kept: more of the short ones, since a short season is tested on its last hours."""
        return 8 if self.period_s <= HOUR_S else 4


def moments(at_s: float, step_s: float, count: int) -> Floats:
    """The `count` moments up to `at_s`, one step apart, oldest first."""
    return at_s - step_s * np.arange(count - 1, -1, -1, dtype=np.float64)


class BucketRing:
    """Means per bucket of one season over its last cycles, for all series of a bank; `fine`: a bucket is one step."""

    def __init__(self, season: Season, size: int, *, fine: bool) -> None:
        self.season = season
        self.fine = fine
        self.means: Small = np.full((season.buckets * season.cycles, size), np.nan, dtype=np.float32)
        self.sums = np.zeros(size)
        self.counts = np.zeros(size)
        self.bucket = -1

    def add(self, at_s: float, known: Floats, ok: npt.NDArray[np.bool_]) -> None:
        """Take one tick of all series: y, and 0 where a series had no value."""
        bucket = math.floor(at_s / self.season.bucket_s + EDGE)
        if bucket != self.bucket:
            self._close(bucket)
        if self.fine:
            self.sums, self.counts = known, ok.astype(np.float64)
        else:
            self.sums += known
            self.counts += ok

    def _close(self, bucket: int) -> None:
        length = len(self.means)
        if self.bucket >= 0:
            self.means[self.bucket % length] = self._mean()
            for skipped in range(self.bucket + 1, min(bucket, self.bucket + 1 + length)):
                self.means[skipped % length] = np.nan
        if not self.fine:
            self.sums[:] = 0.0
            self.counts[:] = 0.0
        self.bucket = bucket

    def _mean(self) -> Floats:
        with np.errstate(all="ignore"):
            return self.sums / self.counts

    def fill(self, at_s: float, y: Floats) -> None:
        """Set the mean of the past bucket that holds `at_s`, for example from coarse history."""
        bucket = math.floor(at_s / self.season.bucket_s + EDGE)
        length = len(self.means)
        if self.bucket >= 0 and not self.bucket - length < bucket < self.bucket:
            return
        row = self.means[bucket % length]
        self.means[bucket % length] = np.where(np.isfinite(y), y, row)

    def series(self, slot: int) -> tuple[int, Floats]:
        """The closed buckets of one series, oldest first, and the number of the first one since the epoch."""
        length = len(self.means)
        first = self.bucket - length
        order = (np.arange(first, self.bucket)) % length
        return first, self.means[order, slot].astype(np.float64)

    def grow(self, size: int) -> None:
        """Make room for more series."""
        more = size - len(self.sums)
        self.means = np.pad(self.means, ((0, 0), (0, more)), constant_values=np.nan)
        self.sums = np.pad(self.sums, (0, more))
        self.counts = np.pad(self.counts, (0, more))

    def clear(self, slot: int) -> None:
        """Forget one series."""
        self.means[:, slot] = np.nan
        self.sums[slot] = self.counts[slot] = 0.0


class History:
    """What the fits learn from: the last points at full resolution and the bucket rings of the season candidates."""

    def __init__(self, *, step_s: float, size: int, seasons_s: tuple[float, ...]) -> None:
        self.step_s = step_s
        self.raw: Small = np.full((RAW_POINTS, size), np.nan, dtype=np.float32)
        self.tick = -1
        cut = [Season.of(period, step_s) for period in seasons_s if period >= 8 * step_s]
        self.rings = [BucketRing(season, size, fine=season.bucket_s <= step_s * 1.001) for season in cut]

    def add(self, at_s: float, y: Floats, ok: npt.NDArray[np.bool_]) -> None:
        """Take one tick of all series; ticks that were left out become NaN."""
        tick = round(at_s / self.step_s)
        if self.tick >= 0:
            for skipped in range(max(self.tick + 1, tick - RAW_POINTS), tick):
                self.raw[skipped % RAW_POINTS] = np.nan
        self.tick = max(tick, self.tick)
        self.raw[self.tick % RAW_POINTS] = y
        known = y if ok.all() else np.where(ok, y, 0.0)
        for ring in self.rings:
            ring.add(at_s, known, ok)

    def last(self, slot: int, count: int = RAW_POINTS) -> Floats:
        """The last `count` points of one series, oldest first, NaN where there was none."""
        order = np.arange(self.tick - count + 1, self.tick + 1) % RAW_POINTS
        return np.asarray(self.raw[order, slot].astype(np.float64))

    def grow(self, size: int) -> None:
        """Make room for more series."""
        self.raw = np.pad(self.raw, ((0, 0), (0, size - self.raw.shape[1])), constant_values=np.nan)
        for ring in self.rings:
            ring.grow(size)

    def clear(self, slot: int) -> None:
        """Forget one series."""
        self.raw[:, slot] = np.nan
        for ring in self.rings:
            ring.clear(slot)
