"""A query's plan: its step and its variables, computed as Grafana computes them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from stack.standins.grafana.durations import format_step, parse_duration
from stack.standins.grafana.provisioning.datasources import Datasource

DEFAULT_SCRAPE = "15s"
MAX_POINTS = 11_000
DEFAULT_RESOLUTION = 1500
_VARIABLE = re.compile(
    r"\$(?:\{(__\w+)(?::\w+)?\}|(__rate_interval_ms|__rate_interval|__interval_ms|__interval|__range_ms|__range_s|__range)\b)"
)
# Grafana rounds a step to one of these: up to the first (milliseconds) the second is used.
_STEPS_MS = (
    (10, 1),
    (15, 10),
    (35, 20),
    (75, 50),
    (150, 100),
    (350, 200),
    (750, 500),
    (1_500, 1_000),
    (3_500, 2_000),
    (7_500, 5_000),
    (12_500, 10_000),
    (17_500, 15_000),
    (25_000, 20_000),
    (45_000, 30_000),
    (90_000, 60_000),
    (210_000, 120_000),
    (450_000, 300_000),
    (750_000, 600_000),
    (1_050_000, 900_000),
    (1_500_000, 1_200_000),
    (2_700_000, 1_800_000),
    (5_400_000, 3_600_000),
    (9_000_000, 7_200_000),
    (16_200_000, 10_800_000),
    (32_400_000, 21_600_000),
    (86_400_000, 43_200_000),
    (604_800_000, 86_400_000),
    (1_814_400_000, 604_800_000),
    (3_628_800_000, 2_592_000_000),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A time range in epoch seconds."""

    from_s: float
    to_s: float

    @property
    def length_s(self) -> float:
        """
        Its length.
        """
        return self.to_s - self.from_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One query as a panel or rule has it, with variables replaced and the step computed."""

    ref: str
    expr: str
    step_s: float
    instant: bool
    ranged: bool
    exemplar: bool
    legend: str
    table: bool


def plan(ref: str, model: Mapping[str, object], datasource: Datasource, span: Span) -> Query:
    """
    A model with its step and without variables, as Grafana computes them; ValueError for a bad interval.
    """
    step_s = _step(model, datasource, span)
    ranged, instant, exemplar = (bool(model.get(key)) for key in ("range", "instant", "exemplar"))
    table = model.get("format") == "table"
    return Query(
        ref=ref,
        expr=_interpolated(str(model.get("expr") or ""), step_s, _min_step(model, datasource), span),
        step_s=step_s,
        instant=instant,
        ranged=ranged or not (instant or exemplar),
        exemplar=exemplar,
        legend=str(model.get("legendFormat") or ""),
        table=table,
    )


def round_step(seconds: float) -> float:
    """
    A step rounded as Grafana rounds it, in seconds.
    """
    milliseconds = seconds * 1000
    for limit, rounded in _STEPS_MS:
        if milliseconds <= limit if limit == 10 else milliseconds < limit:
            return rounded / 1000
    return 31_536_000.0


def _min_step(model: Mapping[str, object], datasource: Datasource) -> str:
    interval = str(model.get("interval") or "")
    return interval if interval and "$" not in interval else datasource.scrape_interval or DEFAULT_SCRAPE


def _step(model: Mapping[str, object], datasource: Datasource, span: Span) -> float:
    # The query's own interval counts before the panel's, and that before the datasource's.
    own, given_ms, points = str(model.get("interval") or ""), model.get("intervalMs"), model.get("maxDataPoints")
    smallest_s = parse_duration(datasource.scrape_interval or DEFAULT_SCRAPE)
    if own and own != "0s" and "$" not in own:
        smallest_s = parse_duration(own)
    elif isinstance(given_ms, int | float) and given_ms > 0:
        smallest_s = given_ms / 1000
    even_s = span.length_s / (points if isinstance(points, int) and points > 0 else DEFAULT_RESOLUTION)
    step_s = smallest_s if even_s < smallest_s else round_step(even_s)
    factor = model.get("intervalFactor")
    step_s = max(step_s, round_step(span.length_s / MAX_POINTS))
    return step_s * (factor if isinstance(factor, int) and factor > 0 else 1)


def _interpolated(expr: str, step_s: float, min_step: str, span: Span) -> str:
    scrape_s = parse_duration(min_step)
    rate_s = max(step_s + scrape_s, 4 * scrape_s)
    range_s = round(span.length_s)
    texts = {
        "__interval": format_step(step_s),
        "__interval_ms": str(round(step_s * 1000)),
        "__rate_interval": format_step(rate_s),
        "__rate_interval_ms": str(round(rate_s * 1000)),
        "__range": f"{range_s}s",
        "__range_s": str(range_s),
        "__range_ms": str(round(span.length_s * 1000)),
    }
    return _VARIABLE.sub(lambda match: texts.get(match[1] or match[2], match[0]), expr)
