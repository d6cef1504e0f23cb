"""Settings from a Tempo 3 configuration file."""

import os
import re
from pathlib import Path as FilePath

from stack.standins.tempo.fields import ConfigError, load
from stack.standins.tempo.reader import Reader
from stack.standins.tempo.settings import (
    DATABASE_ATTRIBUTES,
    GRAPH_BUCKETS,
    PEER_ATTRIBUTES,
    SAFE_HOST,
    SECOND,
    SPAN_BUCKETS,
    Address,
    Generator,
    Queries,
    ServiceGraphs,
    Settings,
    SpanMetrics,
    Storage,
)

OTLP = "distributor.receivers.otlp.protocols"


def read_settings(path: FilePath, *, expand_env: bool = False) -> Settings:
    """
    The settings in a Tempo 3 configuration file; ConfigError names what is wrong, where, and what to do.
    """
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    return parse_settings(expand(text) if expand_env else text, str(path))


def expand(text: str) -> str:
    """
    `${NAME}` and `${NAME:-default}` replaced from the environment, as `-config.expand-env` does.
    """
    return re.sub(r"\$\{(\w+)(?::-?([^}]*))?\}", lambda match: os.environ.get(match[1]) or match[2] or "", text)


def parse_settings(text: str, name: str) -> Settings:
    """
    The settings in the text of a configuration file called `name`.
    """
    reader = Reader(*load(text, name), name)
    settings = {
        "http": _http(reader),
        "otlp_grpc": _receiver(reader, "grpc", 4317),
        "otlp_http": _receiver(reader, "http", 4318),
        "grpc_max_bytes": reader.get(f"{OTLP}.grpc.max_recv_msg_size_mib", int, 4) * 2**20,
        "storage": _storage(reader),
        "queries": _queries(reader),
        "generator": _generator(reader),
        "remote_write": bool(reader.get("metrics_generator.storage.remote_write", list, [])),
    }
    return Settings(idle_fields=reader.unasked(), **settings)  # type: ignore[arg-type]


def _http(reader: Reader) -> Address:
    target = reader.get("target", str, "all")
    if target != "all":
        raise reader.error("target", f"must be 'all' for the stand-in, found {target!r}: it is one process")
    if reader.get("multitenancy_enabled", bool, False):
        raise reader.error("multitenancy_enabled", "is not supported by the stand-in: leave it out")
    for prefix in ("http_api_prefix", "server.http_path_prefix"):
        if reader.get(prefix, str, ""):
            raise reader.error(prefix, "is not supported by the stand-in: leave it out")
    host = reader.get("server.http_listen_address", str, "") or SAFE_HOST
    return Address(
        host=host, port=_port(reader, "server.http_listen_port", reader.get("server.http_listen_port", int, 3200))
    )


def _receiver(reader: Reader, protocol: str, port: int) -> Address | None:
    for kind in reader.get("distributor.receivers", dict, {}):
        if kind != "otlp":
            raise reader.error(f"distributor.receivers.{kind}", "is not supported by the stand-in: it speaks only otlp")
    if not reader.has(f"{OTLP}.{protocol}"):
        return None
    dotted = f"{OTLP}.{protocol}.endpoint"
    host, colon, number = reader.get(dotted, str, f"{SAFE_HOST}:{port}").rpartition(":")
    if not colon or not number.isdigit():
        raise reader.error(dotted, f"must be host:port, found {reader.get(dotted, str, '')!r}")
    return Address(host=host.strip("[]") or SAFE_HOST, port=_port(reader, dotted, int(number)))


def _port(reader: Reader, dotted: str, port: int) -> int:
    if not 0 <= port <= 65535:
        raise reader.error(dotted, f"must be a port from 0 to 65535, found {port}")
    return port


def _storage(reader: Reader) -> Storage:
    retention_s = reader.seconds("backend_worker.compaction.block_retention", 336 * 3600)
    return Storage(
        flush_check_s=max(0.05, reader.seconds("live_store.flush_check_period", 5)),
        max_idle_s=reader.seconds("live_store.max_trace_idle", 5),
        max_live_s=reader.seconds("live_store.max_trace_live", 30),
        retention_s=reader.seconds("overrides.defaults.compaction.block_retention", 0) or retention_s,
        max_bytes_per_trace=reader.get("overrides.defaults.global.max_bytes_per_trace", int, 5_000_000),
        max_live_traces=reader.get("overrides.defaults.ingestion.max_traces_per_user", int, 10_000),
        wal_folder=reader.get("live_store.wal.path", str, ""),
    )


def _queries(reader: Reader) -> Queries:
    search, metrics = "query_frontend.search", "query_frontend.metrics"
    return Queries(
        end_cutoff_ns=reader.duration_ns("query_frontend.query_end_cutoff", 30 * SECOND),
        recent_window_ns=reader.duration_ns(f"{search}.query_backend_after", 900 * SECOND),
        max_search_ns=reader.duration_ns(f"{search}.max_duration", 168 * 3600 * SECOND),
        default_limit=reader.get(f"{search}.default_result_limit", int, 20),
        max_limit=reader.get(f"{search}.max_result_limit", int, 0),
        default_spans=reader.get(f"{search}.default_spans_per_span_set", int, 3),
        max_spans=reader.get(f"{search}.max_spans_per_span_set", int, 100),
        shards=reader.get(f"{search}.ingester_shards", int, 3),
        max_metrics_ns=reader.duration_ns(f"{metrics}.max_duration", 24 * 3600 * SECOND),
        max_intervals=reader.get(f"{metrics}.max_intervals", int, 10_000),
        max_exemplars=reader.get(f"{metrics}.max_exemplars", int, 100),
        max_query_bytes=reader.get("query_frontend.max_query_expression_size_bytes", int, 131_072),
    )


def _generator(reader: Reader) -> Generator:
    overrides = "overrides.defaults.metrics_generator"
    processors = reader.texts(f"{overrides}.processors", ())
    known = ("service-graphs", "span-metrics", "host-info")
    for processor in processors:
        if processor not in known:
            raise reader.error(f"{overrides}.processors", f"names {processor!r}; known: {', '.join(known)}")
    labels = reader.get("metrics_generator.registry.external_labels", dict, {})
    return Generator(
        service_graphs=_service_graphs(reader) if "service-graphs" in processors else None,
        span_metrics=_span_metrics(reader) if "span-metrics" in processors else None,
        slack_s=reader.seconds("metrics_generator.metrics_ingestion_time_range_slack", 30),
        stale_s=reader.seconds("metrics_generator.registry.stale_duration", 900),
        max_active_series=reader.get(f"{overrides}.max_active_series", int, 0),
        external_labels={str(name): str(value) for name, value in labels.items()},
    )


def _service_graphs(reader: Reader) -> ServiceGraphs:
    own = "metrics_generator.processor.service_graphs"
    override = "overrides.defaults.metrics_generator.processor.service_graphs"
    prefix = reader.get(f"{own}.enable_client_server_prefix", bool, False)
    return ServiceGraphs(
        wait_s=reader.seconds(f"{own}.wait", 10),
        max_items=reader.get(f"{own}.max_items", int, 10_000),
        buckets=reader.numbers(
            f"{override}.histogram_buckets", reader.numbers(f"{own}.histogram_buckets", GRAPH_BUCKETS)
        ),
        dimensions=reader.texts(f"{override}.dimensions", reader.texts(f"{own}.dimensions", ())),
        client_server_prefix=reader.get(f"{override}.enable_client_server_prefix", bool, prefix),
        peer_attributes=reader.texts(f"{own}.peer_attributes", PEER_ATTRIBUTES),
        database_attributes=reader.texts(f"{own}.database_name_attributes", DATABASE_ATTRIBUTES),
    )


def _span_metrics(reader: Reader) -> SpanMetrics:
    own = "metrics_generator.processor.span_metrics"
    override = "overrides.defaults.metrics_generator.processor.span_metrics"
    usual = {"service": True, "span_name": True, "span_kind": True, "status_code": True, "status_message": False}
    return SpanMetrics(
        buckets=reader.numbers(
            f"{override}.histogram_buckets", reader.numbers(f"{own}.histogram_buckets", SPAN_BUCKETS)
        ),
        dimensions=reader.texts(f"{override}.dimensions", reader.texts(f"{own}.dimensions", ())),
        intrinsic=tuple(
            name for name, on in usual.items() if reader.get(f"{own}.intrinsic_dimensions.{name}", bool, on)
        ),
    )
