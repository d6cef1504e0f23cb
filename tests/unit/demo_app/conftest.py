"""What the demo app's tests share: a clock that stands still, telemetry in memory, and roles to call."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from wsgiref.types import WSGIApplication

import pytest
from flask import Flask
from opentelemetry.instrumentation.urllib3 import URLLib3Instrumentor
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader, NumberDataPoint
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from demo_app.app import Parts, create_app
from demo_app.faults.api import Places
from demo_app.faults.leases import Leases
from demo_app.metrics import ShopMetrics
from demo_app.server import Server
from demo_app.service import apply_defaults
from demo_app.settings import Settings
from demo_app.telemetry import Telemetry, build


@dataclass
class Clock:
    """A monotonic clock that only moves when told."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Seen:
    """The telemetry of a test, and what came out of it."""

    telemetry: Telemetry
    exporter: InMemorySpanExporter
    reader: InMemoryMetricReader
    log_exporter: InMemoryLogRecordExporter

    def spans(self, kind: SpanKind | None = None) -> list[ReadableSpan]:
        return [span for span in self.exporter.get_finished_spans() if kind in (None, span.kind)]

    def points(self, name: str) -> list[NumberDataPoint | HistogramDataPoint]:
        data = self.reader.get_metrics_data()
        metrics = [
            metric
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
        ]
        points = [point for metric in metrics if metric.name == name for point in metric.data.data_points]
        return [point for point in points if isinstance(point, NumberDataPoint | HistogramDataPoint)]


@dataclass
class Role:
    """One role under test."""

    app: Flask
    places: Places
    leases: Leases


@pytest.fixture(scope="session", autouse=True)
def _stable_conventions() -> Iterator[None]:
    """The instrumentations read once per process which conventions to follow: let them read ours."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("OTEL_")]:
            patch.delenv(name)
        environ: dict[str, str] = {}
        apply_defaults(Settings(role="catalog", upstreams={}), environ)
        for name, value in environ.items():
            patch.setenv(name, value)
        URLLib3Instrumentor().instrument()
        URLLib3Instrumentor().uninstrument()
        yield


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def leases(clock: Clock) -> Leases:
    """Faults on that clock."""
    return Leases(clock)


@pytest.fixture
def seen() -> Iterator[Seen]:
    """Telemetry that stays in memory, with instrumented clients."""
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    log_exporter = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
    telemetry = build(SimpleSpanProcessor(exporter), reader, SimpleLogRecordProcessor(log_exporter))
    telemetry.instrument_clients()
    yield Seen(telemetry=telemetry, exporter=exporter, reader=reader, log_exporter=log_exporter)
    URLLib3Instrumentor().uninstrument()
    assert telemetry.shutdown(within_s=10)


MakeRole = Callable[..., Role]


@pytest.fixture
def make_role(seen: Seen, clock: Clock, tmp_path: Path) -> MakeRole:
    """Build a role, with faults of its own; further arguments go to its Settings."""

    def make(role: str, *, upstreams: dict[str, str] | None = None, timeout_s: float = 5.0) -> Role:
        leases = Leases(clock)
        settings = Settings(role=role, upstreams=upstreams or {}, upstream_timeout_s=timeout_s)
        parts = Parts(
            settings=settings,
            telemetry=seen.telemetry,
            metrics=ShopMetrics(seen.telemetry.meter),
            leases=leases,
            database=tmp_path / f"{role}.sqlite",
        )
        app, places = create_app(parts)
        return Role(app=app, places=places, leases=leases)

    return make


@contextmanager
def served(app: WSGIApplication) -> Iterator[str]:
    """Serve an application on a free port; gives its URL."""
    server = Server(app, "127.0.0.1", 0, 4)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield f"http://{server.address}"
    finally:
        server.stop()
        thread.join(10)
        assert server.drain(within_s=10)
        server.close()


@dataclass
class Shop:
    """The three roles: a frontend to call, in front of two services."""

    frontend: Role
    catalog: Role
    users: Role
    urls: dict[str, str]


@pytest.fixture
def shop(make_role: MakeRole) -> Iterator[Shop]:
    """The whole shop; catalog and users listen on ports of their own."""
    catalog, users = make_role("catalog"), make_role("users")
    with served(catalog.app) as catalog_url, served(users.app) as users_url:
        urls = {"catalog": catalog_url, "users": users_url}
        frontend = make_role("frontend", upstreams=urls)
        yield Shop(frontend=frontend, catalog=catalog, users=users, urls=urls)
