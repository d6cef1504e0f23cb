"""The app's own settings: how often it exports, and how long it tries."""

import pytest

from stack.config import PROFILES, Profile
from stack.runtimes.app import telemetry_environment

COME_BACK_S = 20
"""A collector that is started again is back by then."""


@pytest.fixture(params=PROFILES.values(), ids=lambda profile: profile.name)
def environment(request: pytest.FixtureRequest) -> dict[str, str]:
    """The environment of the app's roles in each profile."""
    profile: Profile = request.param
    return telemetry_environment(profile)


def test_spans_are_tried_for_longer_than_a_collector_is_gone(environment: dict[str, str]) -> None:
    """
    They come once. Each try waits twice as long as the one before, and none is made that would come too late.
    """
    patience_s = float(environment["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT"])
    tries_s = [0.0]
    for number in range(5):
        pause_s = 2**number * 1.2
        if tries_s[-1] + pause_s <= patience_s:
            tries_s.append(tries_s[-1] + pause_s)

    assert tries_s[-1] > COME_BACK_S


def test_metrics_are_given_up_for_newer_ones(environment: dict[str, str]) -> None:
    """
    The next export says all that this one says, and more, so it must not have to wait for long.
    """
    interval_s = float(environment["OTEL_METRIC_EXPORT_INTERVAL"]) / 1000

    assert float(environment["OTEL_EXPORTER_OTLP_METRICS_TIMEOUT"]) <= 2 * interval_s
