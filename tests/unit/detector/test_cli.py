"""The command line: against a Prometheus of our own, over the very code that asks the real one."""

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from typer.testing import CliRunner

from detector import backfill, backtest
from detector.backfill import BackfillError, Weeks, families, history, make_blocks, write_labels, write_openmetrics
from detector.cli import app, main
from detector.config import Peer
from detector.config_file import ConfigError
from detector.http_client import client
from detector.kinds import Kind
from detector.server import bound

START_S = 1_795_000_000.0 // 900 * 900


@contextlib.contextmanager
def served(answer: Callable[[httpx.Request], httpx.Response]) -> Iterator[str]:
    """A real HTTP server on loopback in front of a handler."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            response = answer(httpx.Request("POST", f"http://x{self.path}", content=body, headers=dict(self.headers)))
            self.send_response(response.status_code)
            self.end_headers()
            self.wfile.write(response.content)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def latency(at_s: float) -> float:
    """A fault from minute 60 to minute 65."""
    return 0.4 if START_S + 3600 <= at_s < START_S + 3900 else 0.1 + 0.001 * (at_s // 15 % 7)


@pytest.fixture
def config(tmp_path: Path, prometheus: Any) -> Iterator[Path]:
    """A configuration file whose Prometheus is served on loopback."""
    prometheus.add("latency", latency, service_name="catalog")
    prometheus.add("requests", lambda _: 50.0, service_name="catalog")
    prometheus.add("errors", lambda at: 20.0 if latency(at) > 0.3 else 0.0, service_name="catalog")
    with served(prometheus.answer) as url:
        path = tmp_path / "detector.yaml"
        path.write_text(f"""\
prometheus: {{url: {url}}}
interval: 15s
lookback: 70m
listen: 127.0.0.1:0
series:
  - {{name: latency, query: latency, kind: latency, season: none}}
  - {{name: errors, query: errors, requests_query: requests, kind: errors, season: none}}
  - {{name: nothing, query: nothing, kind: traffic, season: none}}
""")
        yield path


def invoke(*arguments: str) -> str:
    """Run a command that must succeed."""
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return result.output


def test_once_says_what_the_detector_would_say(config: Path) -> None:
    """At a moment within the fault both signals fire; before it none; as JSON or as a table."""
    rows = json.loads(invoke("once", "-c", str(config), "--at", str(START_S + 3700), "--json"))
    assert [(row["watch"], row["firing"], row["severity"]) for row in rows] == [
        ("latency", True, "critical"), ("errors", True, "critical")]  # fmt: skip
    table = invoke("once", "-c", str(config), "--at", str(START_S + 3500))
    assert "latency catalog" in table
    assert "critical" not in table


def test_backtest_counts_what_was_found(config: Path, tmp_path: Path) -> None:
    """Recall, precision and delay against labelled faults; faults of other series do not count."""
    labels = tmp_path / "labels.json"
    fault = {"labels": {"service_name": "catalog"}, "start": START_S + 3600, "end": START_S + 3900}
    labels.write_text(json.dumps([fault, {**fault, "watch": "errors", "labels": {"service_name": "other"}}]))
    span = ["--from", str(START_S + 1800), "--to", str(START_S + 5400)]
    rows = json.loads(invoke("backtest", "-c", str(config), *span, "--labels", str(labels), "--json"))
    assert [(row["watch"], row["faults"], row["found"], row["false"], row["delay_p50"]) for row in rows] == [
        ("latency", 1, 1, 0, 1.0), ("errors", 1, 1, 0, 1.0), ("nothing", 0, 0, 0, None)]  # fmt: skip
    assert "precision" in invoke("backtest", "-c", str(config), *span)


def test_explain_draws_a_page(config: Path, tmp_path: Path) -> None:
    """Values, band, score and the decision, in one file that needs nothing else."""
    out = tmp_path / "page.html"
    span = ["--from", str(START_S + 1800), "--to", str(START_S + 5400), "--out", str(out)]
    assert f"wrote {out}" in invoke("explain", "latency", "-c", str(config), *span)
    page = out.read_text()
    assert page.count('class="alert"') == 1
    assert "<polyline" in page
    assert "400 ms" in page
    assert "http" not in page.replace("http-equiv", "")
    rows = json.loads(invoke("once", "-c", str(config), "--at", str(START_S + 3700), "--json"))
    assert "errors: catalog" in (invoke("explain", rows[1]["id"], "-c", str(config), *span), out.read_text())[1]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (
            ["explain", "lost", "--from", "1795000000", "--to", "1795003600"],
            2,
            "no series 'lost' in this time; watches: latency",
        ),
        (["once", "--at", "yesterday"], 2, "is no moment"),
        (["backtest", "--from", "1795000000", "--to", "1795003600", "--labels", "/nowhere.json"], 2, "cannot be read"),
    ],
)
def test_bad_arguments_are_told(
    arguments: list[str],
    code: int,
    says: str,
    config: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was found, and what to do."""
    monkeypatch.setattr("sys.argv", ["detector", *arguments, "-c", str(config)])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == code
    assert says in capsys.readouterr().err.replace("\n", " ")


def test_a_prometheus_that_is_not_there_is_exit_code_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Could not ask is not the same as wrong."""
    with bound(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    path = tmp_path / "c.yaml"
    path.write_text(f"prometheus: {{url: 'http://127.0.0.1:{port}'}}\nseries: [{{name: a, query: q, kind: gauge}}]\n")
    monkeypatch.setattr("sys.argv", ["detector", "once", "-c", str(path)])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 3
    assert "Prometheus could not be asked for" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is not JSON"), ("{}", "must be a JSON list"), ('[{"start": 1}]', "fault 0 needs start and end"), ("[5]", "fault 0 needs"),
        ('[{"start": 5, "end": 4}]', "fault 0 ends before it starts"), ('[{"start": "soon", "end": 4}]', "fault 0: 'soon' is no moment"),
    ],
)  # fmt: skip
def test_bad_label_files_are_told(text: str, says: str, tmp_path: Path) -> None:
    """Which fault, and what is missing."""
    path = tmp_path / "labels.json"
    path.write_text(text)
    with pytest.raises(backtest.LabelsError, match=says):
        backtest.read_labels(path)


def test_backfill_writes_history_that_promtool_reads(tmp_path: Path) -> None:
    """Families one after the other, seconds, `# EOF` last; the faults lie on the last day and fit the values."""
    weeks = Weeks(until_s=START_S, days=2.0, step_s=60.0, services=2)
    recorded = history(weeks)
    out = tmp_path / "h.om"
    with out.open("w") as file:
        samples = write_openmetrics(weeks, recorded, file)
    lines = out.read_text().splitlines()
    assert lines[-1] == "# EOF"
    assert samples == sum(not line.startswith("#") for line in lines)
    names = [line.split("{")[0] for line in lines if not line.startswith("#")]
    assert list(dict.fromkeys(names)) == [name for name, _, _ in families(recorded)]
    assert len([line for line in lines if line.startswith("# TYPE")]) == 4
    count = write_labels(weeks, recorded, tmp_path / "labels.json")
    faults = backtest.read_labels(tmp_path / "labels.json")
    assert len(faults) == count > 10
    assert all(START_S - 86_400 <= fault.start_s < fault.end_s <= START_S for fault in faults)
    traffic = next(part for part in recorded if part.kind is Kind.TRAFFIC)
    struck = [traffic.values[f.start : f.end, f.series] for f in traffic.faults]
    assert np.nanmean(np.concatenate(struck)) < 0.6 * np.nanmean(traffic.values)
    assert all(not part.faults for part in history(Weeks(until_s=START_S, days=1.0, faults=False)))


def script(path: Path, text: str) -> Path:
    """An executable in place of promtool."""
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_backfill_hands_the_text_to_promtool(tmp_path: Path) -> None:
    """The command makes the text, runs promtool on it and says what it did."""
    promtool = script(tmp_path / "promtool", f'cp "$4" {tmp_path}/seen.om; echo "$@" > {tmp_path}/seen.args')
    said = invoke("backfill", "--data-dir", str(tmp_path / "data"), "--promtool", str(promtool), "--days", "1.1", "--services", "1",
                  "--labels", str(tmp_path / "l.json"), "--until", str(START_S))  # fmt: skip
    assert "samples of 1.1 days" in said
    assert "faults labelled in" in said
    assert (tmp_path / "seen.args").read_text().startswith("tsdb create-blocks-from openmetrics")
    assert (tmp_path / "seen.om").read_text().endswith("# EOF\n")


def test_a_promtool_that_fails_is_told_with_its_last_words(tmp_path: Path) -> None:
    """What it said, and how to name another one."""
    with pytest.raises(BackfillError, match=r"exit code 7.*\n.*no space"):
        make_blocks(script(tmp_path / "promtool", "echo no space >&2; exit 7"), tmp_path / "x", tmp_path)
    with pytest.raises(BackfillError, match="give the path of promtool with --promtool"):
        make_blocks(tmp_path / "none", tmp_path / "x", tmp_path)
    assert backfill.PROMTOOL_TIMEOUT_S > 60


def test_the_service_runs_reloads_and_stops(config: Path, tmp_path: Path) -> None:
    """As a process: it says where it listens, survives a bad reload, takes a good one, and ends cleanly at SIGTERM."""
    log = tmp_path / "log"
    config.write_text(config.read_text() + f"state_dir: {tmp_path}/state\n")
    with log.open("w") as err:
        command = [sys.executable, "-m", "detector", "run", "-c", str(config)]
        process = subprocess.Popen(command, stderr=err, stdout=err)
    try:
        url = await_text(log, "listening on ").split()[0]
        http = httpx.Client(base_url=url, trust_env=False)
        assert http.get("/healthz").status_code == 200
        good = config.read_text()
        config.write_text(good.replace("interval", "intervall"))
        refused = http.post("/-/reload")
        assert (refused.status_code, "did you mean 'interval'" in refused.text) == (400, True)
        assert "anomaly_config_reload_success 0.0" in http.get("/metrics").text
        process.send_signal(signal.SIGHUP)
        await_text(log, "the old configuration stays: ", 2)
        config.write_text(good.replace("listen: 127.0.0.1:0", "listen: 127.0.0.1:1"))
        assert "listen cannot change while running" in http.post("/-/reload").text
        config.write_text(good.replace("name: nothing", "name: other"))
        process.send_signal(signal.SIGHUP)
        await_text(log, "took over ")
        assert "anomaly_config_reload_success 1.0" in http.get("/metrics").text
        http.close()
        process.terminate()
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
    assert {path.name for path in (tmp_path / "state").iterdir()} == {"detector-state.npz", "detector-alerts.json"}
    assert "Traceback" not in log.read_text()


def await_text(log: Path, text: str, times: int = 1, limit_s: float = 60.0) -> str:
    """Wait until a log has a text, and give what follows it."""

    async def wait() -> str:
        async with asyncio.timeout(limit_s):
            while log.read_text().count(text) < times:
                await asyncio.sleep(0.02)
        return log.read_text().rpartition(text)[2]

    return asyncio.run(wait())


def test_an_address_that_is_taken_is_told() -> None:
    """The port is named, and what to do."""
    with (
        bound(("127.0.0.1", 0)) as first,
        pytest.raises(ConfigError, match=r"127.0.0.1:\d+ cannot be had: Address already in use; choose another port"),
    ):
        bound(first.getsockname()[:2])


@pytest.mark.parametrize(
    ("secrets", "header"),
    [
        ({"bearer_token_file": "token"}, "Bearer s3cret"),
        ({"basic_auth": {"username": "me", "password_file": "token"}}, "Basic bWU6czNjcmV0"),
        ({}, None),
    ],
)
def test_credentials_come_from_files(
    secrets: dict[str, Any], header: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read anew for each request, so that a rotated secret is picked up."""
    monkeypatch.chdir(tmp_path)
    Path("token").write_text("s3cret\n")
    seen: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("Authorization"))
        return httpx.Response(200)

    async def go() -> None:
        peer = Peer.model_validate({"url": "http://a", **secrets})
        async with client(peer, transport=httpx.MockTransport(answer)) as http:
            await http.get("/")
            Path("token").write_text("other")
            await http.get("/")

    asyncio.run(go())
    assert seen[0] == header
    assert (seen[1] == header) is (header is None)


def test_certificates_are_loaded_for_https(tmp_path: Path) -> None:
    """A certificate authority that is none is an error at once, not at the first request."""
    (tmp_path / "ca").write_text("no certificate")
    peer = Peer.model_validate({"url": "https://a", "tls": {"ca_file": str(tmp_path / "ca")}})
    with pytest.raises(OSError, match=r"(?i)no.certificate|PEM"):
        client(peer)
    assert client(Peer.model_validate({"url": "https://a"})).base_url == "https://a"
