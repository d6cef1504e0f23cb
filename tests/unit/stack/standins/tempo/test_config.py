"""The configuration file: what real Tempo 3 refuses is refused by name, and what the stand-in reads is read right."""

from pathlib import Path

import pytest

from stack.standins.tempo.config import expand, parse_settings, read_settings
from stack.standins.tempo.fields import ConfigError
from stack.standins.tempo.settings import SECOND, Address

DRILL = """\
stream_over_http_enabled: true
server: {http_listen_address: 127.0.0.1, http_listen_port: 3201, log_level: warn}
usage_report: {reporting_enabled: false}
distributor:
  receivers:
    otlp:
      protocols:
        grpc: {endpoint: 127.0.0.1:14317}
        http:
query_frontend:
  query_end_cutoff: 0s
  search: {default_result_limit: 7, max_result_limit: 9, max_duration: 1h}
live_store: {max_trace_idle: 1s, max_trace_live: 5s, flush_check_period: 500ms, max_block_duration: 5s}
backend_worker: {compaction: {block_retention: 1h}}
metrics_generator:
  registry: {collection_interval: 5s, external_labels: {source: tempo}}
  processor:
    service_graphs: {dimensions: [service.namespace], wait: 2s}
    span_metrics: {dimensions: [service.namespace], histogram_buckets: [0.1, 1]}
  storage:
    path: /var/tempo/generator/wal
    remote_write: [{url: "http://prometheus:9090/api/v1/write", send_exemplars: true}]
storage:
  trace: {backend: local, wal: {path: /var/tempo/wal}, local: {path: /var/tempo/blocks}}
overrides:
  defaults:
    metrics_generator: {processors: [service-graphs, span-metrics]}
"""


def test_reads_a_whole_file() -> None:
    """
    Every setting of a drill's file that the stand-in acts on arrives.
    """
    settings = parse_settings(DRILL, "tempo.yaml")

    assert settings.http == Address(host="127.0.0.1", port=3201)
    assert settings.otlp_grpc == Address(host="127.0.0.1", port=14317)
    assert settings.otlp_http == Address(host="127.0.0.1", port=4318)
    assert (settings.storage.max_idle_s, settings.storage.max_live_s, settings.storage.flush_check_s) == (1, 5, 0.5)
    assert settings.storage.retention_s == 3600
    assert (settings.queries.end_cutoff_ns, settings.queries.default_limit, settings.queries.max_limit) == (0, 7, 9)
    assert settings.queries.max_search_ns == 3600 * SECOND
    assert settings.remote_write
    assert settings.generator.external_labels == {"source": "tempo"}
    graphs, spans = settings.generator.service_graphs, settings.generator.span_metrics
    assert graphs is not None
    assert spans is not None
    assert (graphs.wait_s, graphs.dimensions) == (2, ("service.namespace",))
    assert (spans.buckets, spans.dimensions) == ((0.1, 1), ("service.namespace",))


def test_names_the_fields_without_effect() -> None:
    """
    What Tempo knows and the stand-in does not act on is accepted and listed; what it acts on is not listed.
    """
    idle = parse_settings(DRILL, "tempo.yaml").idle_fields

    assert "storage.trace.backend" in idle
    assert "live_store.max_block_duration" in idle
    assert not [field for field in idle if field.startswith(("distributor", "query_frontend", "overrides"))]


def test_defaults_are_tempos_but_only_loopback_is_listened_on() -> None:
    """
    An empty file gives Tempo 3's defaults; with no address of its own the stand-in stays on loopback.
    """
    settings = parse_settings("", "tempo.yaml")

    assert settings.http == Address(host="127.0.0.1", port=3200)
    assert settings.otlp_grpc is None
    assert settings.queries.end_cutoff_ns == 30 * SECOND
    assert (settings.storage.max_idle_s, settings.storage.max_live_s) == (5, 30)
    assert settings.generator.service_graphs is None
    assert settings.idle_fields == []


def test_overrides_win_over_the_processor_section() -> None:
    """
    As in Tempo, dimensions and buckets of the overrides replace those of the metrics_generator section.
    """
    text = DRILL.replace(
        "processors: [service-graphs, span-metrics]",
        "processors: [span-metrics], processor: {span_metrics: {dimensions: [a, b]}}",
    )

    spans = parse_settings(text, "tempo.yaml").generator.span_metrics

    assert spans is not None
    assert spans.dimensions == ("a", "b")


REFUSED = {
    "server: {http_listen_port: 3200}\ningester: {}": "tempo.yaml:2: field 'ingester' was removed in Tempo 3: use live_store",
    "compactor: {compaction: {}}": "tempo.yaml:1: field 'compactor' was removed in Tempo 3: use backend_scheduler",
    "ingest:\n  enabled: true": "tempo.yaml:2: field 'ingest.enabled' was removed in Tempo 3",
    "querier: {query_live_store: true}": "field 'querier.query_live_store' was removed",
    "query_frontend: {search: {query_ingesters_until: 1m}}": "'query_frontend.search.query_ingesters_until' was removed",
    "metrics_generator: {processor: {local_blocks: {}}}": "'metrics_generator.processor.local_blocks' was removed",
    "distributor: {receivers: {opencensus: {}}}": "'distributor.receivers.opencensus'",
    "live_store: {max_trace_idel: 1s}": "field 'live_store.max_trace_idel' is unknown to Tempo 3; did you mean 'max_trace_idle'?",
    "overrides: {metrics_generator_processors: []}": "'overrides.metrics_generator_processors' is unknown to Tempo 3",
    "overrides: {defaults: {global: {zzz: 1}}}": "known here: max_bytes_per_trace",
    "server: 3": "field 'server' must be a mapping, found 3",
    "- a": "expected a mapping of Tempo's sections, found list",
    "a: [": "tempo.yaml: not YAML",
    "live_store: {max_trace_idle: soon}": "tempo.yaml:1: field 'live_store.max_trace_idle' 'soon' is not a duration",
    "server: {http_listen_port: '80'}": "field 'server.http_listen_port' must be of type int, found '80'",
    "server: {http_listen_port: 70000}": "must be a port from 0 to 65535, found 70000",
    "distributor: {receivers: {jaeger: {}}}": "'distributor.receivers.jaeger' is not supported by the stand-in",
    "distributor: {receivers: {otlp: {protocols: {grpc: {endpoint: here}}}}}": "must be host:port, found 'here'",
    "http_api_prefix: /tempo": "field 'http_api_prefix' is not supported by the stand-in: leave it out",
    "target: querier": "field 'target' must be 'all' for the stand-in, found 'querier'",
    "multitenancy_enabled: true": "'multitenancy_enabled' is not supported by the stand-in",
    "overrides: {defaults: {metrics_generator: {processors: [local-blocks]}}}": "names 'local-blocks'; known: service-graphs",
    "overrides: {defaults: {metrics_generator: {processors: x}}}": "must be of type list, found 'x'",
    "metrics_generator: {processor: {span_metrics: {histogram_buckets: [2, 1]}}}\n"
    "overrides: {defaults: {metrics_generator: {processors: [span-metrics]}}}": "must be rising numbers, found [2, 1]",
}


@pytest.mark.parametrize("text", REFUSED)
def test_refuses_with_place_and_advice(text: str) -> None:
    """
    Each faulty file gives one error that names the file, the line, the field and what is allowed.
    """
    with pytest.raises(ConfigError) as caught:
        parse_settings(text, "tempo.yaml")

    assert REFUSED[text] in str(caught.value)


def test_lists_all_unknown_fields_at_once() -> None:
    """
    Two faulty fields are both named, each on a line of its own.
    """
    with pytest.raises(ConfigError) as caught:
        parse_settings("ingester: {}\ncompactor: {}", "tempo.yaml")

    assert [line.partition(" ")[0] for line in str(caught.value).splitlines()] == ["tempo.yaml:1:", "tempo.yaml:2:"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """
    The error says which file could not be read and why.
    """
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: cannot be read: No such file"):
        read_settings(tmp_path / "nowhere.yaml")


def test_expands_the_environment_only_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    `${NAME}` and `${NAME:-default}` are replaced with -config.expand-env, and left alone without.
    """
    monkeypatch.setenv("TEMPO_PORT", "3333")
    file = tmp_path / "tempo.yaml"
    file.write_text("server:\n  http_listen_port: ${TEMPO_PORT}")

    assert read_settings(file, expand_env=True).http.port == 3333
    assert expand("${NOT_SET:-x} ${NOT_SET}") == "x "
    with pytest.raises(ConfigError, match="must be of type int"):
        read_settings(file)
