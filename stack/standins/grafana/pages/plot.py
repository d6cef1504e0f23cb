"""A small line plot as SVG, drawn on the server."""

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, PAD = 360, 110, 4
COLOURS = ("#3274d9", "#299c46", "#e0b400", "#e02f44", "#8f3bb8", "#ff780a", "#1f9eb8", "#7c7c7c")
MAX_LINES = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One series; times in milliseconds; values that are no numbers are gaps."""

    name: str
    times_ms: Sequence[float]
    values: Sequence[float | None]

    @property
    def last(self) -> float | None:
        """
        The last value that is a number.
        """
        return next((value for value in reversed(self.values) if value is not None and math.isfinite(value)), None)


def plot(lines: Sequence[Line]) -> str:
    """
    An SVG with one polyline for each series, on axes that fit all.
    """
    shown = lines[:MAX_LINES]
    points = [(at, value) for line in shown for at, value in _finite(line)]
    if not points:
        return ""
    left, right = min(at for at, _ in points), max(at for at, _ in points)
    low, high = min(value for _, value in points), max(value for _, value in points)
    low, high = (low - 0.5, high + 0.5) if low == high else (low, high)
    wide, tall = max(right - left, 1.0), high - low
    drawn = []
    for index, line in enumerate(shown):
        places = " ".join(
            f"{PAD + (at - left) / wide * (WIDTH - 2 * PAD):.1f},{HEIGHT - PAD - (value - low) / tall * (HEIGHT - 2 * PAD):.1f}"
            for at, value in _finite(line)
        )
        name, colour = html.escape(line.name), COLOURS[index % len(COLOURS)]
        drawn.append(f'<polyline fill="none" stroke="{colour}" points="{places}"><title>{name}</title></polyline>')
    label = html.escape(f"{len(lines)} series from {low:.4g} to {high:.4g}")
    size = f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
    return f'<svg role="img" aria-label="{label}" {size}>{"".join(drawn)}</svg>'


def _finite(line: Line) -> Sequence[tuple[float, float]]:
    pairs = zip(line.times_ms, line.values, strict=True)
    return [(at, value) for at, value in pairs if value is not None and math.isfinite(value)]
