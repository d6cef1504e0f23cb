"""Panel: one picture of a dashboard and the queries behind it, before they are put into Grafana's words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["lines", "number", "heat", "states", "table", "graph", "traces", "alerts"]
"""How a panel draws: lines over time, single numbers, a heat map, states over time, a table, a service graph, traces, alert rules."""

GREEN, YELLOW, ORANGE, RED, BLUE, GREY = "green", "yellow", "orange", "red", "blue", "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """
    A PromQL query. `now`: its value at the end of the time range; otherwise over the whole of it.

    `legend` names its series, with `{{label}}` for a label's value; in a table it is the column's name, and `unit` the
    column's unit if it is not the panel's.
    """

    expr: str
    legend: str = ""
    unit: str = ""
    now: bool = False
    exemplars: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """A TraceQL search for the newest traces."""

    traceql: str
    limit: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceGraph:
    """Who calls whom, as Grafana draws it from the metrics that Tempo derives from traces; `matchers` narrows them."""

    matchers: str


Query = Metric | Traces | ServiceGraph


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """From this value on a panel shows this colour; below the first limit it is green, or what `Panel.base` says."""

    value: float
    colour: str = RED


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a value of a `states` panel means."""

    value: int
    text: str
    colour: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """
    One panel; `width` is in 24ths of the page, `height` in rows of 30 pixels.

    `empty` says in words why nothing to show is fine; a panel without it must always have data while there is traffic.
    """

    title: str
    description: str
    queries: Sequence[Query]
    kind: Kind = "lines"
    unit: str = "short"
    width: int = 8
    height: int = 8
    limits: Sequence[Limit] = ()
    base: str = GREEN
    states: Sequence[State] = ()
    least: float | None = 0
    most: float | None = None
    decimals: int | None = None
    stacked: bool = False
    empty: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Panels under one heading, from left to right, as many in a line as fit."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A dashboard; `span` is how far back it looks at first, such as `1h`."""

    uid: str
    title: str
    description: str
    rows: Sequence[Row]
    span: str = "1h"
    refresh: str = "10s"
