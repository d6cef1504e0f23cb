"""The detector against a real Prometheus and a real Alertmanager: killed again and again, and with weeks of history."""

import contextlib
import json
import math
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from detector.backfill import Weeks, history, make_blocks, write_openmetrics
from detector.kinds import Kind
from stack.engines import ensure

pytestmark = pytest.mark.e2e
KILLS = 10
PAUSE = threading.Event()


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(done: Callable[[], Any], within_s: float, what: str) -> Any:
    """Ask until the answer is true, and give it."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            if answer := done():
                return answer
        PAUSE.wait(0.05)
    raise AssertionError(f"not within {within_s} s: {what}")


class Program:
    """A program that can be killed and started again on the same port and folder."""

    def __init__(self, command: list[str], log: Path, ready: str) -> None:
        self.command, self.log, self.ready = command, log, ready
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)
        until(lambda: httpx.get(self.ready, trust_env=False).status_code == 200, 60.0, self.ready)

    def kill(self) -> None:
        """Kill without warning."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


class Web:
    """Shows gauges to Prometheus and takes the detector's webhook."""

    def __init__(self) -> None:
        self.factors: dict[str, float] = dict.fromkeys("abcd", 1.0)
        self.told: list[dict[str, Any]] = []
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.reply(web.metrics().encode(), "text/plain; version=0.0.4")

            def do_POST(self) -> None:
                web.told.extend(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["alerts"])
                self.reply(b"", "text/plain")

            def reply(self, body: bytes, content_type: str) -> None:
                self.send_response(200)
                self.send_header("Content-Type", content_type)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = int(self.server.server_address[1])
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def metrics(self) -> str:
        """Latencies that wobble, by service."""
        wobble = 1.0 + 0.03 * math.sin(time.time() * 7.0)
        return "".join(
            f'lat{{service_name="{name}"}} {0.1 * wobble * factor}\n' for name, factor in self.factors.items()
        )

    def close(self) -> None:
        """Stop serving."""
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def web() -> Iterator[Web]:
    """Gauges and a webhook."""
    one = Web()
    yield one
    one.close()


class Site:
    """A Prometheus, an Alertmanager and a detector."""

    def __init__(self, folder: Path, web: Web) -> None:
        engines = ensure(["prometheus", "alertmanager"])
        prometheus, self.alertmanager_port, detector = free_port(), free_port(), free_port()
        (folder / "prometheus.yml").write_text(
            f"global: {{scrape_interval: 250ms, scrape_timeout: 250ms}}\n"
            f"scrape_configs: [{{job_name: web, static_configs: [{{targets: ['127.0.0.1:{web.port}']}}]}}]\n"
        )
        (folder / "alertmanager.yml").write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
        (folder / "detector.yaml").write_text(
            f"prometheus: {{url: 'http://127.0.0.1:{prometheus}'}}\n"
            f"interval: 500ms\nlookback: 60s\nstate_dir: {folder}/state\nsnapshot_every: 2s\n"
            f"listen: 127.0.0.1:{detector}\n"
            "series: [{name: latency, query: 'sum by (service_name) (lat)', kind: latency, season: none}]\n"
            f"sinks:\n  alertmanager: [{{url: 'http://127.0.0.1:{self.alertmanager_port}', resend: 1s}}]\n"
            f"  webhook: [{{url: 'http://127.0.0.1:{web.port}/hook'}}]\n"
        )
        self.prometheus = Program(
            [str(engines["prometheus"]), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
             f"--web.listen-address=127.0.0.1:{prometheus}"],
            folder / "prometheus.log", f"http://127.0.0.1:{prometheus}/-/ready")  # fmt: skip
        self.alertmanager = Program(
            [str(engines["alertmanager"]), f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/am",
             f"--web.listen-address=127.0.0.1:{self.alertmanager_port}", "--cluster.listen-address="],
            folder / "alertmanager.log", f"http://127.0.0.1:{self.alertmanager_port}/-/ready")  # fmt: skip
        self.detector = Program(
            [sys.executable, "-m", "detector", "run", "-c", f"{folder}/detector.yaml"],
            folder / "detector.log", f"http://127.0.0.1:{detector}/healthz")  # fmt: skip

    @property
    def programs(self) -> tuple[Program, ...]:
        """All three."""
        return self.prometheus, self.alertmanager, self.detector

    def active(self) -> dict[str, dict[str, Any]]:
        """Alertmanager's active anomalies by service; two for one service would be an error."""
        answer = httpx.get(f"http://127.0.0.1:{self.alertmanager_port}/api/v2/alerts", trust_env=False).json()
        found = [alert for alert in answer if alert["labels"]["alertname"] == "AnomalyDetected"]
        services = [alert["labels"]["service_name"] for alert in found]
        assert len(services) == len(set(services)), answer
        return dict(zip(services, found, strict=True))


@pytest.fixture
def site(tmp_path: Path, web: Web) -> Iterator[Site]:
    """All three programs, running; ended whatever happens."""
    one = Site(tmp_path, web)
    try:
        for program in one.programs:
            program.start()
        yield one
    finally:
        for program in one.programs:
            program.kill()


def learned(site: Site) -> bool:
    """Whether all four series are known well enough to be judged."""
    url = site.detector.ready.replace("healthz", "api/v1/series")
    rows = httpx.get(url, trust_env=False).json()["series"]
    return len(rows) == 4 and all(row["status"] == "level" for row in rows)


def anomalies(web: Web) -> list[tuple[str, str]]:
    """What the webhook heard of anomalies, in order; one that becomes graver is told again, under another key."""
    told = [one for one in web.told if one["labels"]["alertname"] == "AnomalyDetected"]
    return [
        (one["labels"]["service_name"], one["status"]) for one in told if one["annotations"]["grade"] != "escalated"
    ]


def test_no_alert_is_lost_or_doubled_while_everything_is_killed_ten_times(site: Site, web: Web) -> None:
    """
    Prometheus and Alertmanager are killed ten times each, the detector three times, while faults come and go.

    Every fault is told once and resolved once, Alertmanager knows what is active after each of its deaths, an
    alert's start never changes, and nothing is told of the service that was well all the time.
    """
    until(lambda: learned(site), 40.0, "all series learned")
    web.factors["a"] = 6.0
    started = until(lambda: site.active().get("a"), 15.0, "a told")["startsAt"]
    for turn in range(KILLS):
        site.prometheus.kill()
        site.alertmanager.kill()
        if turn == 2:
            web.factors["b"] = 6.0
        if turn == 6:
            web.factors["b"] = 1.0
        if turn in (3, 5, 8):
            site.detector.kill()
        for program in site.programs:
            if program.process is None or program.process.poll() is not None:
                program.start()
        until(lambda: site.active().get("a", {}).get("startsAt") == started, 20.0, f"a still told after kill {turn}")
        if turn == 5:
            until(lambda: "b" in site.active(), 20.0, "b told")
    web.factors.update(a=1.0, c=6.0)
    until(lambda: set(site.active()) == {"c"}, 30.0, "a and b over, c told")
    web.factors["c"] = 1.0
    until(lambda: not site.active(), 30.0, "all over")
    heard = anomalies(web)
    keys = [one["key"] for one in web.told]
    assert len(keys) == len(set(keys)), keys
    for service in "abc":
        assert {status for name, status in heard if name == service} == {"firing", "resolved"}
        assert [status for name, status in heard if name == service].count("resolved") == 1
    assert all(name != "d" for name, _ in heard)


def write_history(weeks: Weeks, path: Path) -> list[dict[str, Any]]:
    """Write traffic with an hourly batch that fails to run twice; returns the two gaps of both series as labelled faults."""
    (traffic,) = recorded = [part for part in history(weeks) if part.kind is Kind.TRAFFIC]
    faults = []
    for column, offset in ((0, 0.0), (1, 60.0)):
        for hours in (3, 2):
            start = weeks.until_s - hours * 3600 + offset
            traffic.values[(traffic.at_s >= start) & (traffic.at_s < start + 120), column] /= 2.2
            faults.append({"labels": {"service_name": f"service-{column}"}, "start": start, "end": start + 120})
    with path.open("w") as out:
        write_openmetrics(weeks, recorded, out)
    return faults


def prometheus_on(folder: Path, binary: Path) -> tuple[Program, str]:
    """A Prometheus that scrapes nothing and keeps old blocks, and its address."""
    url = f"http://127.0.0.1:{free_port()}"
    (folder / "prometheus.yml").write_text("global: {}\n")
    command = [str(binary), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb"]
    command += [f"--web.listen-address={url.removeprefix('http://')}", "--storage.tsdb.retention.time=60d"]
    return Program(command, folder / "prometheus.log", f"{url}/-/ready"), url


def test_with_history_an_hourly_batch_is_no_anomaly_and_a_missing_one_is(tmp_path: Path) -> None:
    """A day of synthetic history in Prometheus' blocks: the season is learned from it, and its absence is noticed."""
    engines = ensure(["prometheus", "promtool"])
    until_s = (time.time() - 4 * 3600) // 3600 * 3600
    weeks = Weeks(until_s=until_s, days=1.2, step_s=60.0, services=2, faults=False)
    (tmp_path / "labels.json").write_text(json.dumps(write_history(weeks, tmp_path / "history.om")))
    make_blocks(engines["promtool"], tmp_path / "history.om", tmp_path / "tsdb")
    prometheus, url = prometheus_on(tmp_path, engines["prometheus"])
    (tmp_path / "detector.yaml").write_text(
        f"prometheus: {{url: '{url}', timeout: 50s}}\ninterval: 60s\nlookback: 18h\nrefit_every: 1h\n"
        "series: [{name: traffic, query: sli_requests_per_second, kind: traffic, direction: both, season: 1h}]\n"
    )
    command = [sys.executable, "-m", "detector", "backtest", "-c", str(tmp_path / "detector.yaml"), "--json"]
    command += ["--from", str(until_s - 6 * 3600), "--to", str(until_s - 60), "--labels", str(tmp_path / "labels.json")]
    try:
        prometheus.start()
        said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    finally:
        prometheus.kill()
    (row,) = json.loads(said.stdout)
    assert (row["series"], row["faults"], row["found"], row["false"]) == (2, 4, 4, 0)
