"""What the stand-in acts on: values with Tempo's defaults."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

SAFE_HOST = "127.0.0.1"
GRAPH_BUCKETS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8)
SPAN_BUCKETS = (0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096, 8.192, 16.384)
PEER_ATTRIBUTES = ("peer.service", "db.name", "db.system", "db.system.name")
DATABASE_ATTRIBUTES = ("db.namespace", "db.name", "db.system", "db.system.name")
SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where to listen; port 0 lets the system choose."""

    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """When a trace becomes searchable, how long it is kept, how large it may be; `wal_folder`, '' for none, is where it is kept."""

    flush_check_s: float = 5.0
    max_idle_s: float = 5.0
    max_live_s: float = 30.0
    retention_s: float = 336 * 3600.0
    max_bytes_per_trace: int = 5_000_000
    max_live_traces: int = 10_000
    wal_folder: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queries:
    """The query frontend's limits and defaults; times in nanoseconds."""

    end_cutoff_ns: int = 30 * SECOND
    recent_window_ns: int = 900 * SECOND
    max_search_ns: int = 168 * 3600 * SECOND
    default_limit: int = 20
    max_limit: int = 0
    default_spans: int = 3
    max_spans: int = 100
    shards: int = 3
    max_metrics_ns: int = 24 * 3600 * SECOND
    max_intervals: int = 10_000
    max_exemplars: int = 100
    max_query_bytes: int = 131_072


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceGraphs:
    """How client and server spans are paired into edges."""

    wait_s: float = 10.0
    max_items: int = 10_000
    buckets: Sequence[float] = GRAPH_BUCKETS
    dimensions: Sequence[str] = ()
    client_server_prefix: bool = False
    peer_attributes: Sequence[str] = PEER_ATTRIBUTES
    database_attributes: Sequence[str] = DATABASE_ATTRIBUTES


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanMetrics:
    """Which labels and buckets the metrics of single spans have."""

    buckets: Sequence[float] = SPAN_BUCKETS
    dimensions: Sequence[str] = ()
    intrinsic: Sequence[str] = ("service", "span_name", "span_kind", "status_code")


@dataclass(frozen=True, slots=True, kw_only=True)
class Generator:
    """The metrics generator; a processor that is None does not run."""

    service_graphs: ServiceGraphs | None = None
    span_metrics: SpanMetrics | None = None
    slack_s: float = 30.0
    stale_s: float = 900.0
    max_active_series: int = 0
    external_labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that the stand-in acts on, and the names of the fields that it accepts but does not act on."""

    http: Address
    otlp_grpc: Address | None
    otlp_http: Address | None
    grpc_max_bytes: int
    storage: Storage
    queries: Queries
    generator: Generator
    remote_write: bool
    idle_fields: Sequence[str]
