"""The repeating part: the seasonal profiles that have been accepted, read and corrected once per tick."""

import math

import numpy as np
import numpy.typing as npt

from detector.history import EDGE, MOST_BUCKETS, Season
from detector.kinds import Floats


def place(season: Season, at_s: Floats | float, step_s: float) -> Floats | float:
    """
    Where in its cycle a moment lies, in buckets.

    A coarse profile (bucket longer than a step) is interpolated between the middles of its buckets, so that a day
    in five-minute buckets has no steps; a fine one is read as it is, so that a batch job keeps its sharp edges.
    """
    spot = (at_s % season.period_s) / season.bucket_s + EDGE
    return spot - 0.5 if season.bucket_s > step_s * 1.001 else spot // 1.0


def read(season: Season, profile: Floats, at_s: Floats, step_s: float) -> Floats:
    """One profile at many moments; the same rule as `Seasons.at`, for fits and pictures."""
    spot = np.asarray(place(season, at_s, step_s))
    low = np.floor(spot).astype(np.int64)
    here = profile[low % season.buckets]
    return np.asarray(here + (spot - low) * (profile[(low + 1) % season.buckets] - here))


class Seasons:
    """One profile per series, additive on the transformed scale; zero where a series has no season."""

    def __init__(self, *, step_s: float, size: int) -> None:
        self.step_s = step_s
        self.profile = np.zeros((MOST_BUCKETS, size))
        self.period_s = np.zeros(size)
        self.buckets = np.zeros(size, dtype=np.int64)
        self._groups: list[tuple[Season, npt.NDArray[np.int64]]] = []

    @property
    def any(self) -> bool:
        """Whether any series has a season."""
        return bool(self._groups)

    def at(self, at_s: float) -> Floats | float:
        """What the season adds at a moment, for every series."""
        if not self._groups:
            return 0.0
        found = np.zeros(len(self.period_s))
        for season, rows in self._groups:
            spot = float(place(season, at_s, self.step_s))
            low = math.floor(spot)
            here = self.profile[low % season.buckets, rows]
            if spot > low:
                here += (spot - low) * (self.profile[(low + 1) % season.buckets, rows] - here)
            found[rows] = here
        return found

    def learn(self, at_s: float, correction: Floats) -> None:
        """Move the bucket of this moment by a correction that is weighted per cycle."""
        for season, rows in self._groups:
            bucket = math.floor((at_s % season.period_s) / season.bucket_s + EDGE) % season.buckets
            self.profile[bucket, rows] += correction[rows] / max(season.bucket_s / self.step_s, 1.0)

    def of(self, slot: int) -> tuple[Season, Floats] | None:
        """The season of one series and its profile."""
        buckets = int(self.buckets[slot])
        if not buckets:
            return None
        return Season(period_s=float(self.period_s[slot]), buckets=buckets), self.profile[:buckets, slot].copy()

    def past(self, slot: int, at_s: Floats) -> Floats:
        """What the season of one series adds at many moments."""
        found = self.of(slot)
        return np.zeros(len(at_s)) if found is None else read(*found, at_s, self.step_s)

    def accept(self, slot: int, season: Season | None, profile: Floats | None) -> None:
        """Give one series a profile, or none."""
        self.profile[:, slot] = 0.0
        self.period_s[slot] = season.period_s if season else 0.0
        self.buckets[slot] = season.buckets if season else 0
        if season is not None and profile is not None:
            self.profile[: season.buckets, slot] = profile
        self.refresh()

    def refresh(self) -> None:
        """Put the series with the same season together; needed after the arrays were changed from outside."""
        active = np.flatnonzero(self.buckets)
        kinds = set(zip(self.period_s[active].tolist(), self.buckets[active].tolist(), strict=True))
        self._groups = [
            (Season(period_s=p, buckets=b), np.flatnonzero((self.period_s == p) & (self.buckets == b)))
            for p, b in sorted(kinds)
        ]

    def grow(self, size: int) -> None:
        """Make room for more series."""
        more = size - len(self.period_s)
        self.profile = np.pad(self.profile, ((0, 0), (0, more)))
        self.period_s = np.pad(self.period_s, (0, more))
        self.buckets = np.pad(self.buckets, (0, more))
