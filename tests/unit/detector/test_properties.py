"""Properties that hold for any input: no crash, no state that is no number, no look into the future."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector import Bank, Kind, Settings, detect
from detector.fit import fit
from detector.replay import replay
from detector.verdict import verdict, view

STEP_S = 15.0
ODD = st.sampled_from([0.0, -0.0, 1.0, float("nan"), float("inf"), float("-inf"), 1e308, -1e308, 1e-308, -5.0, 1e9])
VALUES = st.one_of(ODD, st.floats(allow_nan=True, allow_infinity=True, width=64), st.floats(0.0, 10.0))
GAPS = st.sampled_from([-STEP_S, 0.0, STEP_S, STEP_S, STEP_S, STEP_S, 2 * STEP_S, 30 * STEP_S, 5000 * STEP_S])


def check_finite(bank: Bank) -> None:
    """All that is carried to the next tick is a finite number."""
    state = bank.state
    for name in (
        "level",
        "scale",
        "slow",
        "slow_scale",
        "seen",
        "gap",
        "fired",
        "calm",
        "alpha",
        "gamma",
        "z",
        "slow_z",
    ):
        assert np.isfinite(getattr(state, name)).all(), name
    assert (state.scale > 0).all()
    assert (state.slow_scale > 0).all()
    assert np.isfinite(bank.seasons.profile).all()
    assert np.isfinite(view(bank).score).all()


@settings(max_examples=40, deadline=None)
@given(kind=st.sampled_from(list(Kind)), samples=st.lists(st.tuples(GAPS, VALUES, VALUES), min_size=30, max_size=80))
def test_no_input_crashes_it_or_leaves_a_state_that_is_no_number(
    kind: Kind, samples: list[tuple[float, float, float]]
) -> None:
    """NaN, infinity, zeros, constants, gaps, outliers, late and doubled moments: the state stays finite."""
    bank, at_s = Bank(kind=kind, step_s=STEP_S), 0.0
    for gap, value, asked in samples:
        at_s += gap
        requests = np.array([asked]) if kind is Kind.ERRORS else None
        bank.step(at_s, np.array([value]), requests)
        check_finite(bank)
    assert verdict(bank, 0).reason
    bank.adopt(0, fit(bank.job(0)))
    check_finite(bank)


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("value", [0.0, 0.05, 1.0])
def test_a_constant_is_never_an_alert_and_a_step_of_it_is(kind: Kind, value: float) -> None:
    """A series without any noise has a floor of deviation, so that it neither screams nor sleeps for ever."""
    bank = Bank(kind=kind, step_s=STEP_S, settings=Settings(seasons_s=()))
    ticks = [bank.step(at * STEP_S, np.array([value])) for at in range(300)]
    assert not any(tick.began for tick in ticks if tick)
    check_finite(bank)


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    cut=st.integers(25, 110),
    kind=st.sampled_from([Kind.LATENCY, Kind.TRAFFIC, Kind.GAUGE]),
)
def test_the_future_does_not_change_the_past(seed: int, cut: int, kind: Kind) -> None:
    """Whatever comes after a moment, all that was said until then stays the same."""
    rng = np.random.default_rng(seed)
    at_s = STEP_S * np.arange(120, dtype=np.float64)
    one = 10.0 * np.exp(rng.normal(0.0, 0.2, 120))
    other = one.copy()
    other[cut:] = 10.0 * np.exp(rng.normal(1.0, 2.0, 120 - cut))
    first, second = detect(at_s, one, kind=kind), detect(at_s, other, kind=kind)
    for name in ("score", "expected", "lower", "upper", "firing"):
        np.testing.assert_array_equal(getattr(first, name)[:cut], getattr(second, name)[:cut], err_msg=name)


def test_the_future_does_not_change_the_past_with_refits() -> None:
    """The same with fits on the way, which look back only."""
    rng = np.random.default_rng(3)
    at_s = STEP_S * np.arange(500, dtype=np.float64)
    one = 0.1 * np.exp(rng.normal(0.0, 0.1, (500, 1)))
    other = one.copy()
    other[350:] *= 7.0
    traces = [replay(Bank(kind=Kind.LATENCY, step_s=STEP_S), at_s, part, refit_every_s=900.0) for part in (one, other)]
    np.testing.assert_array_equal(traces[0].score[:350], traces[1].score[:350])
    assert not np.array_equal(traces[0].score[350:], traces[1].score[350:])


def test_detect_scores_a_recorded_series() -> None:
    """The batch function finds what a live detector would have found."""
    rng = np.random.default_rng(4)
    values = rng.normal(100.0, 2.0, 400)
    values[300:320] += 40.0
    scores = detect(STEP_S * np.arange(400), values)
    assert scores.firing[301:320].all()
    assert not scores.firing[:300].any()
    assert (scores.score[300:320] > 0.5).all()
    assert np.isnan(scores.expected[:10]).all()
    assert ((scores.lower < scores.expected) & (scores.expected < scores.upper))[50:].all()


def test_detect_takes_counts_of_errors_and_single_points() -> None:
    """Errors with their requests; and a series of one point, or none, is no error."""
    requests = np.full(100, 50.0)
    errors = np.where(np.arange(100) >= 80, 10.0, 0.1)
    scores = detect(STEP_S * np.arange(100), errors, kind="errors", requests=requests)
    assert scores.firing[82:].all()
    assert detect(np.array([1.0]), np.array([2.0])).score.tolist() == [0.0]
    assert len(detect(np.array([]), np.array([])).score) == 0
