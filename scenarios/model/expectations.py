"""Expectations: what must hold; one expectation is one check is one test."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import Discriminator, Field, Tag

from scenarios.model.alert import Alert
from scenarios.model.expectation import BaseExpectation
from scenarios.model.outages import Budget, ComponentState, Recovered, Watchdog
from scenarios.model.shapes import Edge, SpanShape
from scenarios.model.topology import ENTRY_SERVICE, Role
from scenarios.units import Flag, Names, Number, PositiveRatio, PositiveSeconds, Ratio, Share, Whole


class Sli(BaseExpectation):
    """Prometheus agrees with what the clients saw; quantiles are allowed the resolution of their buckets on top."""

    KEY: ClassVar[str] = "sli"
    name: Literal["availability", "request_rate", "p50", "p95", "p99"] = Field(description="the indicator")
    within: Ratio = Field(default=0.02, description="how far apart the two may be, relative to the clients' truth")
    service: Role = Field(default=ENTRY_SERVICE, description="the service whose indicator it is")
    source: Literal["metrics", "spans"] = Field(
        default="metrics", description="the service's own metrics, or those that the collector makes of its spans"
    )


class Silent(BaseExpectation):
    """No alert but the named ones fired, of this drill's services or of the pipeline."""

    KEY: ClassVar[str] = "silent"
    except_: Names = Field(default=(), alias="except", description="names of alerts that may fire")


class Traces(BaseExpectation):
    """The clients' own trace ids are in Tempo: found, whole, rightly linked; failed ones are marked as errors."""

    KEY: ClassVar[str] = "traces"
    where: Literal["any", "error", "ok", "slow"] = Field(default="any", description="which of the clients' requests")
    found: Share = Field(default=0.99, description="the share that must be right")
    services: tuple[Role, ...] = Field(default=(), description="services that each of these traces must pass through")
    sample: Whole = Field(default=50, ge=1, le=1000, description="how many of the clients' traces are looked up")
    root: str | None = Field(
        default=None, min_length=1, description="the name of their first span; `*` stands for any letters; null: any"
    )
    spans: tuple[SpanShape, ...] = Field(default=(), description="spans that each of these traces must hold")
    without: tuple[Role, ...] = Field(default=(), description="services that none of these traces may have a span of")
    torn: Flag = Field(default=False, description="whether each of these traces must have lost what it called")
    fault: Whole | None = Field(
        default=None,
        ge=1,
        description="only requests while this fault was on, counted from 1; null: of the whole drill",
    )


class ServiceGraph(BaseExpectation):
    """The service graph shows who called whom as the clients made them, and errors and time where they belong."""

    KEY: ClassVar[str] = "service_graph"
    edges: tuple[Edge, ...] = Field(min_length=1, description="edges that must be there, such as frontend -> catalog")
    within: Ratio = Field(default=0.05, description="how far calls may be from what the clients' requests lead to")
    forbidden: tuple[Edge, ...] = Field(default=(), description="edges that must not be there")
    errors_on: Edge | None = Field(default=None, description="the edge on which the failures are; null: not asked")
    slow_on: Edge | None = Field(default=None, description="the edge on which the time is spent; null: not asked")
    slower_than: PositiveSeconds = Field(default=0.5, description="from which duration on a call is slow")
    busy_on: Edge | None = Field(default=None, description="the edge with more calls than requests; null: not asked")
    times: Number = Field(
        default=2.0, gt=1, description="how many calls there are at least for each request, on busy_on"
    )


class Exemplar(BaseExpectation):
    """An exemplar in a slow bucket of a service leads to a trace in Tempo that is slow, too, and one of the drill's."""

    KEY: ClassVar[str] = "exemplar"
    service: Role = Field(default=ENTRY_SERVICE, description="whose")
    slower_than: PositiveSeconds = Field(default=0.5, description="how slow at least")


class Semconv(BaseExpectation):
    """The telemetry of the demo app follows the stable conventions for HTTP and databases: names, units, attributes."""

    KEY: ClassVar[str] = "semconv"


class Logs(BaseExpectation):
    """The app's error lines carry the trace ids of the clients' failed requests."""

    KEY: ClassVar[str] = "logs"
    service: Role | None = Field(default=None, description="whose lines; null: of any service")
    found: Share = Field(default=0.95, description="the share of failed requests that must have such a line")


class Delivered(BaseExpectation):
    """The ledger balances: client = app = collector in = collector out = Prometheus and Tempo."""

    KEY: ClassVar[str] = "delivered"
    within: Ratio = Field(default=0.0, description="how far apart two hops may be, relative to the clients' truth")


class Anomaly(BaseExpectation):
    """The anomaly detector calls one signal of a service unusual in time, and called it usual before."""

    KEY: ClassVar[str] = "anomaly"
    signal: Literal["traffic", "errors", "latency"] = Field(description="what of the service must be unusual")
    service: Role = Field(default=ENTRY_SERVICE, description="whose")
    within: PositiveSeconds = Field(description="at most so long after the fault is applied")
    fault: Whole = Field(default=1, ge=1, description="which fault of the list should cause it, counted from 1")


class Dashboard(BaseExpectation):
    """Every panel of a dashboard shows data of the drill, and those named under `moves` show the first fault."""

    KEY: ClassVar[str] = "dashboard"
    uid: str = Field(min_length=1, description="the dashboard's uid in Grafana")
    panels_have_data: Flag = Field(
        default=True, description="whether every panel must have data; its query must work either way"
    )
    empty: Names = Field(default=(), description="titles of panels that may have none")
    moves: Mapping[str, PositiveRatio] = Field(
        default={},
        description="titles of panels, and how much of their median before the first fault they must reach in it",
    )


class Datasource(BaseExpectation):
    """Grafana reaches a datasource, and each of its links to another one leads to data of the drill."""

    KEY: ClassVar[str] = "datasource"
    uid: str = Field(min_length=1, description="the datasource's uid in Grafana")
    links: tuple[Literal["alertmanager", "exemplars", "service_map", "trace_to_metrics"], ...] = Field(
        default=(), description="links that it must have; those that it has must work either way"
    )
    queries: Names = Field(default=(), description="names of queries by which its traces must lead to metrics")


class Rules(BaseExpectation):
    """Every rule that was generated is loaded, and can be evaluated."""

    KEY: ClassVar[str] = "rules"
    source: Literal["prometheus", "grafana"] = Field(default="prometheus", description="whose rules")


def _key(item: Any) -> str | None:
    """The key under which an expectation is written, or None when it is not one key with its details."""
    if isinstance(item, BaseExpectation):
        return item.KEY
    if isinstance(item, Mapping) and len(item) == 1:
        return str(next(iter(item)))
    return None


Expectation = (
    Sli
    | Alert
    | Silent
    | Traces
    | ServiceGraph
    | Exemplar
    | Semconv
    | Logs
    | Delivered
    | Anomaly
    | Dashboard
    | Datasource
    | Rules
    | ComponentState
    | Recovered
    | Budget
    | Watchdog
)
"""What must hold; one expectation is one check is one test."""

EXPECTATIONS: Mapping[str, type[Expectation]] = {kind.KEY: kind for kind in get_args(Expectation)}
"""The key in YAML, and what it makes."""

Keyed = Annotated[
    Annotated[Sli, Tag("sli")]
    | Annotated[Alert, Tag("alert")]
    | Annotated[Silent, Tag("silent")]
    | Annotated[Traces, Tag("traces")]
    | Annotated[ServiceGraph, Tag("service_graph")]
    | Annotated[Exemplar, Tag("exemplar")]
    | Annotated[Semconv, Tag("semconv")]
    | Annotated[Logs, Tag("logs")]
    | Annotated[Delivered, Tag("delivered")]
    | Annotated[Anomaly, Tag("anomaly")]
    | Annotated[Dashboard, Tag("dashboard")]
    | Annotated[Datasource, Tag("datasource")]
    | Annotated[Rules, Tag("rules")]
    | Annotated[ComponentState, Tag("component")]
    | Annotated[Recovered, Tag("recovered")]
    | Annotated[Budget, Tag("budget")]
    | Annotated[Watchdog, Tag("watchdog")],
    Discriminator(_key),
]
"""An expectation as it is written: one key with its details, such as `silent: {}`."""
