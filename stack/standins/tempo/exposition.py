"""The stand-in's `/metrics`: Tempo's own metrics by their names, and those that the generator derived from spans."""

from collections.abc import Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar

from stack.standins.tempo.generator import MetricsGenerator
from stack.standins.tempo.registry import Family, Series
from stack.standins.tempo.store import Store

TENANT = "single-tenant"
VERSION = "0.0.0-standin"
GENERATOR = "tempo_metrics_generator"


class Exposition(Collector):
    """Reads store and generator at each scrape; keeps nothing itself."""

    def __init__(self, store: Store, generator: MetricsGenerator, external_labels: Mapping[str, str]) -> None:
        self._store = store
        self._generator = generator
        self._external = external_labels
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def render(self, accept: str) -> tuple[bytes, str]:
        """
        The text and its content type: OpenMetrics with exemplars for who accepts it, else Prometheus' own.
        """
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type

    def collect(self) -> Iterator[Metric]:
        """
        All metrics, for the registry.
        """
        yield from self._own()
        for family in self._generator.snapshot():
            yield self._derived(family)

    def _own(self) -> Iterator[Metric]:
        counts = self._store.counts()
        yield _gauge("tempo_build_info", "The version.", 1, version=VERSION)
        yield _counter("tempo_distributor_spans_received", "Spans received.", counts.spans_received, tenant=TENANT)
        yield _counter("tempo_distributor_bytes_received", "Bytes received.", counts.bytes_received, tenant=TENANT)
        discarded = CounterMetricFamily("tempo_discarded_spans", "Spans refused.", labels=["reason", "tenant"])
        for reason, number in sorted(counts.discarded.items()):
            discarded.add_metric([reason, TENANT], number)
        yield discarded
        yield _counter("tempo_live_store_traces_created", "Traces begun.", counts.traces_created, tenant=TENANT)
        yield _gauge("tempo_live_store_live_traces", "Traces not yet flushed.", counts.live_traces, tenant=TENANT)
        yield _gauge("tempo_live_store_ready", "Whether queries are answered.", 1)
        yield _counter(f"{GENERATOR}_spans_received", "Spans.", self._generator.received, tenant=TENANT)
        slack = {"reason": "outside_metrics_ingestion_slack", "tenant": TENANT}
        yield _counter(f"{GENERATOR}_spans_discarded", "Spans too old or new.", self._generator.outside_slack, **slack)
        yield _gauge(f"{GENERATOR}_registry_active_series", "Series.", self._generator.active_series, tenant=TENANT)
        limited = self._generator.limited_series
        yield _counter(f"{GENERATOR}_registry_series_limited", "New series refused.", limited, tenant=TENANT)
        yield _gauge("tempo_standin_stored_spans", "Spans held.", counts.spans)
        yield _gauge("tempo_standin_stored_bytes", "Estimated bytes held.", counts.bytes)
        yield _counter("tempo_standin_evicted_traces", "Traces dropped for memory.", counts.evicted_traces)
        yield _counter("tempo_standin_evicted_spans", "Spans dropped for memory.", counts.evicted_spans)

    def _derived(self, family: Family) -> Metric:
        labels = [*family.labels, *self._external]
        extra = list(self._external.values())
        if family.bounds is None:
            counter = CounterMetricFamily(family.name, family.help, labels=labels)
            for key, series in family.series.items():
                counter.add_metric([*key, *extra], series.total)
            return counter
        histogram = HistogramMetricFamily(family.name, family.help, labels=labels)
        for key, series in family.series.items():
            histogram.add_metric([*key, *extra], _buckets(family.bounds, series), sum_value=series.total)
        return histogram


def _buckets(bounds: Sequence[float], series: Series) -> list[tuple[str, float] | tuple[str, float, Exemplar]]:
    """Counts up to each bound, each with the last trace that fell between it and the bound before."""
    buckets: list[tuple[str, float] | tuple[str, float, Exemplar]] = []
    running = 0
    for index, bound in enumerate([*map(str, bounds), "+Inf"]):
        running += series.buckets[index]
        seen = series.exemplars.get(index)
        buckets.append((bound, running, Exemplar({"traceID": seen[0]}, seen[1])) if seen else (bound, running))
    return buckets


def _counter(name: str, text: str, value: float, **labels: str) -> Metric:
    counter = CounterMetricFamily(name, text, labels=list(labels))
    counter.add_metric(list(labels.values()), value)
    return counter


def _gauge(name: str, text: str, value: float, **labels: str) -> Metric:
    gauge = GaugeMetricFamily(name, text, labels=list(labels))
    gauge.add_metric(list(labels.values()), value)
    return gauge
