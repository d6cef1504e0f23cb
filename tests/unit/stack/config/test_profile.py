"""Profiles: the same rules at two paces."""

from dataclasses import fields
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.config import PROFILES, Profile

PRODUCTION, DRILL = PROFILES["production"], PROFILES["drill"]


def test_production_takes_windows_as_they_are() -> None:
    """
    Nominal times are those of production.
    """
    assert [PRODUCTION.window_s(nominal_s) for nominal_s in (300, 3600, 259200)] == [300, 3600, 259200]


def test_drill_divides_windows_by_sixty() -> None:
    """
    An hour becomes a minute.
    """
    assert [DRILL.window_s(nominal_s) for nominal_s in (300, 3600, 1800, 259200)] == [5, 60, 30, 4320]


@given(st.sampled_from(list(PROFILES.values())), st.integers(min_value=1, max_value=10**7))
def test_a_window_holds_at_least_four_scrapes(profile: Profile, nominal_s: int) -> None:
    """
    However short the nominal window, `rate()` has samples to work with, even if one scrape is late.
    """
    assert profile.window_s(nominal_s) >= 4 * profile.scrape_interval_s


@pytest.mark.parametrize(("nominal_s", "expected_s"), [(0, 0), (60, 1), (90, 2), (120, 2), (300, 5)])
def test_a_hold_is_scaled_without_a_floor(nominal_s: int, expected_s: int) -> None:
    """
    A `for` needs no samples; no hold stays no hold, and part of a second is rounded up.
    """
    assert expected_s == DRILL.hold_s(nominal_s)


def test_scale_is_exact() -> None:
    """
    A binary fraction would turn an hour into 61 seconds.
    """
    assert Fraction(1, 60) == DRILL.window_scale


def test_exporters_keep_series_longer_than_apps_take_to_send_them_again() -> None:
    """
    Apps export each scrape interval or slower in production (60 s by default), each second in a drill.
    """
    assert PRODUCTION.metric_expiration_s > 2 * 60
    assert DRILL.metric_expiration_s > 4


def test_profiles_are_found_by_their_names() -> None:
    """
    The table's key and the profile's own name are the same.
    """
    assert {"production", "drill"} == set(PROFILES)
    assert all(profile.name == name for name, profile in PROFILES.items())


def test_each_time_says_its_unit() -> None:
    """
    A number in a profile names its unit, or is none.
    """
    units = ("_s", "_mib", "_size", "_limit", "_ratio")
    numbers = [field.name for field in fields(DRILL) if field.type in (int, float)]
    assert [name for name in numbers if not name.endswith(units)] == []
