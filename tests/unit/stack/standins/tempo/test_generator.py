"""The metrics generator: spans become the metrics that Tempo would derive, under its names and labels."""

from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from stack.standins.tempo.exposition import Exposition
from stack.standins.tempo.generator import MetricsGenerator
from stack.standins.tempo.settings import Generator, ServiceGraphs, SpanMetrics, Storage
from stack.standins.tempo.spans import Span
from stack.standins.tempo.store import Cap, Store
from tests.unit.stack.standins.tempo.made import NOW_NS, SECOND, batch, resource, span

DIMENSIONS = ("service.namespace",)
BOTH = Generator(
    service_graphs=ServiceGraphs(dimensions=DIMENSIONS), span_metrics=SpanMetrics(dimensions=DIMENSIONS), stale_s=900
)


@dataclass
class Time:
    """Both clocks: the wall's in seconds since the epoch, and one for waiting."""

    past_s: float = 0.0

    def wall(self) -> float:
        """Seconds since the epoch."""
        return NOW_NS / SECOND + self.past_s

    def clock(self) -> float:
        """Seconds of no meaning."""
        return self.past_s


def generator(settings: Generator = BOTH) -> tuple[MetricsGenerator, Time]:
    """A generator and its time."""
    time = Time()
    return MetricsGenerator(settings, wall=time.wall, clock=time.clock), time


def samples(of: MetricsGenerator, external: dict[str, str] | None = None) -> list[Sample]:
    """All samples on /metrics, read by Prometheus' own parser."""
    text, _ = Exposition(Store(Storage(), Cap()), of, external or {}).render("")
    return [sample for family in text_string_to_metric_families(text.decode()) for sample in family.samples]


def value(of: MetricsGenerator, name: str, **labels: str) -> float | None:
    """The sum over the samples that carry these labels; None when there are none."""
    found = [s.value for s in samples(of) if s.name == name and labels.items() <= s.labels.items()]
    return sum(found) if found else None


def call(failed: bool = False) -> list[Span]:
    """A client of `web` that called a server of `shop`, both of one run."""
    web, shop = resource("web", service_namespace="run-1"), resource("shop", service_namespace="run-1")
    client = span(1, kind=3, resource=web, end_ns=NOW_NS + 301_000_000)
    server = span(2, 1, kind=2, resource=shop, status=2 if failed else 0, end_ns=NOW_NS + 152_000_000)
    return [client, server]


def test_counts_spans_with_their_dimensions() -> None:
    """
    calls, latency in seconds and size carry the intrinsic labels and the configured dimension.
    """
    made, _ = generator()
    made.consume(batch(call(failed=True)))

    labels = {"service": "shop", "span_name": "span 2", "span_kind": "SPAN_KIND_SERVER", "service_namespace": "run-1"}
    assert value(made, "traces_spanmetrics_calls_total", status_code="STATUS_CODE_ERROR", **labels) == 1
    assert value(made, "traces_spanmetrics_latency_sum", **labels) == 0.15
    assert value(made, "traces_spanmetrics_latency_bucket", le="0.128", **labels) == 0
    assert value(made, "traces_spanmetrics_latency_bucket", le="0.256", **labels) == 1
    assert value(made, "traces_spanmetrics_latency_bucket", le="+Inf", **labels) == 1
    size = value(made, "traces_spanmetrics_size_total", **labels)
    assert size == len(call(failed=True)[1].encoded)


def test_pairs_client_and_server_into_an_edge() -> None:
    """
    An edge counts once when both sides have come, in whatever order, and fails when either side did.
    """
    made, _ = generator()
    client, server = call()
    made.consume(batch([client]))
    assert value(made, "traces_service_graph_request_total") is None
    made.consume(batch([server]))
    made.consume(batch(call(failed=True)[::-1], first=2))

    edge = {"client": "web", "server": "shop", "connection_type": "", "service_namespace": "run-1"}
    assert value(made, "traces_service_graph_request_total", **edge) == 2
    assert value(made, "traces_service_graph_request_failed_total", **edge) == 1
    assert value(made, "traces_service_graph_request_client_seconds_sum", **edge) == 0.6
    assert value(made, "traces_service_graph_request_server_seconds_bucket", le="0.1", **edge) == 0
    assert value(made, "traces_service_graph_request_server_seconds_bucket", le="0.2", **edge) == 2


def test_dimensions_of_both_sides_with_the_prefix() -> None:
    """
    With enable_client_server_prefix each side has a label of its own.
    """
    graphs = ServiceGraphs(dimensions=DIMENSIONS, client_server_prefix=True)
    made, _ = generator(Generator(service_graphs=graphs))
    made.consume(batch(call()))

    found = value(
        made, "traces_service_graph_request_total", client_service_namespace="run-1", server_service_namespace="run-1"
    )
    assert found == 1


def test_a_call_of_a_database_or_a_peer_has_a_virtual_server() -> None:
    """
    A client span with a database's name is an edge at once; one with a peer's name is one after the wait.
    """
    made, time = generator()
    made.consume(
        batch(
            [span(1, kind=3, attributes={"db.system": "sqlite"})],
            [span(1, kind=3, attributes={"peer.service": "bank"})],
        )
    )

    assert value(made, "traces_service_graph_request_total", server="sqlite", connection_type="database") == 1
    time.past_s = 10
    made.expire()
    assert value(made, "traces_service_graph_request_total", server="bank", connection_type="virtual_node") == 1


def test_a_lone_side_is_settled_after_the_wait() -> None:
    """
    A root server span was called by a user; a server whose client never came, and a client alone, are unpaired.
    """
    made, time = generator()
    made.consume(batch([span(1)], [span(2, 9)], [span(3, kind=3)]))
    time.past_s = 9.9
    made.expire()
    assert value(made, "traces_service_graph_unpaired_spans_total") is None
    time.past_s = 10
    made.expire()

    assert value(made, "traces_service_graph_request_total", client="user", server="shop") == 1
    assert value(made, "traces_service_graph_unpaired_spans_total", client="", server="shop") == 1
    assert value(made, "traces_service_graph_unpaired_spans_total", client="shop", server="") == 1


def test_producers_and_consumers_are_joined_by_messaging() -> None:
    """
    The two sides of a message are an edge of their own kind.
    """
    made, _ = generator()
    made.consume(batch([span(1, kind=4), span(2, 1, kind=5)]))

    assert value(made, "traces_service_graph_request_total", connection_type="messaging_system") == 1


def test_edges_beyond_max_items_are_dropped_and_counted() -> None:
    """
    Half-seen calls cannot grow without bound.
    """
    made, _ = generator(Generator(service_graphs=ServiceGraphs(max_items=2)))
    made.consume(batch(*[[span(1, kind=3)] for _ in range(5)]))

    assert value(made, "traces_service_graph_dropped_spans_total", client="shop") == 3


def test_spans_outside_the_slack_make_no_metrics() -> None:
    """
    What ended more than 30 s ago is only counted as discarded.
    """
    made, time = generator()
    time.past_s = 31
    made.consume(batch(call()))

    assert value(made, "traces_spanmetrics_calls_total") is None
    assert value(made, "tempo_metrics_generator_spans_discarded_total", reason="outside_metrics_ingestion_slack") == 2
    assert value(made, "tempo_metrics_generator_spans_received_total") == 2


def test_series_are_bounded_and_stale_ones_forgotten() -> None:
    """
    Beyond max_active_series a new one is only counted; after the stale duration there is room again.
    """
    made, time = generator(Generator(span_metrics=SpanMetrics(), max_active_series=3, stale_s=60, slack_s=1e6))
    made.consume(batch([span(1), span(2, 1)]))
    assert (made.active_series, made.limited_series) == (3, 3)

    time.past_s = 61
    made.expire()
    made.consume(batch([span(2)]))

    assert value(made, "traces_spanmetrics_calls_total", span_name="span 2") == 1
    assert made.active_series == 3


def test_without_processors_nothing_is_derived() -> None:
    """
    As in Tempo, processors run only when the overrides name them.
    """
    made, _ = generator(Generator())
    made.consume(batch(call()))

    assert not [sample for sample in samples(made) if sample.name.startswith("traces_")]


def test_external_labels_and_exemplars_are_shown() -> None:
    """
    External labels are on each derived series; OpenMetrics also carries the trace that fell into a bucket.
    """
    made, _ = generator()
    made.consume(batch(call()))
    exposition = Exposition(Store(Storage(), Cap()), made, {"source": "tempo"})

    derived = [sample for sample in samples(made, {"source": "tempo"}) if sample.name.startswith("traces_")]
    text, content_type = exposition.render("application/openmetrics-text; version=1.0.0")

    assert derived
    assert {sample.labels["source"] for sample in derived} == {"tempo"}
    assert content_type.startswith("application/openmetrics-text")
    assert b'# {traceID="' + b"0" * 31 + b'1"} 0.15' in text


def test_a_dimension_that_is_also_an_intrinsic_gets_underscores() -> None:
    """
    An attribute called `service` does not hide the label `service`.
    """
    made, _ = generator(Generator(span_metrics=SpanMetrics(dimensions=("service",))))
    made.consume(batch([span(1, attributes={"service": "x", "up": True})]))

    text, _ = Exposition(Store(Storage(), Cap()), made, {}).render("")
    assert b'traces_spanmetrics_calls_total{__service="x",service="shop"' in text
