"""The way of a signal, on real engines: from an app's SDK through collector and Prometheus to a webhook."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
import pytest
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode

from stack.runtimes.stack import Stack

pytestmark = pytest.mark.e2e

REQUESTS_PER_S = 40
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5)


@dataclass(kw_only=True)
class Service:
    """A service that answers requests in its own thread, some of them badly, and reports as an app would."""

    otlp: str
    namespace: str
    failing: float = 0.0
    trace_ids: set[str] = field(default_factory=set)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to answer and to report."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Report for the last time, and fall silent."""
        self._stop.set()
        if self._thread:
            self._thread.join(timeout=10)

    def _serve(self) -> None:
        resource = Resource.create(
            {"service.name": "web", "service.namespace": self.namespace, "service.instance.id": f"{self.namespace}-1"}
        )
        metric_exporter = OTLPMetricExporter(endpoint=f"{self.otlp}/v1/metrics")
        reader = PeriodicExportingMetricReader(metric_exporter, export_interval_millis=1000)
        meters = MeterProvider([reader], resource=resource)
        tracers = TracerProvider(resource=resource)
        spans = BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{self.otlp}/v1/traces"), schedule_delay_millis=500)
        tracers.add_span_processor(spans)
        duration = meters.get_meter("web").create_histogram(
            "http.server.request.duration", unit="s", explicit_bucket_boundaries_advisory=BUCKETS
        )
        bad = 0.0
        while not self._stop.wait(1 / REQUESTS_PER_S):
            bad += self.failing
            failed, bad = bad >= 1, bad % 1
            attributes = {
                "http.request.method": "GET",
                "http.route": "/x",
                "http.response.status_code": 500 if failed else 200,
            }
            with tracers.get_tracer("web").start_as_current_span("GET /x", kind=SpanKind.SERVER) as span:
                span.set_attributes(attributes)
                span.set_status(StatusCode.ERROR if failed else StatusCode.UNSET)
                duration.record(0.02, attributes)
                self.trace_ids.add(f"{span.get_span_context().trace_id:032x}")
        meters.shutdown()
        tracers.shutdown()


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """One alert within a notification."""

    receiver: str
    status: str
    labels: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Watch:
    """What Prometheus and the sink say."""

    stack: Stack

    def query(self, promql: str) -> list[dict[str, Any]]:
        """An instant vector."""
        answer = httpx.get(self.stack.url("prometheus.http") + "/api/v1/query", params={"query": promql}, timeout=5)
        found: list[dict[str, Any]] = answer.json()["data"]["result"]
        return found

    def exemplars(self, promql: str) -> set[str]:
        """Trace ids of exemplars within the last minute."""
        now = time.time()
        url = self.stack.url("prometheus.http") + "/api/v1/query_exemplars"
        answer = httpx.get(url, params={"query": promql, "start": now - 60, "end": now}, timeout=5)
        series = answer.json()["data"]
        return {exemplar["labels"]["trace_id"] for found in series for exemplar in found["exemplars"]}

    def arrivals(self, *, status: str = "", **labels: str) -> list[Arrival]:
        """Alerts that arrived with these labels, in order."""
        url = f"{self.stack.url('sink.http')}/arrivals/{self.stack.sink_token}"
        arrived = httpx.get(url, params={"after": 0}, timeout=5).json()["arrivals"]
        alerts = [
            Arrival(receiver=one["receiver"], status=alert["status"], labels=alert["labels"])
            for one in arrived
            for alert in one["body"]["alerts"]
        ]
        return [one for one in alerts if labels.items() <= one.labels.items() and status in ("", one.status)]


def eventually(ask: Callable[[], Any], *, within_s: float, what: str) -> Any:
    """The first true answer; a failure that names what was waited for if none comes in time."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if found := ask():
            return found
        time.sleep(0.2)
    pytest.fail(f"{what}: not within {within_s:g} s")


@pytest.fixture(scope="module")
def watch() -> Iterator[Watch]:
    """A whole stack in the drill profile, for all tests here."""
    stack = Stack.create()
    try:
        yield Watch(stack=stack)
    finally:
        stack.stop()


@pytest.fixture
def service(watch: Watch, request: pytest.FixtureRequest) -> Iterator[Service]:
    """A healthy service in a namespace of its own, which Prometheus knows already."""
    namespace = request.node.name.replace("_", "-")
    made = Service(otlp=watch.stack.url("collector.otlp_http"), namespace=namespace)
    made.start()
    try:
        count = f'http_server_request_duration_seconds_count{{service_namespace="{namespace}"}}'
        eventually(lambda: watch.query(count), within_s=20, what="series in Prometheus")
        yield made
    finally:
        made.stop()


def test_series_carry_the_service_and_nothing_that_bloats(watch: Watch, service: Service) -> None:
    """
    Namespace, name and instance are labels, as all rules need; other attributes of the resource are not.
    """
    selector = f'http_server_request_duration_seconds_count{{service_namespace="{service.namespace}"}}'
    (series,) = watch.query(selector)
    assert series["metric"] == {
        "__name__": "http_server_request_duration_seconds_count",
        "http_request_method": "GET",
        "http_response_status_code": "200",
        "http_route": "/x",
        "instance": f"{service.namespace}-1",
        "job": f"{service.namespace}/web",
        "otel_scope_name": "web",
        "service_instance_id": f"{service.namespace}-1",
        "service_name": "web",
        "service_namespace": service.namespace,
    }


def test_exemplars_lead_from_a_bucket_to_the_services_own_traces(watch: Watch, service: Service) -> None:
    """
    Of the app's histogram and of the collector's span metrics.
    """
    for metric in ("http_server_request_duration_seconds_bucket", "traces_span_metrics_duration_milliseconds_bucket"):
        query = f'{metric}{{service_namespace="{service.namespace}"}}'
        found = eventually(partial(watch.exemplars, query), within_s=20, what=f"exemplars of {metric}")
        assert found <= service.trace_ids


def test_errors_are_told_to_those_who_must_act(watch: Watch, service: Service) -> None:
    """
    Three in ten fail: a page for the budget, a ticket for the rate, both with the service's labels; and both end.
    """
    who = {"service_namespace": service.namespace, "service_name": "web", "slo": "availability"}
    service.failing = 0.3
    for name, severity in (("ErrorBudgetBurnFast", "page"), ("ErrorRateHigh", "ticket")):
        wanted = {"alertname": name, "severity": severity} | who
        told = eventually(partial(watch.arrivals, **wanted), within_s=30, what=f"{name} at the sink")
        assert (told[0].receiver, told[0].status) == (severity, "firing")

    service.failing = 0.0
    for name in ("ErrorBudgetBurnFast", "ErrorRateHigh"):
        wanted = {"alertname": name, "status": "resolved"} | who
        eventually(partial(watch.arrivals, **wanted), within_s=30, what=f"the end of {name} at the sink")


def test_silence_of_a_service_is_noticed_and_its_return_too(watch: Watch, service: Service) -> None:
    """
    Series that are not sent any more expire at the collector, and the alert for that ends when they are back.
    """

    def told() -> list[str]:
        wanted = {"alertname": "TelemetryAbsent", "service_namespace": service.namespace, "service_name": "web"}
        return [arrival.status for arrival in watch.arrivals(**wanted)]

    assert told() == []
    service.stop()
    eventually(lambda: told() == ["firing"], within_s=40, what="TelemetryAbsent at the sink")
    service.start()
    eventually(lambda: told()[-1] == "resolved", within_s=40, what="the end of TelemetryAbsent at the sink")


def test_the_watchdog_arrives_again_and_again_and_a_whole_pipeline_is_silent(watch: Watch) -> None:
    """
    Whatever the services do, no alert about the pipeline itself has come.
    """
    eventually(
        lambda: len(watch.arrivals(alertname="Watchdog")) >= 3, within_s=40, what="three notices of the watchdog"
    )
    arrived = [arrival for arrival in watch.arrivals() if "component" in arrival.labels]
    assert {(arrival.labels["alertname"], arrival.receiver) for arrival in arrived} == {("Watchdog", "watchdog")}
