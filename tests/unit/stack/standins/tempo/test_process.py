"""The stand-in as a process: the same flags as Tempo, real sockets, clean ends."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from tests.unit.stack.standins.tempo.made import pairs

COMMAND = [sys.executable, "-m", "stack.standins.tempo"]
METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
WITHIN_S = 60
CONFIG = """
server: {http_listen_address: 127.0.0.1, http_listen_port: 0, log_level: warn}
distributor: {receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}}}}
query_frontend: {query_end_cutoff: 0s}
live_store: {max_trace_idle: 100ms, flush_check_period: 100ms}
metrics_generator:
  storage: {path: /var/tempo, remote_write: [{url: "http://127.0.0.1:9/api/v1/write"}]}
overrides: {defaults: {metrics_generator: {processors: [span-metrics]}}}
"""


@dataclass
class Running:
    """A started stand-in and what it has printed."""

    process: subprocess.Popen[str]
    addresses: dict[str, str]
    printed: list[str] = field(default_factory=list)

    def get(self, path: str, **parameters: str) -> httpx.Response:
        """A GET of the API."""
        return httpx.get(f"http://{self.addresses['http']}{path}", params=parameters, timeout=WITHIN_S)


@contextmanager
def running(config: Path, *flags: str) -> Iterator[Running]:
    """Start it, wait for its addresses, and let it go at the end."""
    process = subprocess.Popen([*COMMAND, f"-config.file={config}", *flags], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    with process, process.stderr as stderr:
        try:
            line = stderr.readline()
            standin = Running(process, dict(re.findall(r"(\w+)=(127\S+|off)", line)), [line])
            reader = threading.Thread(target=lambda: standin.printed.extend(stderr))
            reader.start()
            yield standin
        finally:
            process.kill()
            process.wait(WITHIN_S)
            reader.join(WITHIN_S)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration with free ports and quick flushes."""
    file = tmp_path_factory.mktemp("tempo") / "tempo.yaml"
    file.write_text(CONFIG)
    return file


@pytest.fixture(scope="module")
def standin(config: Path) -> Iterator[Running]:
    """A running stand-in."""
    with running(config) as started:
        yield started


def eventually(condition: Callable[[], bool]) -> None:
    """Poll until the condition holds, or fail at the deadline."""
    deadline = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < deadline, "not within the deadline"
        time.sleep(0.02)


def otlp(name: str, number: int) -> ExportTraceServiceRequest:
    """A request with one root span that ended now."""
    now_ns = time.time_ns()
    span = Span(
        trace_id=number.to_bytes(16, "big"),
        span_id=number.to_bytes(8, "big"),
        name=name,
        kind=Span.SPAN_KIND_SERVER,
        start_time_unix_nano=now_ns - 5_000_000,
        end_time_unix_nano=now_ns,
    )
    resource = Resource(attributes=pairs({"service.name": "shop"}))
    return ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(resource=resource, scope_spans=[ScopeSpans(spans=[span])])]
    )


def test_takes_grpc_with_gzip_and_finds_it(standin: Running) -> None:
    """
    A compressed gRPC export is in a trace by id at once, and in a search after the flush.
    """
    with grpc.insecure_channel(standin.addresses["otlp_grpc"]) as channel:
        export = channel.unary_unary(METHOD)
        export(otlp("by grpc", 0xA1).SerializeToString(), compression=grpc.Compression.Gzip, timeout=WITHIN_S)

    assert standin.get("/api/traces/a1").status_code == 200
    eventually(lambda: len(standin.get("/api/search", q='{ name = "by grpc" }').json()["traces"]) == 1)


def test_takes_http_and_counts_it(standin: Running) -> None:
    """
    An HTTP export is counted in Tempo's own metrics and in the generator's.
    """
    url = f"http://{standin.addresses['otlp_http']}/v1/traces"
    headers = {"content-type": "application/x-protobuf"}
    answer = httpx.post(url, content=otlp("by http", 0xA2).SerializeToString(), headers=headers, timeout=WITHIN_S)

    assert answer.status_code == 200
    text = standin.get("/metrics").text
    assert re.search(r'tempo_distributor_spans_received_total\{tenant="single-tenant"\} [1-9]', text)
    assert 'traces_spanmetrics_calls_total{service="shop",span_kind="SPAN_KIND_SERVER",span_name="by http"' in text


def test_malformed_grpc_is_invalid_argument(standin: Running) -> None:
    """
    Bytes that are no OTLP are refused, and the next export is taken.
    """
    with grpc.insecure_channel(standin.addresses["otlp_grpc"]) as channel:
        export = channel.unary_unary(METHOD)
        with pytest.raises(grpc.RpcError) as caught:
            export(b"\xff\xff", timeout=WITHIN_S)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert export(otlp("after", 0xA3).SerializeToString(), timeout=WITHIN_S) == b""


def test_says_what_it_is_and_what_it_does_not_do(standin: Running) -> None:
    """
    The version names the stand-in; the log tells that metrics are to be scraped and which fields have no effect.
    """
    assert standin.get("/api/status/buildinfo").json()["version"] == "0.0.0-standin"
    eventually(lambda: "remote_write is not done" in "".join(standin.printed))
    eventually(lambda: "metrics_generator.storage.path, server.log_level" in "".join(standin.printed))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ends_cleanly_on_a_signal(config: Path, number: signal.Signals) -> None:
    """
    SIGTERM and Ctrl-C end it with status 0.
    """
    with running(config) as started:
        eventually(lambda: started.get("/ready").text == "ready\n")
        started.process.send_signal(number)

        assert started.process.wait(WITHIN_S) == 0


def test_memory_is_bounded_by_flag(config: Path) -> None:
    """
    With room for two spans the oldest traces leave, and that is counted.
    """
    with running(config, "-standin.max-spans=2") as started:
        with grpc.insecure_channel(started.addresses["otlp_grpc"]) as channel:
            for number in range(1, 6):
                channel.unary_unary(METHOD)(otlp("x", number).SerializeToString(), timeout=WITHIN_S)

        text = started.get("/metrics").text
        assert started.get("/api/traces/1").status_code == 404
        assert started.get("/api/traces/5").status_code == 200
        assert "tempo_standin_evicted_spans_total 3.0" in text


@pytest.fixture
def durable(tmp_path: Path) -> Path:
    """A configuration with a write-ahead log, and flushes that come only when they are told to."""
    file = tmp_path / "tempo.yaml"
    flush = "live_store: {max_trace_idle: 1h, max_trace_live: 1h, flush_check_period: 50ms"
    file.write_text(re.sub("live_store: {[^}]*", f"{flush}, wal: {{path: {tmp_path}/wal}}", CONFIG))
    return file


def test_a_stop_loses_nothing(durable: Path) -> None:
    """
    Traces that were not flushed yet are, before it ends, and the next one finds them by id and in a search.
    """
    with running(durable) as first:
        with grpc.insecure_channel(first.addresses["otlp_grpc"]) as channel:
            channel.unary_unary(METHOD)(otlp("kept", 0xB1).SerializeToString(), timeout=WITHIN_S)
        first.process.terminate()
        assert first.process.wait(WITHIN_S) == 0

    with running(durable) as second:
        assert second.get("/api/traces/b1").status_code == 200
        assert len(second.get("/api/search", q='{ name = "kept" }').json()["traces"]) == 1


def test_a_kill_loses_what_was_not_flushed_and_no_more(durable: Path) -> None:
    """
    As with Tempo, a trace is safe once it is searchable, and not before.
    """
    durable.write_text(durable.read_text().replace("max_trace_idle: 1h", "max_trace_idle: 100ms"))
    with running(durable) as first, grpc.insecure_channel(first.addresses["otlp_grpc"]) as channel:
        export = channel.unary_unary(METHOD)
        export(otlp("flushed", 0xC1).SerializeToString(), timeout=WITHIN_S)
        eventually(lambda: len(first.get("/api/search", q='{ name = "flushed" }').json()["traces"]) == 1)
        eventually(lambda: any(file.stat().st_size for file in durable.parent.glob("wal/*")))

    durable.write_text(durable.read_text().replace("max_trace_idle: 100ms", "max_trace_idle: 1h"))
    with running(durable) as second, grpc.insecure_channel(second.addresses["otlp_grpc"]) as channel:
        assert second.get("/api/traces/c1").status_code == 200
        channel.unary_unary(METHOD)(otlp("in memory", 0xC2).SerializeToString(), timeout=WITHIN_S)

    with running(durable) as third:
        assert third.get("/api/traces/c1").status_code == 200
        assert third.get("/api/traces/c2").status_code == 404


def run(*flags: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    return subprocess.run(
        [*COMMAND, *flags],
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        env={**os.environ, **environment},
        check=False,
    )


def test_prints_its_version() -> None:
    """
    `-version` cannot be taken for the real one's.
    """
    done = run("-version")

    assert done.returncode == 0
    assert "0.0.0-standin" in done.stdout
    assert "not Tempo" in done.stdout


def test_verifies_a_configuration_without_starting(config: Path, tmp_path: Path) -> None:
    """
    `-config.verify` is 0 for a good file and 2, with the place, for a bad one.
    """
    bad = tmp_path / "bad.yaml"
    bad.write_text("ingester: {}\n")

    assert run("-config.verify=true", f"-config.file={config}").returncode == 0
    done = run("-config.verify", "-config.file", str(bad))
    assert done.returncode == 2
    assert f"failed parsing config: {bad}:1: field 'ingester' was removed in Tempo 3" in done.stderr


@pytest.mark.parametrize("receiver", ["http_listen_port", "grpc", "http"])
def test_a_taken_port_is_named(receiver: str, tmp_path: Path) -> None:
    """
    The error says which address is taken; the exit status is 1.
    """
    file = tmp_path / "tempo.yaml"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        text = CONFIG.replace("http_listen_port: 0", f"http_listen_port: {address.rpartition(':')[2]}")
        if receiver != "http_listen_port":
            text = CONFIG.replace(f'{receiver}: {{endpoint: "127.0.0.1:0"', f'{receiver}: {{endpoint: "{address}"')
        file.write_text(text)
        done = run(f"-config.file={file}")

    assert done.returncode == 1
    assert f"cannot listen on {address}" in done.stderr


@pytest.mark.parametrize(
    ("flags", "environment", "words"),
    [
        (["-standin.max-spans=0"], {}, "must be a whole number above 0, found '0'"),
        (["-config.verify=maybe"], {}, "must be true or false, found 'maybe'"),
        (["-target=querier"], {}, "invalid choice: 'querier'"),
        (["-nonsense"], {}, "unrecognized arguments: -nonsense"),
        ([], {"TEMPO_STANDIN_MAX_BYTES": "lots"}, "must be a whole number above 0, found 'lots'"),
    ],
)
def test_a_wrong_flag_is_named(flags: list[str], environment: dict[str, str], words: str) -> None:
    """
    With exit status 2.
    """
    done = run(*flags, **environment)

    assert done.returncode == 2
    assert words in done.stderr
