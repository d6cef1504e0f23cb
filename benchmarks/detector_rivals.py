"""What the detector is compared with: rolling z-score, Brutlag's rule, and bands as recording rules; vectorised."""

from collections.abc import Callable, Mapping

import numpy as np

from detector.kinds import Bools, Direction, Floats
from detector.replay import Alert
from detector.settings import DAY_S, HOUR_S

CLEAR_AFTER = 4


def rolling(values: Floats, window: int) -> tuple[Floats, Floats]:
    """Mean and standard deviation of the `window` samples before and with each moment, without those missing."""
    there = np.isfinite(values)
    filled = np.where(there, values, 0.0)
    parts = []
    for part in (there.astype(np.float64), filled, filled**2):
        total = np.cumsum(part, axis=0)
        total[window:] = total[window:] - total[:-window]
        parts.append(total)
    count = np.maximum(parts[0], 1.0)
    mean = parts[1] / count
    return mean, np.sqrt(np.maximum(parts[2] / count - mean**2, 0.0))


def later(values: Floats, samples: int) -> Floats:
    """The values some samples ago, NaN before the first."""
    shifted = np.full_like(values, np.nan)
    shifted[samples:] = values[:-samples]
    return shifted


def bad_side(above: Bools, below: Bools, direction: Direction) -> Bools:
    """The deviations that count."""
    return above if direction is Direction.UP else below if direction is Direction.DOWN else above | below


def z_score(values: Floats, step_s: float, direction: Direction) -> Bools:
    """Three standard deviations from the mean of the hour before."""
    mean, deviation = rolling(values, round(HOUR_S / step_s))
    mean, deviation = later(mean, 1), later(deviation, 1)
    return bad_side(values > mean + 3 * deviation, values < mean - 3 * deviation, direction)


def brutlag(values: Floats, step_s: float, direction: Direction) -> Bools:
    """
    Additive Holt-Winters with a season of a day and a smoothed seasonal deviation, twice as wide as that on each side.

    The parameters are RRDtool's usual ones: alpha 0.1, beta 0.0035, gamma 0.1. It knows no missing values: they
    continue the forecast.
    """
    alpha, beta, gamma, wide = 0.1, 0.0035, 0.1, 2.0
    cycle = round(DAY_S / step_s)
    level, trend = np.nan_to_num(values[0]), np.zeros(values.shape[1])
    season, deviation = np.zeros((cycle, values.shape[1])), np.full((cycle, values.shape[1]), np.nan)
    out = np.zeros(values.shape, dtype=np.bool_)
    for row, seen in enumerate(values):
        phase = row % cycle
        forecast = level + trend + season[phase]
        value = np.where(np.isfinite(seen), seen, forecast)
        reach = wide * np.nan_to_num(deviation[phase], nan=np.inf)
        out[row] = np.isfinite(seen) & bad_side(value > forecast + reach, value < forecast - reach, direction)
        before, level = level, alpha * (value - season[phase]) + (1 - alpha) * (level + trend)
        trend = beta * (level - before) + (1 - beta) * trend
        season[phase] = gamma * (value - level) + (1 - gamma) * season[phase]
        error = np.abs(value - forecast)
        deviation[phase] = np.where(np.isnan(deviation[phase]), error, gamma * error + (1 - gamma) * deviation[phase])
    return out


def bands(values: Floats, step_s: float, direction: Direction) -> Bools:
    """
    The adaptive bands of promql-anomaly-detection, from its published rules.

    The mean of an hour, plus or minus the widest of: twice the 26 h mean of those hourly deviations that exceed half
    the mean; half the mean; and the same hour of yesterday with twice its deviation. Zeros are no samples.
    """
    samples = np.where(values > 0, values, np.nan)
    hour, day = round(HOUR_S / step_s), round(23.5 * HOUR_S / step_s)
    mean, deviation = rolling(samples, hour)
    steady, _ = rolling(np.where(deviation > 0.5 * mean, deviation, np.nan), 26 * hour)
    past_mean, past_deviation = later(mean, day), later(deviation, day)
    reach = np.maximum(2 * np.where(steady > 0, steady, 0.0), 0.5 * mean)
    upper = np.fmax(mean + reach, past_mean + 2 * past_deviation)
    lower = np.maximum(np.fmin(mean - reach, past_mean - 2 * past_deviation), 0.0)
    return bad_side(samples > upper, samples < lower, direction)


def alerts(outside: Bools, *, needed: int, of: int) -> list[Alert]:
    """Alerts that begin when `needed` of `of` samples lie outside and end after four that do not."""
    votes = np.cumsum(outside, axis=0)
    votes[of:] = votes[of:] - votes[:-of]
    found = []
    for slot in range(outside.shape[1]):
        row, column = 0, outside[:, slot]
        starts = np.flatnonzero((votes[:, slot] >= needed) & column)
        for start in starts:
            if start < row:
                continue
            row = int(start)
            while row < len(column) and column[row : row + CLEAR_AFTER].any():
                row += 1
            found.append(Alert(slot=slot, began=int(start), ended=row))
    return found


RIVALS: Mapping[str, tuple[Callable[[Floats, float, Direction], Bools], int, int]] = {
    "rolling z 3 sigma, 1 of 1": (z_score, 1, 1),
    "rolling z 3 sigma, 2 of 3": (z_score, 2, 3),
    "Brutlag, 7 of 9": (brutlag, 7, 9),
    "promql bands, for 5m": (bands, 20, 20),
    "promql bands, 2 of 3": (bands, 2, 3),
}
