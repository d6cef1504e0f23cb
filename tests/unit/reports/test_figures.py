"""Figures are written as people read them, and never mislead."""

import math

import pytest

from reports import figures

NBSP = figures.NBSP


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0 s"),
        (0.00006, "0.06 ms"),
        (0.0142, "14.2 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1 s"),
        (1.96, "1.96 s"),
        (-0.5, "−500 ms"),
        (65.3, "65.3 s"),
        (119.6, "2 min"),
        (125, "2 min 5 s"),
        (3600, "1 h"),
        (3784, "1 h 3 min"),
        (-4000, "−1 h 6 min"),
        (math.nan, "–"),
        (math.inf, "–"),
        (None, "–"),
    ],
)
def test_a_duration_is_written_in_the_unit_that_suits_it(value: float | None, written: str) -> None:
    """
    From microseconds to hours, three digits are enough.
    """
    assert written == figures.seconds(value).replace(NBSP, " ")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0"),
        (12000, "12,000"),
        (39.64, "39.6"),
        (-3, "−3"),
        (1234.5, "1,234"),
        (1e300, "1e+300"),
        (math.nan, "–"),
        (None, "–"),
        (True, "–"),
    ],
)
def test_a_number_is_grouped_by_thousands(value: float | None, written: str) -> None:
    """
    Counts are exact, rates have three digits, and what is no number is a dash.
    """
    assert written == figures.number(value)


@pytest.mark.parametrize(("value", "written"), [(3, "+3"), (-12, "−12"), (0, "0"), (None, "–")])
def test_a_difference_has_a_sign(value: float | None, written: str) -> None:
    """
    More has a plus, less a minus, and no difference neither.
    """
    assert written == figures.signed(value)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.304, "30.4%"),
        (0.9997, "99.97%"),
        (0.00012, "0.012%"),
        (-0.0013, "−0.13%"),
        (25, "2,500%"),
        (None, "–"),
        (math.nan, "–"),
    ],
)
def test_a_ratio_is_a_percentage(value: float | None, written: str) -> None:
    """
    Near 100 % a digit more is shown, for there it matters.
    """
    assert written == figures.percent(value)


@pytest.mark.parametrize(("value", "written"), [(0.679, "0.68×"), (250.0, "250×"), (None, "–")])
def test_a_multiple_is_written_with_a_cross(value: float | None, written: str) -> None:
    """
    Time to detect against its bound reads as a multiple.
    """
    assert written == figures.times(value)


def test_times_are_in_utc() -> None:
    """
    A report reads the same in every time zone.
    """
    assert figures.moment(1_764_000_000).replace(NBSP, " ") == "2025-11-24 16:00:00 UTC"
    assert figures.time_of_day(1_764_000_002.75) == "16:00:02.7"


@pytest.mark.parametrize("value", [None, math.nan, 1e300, -1e18])
def test_a_time_that_is_none_is_a_dash(value: float | None) -> None:
    """
    A broken clock does not break the report.
    """
    assert figures.moment(value) == "–"


def test_a_noun_follows_its_count() -> None:
    """
    One alert, two alerts, and irregular nouns as they are given.
    """
    written = [figures.plural(1, "alert"), figures.plural(1200, "alert"), figures.plural(2, "entry", "entries")]

    assert [text.replace(NBSP, " ") for text in written] == ["1 alert", "1,200 alerts", "2 entries"]


def test_long_texts_are_cut_with_an_ellipsis() -> None:
    """
    The limit counts the ellipsis.
    """
    assert (figures.shortened("12345", 5), figures.shortened("123456", 5)) == ("12345", "1234…")


def test_what_a_page_must_not_hold_is_replaced() -> None:
    """
    Terminal colours vanish; control, direction and broken characters become visible; line ends and tabs stay.
    """
    assert figures.printable("\x1b[31;1merror\x1b[0m: \x00\u202e\ud800\tend\r\n") == "error: \ufffd\ufffd\ufffd\tend\n"


@pytest.mark.parametrize(
    ("size_bytes", "written"),
    [(0, "0 B"), (512, "512 B"), (1536, "1.5 KiB"), (91_750_400, "87.5 MiB"), (3 * 1024**3, "3 GiB")],
)
def test_sizes(size_bytes: int, written: str) -> None:
    """
    In the unit that suits them.
    """
    assert figures.size(size_bytes).replace("\u00a0", " ") == written
