"""Telemetry: what a drill tells its stack of itself: its clients' requests and its faults, as metrics over OTLP."""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Literal, Self

import httpx
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_CUMULATIVE,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from scenarios.history import LATENCY_EDGES_S, Event, FaultChange, Traffic
from tocsin import __version__

SERVICE = "tocsin"

MERGED = 5
"""So many of the clients' buckets become one; their edges stay edges, so that nothing is guessed."""

BOUNDS_S = LATENCY_EDGES_S[MERGED - 1 :: MERGED]

PATH = "/v1/metrics"
TIMEOUT_S = 2.0

Attributes = Mapping[str, str]


class ClientTruth:
    """
    The sums of a drill so far: requests by outcome, how long answers took, and which faults are on. Safe in any thread.

    `faults` gives the attributes of each fault by its id; all of them are off at first.
    """

    def __init__(self, faults: Mapping[str, Attributes]) -> None:
        self._faults = {fault: {"fault": fault, **attributes} for fault, attributes in faults.items()}
        self._on = dict.fromkeys(faults, 0)
        self._requests = {"ok": 0, "failed": 0}
        self._buckets = [0] * (len(BOUNDS_S) + 1)
        self._took_s = 0.0
        self._lock = threading.Lock()

    def see(self, *events: Event) -> None:
        """Take note of events of the history."""
        with self._lock:
            for event in events:
                if isinstance(event, Traffic):
                    self._count(event)
                elif isinstance(event, FaultChange) and event.fault in self._on:
                    self._on[event.fault] = int(event.action in ("applied", "renewed"))

    def metrics(self, *, start_ns: int, now_ns: int) -> list[Metric]:
        """All sums as OTLP's metrics, cumulative from the drill's start."""

        def number(value: int, attributes: Attributes) -> NumberDataPoint:
            return NumberDataPoint(
                as_int=value,
                attributes=_attributes(attributes),
                start_time_unix_nano=start_ns,
                time_unix_nano=now_ns,
            )

        with self._lock:
            requests = [number(count, {"outcome": outcome}) for outcome, count in self._requests.items()]
            faults = [number(on, self._faults[fault]) for fault, on in self._on.items()]
            took = HistogramDataPoint(
                count=sum(self._buckets),
                sum=self._took_s,
                bucket_counts=self._buckets,
                explicit_bounds=BOUNDS_S,
                start_time_unix_nano=start_ns,
                time_unix_nano=now_ns,
            )
        return [_counter("tocsin.client.requests", requests), _histogram(took), _gauge("tocsin.fault.active", faults)]

    def _count(self, second: Traffic) -> None:
        self._requests["failed"] += second.failed
        self._requests["ok"] += second.count - second.failed
        self._took_s += second.sum_s
        for index, count in second.latency.items():
            self._buckets[min(index // MERGED, len(BOUNDS_S))] += count


class Teller:
    """
    Sends a drill's truth to a collector, again and again while a block lasts and once more at its end.

    A collector that does not answer is no matter of the drill's: what it missed is in the next message.
    """

    def __init__(
        self,
        truth: ClientTruth,
        *,
        url: str,
        namespace: str,
        every_s: float,
        transport: httpx.BaseTransport | None = None,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._truth, self._namespace, self._every_s, self._clock_ns = truth, namespace, every_s, clock_ns
        self._http = httpx.Client(base_url=url, timeout=TIMEOUT_S, transport=transport)
        self._start_ns = clock_ns()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._tell_on, name="teller", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> Literal[False]:
        self._stop.set()
        self._thread.join()
        self._http.close()
        return False

    def tell(self) -> None:
        """Send all sums once. Raises httpx.HTTPError when the collector does not answer."""
        resource = Resource(
            attributes=_attributes(
                {
                    "service.name": SERVICE,
                    "service.namespace": self._namespace,
                    "service.instance.id": self._namespace,
                    "service.version": __version__,
                }
            )
        )
        metrics = self._truth.metrics(start_ns=self._start_ns, now_ns=self._clock_ns())
        scope = ScopeMetrics(scope=InstrumentationScope(name=SERVICE, version=__version__), metrics=metrics)
        message = ExportMetricsServiceRequest(
            resource_metrics=[ResourceMetrics(resource=resource, scope_metrics=[scope])]
        )
        self._http.post(
            PATH, content=message.SerializeToString(), headers={"Content-Type": "application/x-protobuf"}
        ).raise_for_status()

    def _tell_on(self) -> None:
        while True:
            last = self._stop.is_set()
            with suppress(httpx.HTTPError):
                self.tell()
            if last:
                return
            self._stop.wait(self._every_s)


def _counter(name: str, points: list[NumberDataPoint]) -> Metric:
    total = Sum(data_points=points, aggregation_temporality=AGGREGATION_TEMPORALITY_CUMULATIVE, is_monotonic=True)
    return Metric(name=name, description="Requests that the drill's clients made.", unit="{request}", sum=total)


def _histogram(point: HistogramDataPoint) -> Metric:
    taken = Histogram(data_points=[point], aggregation_temporality=AGGREGATION_TEMPORALITY_CUMULATIVE)
    return Metric(
        name="tocsin.client.request.duration",
        description="How long clients waited for an answer.",
        unit="s",
        histogram=taken,
    )


def _gauge(name: str, points: list[NumberDataPoint]) -> Metric:
    return Metric(name=name, description="Whether a fault of the drill is in force.", gauge=Gauge(data_points=points))


def _attributes(given: Attributes) -> list[KeyValue]:
    return [KeyValue(key=key, value=AnyValue(string_value=value)) for key, value in given.items()]
