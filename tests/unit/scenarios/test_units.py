"""Durations and ratios: read and written without a loss."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.units import (
    format_duration,
    format_ratio,
    format_size,
    parse_duration_s,
    parse_ratio,
    parse_size_bytes,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("250ms", 0.25), ("90s", 90.0), ("2m", 120.0), ("1m30s", 90.0), ("1.5h", 5400.0), (" 5s ", 5.0), ("0s", 0.0)],
)
def test_durations_are_seconds(text: str, seconds: float) -> None:
    """A number and a unit, or several of them."""
    assert seconds == parse_duration_s(text)


@pytest.mark.parametrize(
    "text", ["", "5", 5, True, None, "s", "5 s", "-5s", "5s 3", "1d", "٣s", "1e3s", "5S", [], "nan"]
)
def test_what_is_no_duration_is_refused_by_name(text: object) -> None:
    """The message shows what was found and how to write it."""
    with pytest.raises(ValueError, match=r"not a duration: .*; write a number with a unit"):
        parse_duration_s(text)


def test_a_duration_of_months_is_a_slip() -> None:
    """More than thirty days is refused, however many digits it has."""
    assert parse_duration_s("720h") == 720 * 3600
    with pytest.raises(ValueError, match="at most 720h"):
        parse_duration_s("720h1s")


@pytest.mark.parametrize(("text", "share"), [("30%", 0.3), ("0.5%", 0.005), ("100 %", 1.0), ("250%", 2.5), ("0%", 0.0)])
def test_ratios_are_shares_of_one(text: str, share: float) -> None:
    """A percentage, with or without a space."""
    assert share == parse_ratio(text)


@pytest.mark.parametrize("text", ["", "30", 0.3, 1, "-1%", "30%%", "%", "1e2%", None])
def test_what_is_no_ratio_is_refused_by_name(text: object) -> None:
    """The message shows what was found and how to write it."""
    with pytest.raises(ValueError, match=r"not a ratio: .*; write a percentage"):
        parse_ratio(text)


@settings(deadline=None)
@given(microseconds=st.integers(0, 30 * 86_400 * 1_000_000))
def test_a_duration_that_is_written_is_read_back(microseconds: int) -> None:
    """To the microsecond, from none to thirty days."""
    seconds = microseconds / 1_000_000

    assert seconds == parse_duration_s(format_duration(seconds))


@settings(deadline=None)
@given(parts=st.integers(0, 10**11))
def test_a_ratio_that_is_written_is_read_back(parts: int) -> None:
    """To the ninth digit of a per cent."""
    ratio = parts / 10**11

    assert ratio == parse_ratio(format_ratio(ratio))


@pytest.mark.parametrize(
    ("text", "size"),
    [("300B", 300), ("512KiB", 524_288), ("200MiB", 209_715_200), ("1.5 GiB", 1_610_612_736), ("0.0005KiB", 1)],
)
def test_sizes_are_bytes(text: str, size: int) -> None:
    """A number and a unit, with or without a space, to the byte."""
    assert size == parse_size_bytes(text)


@pytest.mark.parametrize(
    "text", ["", "200", 200, "0MiB", "0.1B", "-1MiB", "200MB", "200Mi", "1e3KiB", "1MiB1KiB", None]
)
def test_what_is_no_size_is_refused_by_name(text: object) -> None:
    """The message shows what was found and how to write it; nothing is no size either."""
    with pytest.raises(ValueError, match=r"not a size: .*; write a number above 0 with a unit: B, KiB, MiB or GiB"):
        parse_size_bytes(text)


@settings(deadline=None)
@given(size=st.integers(1, 10**9))
def test_a_size_that_is_written_is_read_back(size: int) -> None:
    """To the byte, in the largest unit that says it in a whole number."""
    assert size == parse_size_bytes(format_size(size))
    assert format_size(1024 * 1024 * 200) == "200MiB"
