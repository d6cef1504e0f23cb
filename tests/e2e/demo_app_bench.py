"""What the demo app's end-to-end tests stand on: real processes, and a collector that only remembers."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import urllib3
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

TOKEN = "open-sesame"
DEADLINE_S = 30.0

Route = tuple[str, str, int]
"""Method, route template and status."""


def eventually(condition: Callable[[], Any], what: str, within_s: float = DEADLINE_S) -> Any:
    """Ask until the answer is true, and give it; fail after `within_s` with `what` was waited for."""
    deadline = time.monotonic() + within_s
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {within_s:g} s: {what}"
        time.sleep(0.01)
    return answer


def plain(attributes: Any) -> dict[str, Any]:
    """OTLP attributes as a dict."""
    pairs: list[KeyValue] = list(attributes)
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value") or "string_value") for pair in pairs}


class Collector:
    """An OTLP/HTTP receiver that keeps what it gets; `answering` cleared, it takes and never answers."""

    def __init__(self) -> None:
        self.spans: list[tuple[dict[str, Any], Span]] = []
        self.logs: list[tuple[dict[str, Any], Any]] = []
        self.metrics: dict[tuple[str, str], Any] = {}
        self.exports: Counter[tuple[str, str]] = Counter()
        self.answering = threading.Event()
        self.answering.set()
        self._lock = threading.Lock()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.answering.wait()
                collector._take(self.path, gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self.answering.set()
        self._server.shutdown()
        self._server.server_close()

    def server_spans(self, service: str) -> list[Span]:
        with self._lock:
            return [
                span
                for resource, span in self.spans
                if resource["service.name"] == service and span.kind == Span.SPAN_KIND_SERVER
            ]

    def points(self, service: str, metric: str) -> list[Any]:
        """The latest data points of one metric."""
        with self._lock:
            latest = self.metrics.get((service, metric))
        return [] if latest is None else list(getattr(latest, latest.WhichOneof("data")).data_points)

    def counted(self, service: str) -> Counter[Route]:
        """Requests by route and status, as the server's duration metric has them."""
        counts: Counter[Route] = Counter()
        for point in self.points(service, "http.server.request.duration"):
            counts[_route(plain(point.attributes))] += point.count
        return counts

    def traced(self, service: str) -> Counter[Route]:
        """Requests by route and status, as the server spans have them."""
        return Counter(_route(plain(span.attributes)) for span in self.server_spans(service))

    def _take(self, path: str, body: bytes) -> None:
        with self._lock:
            if path == "/v1/traces":
                for traces in ExportTraceServiceRequest.FromString(body).resource_spans:
                    resource = self._resource(traces, "traces")
                    self.spans.extend((resource, span) for scope in traces.scope_spans for span in scope.spans)
            elif path == "/v1/metrics":
                for metrics in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                    service = self._resource(metrics, "metrics")["service.name"]
                    self.metrics |= {(service, m.name): m for scope in metrics.scope_metrics for m in scope.metrics}
            elif path == "/v1/logs":
                for logs in ExportLogsServiceRequest.FromString(body).resource_logs:
                    resource = self._resource(logs, "logs")
                    self.logs.extend((resource, log) for scope in logs.scope_logs for log in scope.log_records)

    def _resource(self, export: Any, signal_name: str) -> dict[str, Any]:
        resource = plain(export.resource.attributes)
        self.exports[(resource["service.name"], signal_name)] += 1
        return resource


def _route(attributes: dict[str, Any]) -> Route:
    return (
        attributes["http.request.method"],
        attributes.get("http.route", ""),
        attributes["http.response.status_code"],
    )


@dataclass
class Process:
    """One role, running."""

    role: str
    process: subprocess.Popen[bytes]
    log: Path
    pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(maxsize=32, retries=False))

    def lines(self) -> list[dict[str, Any]]:
        """What it has logged."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def announced(self, message: str) -> str:
        """The address that it says it listens on."""

        def address() -> str | None:
            assert self.process.poll() is None, self.log.read_text()
            return next((line["address"] for line in self.lines() if line["message"] == message), None)

        return str(eventually(address, f"{self.role}: {message}"))

    @property
    def url(self) -> str:
        return f"http://{self.announced('listening')}"

    @property
    def fault_url(self) -> str:
        return f"http://{self.announced('fault API is listening')}"

    def get(self, path: str, **options: Any) -> urllib3.BaseHTTPResponse:
        return self.pool.request("GET", f"{self.url}{path}", timeout=DEADLINE_S, **options)

    def fault(self, method: str, fault_id: str = "test", token: str = TOKEN, **body: Any) -> urllib3.BaseHTTPResponse:
        """Use the fault API: PUT with a body, or DELETE."""
        return self.pool.request(
            method,
            f"{self.fault_url}/faults/{fault_id}",
            json=({"lease_s": 5} | body) if body else None,
            headers={"Authorization": f"Bearer {token}"},
            timeout=DEADLINE_S,
        )

    def terminate(self, within_s: float = DEADLINE_S) -> tuple[int, float]:
        """SIGTERM it; its exit code, and the seconds that it took."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(within_s)
        return code, time.monotonic() - started


Start = Callable[..., Process]


@contextmanager
def processes(directory: Path, collector: str) -> Iterator[Start]:
    """A function that starts a role; all are gone afterwards."""
    started: list[Process] = []

    def start(role: str, **environ: str) -> Process:
        log = directory / f"{role}-{len(started)}.log"
        with log.open("wb") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", "demo_app"],
                env=_environment(role, collector, directory) | environ,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
            )
        started.append(Process(role=role, process=process, log=log))
        return started[-1]

    try:
        yield start
    finally:
        for one in started:
            one.process.kill()
            one.process.wait(DEADLINE_S)
            one.pool.clear()


def _environment(role: str, collector: str, directory: Path) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "DEMO_"))},
        "DEMO_ROLE": role,
        "DEMO_PORT": "0",
        "DEMO_DATABASE": str(directory / f"{role}.sqlite"),
        "DEMO_FAULT_TOKEN": TOKEN,
        "OTEL_RESOURCE_ATTRIBUTES": f"service.namespace=test,service.instance.id=test-{role}",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector,
        "OTEL_METRIC_EXPORT_INTERVAL": "200",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "OTEL_BLRP_SCHEDULE_DELAY": "100",
    }


@dataclass
class Shop:
    """The three roles, running."""

    frontend: Process
    catalog: Process
    users: Process

    @property
    def all(self) -> tuple[Process, Process, Process]:
        return self.frontend, self.catalog, self.users


def start_shop(start: Start, **environ: str) -> Shop:
    """All three roles, ready to serve."""
    catalog, users = start("catalog", **environ), start("users", **environ)
    frontend = start("frontend", DEMO_CATALOG_URL=catalog.url, DEMO_USERS_URL=users.url, **environ)
    eventually(lambda: frontend.get("/ready").status == 200, "the frontend is ready")
    return Shop(frontend=frontend, catalog=catalog, users=users)


TEMPLATES = ((re.compile(r"/api/(products|users)/\d+$"), r"/api/\1/<int:id>"),)


def drive(process: Process, requests: list[tuple[str, str, Any]], clients: int = 8) -> Counter[Route]:
    """Send requests (method, path, body) from several clients; what they were answered: the clients' truth."""

    def send(request: tuple[str, str, Any]) -> Route:
        method, path, body = request
        answer = process.pool.request(method, f"{process.url}{path}", json=body, timeout=DEADLINE_S)
        for pattern, template in TEMPLATES:
            path = pattern.sub(template, path)
        return method, path, answer.status

    with ThreadPoolExecutor(clients) as pool:
        return Counter(pool.map(send, requests))
