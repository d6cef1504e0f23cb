"""Traces, metrics and logs: built from the standard OTEL_* variables, exported in the background, flushed at the end."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.urllib3 import URLLib3Instrumentor
from opentelemetry.metrics import Meter
from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor, ReadableLogRecord
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExportResult
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    MetricExportResult,
    MetricReader,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.metrics.view import DropAggregation, ExplicitBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.trace import Tracer

log = logging.getLogger(__name__)

SCOPE = "demo_app"

DURATION_BUCKETS_S = (
    *(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3),
    *(0.4, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0),
)
"""Finer than the conventions advise where latency objectives usually lie, so that a threshold is a bucket's edge."""

ORDER_VALUE_BUCKETS = (5, 10, 25, 50, 100, 250, 500, 1000, 2500)
CART_ITEM_BUCKETS = (1, 2, 3, 5, 8, 13, 21, 34)

UNUSED = ("http.client.*.body.size", "db.client.response.returned_rows")
"""What the instrumentations count beside; each would be a dozen series more to scrape every second."""

BUCKETS: Mapping[str, Sequence[float]] = {
    "http.server.request.duration": DURATION_BUCKETS_S,
    "http.client.request.duration": DURATION_BUCKETS_S,
    "db.client.operation.duration": DURATION_BUCKETS_S,
    "shop.order.value": ORDER_VALUE_BUCKETS,
    "shop.cart.items": CART_ITEM_BUCKETS,
}

VIEWS = [
    *(View(instrument_name=name, aggregation=DropAggregation()) for name in UNUSED),
    *(
        View(instrument_name=name, aggregation=ExplicitBucketHistogramAggregation(boundaries=edges))
        for name, edges in BUCKETS.items()
    ),
]

Silenced = Callable[[str], bool]
"""Says, of one signal, whether this export is to be dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """The three providers, and how to end them."""

    traces: TracerProvider
    metrics: MeterProvider
    logs: LoggerProvider

    @property
    def tracer(self) -> Tracer:
        """For the shop's own spans."""
        return self.traces.get_tracer(SCOPE)

    @property
    def meter(self) -> Meter:
        """For the shop's own numbers."""
        return self.metrics.get_meter(SCOPE)

    def instrument_clients(self) -> None:
        """Give every urllib3 call of this process a client span, a duration and a trace context to carry."""
        URLLib3Instrumentor().instrument(tracer_provider=self.traces, meter_provider=self.metrics)

    def shutdown(self, within_s: float) -> bool:
        """Export what is left, all signals at once; False if that took longer than `within_s` and was given up."""
        deadline = time.monotonic() + within_s
        flushes = [
            threading.Thread(target=provider.shutdown, name="telemetry-shutdown", daemon=True)
            for provider in (self.traces, self.metrics, self.logs)
        ]
        for flush in flushes:
            flush.start()
        for flush in flushes:
            flush.join(max(0.0, deadline - time.monotonic()))
        return not any(flush.is_alive() for flush in flushes)


def build(spans: SpanProcessor, metrics: MetricReader, logs: LogRecordProcessor) -> Telemetry:
    """The providers around the three given ends; the resource and the sampler come from the environment."""
    resource = Resource.create()
    traces = TracerProvider(resource=resource, shutdown_on_exit=False)
    traces.add_span_processor(spans)
    meters = MeterProvider((metrics,), resource=resource, shutdown_on_exit=False, views=VIEWS)
    loggers = LoggerProvider(resource=resource, shutdown_on_exit=False)
    loggers.add_log_record_processor(logs)
    return Telemetry(traces=traces, metrics=meters, logs=loggers)


def from_environment(silenced: Silenced) -> Telemetry:
    """The providers with OTLP exporters as the OTEL_* variables say; `silenced` is asked before each export."""
    return build(
        BatchSpanProcessor(SpanExporter(silenced)),
        PeriodicExportingMetricReader(MetricExporter(silenced)),
        BatchLogRecordProcessor(LogExporter(silenced)),
    )


class SpanExporter(OTLPSpanExporter):
    """Sends spans, but for as long as traces are silenced: then they are lost without an error."""

    def __init__(self, silenced: Silenced) -> None:
        super().__init__()
        self._silenced = silenced

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send one batch."""
        return SpanExportResult.SUCCESS if self._silenced("traces") else super().export(spans)


class MetricExporter(OTLPMetricExporter):
    """Sends metrics, but for as long as they are silenced."""

    def __init__(self, silenced: Silenced) -> None:
        super().__init__()
        self._silenced = silenced

    def export(
        self, metrics_data: MetricsData, timeout_millis: float | None = 10_000, **kwargs: Any
    ) -> MetricExportResult:
        """Send one collection."""
        if self._silenced("metrics"):
            return MetricExportResult.SUCCESS
        return super().export(metrics_data, timeout_millis, **kwargs)


class LogExporter(OTLPLogExporter):
    """Sends log records, but for as long as logs are silenced."""

    def __init__(self, silenced: Silenced) -> None:
        super().__init__()
        self._silenced = silenced

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Send one batch."""
        return LogRecordExportResult.SUCCESS if self._silenced("logs") else super().export(batch)
