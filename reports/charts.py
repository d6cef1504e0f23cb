"""Charts: the clients' truth by time, with Prometheus' view of the same drawn over it and the faults shaded.

Places across are in per cent and heights in pixels, so a chart stretches with the page while its text keeps its size.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, median

from markupsafe import Markup

from reports import figures
from reports.evidence import Point
from reports.svg import element, group, share, titled
from reports.truth import Bin
from reports.window import Window, scale

HEIGHT = 96
"""Of one panel, in pixels."""

MOST_POINTS = 600
"""Of one series of Prometheus."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """
    What a panel shows: how clients saw it, what Prometheus calls it, and how to write its values.
    """

    series: str
    title: str
    of: Callable[[Bin], float | None]
    write: Callable[[float | None], str]
    floor: float


METRICS: tuple[Metric, ...] = (
    Metric(series="request_rate", title="Requests per second", of=lambda b: b.rate, write=figures.number, floor=3),
    Metric(
        series="error_ratio", title="Failed requests", of=lambda b: b.failed_ratio, write=figures.percent, floor=0.03
    ),
    Metric(series="p95_s", title="P95 latency", of=lambda b: b.p95_s, write=figures.seconds, floor=0.03),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shade:
    """
    A time in which a fault was on; noise is disturbance that must not raise an alert.
    """

    start: float
    end: float
    label: str
    noise: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """
    One drawn metric: its picture, and the same in words.
    """

    title: str
    picture: Markup
    words: str
    compared: bool


def panel(
    metric: Metric, bins: Sequence[Bin], backend: Sequence[Point], window: Window, shades: Sequence[Shade]
) -> Panel:
    """
    Draw one metric.
    """
    client = [(each.middle_t, metric.of(each)) for each in bins]
    seen = thinned([(t, value) for t, value in backend if window.contains(t)])
    ticks = scale([value for _, value in [*client, *seen] if value is not None], metric.floor)
    words = f"{metric.title}. {_words('Clients', client, metric)} {_words('Prometheus', seen, metric)}"
    picture = element(
        "svg",
        backdrop(window, shades, HEIGHT),
        _grid(ticks, metric),
        element(
            "svg",
            *_lines(client, window, ticks[-1], "client"),
            *_lines(seen, window, ticks[-1], "backend"),
            class_="lines",
            width="100%",
            height=HEIGHT,
            viewBox=f"0 0 1000 {HEIGHT}",
            preserveAspectRatio="none",
        ),
        _hits(bins, seen, metric, window),
        class_="chart",
        width="100%",
        height=HEIGHT,
        role="img",
        aria_label=words,
    )
    return Panel(title=metric.title, picture=picture, words=words, compared=bool(seen))


def thinned(points: Sequence[Point]) -> list[Point]:
    """
    A series of at most MOST_POINTS, each the mean of as many samples as it takes; None where none of them is a number.
    """
    size = math.ceil(len(points) / MOST_POINTS)
    parts = [points[n : n + size] for n in range(0, len(points), size)] if size > 1 else [[point] for point in points]
    found: list[Point] = []
    for part in parts:
        values = [value for _, value in part if value is not None]
        found.append((fmean(t for t, _ in part), fmean(values) if values else None))
    return found


def backdrop(window: Window, shades: Sequence[Shade], height: int) -> Markup:
    """
    The shaded faults and the lines of the time axis, for any picture that shares it.
    """
    faults = [
        element(
            "rect",
            x=window.x(each.start),
            y=0,
            width=window.width(each.start, each.end),
            height=height,
            class_="shade noise" if each.noise else "shade",
        )
        for each in shades
    ]
    lines = [
        element("line", x1=window.x(t), x2=window.x(t), y1=0, y2=height, class_="zero" if label == "0" else "grid")
        for t, label in window.ticks()
    ]
    return group(*faults, *lines, aria_hidden="true")


def axis(window: Window) -> Markup:
    """
    The labels of the time axis.
    """
    labels = [element("text", label, x=window.x(t), y=14, class_="tick middle") for t, label in window.ticks()]
    return element("svg", *labels, class_="axis", width="100%", height=20, aria_hidden="true")


def _grid(ticks: Sequence[float], metric: Metric) -> Markup:
    marks = []
    for value in ticks:
        y = HEIGHT - HEIGHT * value / ticks[-1]
        marks.append(element("line", x1=0, x2="100%", y1=y, y2=y, class_="base" if value == 0 else "grid"))
        marks.append(element("text", metric.write(value), x=-8, y=y + 4, class_="tick end"))
    return group(*marks, aria_hidden="true")


def _lines(points: Sequence[Point], window: Window, top: float, kind: str) -> list[Markup]:
    """The curve, broken where there is no number or no sample; a lone point becomes a dot."""
    drawn = []
    for run in runs(points):
        places = [f"{window.share(t) * 1000:.1f},{HEIGHT - HEIGHT * value / top:.1f}" for t, value in run]
        if kind == "client" and len(run) > 1:
            left, right = places[0].split(",")[0], places[-1].split(",")[0]
            drawn.append(element("path", d=f"M{left},{HEIGHT} L{' '.join(places)} L{right},{HEIGHT}Z", class_="area"))
        drawn.append(element("path", d=f"M{' '.join([*places, places[-1]])}", class_=kind))
    return drawn


def runs(points: Sequence[Point]) -> list[list[tuple[float, float]]]:
    """
    Split a series where it has no number, or no sample for more than three usual steps.
    """
    steps = [after[0] - before[0] for before, after in pairwise(points)]
    widest = 3 * median(steps) if steps else 0.0
    found: list[list[tuple[float, float]]] = [[]]
    for t, value in points:
        if found[-1] and (value is None or t - found[-1][-1][0] > widest):
            found.append([])
        if value is not None:
            found[-1].append((t, value))
    return [run for run in found if run]


def _hits(bins: Sequence[Bin], seen: Sequence[Point], metric: Metric, window: Window) -> Markup:
    """Invisible columns that tell their figures to a pointer."""
    columns = []
    for each in bins:
        there = [value for t, value in seen if each.t <= t < each.t + each.width_s and value is not None]
        told = f", Prometheus {metric.write(there[-1])}" if there else ""
        label = f"{figures.seconds(each.t - window.zero)}: clients {metric.write(metric.of(each))}{told}"
        width = window.width(each.t, each.t + each.width_s)
        columns.append(
            titled(element("rect", x=window.x(each.t), y=0, width=width, height=HEIGHT, class_="hit"), label)
        )
    return group(*columns)


def _words(who: str, points: Sequence[Point], metric: Metric) -> str:
    values = [value for _, value in points if value is not None]
    if not values:
        return f"{who}: no data."
    low, mean, high = (metric.write(value) for value in (min(values), fmean(values), max(values)))
    return f"{who}: lowest {low}, mean {mean}, highest {high}."


def gauge(value: float, bound: float | None, within: float | None, words: str) -> Markup:
    """
    A small bar: how long something took, with marks at its computed bound and at the time allowed.
    """
    top = max(value, bound or 0.0, within or 0.0) * 1.06 or 1.0
    marks = [
        titled(
            element("rect", x=share(mark / top), y=0, width=2, height=14, class_=kind),
            f"{name} {figures.seconds(mark)}",
        )
        for mark, kind, name in ((within, "within", "allowed"), (bound, "bound", "bound"))
        if mark is not None
    ]
    track = element("rect", x=0, y=4, width="100%", height=6, rx=3, class_="track")
    bar = element("rect", x=0, y=4, width=share(max(value, 0.0) / top), height=6, rx=3, class_="bar")
    return element("svg", track, bar, *marks, class_="gauge", width="100%", height=14, role="img", aria_label=words)
