"""Error ratios: from counts, whose own noise is known, or from ratios alone, which are averaged first."""

import numpy as np

from detector.kinds import RATIO_OFFSET, Floats

ANSCOMBE = 0.375


def counted(errors: Floats, requests: Floats, over_s: float) -> tuple[Floats, Floats, Floats]:
    """
    Ratio, y and the noise of y from errors per second and requests per second that were counted over some seconds.

    y is Anscombe's root, whose standard deviation is half a count whatever the ratio. NaN where nothing was asked.
    """
    total = requests * over_s
    share = np.minimum(errors / requests, 1.0) + 0.0 * np.log(requests)
    return share, np.sqrt(share + ANSCOMBE / total), 0.5 / np.sqrt(total)


class RatioWindow:
    """The mean of the last ratios of each series, for ratios of which nobody says how many requests they count."""

    def __init__(self, *, samples: int, size: int) -> None:
        self.ratios = np.full((samples, size), np.nan)
        self.turn = 0

    def add(self, ratios: Floats) -> tuple[Floats, Floats]:
        """Take one tick; returns the mean over the window and its root, NaN where this tick had none."""
        self.ratios[self.turn] = np.minimum(ratios, 1.0)
        self.turn = (self.turn + 1) % len(self.ratios)
        there = np.isfinite(self.ratios)
        mean = np.where(there, self.ratios, 0.0).sum(axis=0) / there.sum(axis=0) + 0.0 * ratios
        return mean, np.sqrt(mean + RATIO_OFFSET)

    def grow(self, size: int) -> None:
        """Make room for more series."""
        self.ratios = np.pad(self.ratios, ((0, 0), (0, size - self.ratios.shape[1])), constant_values=np.nan)

    def clear(self, slot: int) -> None:
        """Forget one series."""
        self.ratios[:, slot] = np.nan
