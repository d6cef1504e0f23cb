"""Fits: statsmodels estimates how fast a series moves; a season is accepted only if it predicts better."""

import warnings

import numpy as np
from scipy.signal import lfilter
from statsmodels.tsa.holtwinters import ExponentialSmoothing

from detector.fit_job import Fit, FitJob
from detector.history import Season, moments
from detector.kinds import Floats
from detector.seasons import read

MAD_TO_SIGMA = 1.4826
LEAST_ALPHA, MOST_ALPHA = 0.005, 0.05
ALPHA_PER_S = 0.02 / 15.0
GAMMA_RANGE = (0.05, 0.5)
FALLBACK_ALPHA, FALLBACK_GAMMA = 0.02, 0.10
LEAST_POINTS = 60
MOST_POINTS = 1200
LEAST_CYCLES = 3
ACCEPT_AT = 0.85
PATIENCE = 3  # cycles that an accepted season may fail to predict before it is given up


def fit(job: FitJob) -> Fit:
    """Choose the season, estimate alpha and gamma with statsmodels, and replay the points with them."""
    choice = choose_season(job)
    at_s = moments(job.at_s, job.step_s, len(job.points))
    rest = job.points if choice is None else job.points - read(*choice, at_s, job.step_s)
    rest = _tame(rest[np.isfinite(rest)], 10.0)
    estimate = _estimate(job, choice, rest)
    alpha, gamma = estimate or (FALLBACK_ALPHA, FALLBACK_GAMMA)
    residual = surprises(rest, alpha)
    scale = max(_deviation(residual), 1e-9)
    smooth = lfilter([job.pace], [1.0, job.pace - 1.0], np.clip(residual, -3 * scale, 3 * scale))
    return Fit(
        alpha=alpha,
        gamma=gamma,
        season=choice[0] if choice else None,
        profile=choice[1] if choice else None,
        level=float(np.median(rest[-40:])) if len(rest) else 0.0,
        scale=scale,
        slow_scale=max(_deviation(smooth), 1e-9),
        fallback=estimate is None,
    )


def surprises(values: Floats, alpha: float) -> Floats:
    """One-step forecast errors of simple exponential smoothing."""
    if len(values) < 2:
        return np.zeros(0)
    start = float(np.median(values[:20]))
    level, _ = lfilter([alpha], [1.0, alpha - 1.0], values, zi=[(1.0 - alpha) * start])
    return np.asarray(values[1:] - level[:-1])


def _deviation(residual: Floats) -> float:
    return MAD_TO_SIGMA * float(np.median(np.abs(residual))) if len(residual) else 0.0


def _tame(values: Floats, deviations: float) -> Floats:
    """The values, with wild ones brought in to some robust deviations from the median."""
    if not len(values):
        return values
    middle = float(np.median(values))
    reach = deviations * _deviation(values - middle)
    return np.asarray(np.clip(values, middle - reach, middle + reach))


def choose_season(job: FitJob) -> tuple[Season, Floats] | None:
    """
    Of the candidates that predict their own last cycle better, the one that fits the last points best.

    A season that was accepted before may fail to predict for some cycles: a batch that did not run is an anomaly, not
    the end of the season.
    """
    accepted = []
    at_s = moments(job.at_s, job.step_s, len(job.points))
    finite = np.isfinite(job.points)
    for season, first, means in job.rings:
        last = len(means)
        patience = PATIENCE if season.period_s == job.period_s else 1
        gains = (gain(season, first, means[: last - ago * season.buckets], job.step_s) for ago in range(patience))
        if any(found <= ACCEPT_AT for found in gains):
            profile = profile_of(season, first, means)
            rest = surprises((job.points - read(season, profile, at_s, job.step_s))[finite], FALLBACK_ALPHA)
            accepted.append((_winsorised(rest, None), season, profile))
    if not accepted:
        return None
    _, season, profile = min(accepted, key=lambda entry: entry[0])
    return season, profile


def gain(season: Season, first: int, means: Floats, step_s: float) -> float:
    """
    How much of the surprise remains when the season is known: judged on the last cycle, which it was not made from.

    1 or more: the season does not help, or there are fewer than three cycles.
    """
    cycle = season.buckets
    if np.isfinite(means).sum() < LEAST_CYCLES * cycle * 0.9 or np.isfinite(means[-cycle:]).mean() < 0.5:
        return 1.0
    alpha = min(1.0 - (1.0 - FALLBACK_ALPHA) ** max(season.bucket_s / step_s, 1.0), 0.6)
    profile = profile_of(season, first, means[:-cycle])
    phases = (first + np.arange(len(means))) % cycle
    there = np.isfinite(means[-cycle:])
    plain = surprises(_bridge(means), alpha)[-cycle:][there]
    known = surprises(_bridge(means - profile[phases]), alpha)[-cycle:][there]
    unit = max(_deviation(plain), 1e-9)
    return _winsorised(known, unit) / max(_winsorised(plain, unit), 1e-12)


def _winsorised(residual: Floats, unit: float | None) -> float:
    """Root mean square in which one wild point counts as much as ten deviations and no more."""
    limit = 10.0 * (unit or max(_deviation(residual), 1e-9))
    return float(np.sqrt(np.mean(np.square(np.clip(residual, -limit, limit))))) if len(residual) else 0.0


def profile_of(season: Season, first: int, means: Floats) -> Floats:
    """The median over the cycles of what each bucket is above or below its surroundings; index 0 is phase 0."""
    cycle = season.buckets
    rest = means - _surroundings(means, cycle)
    phases = (first + np.arange(len(means))) % cycle
    table = np.full((len(means) // cycle + 2, cycle), np.nan)
    table[np.arange(len(means)) // cycle, phases] = rest
    return _medians(table)


def _medians(table: Floats) -> Floats:
    """The median of each column without its NaN, 0 where there is nothing else; numpy's own takes ten times as long."""
    ranked, columns = np.sort(table, axis=0), np.arange(table.shape[1])
    count = np.isfinite(table).sum(axis=0)
    middle = 0.5 * (ranked[np.maximum(count - 1, 0) // 2, columns] + ranked[count // 2, columns])
    return np.where(count > 0, middle, 0.0)


def _surroundings(means: Floats, cycle: int) -> Floats:
    """The mean over one cycle around each bucket, so that a slow drift does not enter the profile."""
    filled = _bridge(means)
    padded = np.concatenate([[0.0], np.cumsum(filled)])
    centre = np.arange(len(filled))
    low = np.clip(centre - cycle // 2, 0, max(len(filled) - cycle, 0))
    high = np.minimum(low + cycle, len(filled))
    return np.asarray((padded[high] - padded[low]) / np.maximum(high - low, 1))


def _bridge(values: Floats) -> Floats:
    """The values with their gaps bridged by straight lines."""
    finite = np.flatnonzero(np.isfinite(values))
    if not len(finite):
        return np.zeros(len(values))
    return np.asarray(np.interp(np.arange(len(values)), finite, values[finite]))


def _estimate(job: FitJob, choice: tuple[Season, Floats] | None, rest: Floats) -> tuple[float, float] | None:
    """Alpha per step and gamma per cycle, within their ranges; None where the estimate cannot be trusted."""
    if choice is None:
        found = holt_winters(rest[-MOST_POINTS:], None)
        return None if found is None else (_bounded(found[0], job.step_s), FALLBACK_GAMMA)
    season = choice[0]
    means = next(ring[2] for ring in job.rings if ring[0] == season)
    first = int(np.flatnonzero(np.isfinite(means))[0])
    found = holt_winters(_bridge(means[first:])[-min(4 * season.buckets, MOST_POINTS) :], season.buckets)
    if found is None:
        return None
    per_step = 1.0 - (1.0 - min(found[0], 0.999)) ** min(job.step_s / season.bucket_s, 1.0)
    return _bounded(per_step, job.step_s), float(np.clip(found[1], *GAMMA_RANGE))


def _bounded(alpha: float, step_s: float) -> float:
    """
    Alpha within what suits detection: fast enough for a daily swing, too slow to follow a fault.

    What predicts best (about 0.5 on correlated series) would follow a fault after one sample.
    """
    return float(np.clip(alpha, LEAST_ALPHA, np.clip(ALPHA_PER_S * step_s, FALLBACK_ALPHA, MOST_ALPHA)))


def holt_winters(values: Floats, cycle: int | None) -> tuple[float, float] | None:
    """
    Alpha and gamma by statsmodels, on winsorised and standardised values.

    Its optimiser is not free of scale and stops early on small numbers; one wild value would lead it far astray; NaN
    would pass through it without an error. So all three are kept away from it.
    """
    middle = float(np.median(values)) if len(values) else 0.0
    unit = _deviation(values - middle)
    if len(values) < max(LEAST_POINTS, 2 * (cycle or 0)) or unit <= 1e-12:
        return None
    tame = _tame((values - middle) / unit, 6.0)
    seasonal = "add" if cycle else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = ExponentialSmoothing(
            tame, trend=None, seasonal=seasonal, seasonal_periods=cycle, initialization_method="heuristic"
        )
        found = model.fit(use_brute=False)
    alpha = float(found.params["smoothing_level"])
    gamma = float(found.params["smoothing_seasonal"]) if cycle else FALLBACK_GAMMA
    return (alpha, gamma) if np.isfinite(alpha) and np.isfinite(gamma) else None
