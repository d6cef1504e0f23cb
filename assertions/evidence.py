"""Evidence: what the backends said, once the history was closed; on disk before anything is judged."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from assertions.panels import Panel
from scenarios.history import write_json

Points = tuple[tuple[float, float], ...]
"""(time, value) pairs of one series."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Service(_Value):
    """
    What Prometheus holds of one service of the drill, counted from its start.

    `requests` and `failed` are its HTTP server metrics, `collected` its server spans as the collector counted them; the same
    three by time in `*_by_time` (a gap where the series was stale). `buckets` maps upper edges in seconds to cumulative counts,
    `collected_buckets` those in milliseconds.
    """

    requests: float = 0
    failed: float = 0
    collected: float = 0
    collected_failed: float = 0
    buckets: Mapping[str, float] = {}
    collected_buckets: Mapping[str, float] = {}
    requests_by_time: Points = ()
    failed_by_time: Points = ()
    collected_by_time: Points = ()


class Collector(_Value):
    """
    The collector during the drill, all services together: what its counters rose by, and whether its two scrape targets stayed up.
    """

    up: bool = True
    exporter_up: bool = True
    accepted: Mapping[str, float] = {}
    refused: Mapping[str, float] = {}
    sent: Mapping[str, float] = {}
    failed: Mapping[str, float] = {}


class AlertRule(_Value):
    """One alerting rule as Prometheus had it loaded; `formula` is its machine-readable annotation."""

    query: str
    interval_s: float
    for_s: float
    health: str
    last_error: str = ""
    formula: Any = None


class Delays(_Value):
    """How long each hop may take by its configuration, in seconds; a bound is made of these."""

    export_s: float = 1.0
    batch_s: float = 0.2
    scrape_s: float = 1.0
    evaluation_s: float = 1.0
    group_wait_s: float = 0.0
    expiration_s: float = 5.0


class Trace(_Value):
    """One of the clients' traces, as Tempo gave it; no spans when Tempo does not know it, as it must be when not `sampled`."""

    trace_id: str
    route: str
    status: int
    duration_s: float
    sampled: bool = True
    spans: tuple[Mapping[str, Any], ...] = ()


class Edge(_Value):
    """One edge of the service graph; `buckets` maps upper edges in seconds, as the caller saw it, to cumulative counts."""

    calls: float = 0
    failed: float = 0
    buckets: Mapping[str, float] = {}

    def slower_than(self, limit_s: float) -> tuple[float, float]:
        """How many calls certainly were slower than a limit, and the upper edge of a bucket by which that is known."""
        edges = sorted((float(le), n) for le, n in self.buckets.items())
        edge_s, faster = next(((le, n) for le, n in edges if le >= limit_s), (limit_s, self.calls))
        return self.calls - faster, edge_s


class Example(_Value):
    """One exemplar of a histogram in seconds, and its trace as Tempo gave it; no spans when Tempo was not asked or has none."""

    value_s: float
    trace_id: str
    spans: tuple[Mapping[str, Any], ...] = ()


class Recovery(_Value):
    """
    What the entry service's signals did by time: `counted_by_time` is what was counted of its requests or of its server spans,
    going on where a counter began anew; `queue_by_time` what waited in the collector to be sent; `samples_t` when Prometheus
    took a sample of it.
    """

    counted_by_time: Points = ()
    queue_by_time: Points = ()
    samples_t: tuple[float, ...] = ()


class Rulebook(_Value):
    """How many rules are loaded, which of those that were generated are not, and which cannot be evaluated, with the reason."""

    loaded: int
    missing: tuple[str, ...] = ()
    failing: tuple[str, ...] = ()


class Link(_Value):
    """One link of a datasource to another, and how much was found there by what it is for; or the problem with it."""

    kind: str
    to: str
    found: Mapping[str, float] = {}
    problem: str = ""


class Source(_Value):
    """A datasource of Grafana; `problem` if it is not there or does not answer."""

    problem: str = ""
    links: tuple[Link, ...] = ()


class Lead(_Value):
    """
    A link in the notification that one source's tellers sent: what it leads to, and the `problem` with that, in words.

    One that leads outside of the stack is not `followed`.
    """

    source: str
    name: str
    url: str
    problem: str = ""
    followed: bool = True


class Evidence(_Value):
    """All answers of one drill. `problems` names the backends that could not be asked, and why."""

    asked_t: float
    delays: Delays = Delays()
    services: Mapping[str, Service] = {}
    collector: Collector = Collector()
    rules: Mapping[str, AlertRule] = {}
    grafana_rules: Mapping[str, AlertRule] = {}
    notify_failures: float = 0
    stored_spans: Mapping[str, float] = {}
    traces: Mapping[str, tuple[Trace, ...]] = {}
    torn_halves: Mapping[str, float] = {}
    edges: Mapping[str, Mapping[str, Edge]] = {}
    logged: Mapping[str, tuple[str, ...]] = {}
    telemetry: Mapping[str, tuple[Mapping[str, str], ...]] = {}
    examples: Mapping[str, tuple[Example, ...]] = {}
    recoveries: Mapping[str, Recovery] = {}
    series: Mapping[str, Points] = {}
    scores: Mapping[str, Points] = {}
    dashboards: Mapping[str, tuple[Panel, ...]] = {}
    rulebooks: Mapping[str, Rulebook] = {}
    datasources: Mapping[str, Source] = {}
    leads: Mapping[str, tuple[Lead, ...]] = {}
    treated: Mapping[str, float] = {}
    problems: Mapping[str, str] = {}

    def rules_of(self, source: str) -> Mapping[str, AlertRule]:
        """The alerting rules of Prometheus, or those that Grafana manages."""
        return self.grafana_rules if source == "grafana" else self.rules

    @classmethod
    def read(cls, path: Path) -> "Evidence":
        """Read `evidence.json`. Raises OSError or ValueError."""
        return cls.model_validate_json(path.read_bytes())

    def save(self, path: Path) -> None:
        """Write `evidence.json`, whole or not at all."""
        write_json(path, self.model_dump(mode="json"))


FORMULA_ANNOTATION = "tocsin_formula"
"""The annotation in which a generated rule carries its own formula as JSON."""
