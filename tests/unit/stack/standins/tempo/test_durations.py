"""Durations are read and written as Go and Prometheus do."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stack.standins.tempo.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("0", 0),
        ("0s", 0),
        ("1.5s", 1_500_000_000),
        ("500ms", 500_000_000),
        ("1h30m", 5_400_000_000_000),
        ("2us", 2_000),
        ("2µs", 2_000),
        (".5s", 500_000_000),
        ("1d", 86_400_000_000_000),
        ("-3ns", -3),
        ("2562047h47m16.854775807s", 2**63 - 1),
    ],
)
def test_reads(text: str, nanoseconds: int) -> None:
    """
    All units, fractions, sums and signs are read exactly.
    """
    assert parse_duration(text) == nanoseconds


@pytest.mark.parametrize("text", ["", "5", "5 s", "s", "1x", "1s1", "--1s", "one"])
def test_refuses_what_is_no_duration(text: str) -> None:
    """
    A text that is no duration is named in the error, with an example of one.
    """
    with pytest.raises(ValueError, match="is not a duration; write one like") as caught:
        parse_duration(text)

    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0s"),
        (520_000_000, "520ms"),
        (1_500_000_000, "1.5s"),
        (60_000_000_000, "1m0s"),
        (9_900_000_000_000, "2h45m0s"),
        (1_500, "1.5µs"),
        (7, "7ns"),
        (-2_000_000, "-2ms"),
    ],
)
def test_writes_as_go_does(nanoseconds: int, text: str) -> None:
    """
    The unit is the largest below a second, and above it hours, minutes and seconds.
    """
    assert format_duration(nanoseconds) == text


@settings(deadline=None)
@given(st.integers(min_value=-(2**62), max_value=2**62))
def test_what_is_written_can_be_read(nanoseconds: int) -> None:
    """
    Writing and reading again gives the same number.
    """
    assert parse_duration(format_duration(nanoseconds)) == nanoseconds
