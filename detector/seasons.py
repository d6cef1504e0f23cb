"""The repeating part: the seasonal profiles that have been accepted, read and corrected once per tick."""

import numpy as np
import numpy.typing as npt

from detector.history import EDGE, MOST_BUCKETS, Season
from detector.kinds import Floats


def place(at_s: Floats | float, period_s: Floats | float, buckets: npt.NDArray[np.int64] | int) -> Floats:
    """Where in its cycle a moment lies, in buckets."""
    return np.asarray((at_s % period_s) / period_s * buckets + EDGE)


def read(season: Season, profile: Floats, at_s: Floats, step_s: float) -> Floats:
    """One profile at many moments; the same rule as `Seasons.at`, for fits and pictures."""
    spot = place(at_s, season.period_s, season.buckets)
    spot = spot - 0.5 if season.bucket_s > step_s * 1.001 else np.floor(spot)
    low = np.floor(spot).astype(np.int64)
    here = profile[low % season.buckets]
    return np.asarray(here + (spot - low) * (profile[(low + 1) % season.buckets] - here))


class Seasons:
    """
    One profile per series, additive on the transformed scale; zero where a series has no season.

    A coarse profile (bucket longer than a step) is interpolated between the middles of its buckets, so that a day
    in five-minute buckets has no steps; a fine one is read as it is, so that a batch job keeps its sharp edges.
    """

    def __init__(self, *, step_s: float, size: int) -> None:
        self.step_s = step_s
        self.profile = np.zeros((size, MOST_BUCKETS))
        self.period_s = np.zeros(size)
        self.buckets = np.zeros(size, dtype=np.int64)
        self._active = np.zeros(0, dtype=np.int64)

    @property
    def any(self) -> bool:
        """Whether any series has a season."""
        return len(self._active) > 0

    def at(self, at_s: float) -> Floats | float:
        """What the season adds at a moment, for every series."""
        rows = self._active
        if not len(rows):
            return 0.0
        periods, buckets = self.period_s[rows], self.buckets[rows]
        spot = place(at_s, periods, buckets)
        spot = np.where(periods > buckets * self.step_s * 1.001, spot - 0.5, np.floor(spot))
        low = np.floor(spot).astype(np.int64)
        here = self.profile[rows, low % buckets]
        found = np.zeros(len(self.period_s))
        found[rows] = here + (spot - low) * (self.profile[rows, (low + 1) % buckets] - here)
        return found

    def learn(self, at_s: float, correction: Floats) -> None:
        """Move the bucket of this moment by a correction that is weighted per cycle."""
        rows = self._active
        if not len(rows):
            return
        periods, buckets = self.period_s[rows], self.buckets[rows]
        per_bucket = np.maximum(periods / buckets / self.step_s, 1.0)
        low = place(at_s, periods, buckets).astype(np.int64) % buckets
        self.profile[rows, low] += correction[rows] / per_bucket

    def of(self, slot: int) -> tuple[Season, Floats] | None:
        """The season of one series and its profile."""
        buckets = int(self.buckets[slot])
        if not buckets:
            return None
        return Season(period_s=float(self.period_s[slot]), buckets=buckets), self.profile[slot, :buckets].copy()

    def past(self, slot: int, at_s: Floats) -> Floats:
        """What the season of one series adds at many moments."""
        found = self.of(slot)
        return np.zeros(len(at_s)) if found is None else read(*found, at_s, self.step_s)

    def accept(self, slot: int, season: Season | None, profile: Floats | None) -> None:
        """Give one series a profile, or none."""
        self.profile[slot] = 0.0
        self.period_s[slot] = season.period_s if season else 0.0
        self.buckets[slot] = season.buckets if season else 0
        if season is not None and profile is not None:
            self.profile[slot, : season.buckets] = profile
        self.refresh()

    def refresh(self) -> None:
        """Note which series have a season; needed after the arrays were changed from outside."""
        self._active = np.flatnonzero(self.buckets)

    def grow(self, size: int) -> None:
        """Make room for more series."""
        more = size - len(self.period_s)
        self.profile = np.pad(self.profile, ((0, more), (0, 0)))
        self.period_s = np.pad(self.period_s, (0, more))
        self.buckets = np.pad(self.buckets, (0, more))
