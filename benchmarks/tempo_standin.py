"""How much the Tempo stand-in takes in and how fast it answers: spans per second of one core, and search latency."""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import httpx
import psutil
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
SPANS_PER_TRACE = 5
TRACES_PER_REQUEST = 20
CONFIG = """
server: {http_listen_port: 0}
distributor: {receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}}}}}
query_frontend: {query_end_cutoff: 0s}
live_store: {max_trace_idle: 1s, max_trace_live: 5s, flush_check_period: 1s}
metrics_generator:
  processor: {service_graphs: {dimensions: [service.namespace]}, span_metrics: {dimensions: [service.namespace]}}
overrides:
  defaults: {metrics_generator: {processors: [service-graphs, span-metrics]}, ingestion: {max_traces_per_user: 0}}
"""
QUERIES = {
    "all of one run": '{ resource.service.namespace = "run-1" }',
    "errors of one run": '{ resource.service.namespace = "run-1" && status = error }',
    "no match, whole store": '{ resource.service.name = "nobody" }',
    "unscoped, no match": '{ .nothing = "x" }',
    "structural": '{ resource.service.name = "frontend" } >> { kind = server && span.http.response.status_code = 599 }',
    "regex": '{ name =~ "GET /nowhere/.*" }',
    "count": '{ resource.service.namespace = "run-1" } | count() > 4',
}
METRICS = {
    "rate by service": "{} | rate() by (resource.service.name)",
    "quantile": "{ kind = server } | quantile_over_time(duration, .5, .95) by (resource.service.name)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standin:
    """A running stand-in."""

    process: psutil.Process
    http: str
    otlp: str

    def cpu_s(self) -> float:
        """Processor seconds used so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@contextmanager
def standin(max_spans: int) -> Iterator[Standin]:
    """
    Start a stand-in on free ports; stop it at the end.
    """
    with tempfile.TemporaryDirectory() as directory:
        config = Path(directory, "tempo.yaml")
        config.write_text(CONFIG)
        command = [
            sys.executable,
            "-m",
            "stack.standins.tempo",
            f"-config.file={config}",
            f"-standin.max-spans={max_spans}",
        ]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            assert process.stderr is not None
            found = re.search(r"http=(\S+) otlp_grpc=(\S+)", process.stderr.readline())
            assert found is not None
            threading.Thread(target=process.stderr.read, daemon=True).start()
            yield Standin(process=psutil.Process(process.pid), http=f"http://{found[1]}", otlp=found[2])
        finally:
            process.terminate()
            process.wait()


def requests(spans: int) -> Sequence[bytes]:
    """
    OTLP requests with `spans` spans in all, as a shop of three services would send them.
    """
    per_request = SPANS_PER_TRACE * TRACES_PER_REQUEST
    return [_request(number) for number in range(spans // per_request)]


def _request(number: int) -> bytes:
    services: dict[str, list[Span]] = {"frontend": [], "catalog": [], "users": []}
    now_ns = time.time_ns()
    for _ in range(TRACES_PER_REQUEST):
        trace_id, ids = os.urandom(16), [os.urandom(8) for _ in range(SPANS_PER_TRACE)]
        failed = ids[0][0] < 8
        services["frontend"].append(
            _span(trace_id, ids[0], b"", "GET /api/products", Span.SPAN_KIND_SERVER, now_ns, failed)
        )
        services["frontend"].append(
            _span(trace_id, ids[1], ids[0], "GET", Span.SPAN_KIND_CLIENT, now_ns + 1000, failed)
        )
        services["catalog"].append(
            _span(trace_id, ids[2], ids[1], "GET /products", Span.SPAN_KIND_SERVER, now_ns + 2000, failed)
        )
        services["catalog"].append(
            _span(trace_id, ids[3], ids[2], "SELECT", Span.SPAN_KIND_CLIENT, now_ns + 3000, failed)
        )
        services["users"].append(
            _span(trace_id, ids[4], ids[1], "GET /users", Span.SPAN_KIND_SERVER, now_ns + 4000, False)
        )
    batches = [_batch(service, f"run-{number % 10}", spans) for service, spans in services.items()]
    return ExportTraceServiceRequest(resource_spans=batches).SerializeToString()


def _batch(service: str, namespace: str, spans: Sequence[Span]) -> ResourceSpans:
    batch = ResourceSpans(scope_spans=[ScopeSpans(spans=spans)])
    resource = {"service.name": service, "service.namespace": namespace, "telemetry.sdk.language": "python"}
    batch.resource.attributes.extend(_attributes(resource))
    return batch


def _span(trace_id: bytes, span_id: bytes, parent: bytes, name: str, kind: int, start_ns: int, failed: bool) -> Span:
    attributes = {
        "http.request.method": "GET",
        "http.route": "/api/products",
        "url.path": "/api/products",
        "url.scheme": "http",
        "server.address": "127.0.0.1",
        "network.protocol.version": "1.1",
        "http.response.status_code": 500 if failed else 200,
    }
    return Span(
        trace_id=trace_id,
        span_id=span_id,
        parent_span_id=parent,
        name=name,
        kind=kind,  # type: ignore[arg-type]
        start_time_unix_nano=start_ns,
        end_time_unix_nano=start_ns + 1_000_000 * (1 + span_id[0]),
        attributes=_attributes(attributes),
        status=Status(code=Status.STATUS_CODE_ERROR) if failed else None,
    )


def _attributes(values: Mapping[str, str | int]) -> Sequence[KeyValue]:
    return [
        KeyValue(key=key, value=AnyValue(int_value=value) if isinstance(value, int) else AnyValue(string_value=value))
        for key, value in values.items()
    ]


def ingest(target: Standin, bodies: Sequence[bytes], *, spans_per_s: float | None = None) -> float:
    """
    Send all requests, as fast as they are taken or at a rate; seconds that it took.
    """
    begun = time.perf_counter()
    pause_s = SPANS_PER_TRACE * TRACES_PER_REQUEST / spans_per_s if spans_per_s else 0.0
    with grpc.insecure_channel(target.otlp) as channel:
        export = channel.unary_unary(METHOD)
        for number, body in enumerate(bodies):
            export(body)
            time.sleep(max(0.0, begun + (number + 1) * pause_s - time.perf_counter()))
    return time.perf_counter() - begun


def latencies(target: Standin, path: str, queries: Mapping[str, str], repeat: int) -> Mapping[str, Sequence[float]]:
    """
    Milliseconds of each query, asked one after the other.
    """
    with httpx.Client(base_url=target.http, timeout=60) as client:
        return {name: [_ask(client, path, query) for _ in range(repeat)] for name, query in queries.items()}


def _ask(client: httpx.Client, path: str, query: str) -> float:
    begun = time.perf_counter()
    client.get(path, params={"q": query, "step": "1s"}).raise_for_status()
    return 1000 * (time.perf_counter() - begun)


def wait_for(condition: Callable[[], bool], within_s: float = 60) -> None:
    """
    Poll until the condition holds.
    """
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the stand-in did not flush in time")
        time.sleep(0.05)


def metric(target: Standin, name: str) -> float:
    """
    One value of the stand-in's metrics.
    """
    lines = httpx.get(f"{target.http}/metrics", timeout=60).text.splitlines()
    return float(next(line.split()[-1] for line in lines if line.startswith(name)))


def measure(spans: int, repeat: int) -> Mapping[str, object]:
    """
    Run the benchmark; all numbers by name.
    """
    bodies = requests(spans)
    with standin(max_spans=4 * spans) as target:
        idle_mb = target.process.memory_info().rss / 2**20
        cpu_s, wall_s = target.cpu_s(), ingest(target, bodies)
        cpu_s = target.cpu_s() - cpu_s
        wait_for(lambda: metric(target, "tempo_live_store_live_traces") == 0)
        resident = target.process.memory_info().rss / 2**20
        quiet = latencies(target, "/api/search", QUERIES, repeat)
        metrics = latencies(target, "/api/metrics/query_range", METRICS, max(3, repeat // 5))
        more = requests(5_000 * 8)
        sender = threading.Thread(target=lambda: ingest(target, more, spans_per_s=5_000))
        sender.start()
        busy = latencies(target, "/api/search", QUERIES, max(3, repeat // 5))
        sender.join()
        return {
            "spans": spans,
            "spans_per_wall_second": round(spans / wall_s),
            "spans_per_core_second": round(spans / cpu_s),
            "resident_mb": {"idle": round(idle_mb), "stored": round(resident)},
            "bytes_per_span": round((resident - idle_mb) * 2**20 / spans),
            "search_p95_ms": _p95([value for values in quiet.values() for value in values]),
            "search_p95_ms_while_5000_spans_per_s_come_in": _p95(
                [value for values in busy.values() for value in values]
            ),
            "by_query_median_ms": {name: round(statistics.median(v), 1) for name, v in {**quiet, **metrics}.items()},
        }


def _p95(values: Sequence[float]) -> float:
    return round(statistics.quantiles(values, n=20)[-1], 1)


def main() -> None:
    """
    Print the numbers as JSON.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=50_000)
    parser.add_argument("--repeat", type=int, default=20, help="times that each search is asked")
    flags = parser.parse_args()
    print(json.dumps(measure(flags.spans, flags.repeat), indent=2))


if __name__ == "__main__":
    main()
