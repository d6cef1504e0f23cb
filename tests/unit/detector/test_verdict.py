"""Verdicts: the words for each state."""

import math

import numpy as np
import pytest

from detector import Detector, Settings, Verdict

STEP_S = 15.0


def told(values: list[float], **settings: object) -> list[Verdict]:
    """The verdicts on latencies, one per step."""
    detector = Detector("latency", STEP_S, settings=Settings(seasons_s=(), **settings))  # type: ignore[arg-type]
    return [detector.update(at * STEP_S, value) for at, value in enumerate(values)]


def quiet(count: int) -> list[float]:
    """Latencies around 95 ms."""
    return list(0.095 * np.exp(np.random.default_rng(1).normal(0.0, 0.04, count)))


def test_a_fast_alert_says_value_expectation_band_z_and_votes() -> None:
    """The words hold all that is needed to judge the judgement."""
    verdicts = told([*quiet(100), 0.412, 0.412])
    assert verdicts[-1].reason.startswith("latency 412 ms, expected 9")
    assert " ms to 1" in verdicts[-1].reason
    assert verdicts[-1].reason.endswith(", 2 of 3 samples")
    assert verdicts[-2].reason.endswith(", 1 of 3 samples")
    assert f"z {verdicts[-1].z:.1f}" in verdicts[-1].reason


def test_a_slow_alert_says_that_it_is_smoothed() -> None:
    """The slow rule names its own z."""
    verdicts = told([*quiet(300), *(value * 1.3 for value in quiet(60))], limit_z=8.0)
    assert verdicts[-1].firing
    assert "smoothed over the last samples z" in verdicts[-1].reason


def test_quiet_learning_missing_and_stale_have_words_of_their_own() -> None:
    """Every state says what it is."""
    verdicts = told([math.nan, *quiet(40), *[math.nan] * 12])
    assert verdicts[0].reason == "no value so far"
    assert verdicts[5].reason == "learning: 5 of 20 samples"
    assert "samples" not in verdicts[40].reason
    assert verdicts[41].reason.startswith("no value at this moment, expected 9")
    assert verdicts[-1].reason == "no value for 12 samples"


def test_the_score_is_one_half_at_the_limit() -> None:
    """The score crosses one half exactly where a sample starts to count."""
    verdict = told([*quiet(400), 0.2])[-1]
    assert verdict.z > 4.5
    assert verdict.score > 0.5
    calm = told(quiet(400))[-1]
    assert 0.0 <= calm.score < 0.5
    assert calm.lower < calm.expected < calm.upper


def test_a_refit_is_taken_and_keeps_the_verdicts_finite() -> None:
    """The one-series detector can be fitted again by hand."""
    detector = Detector("latency", STEP_S, settings=Settings(seasons_s=()))
    for at, value in enumerate(quiet(200)):
        detector.update(at * STEP_S, value)
    assert detector.refit()
    verdict = detector.update(200 * STEP_S, 0.095)
    assert verdict.expected == pytest.approx(0.095, rel=0.1)
