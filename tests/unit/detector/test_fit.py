"""Fits: what statsmodels is given, what is believed of its answer, and when a season is accepted."""

import numpy as np
import pytest

from detector import Bank, Kind, Settings
from detector.fit import choose_season, fit, gain, holt_winters, profile_of, surprises
from detector.fit_job import FitJob
from detector.history import History, Season
from detector.kinds import Floats
from detector.replay import watch
from detector.seasons import Seasons, read
from detector.synthetic import World, generate

HOUR_S = 3600.0


def random_walk(count: int, scale: float = 1.0, seed: int = 1) -> Floats:
    """A level that wanders, with noise upon it."""
    rng = np.random.default_rng(seed)
    return np.asarray(scale * (100.0 + np.cumsum(rng.normal(0.0, 0.6, count)) + rng.normal(0.0, 1.0, count)))


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1.0, 1e6])
def test_the_estimate_does_not_depend_on_the_unit(scale: float) -> None:
    """Error ratios are small numbers; the optimiser alone would stop early on them."""
    plain = holt_winters(random_walk(600), None)
    scaled = holt_winters(random_walk(600, scale), None)
    assert plain is not None
    assert scaled is not None
    assert scaled[0] == pytest.approx(plain[0], abs=1e-3)
    assert 0.2 < plain[0] < 0.9


def test_one_wild_value_does_not_move_the_fit() -> None:
    """An outlier of a billion moves neither level nor scale; without taming it moves a forecast by millions."""
    wild = random_walk(600)
    plain = fit(FitJob(step_s=15.0, at_s=1e6, points=wild.copy()))
    wild[300] = 1e9
    tamed = fit(FitJob(step_s=15.0, at_s=1e6, points=wild))
    assert tamed.level == pytest.approx(plain.level, rel=0.01)
    assert tamed.scale < 3.0 * plain.scale
    assert np.isfinite(tamed.alpha)


@pytest.mark.parametrize("values", [np.zeros(0), np.ones(30), np.full(500, 3.0)])
def test_what_cannot_be_estimated_gives_none(values: Floats) -> None:
    """Too short, or constant: statsmodels would answer, but the answer would mean nothing."""
    assert holt_winters(values, None) is None


def test_alpha_stays_within_what_suits_detection() -> None:
    """The best predictor follows a fault after one sample; the cap grows with the step, so that a day is followed."""
    jobs = {step_s: FitJob(step_s=step_s, at_s=1e6, points=random_walk(1440)) for step_s in (1.0, 15.0, 60.0)}
    assert [fit(jobs[step_s]).alpha for step_s in (1.0, 15.0, 60.0)] == [0.02, 0.02, 0.05]


def test_a_fit_without_points_falls_back() -> None:
    """Nothing to learn from: the fallback parameters, and finite numbers all the same."""
    found = fit(FitJob(step_s=15.0, at_s=0.0, points=np.full(1440, np.nan)))
    assert found.fallback
    assert (found.alpha, found.gamma, found.season) == (0.02, 0.10, None)
    assert np.isfinite([found.level, found.scale, found.slow_scale]).all()


def test_surprises_are_one_step_errors() -> None:
    """The recursion equals the plain loop."""
    values = random_walk(50)
    level, errors = float(np.median(values[:20])), []
    for value in values:
        errors.append(value - level)
        level += 0.3 * (value - level)
    np.testing.assert_allclose(surprises(values, 0.3), errors[1:])
    assert len(surprises(values[:1], 0.3)) == 0


def batch_ring(cycles: int = 8, jitter: float = 0.05) -> tuple[Season, int, Floats]:
    """An hour in 240 buckets with a batch of eight buckets."""
    season = Season.of(HOUR_S, 15.0)
    rng = np.random.default_rng(1)
    first = 10 * season.buckets + 17
    phases = (first + np.arange(cycles * season.buckets)) % season.buckets
    means = rng.normal(0.0, jitter, len(phases)) + np.where((phases >= 40) & (phases < 48), 0.8, 0.0)
    return season, first, means


def test_a_batch_job_is_a_season_and_noise_is_not() -> None:
    """What repeats predicts its last cycle better; what does not repeat predicts nothing."""
    season, first, means = batch_ring()
    assert gain(season, first, means, 15.0) < 0.7
    assert gain(season, first, np.random.default_rng(2).normal(0, 1, len(means)), 15.0) > 1.0


def test_three_cycles_are_needed() -> None:
    """Two cycles could be chance."""
    season, first, means = batch_ring()
    means[: -2 * season.buckets] = np.nan
    assert gain(season, first, means, 15.0) == 1.0


def test_a_drift_does_not_enter_the_profile() -> None:
    """A level that rises over the cycles leaves a profile of the batch alone."""
    season, first, means = batch_ring(jitter=0.001)
    profile = profile_of(season, first, means + np.linspace(0.0, 3.0, len(means)))
    inside, outside = np.median(profile[40:48]), np.median(np.delete(profile, np.s_[40:48]))
    assert inside - outside == pytest.approx(0.8, abs=0.05)
    assert np.ptp(np.delete(profile, np.s_[39:49])) < 0.45


def test_a_season_that_was_accepted_is_kept_for_some_cycles_without_its_event() -> None:
    """A batch that did not run is an anomaly, not the end of the season; after three cycles without it, it is."""
    season, first, means = batch_ring()
    for cycles_without, kept in ((0, True), (1, True), (2, True), (3, False)):
        gone = means.copy()
        count = cycles_without * season.buckets
        gone[len(gone) - count :] = np.random.default_rng(3).normal(0.0, 0.05, count)
        fresh = FitJob(step_s=15.0, at_s=1e6, points=np.zeros(1440), rings=((season, first, gone),))
        known = FitJob(step_s=15.0, at_s=1e6, points=np.zeros(1440), rings=((season, first, gone),), period_s=HOUR_S)
        assert (choose_season(known) is not None) is kept
        assert (choose_season(fresh) is not None) is (cycles_without == 0)


def test_a_bank_learns_an_hourly_batch_and_then_misses_it() -> None:
    """With the season known the batch is no anomaly; the first one that does not run is."""
    world = World(
        kind=Kind.TRAFFIC, series=2, days=0.75, batch_every_s=HOUR_S, outages_per_day=0.0, daily=0.1, noise=0.02
    )
    recorded = generate(world)
    quiet = generate(World(**{**{name: getattr(world, name) for name in world.__slots__}, "batch_every_s": 0.0}))
    last_hour = len(recorded.at_s) - 240
    values = recorded.values.copy()
    values[last_hour:] = quiet.values[last_hour:] / np.nanmedian(quiet.values, 0) * np.nanmedian(recorded.values, 0)
    bank = Bank(kind=Kind.TRAFFIC, step_s=15.0, settings=Settings(direction="both"), size=2)  # type: ignore[arg-type]
    alerts = watch(bank, recorded.at_s, values, refit_every_s=3600.0)
    assert bank.seasons.period_s.tolist() == [HOUR_S, HOUR_S]
    learned = [alert for alert in alerts if 8 * 240 <= alert.began < last_hour]
    missed = [alert for alert in alerts if alert.began >= last_hour]
    assert learned == []
    assert {alert.slot for alert in missed} == {0, 1}


def test_fits_are_not_adopted_while_an_alert_is_active() -> None:
    """The fault must not become the baseline by way of a fit."""
    bank = Bank(kind=Kind.LATENCY, step_s=15.0)
    rng = np.random.default_rng(1)
    for at in range(300):
        bank.step(at * 15.0, np.array([0.1 * np.exp(rng.normal(0, 0.05)) * (5.0 if at >= 290 else 1.0)]))
    assert not bank.adopt(0, fit(bank.job(0)))


@pytest.mark.parametrize(
    ("period_s", "step_s", "buckets"),
    [
        (3600.0, 15.0, 240),
        (86400.0, 15.0, 320),
        (604800.0, 15.0, 336),
        (3600.0, 1.0, 300),
        (600.0, 60.0, 10),
        (700.0, 300.0, 2),
    ],
)
def test_a_season_is_cut_into_whole_steps(period_s: float, step_s: float, buckets: int) -> None:
    """At most 336 buckets, each a whole number of steps where that is possible."""
    season = Season.of(period_s, step_s)
    assert season.buckets == buckets
    assert season.bucket_s == pytest.approx(period_s / buckets)


def test_a_profile_is_read_alike_one_by_one_and_all_at_once() -> None:
    """The vectorised reading of the bank equals that of the fits, coarse or fine."""
    rng = np.random.default_rng(1)
    seasons = Seasons(step_s=15.0, size=3)
    for slot, period_s in ((0, 3600.0), (2, 86400.0)):
        season = Season.of(period_s, 15.0)
        seasons.accept(slot, season, rng.normal(0.0, 1.0, season.buckets))
    at_s = 1e9 + 15.0 * np.arange(500, dtype=np.float64)
    table = np.array([seasons.at(float(moment)) for moment in at_s])
    for slot in (0, 2):
        found = seasons.of(slot)
        assert found is not None
        np.testing.assert_allclose(table[:, slot], read(*found, at_s, 15.0))
    assert (table[:, 1] == 0).all()
    assert (seasons.past(1, at_s) == 0).all()


def test_a_coarse_ring_keeps_means_and_forgets_what_was_skipped() -> None:
    """Each closed bucket holds the mean of its samples; buckets without samples are NaN; old history can be filled in."""
    history = History(step_s=15.0, size=1, seasons_s=(86400.0,))
    ring = history.rings[0]
    bucket_s = ring.season.bucket_s
    steps = round(bucket_s / 15.0)
    ring.fill(-10.5 * bucket_s, np.array([7.0]))
    for at in range(2 * steps):
        history.add(at * 15.0, np.array([float(at)]), np.array([True]))
    history.add(5 * bucket_s, np.array([1.0]), np.array([True]))
    ring.fill(1.5 * bucket_s, np.array([3.0]))
    ring.fill(99 * bucket_s, np.array([3.0]))
    first, means = ring.series(0)
    assert first + len(means) == 5
    assert means[-5] == pytest.approx((steps - 1) / 2)
    assert means[-4] == 3.0
    assert np.isnan(means[-3:]).all()
    assert means[-11 - first] == 7.0
