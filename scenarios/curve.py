"""Curve: a quantity over time that moves in straight pieces, such as a rate in requests per second."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

_STEPS = 32
"""Straight pieces that stand for a bent one, where two slopes are multiplied: within 0.1 % of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """
    One straight piece: from `first` at `start` to `last` at `end`, where it is over.
    """

    start: float
    end: float
    first: float
    last: float

    def __post_init__(self) -> None:
        if not self.start < self.end:
            raise ValueError(f"a piece must end after it starts, got {self.start:g} to {self.end:g}")
        if min(self.first, self.last) < 0:
            raise ValueError(f"a piece cannot be below 0, got {self.first:g} to {self.last:g}")

    @property
    def slope(self) -> float:
        """How fast it rises."""
        return (self.last - self.first) / (self.end - self.start)

    @property
    def area(self) -> float:
        """The sum over the whole piece."""
        return (self.first + self.last) / 2 * (self.end - self.start)

    def at(self, t: float) -> float:
        """The value at `t`, which must be in the piece."""
        return self.first + self.slope * (t - self.start)


class Curve:
    """
    Pieces that follow each other without a gap; before and after them the curve is 0.
    """

    def __init__(self, pieces: Sequence[Piece]) -> None:
        if not pieces or any(left.end != right.start for left, right in pairwise(pieces)):
            raise ValueError("a curve needs pieces that follow each other without a gap")
        self._pieces = tuple(pieces)
        self._starts = [piece.start for piece in pieces]
        # _areas[i] is the sum of all before piece i; the last is the sum of all.
        self._areas = list(accumulate((piece.area for piece in pieces), initial=0.0))

    @classmethod
    def product(cls, base: float, *, until: float, swings: Sequence[Piece] = ()) -> "Curve":
        """
        The curve from 0 to `until` that is `base`, multiplied by each swing while that lasts.
        """
        inner = (edge for swing in swings for edge in (swing.start, swing.end) if 0 < edge < until)
        pieces: list[Piece] = []
        for start, end in pairwise(sorted({0.0, until, *inner})):
            on = [swing for swing in swings if swing.start <= start < swing.end]
            bent = sum(swing.slope != 0 for swing in on) > 1
            pieces += _multiplied(base, on, start, end, steps=_STEPS if bent else 1)
        return cls(pieces)

    @property
    def total(self) -> float:
        """The sum over the whole curve."""
        return self._areas[-1]

    @property
    def peak(self) -> float:
        """The highest value anywhere."""
        return max(max(piece.first, piece.last) for piece in self._pieces)

    def at(self, t: float) -> float:
        """The value at `t`."""
        piece = self._pieces[max(0, bisect_right(self._starts, t) - 1)]
        return piece.at(t) if piece.start <= t < piece.end else 0.0

    def area(self, t: float) -> float:
        """The sum from the beginning until `t`."""
        number = max(0, bisect_right(self._starts, t) - 1)
        piece = self._pieces[number]
        width = min(max(t, piece.start), piece.end) - piece.start
        return self._areas[number] + width * (piece.first + piece.slope * width / 2)

    def when(self, area: float) -> float | None:
        """When the sum reaches `area`; None when it stays below it, or only reaches it at the very end."""
        if area >= self._areas[-1]:
            return None
        number = max(0, bisect_right(self._areas, area) - 1)
        piece, rest = self._pieces[number], area - self._areas[number]
        # The root of first * x + slope * x^2 / 2 = rest, in the form that also holds for a slope of 0.
        root = piece.first + math.sqrt(max(0.0, piece.first**2 + 2 * piece.slope * rest))
        return piece.start + (2 * rest / root if root else 0.0)

    def next_above(self, level: float, t: float) -> float | None:
        """The first moment from `t` on at which the value is above `level`, or about to be; None if never again."""
        for piece in self._pieces[max(0, bisect_right(self._starts, t) - 1) :]:
            since = max(t, piece.start)
            if since >= piece.end or max(piece.at(since), piece.last) <= level:
                continue
            if piece.at(since) > level:
                return since
            return since + (level - piece.at(since)) / piece.slope
        return None


def _multiplied(base: float, swings: Sequence[Piece], start: float, end: float, *, steps: int) -> list[Piece]:
    """The product of swings that all last from `start` to `end`, in that many straight pieces."""
    edges = [start, *(start + (end - start) * step / steps for step in range(1, steps)), end]
    values = [base * math.prod(swing.at(edge) for swing in swings) for edge in edges]
    return [
        Piece(start=left, end=right, first=first, last=last)
        for (left, right), (first, last) in zip(pairwise(edges), pairwise(values), strict=True)
    ]
