"""Curves: sums, their inverse, and what is above a level."""

import math

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from scenarios.curve import Curve, Piece

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""On a busy machine an example may take long."""

LENGTHS = st.floats(0.1, 100)
HEIGHTS = st.floats(0, 1000)


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    """Up to five pieces, some of them empty, with jumps between them."""
    pieces, start = [], 0.0
    for length, first, last in draw(st.lists(st.tuples(LENGTHS, HEIGHTS, HEIGHTS), min_size=1, max_size=5)):
        pieces.append(Piece(start=start, end=start + length, first=first, last=last))
        start = pieces[-1].end
    return Curve(pieces)


def swing(start: float, end: float, first: float, last: float) -> Piece:
    """What multiplies a curve for a while."""
    return Piece(start=start, end=end, first=first, last=last)


@pytest.mark.parametrize(("start", "end", "first"), [(1, 1, 1), (2, 1, 1), (0, 1, -1)])
def test_an_impossible_piece_is_refused(start: float, end: float, first: float) -> None:
    """A piece takes time, and is never below 0."""
    with pytest.raises(ValueError, match="a piece"):
        Piece(start=start, end=end, first=first, last=1)


@pytest.mark.parametrize("pieces", [[], [swing(0, 1, 1, 1), swing(2, 3, 1, 1)]])
def test_a_curve_with_a_gap_is_refused(pieces: list[Piece]) -> None:
    """Its pieces follow each other."""
    with pytest.raises(ValueError, match="without a gap"):
        Curve(pieces)


@PATIENT
@given(curve=curves(), share=st.floats(0, 0.999))
def test_when_is_the_inverse_of_area(curve: Curve, share: float) -> None:
    """The sum up to the moment at which the sum is reached is that sum."""
    assume(curve.total > 1e-6)
    moment = curve.when(share * curve.total)

    assert moment is not None
    assert curve.area(moment) == pytest.approx(share * curve.total, rel=1e-6, abs=1e-6)


@PATIENT
@given(curve=curves(), first=st.floats(-1, 600), second=st.floats(-1, 600))
def test_the_sum_never_falls(curve: Curve, first: float, second: float) -> None:
    """A later moment has seen at least as much, and never more than all."""
    early, late = sorted((first, second))

    assert 0 <= curve.area(early) <= curve.area(late) + 1e-6 <= curve.total + 2e-6


def test_a_sum_that_is_never_exceeded_has_no_moment() -> None:
    """The last request of 10 in 10 s is due before the end, the eleventh never."""
    curve = Curve.product(1, until=10)

    assert curve.when(9) == 9
    assert curve.when(10) is None


def test_outside_of_its_pieces_a_curve_is_nought() -> None:
    """Nothing goes on before the beginning or from the end on."""
    curve = Curve.product(3, until=2)

    assert [curve.at(t) for t in (-1, 0, 1.5, 2)] == [0, 3, 3, 0]


def test_a_swing_multiplies_only_while_it_lasts() -> None:
    """From its start, included, to its end, excluded."""
    curve = Curve.product(10, until=10, swings=[swing(2, 4, 5, 5)])

    assert [curve.at(t) for t in (1.999, 2, 3.999, 4)] == [10, 50, 50, 10]
    assert curve.total == pytest.approx(10 * 10 + 2 * 40)
    assert curve.peak == 50


def test_swings_that_overlap_multiply_each_other() -> None:
    """A drop to a half within a spike of ten is a spike of five."""
    curve = Curve.product(1, until=10, swings=[swing(2, 8, 10, 10), swing(4, 6, 0.5, 0.5)])

    assert [curve.at(t) for t in (0, 3, 5, 7, 9)] == [1, 10, 5, 10, 1]


def test_two_slopes_at_once_are_followed_closely() -> None:
    """The product of two ramps is bent; straight pieces follow it within 0.1 %."""
    curve = Curve.product(1, until=10, swings=[swing(0, 10, 1, 3), swing(0, 10, 1, 5)])

    for t in (1.0, 3.3, 5.0, 7.7):
        assert curve.at(t) == pytest.approx((1 + t / 5) * (1 + 0.4 * t), rel=1e-3)
    assert curve.total == pytest.approx(10 * (1 + 3 + 8 / 3), rel=1e-3)


@PATIENT
@given(curve=curves(), level=HEIGHTS, t=st.floats(-1, 600))
def test_nothing_is_above_the_level_before_the_next_moment_above_it(curve: Curve, level: float, t: float) -> None:
    """Until that moment, or for ever when there is none, the curve stays at or below the level."""
    moment = curve.next_above(level, t)
    until = 501.0 if moment is None else moment

    assert until >= t or moment is None
    moments = [t + (until - t) * step / 50 for step in range(50)]
    assert all(curve.at(one) <= level + 1e-6 for one in moments if t <= one < until)


def test_a_slope_is_above_the_level_from_where_it_crosses_it() -> None:
    """From 0 to 10 in 10 s is above 4 from the fourth second."""
    curve = Curve([swing(0, 10, 0, 10)])

    assert curve.next_above(4, 0) == pytest.approx(4)
    assert curve.next_above(0, 0) == 0
    assert curve.next_above(10, 0) is None
    assert curve.next_above(4, 7.5) == 7.5
    assert not math.isnan(curve.at(4))
