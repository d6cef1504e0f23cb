"""Traffic for real: a Locust process against a server that counts, so that both sides can be compared."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest

from scenarios import traffic as module
from scenarios.history import Blind, Event, Phase, Request, Traffic
from scenarios.model import ROUTES, Load, TrafficFault
from scenarios.traffic import TrafficError, TrafficProcess

pytestmark = pytest.mark.e2e

Behave = Callable[[int, str], int | str]
"""What to do with the n-th request of a path: answer with a status, or `close`, `truncate`, `redirect`, `hang`."""

E = TypeVar("E", bound=Event)
PATIENCE_S = 60.0


class CountingServer(ThreadingHTTPServer):
    """A server that notes each request when it has read it, before it does anything else."""

    request_queue_size = 512

    def __init__(self, behave: Behave) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behave = behave
        self.numbers = count(1)
        self.released = threading.Event()
        self.seen: list[tuple[float, str, str, str, bytes]] = []
        """Arrival, method, path, traceparent and body of each request."""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients may go away when they like."""


class Handler(BaseHTTPRequestHandler):
    """Does as the server's `behave` says."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: CountingServer

    def do_GET(self) -> None:
        """Note it, then behave."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append((time.time(), self.command, self.path, self.headers["traceparent"], body))
        action = self.server.behave(next(self.server.numbers), self.path)
        if action == "hang":
            self.server.released.wait(PATIENCE_S)
        if action in ("hang", "close"):
            self.close_connection = True
            return
        self.send_response({"truncate": 200, "redirect": 302}.get(str(action)) or int(action))
        self.send_header("Content-Length", "100" if action == "truncate" else "2")
        if action == "redirect":
            self.send_header("Location", "/api/users")
        self.end_headers()
        self.wfile.write(b"{}")
        self.close_connection = action == "truncate"

    do_POST = do_GET

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@contextlib.contextmanager
def serving(behave: Behave = lambda number, path: 200) -> Iterator[CountingServer]:
    """A counting server, for a while."""
    with CountingServer(behave) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.released.set()
            server.shutdown()
            thread.join()


def load(**given: Any) -> Load:
    """Two seconds at 50 requests per second, unless told otherwise."""
    return Load.model_validate({"warm_up": "0s", "for": "2s", "rate": 50, "users": 4} | given)


def start(url: str, directory: Path, **given: Any) -> TrafficProcess:
    """Clients that would go on for a minute."""
    return TrafficProcess.start(load(**{"for": "60s"} | given), host=url, directory=directory)


def run(url: str, directory: Path, *faults: dict[str, Any], **given: Any) -> tuple[TrafficProcess, list[Event]]:
    """One run from its first to its last request."""
    events: list[Event] = []
    swings = [TrafficFault.model_validate(fault) for fault in faults]
    with TrafficProcess.start(load(**given), swings, host=url, directory=directory) as traffic:
        traffic.wait(events.append)
    return traffic, events


def of(kind: type[E], events: list[Event]) -> list[E]:
    """The events of one kind."""
    return [event for event in events if isinstance(event, kind)]


def total(events: list[Event]) -> int:
    """All requests that clients counted."""
    return sum(second.count for second in of(Traffic, events))


def eventually(done: Callable[[], object], what: str) -> None:
    """Ask until it is so."""
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < deadline, f"not within {PATIENCE_S:g}s: {what}"
        time.sleep(0.02)


def pump_until(traffic: TrafficProcess, events: list[Event], requests: int) -> None:
    """Read on until clients have counted so many requests."""

    def enough() -> bool:
        traffic.pump(events.append)
        return total(events) >= requests

    eventually(enough, f"{requests} requests")


def template(path: str) -> str:
    """The route of a path."""
    head, _, tail = path.rpartition("/")
    return f"{head}/<int:id>" if tail.isdigit() else path


def test_clients_and_server_count_the_same(tmp_path: Path) -> None:
    """By route, method and status; every planned request is sent, and every failed one is kept with its trace."""
    with serving(lambda number, path: 503 if number % 10 == 0 else 404 if number % 10 == 5 else 200) as server:
        traffic, events = run(server.url, tmp_path, warm_up="1s")

    seconds = of(Traffic, events)
    routes = {
        (route, method): sum(second.count for second in seconds if (second.route, second.method) == (route, method))
        for route, method in {(second.route, second.method) for second in seconds}
    }
    assert len(server.seen) == total(events) == 150
    assert routes == Counter((template(path), method) for _, method, path, _, _ in server.seen)
    assert {route for route, _ in routes} == set(ROUTES)
    assert sum(second.failed for second in seconds) == 15
    assert sum(second.errors for second in seconds) == 0
    assert Counter({"200": 120, "404": 15, "503": 15}) == sum((Counter(second.status) for second in seconds), Counter())
    assert sum(sum(second.latency.values()) for second in seconds) == 150

    traces = [traceparent for _, _, _, traceparent, _ in server.seen]
    requests = of(Request, events)
    assert len(set(traces)) == 150
    assert all(trace.startswith("00-") and trace.endswith("-01") and len(trace) == 55 for trace in traces)
    assert {request.trace_id for request in requests} <= {trace[3:35] for trace in traces}
    assert sum(request.failed for request in requests) == 15
    assert [(phase.name, round(phase.t - traffic.t0, 3)) for phase in of(Phase, events)] == [
        ("warm_up", 0),
        ("drive", 1),
        ("cool_down", 3),
    ]
    assert traffic.drive_t == pytest.approx(traffic.t0 + 1)
    assert -0.1 < server.seen[0][0] - traffic.t0 < 5


def test_a_spike_is_as_high_and_as_long_as_planned(tmp_path: Path) -> None:
    """Five times the rate in its second, the usual rate around it; by the server's clock no request comes early."""
    spike = {"kind": "spike", "factor": 5, "at": "1s", "for": "1s"}
    with serving() as server:
        traffic, events = run(server.url, tmp_path, spike, **{"for": "3s"})

    arrived = [arrival - traffic.t0 for arrival, *_ in server.seen]
    assert total(events) == len(arrived) == 50 + 250 + 50
    assert sum(t < 0.995 for t in arrived) <= 50
    assert 200 <= sum(t < 1.995 for t in arrived) <= 300
    assert max(arrived) >= 2.9


def test_without_a_rate_clients_go_as_fast_as_they_can(tmp_path: Path) -> None:
    """Eight of them send up to 160 requests per second; in a drop to a quarter, two send 40 and a few that began before."""
    drop = {"kind": "drop", "factor": 0.25, "at": "1s", "for": "1s"}

    def slow(number: int, path: str) -> int:
        time.sleep(0.05)
        return 200

    with serving(slow) as server:
        traffic, events = run(server.url, tmp_path, drop, rate=None, users=8)

    arrivals = Counter(int(arrived - traffic.t0) for arrived, *_ in server.seen)
    assert total(events) == len(server.seen)
    assert arrivals[0] > 50 >= arrivals[1]


def test_asked_to_stop_they_finish_what_they_began(tmp_path: Path) -> None:
    """Requests in flight are answered and counted; the exit code is 0, and it is no error."""

    def slow(number: int, path: str) -> int:
        time.sleep(0.3)
        return 200

    events: list[Event] = []
    with (
        serving(slow) as server,
        start(server.url, tmp_path) as traffic,
    ):
        pump_until(traffic, events, 10)
        traffic.stop()
        traffic.pump(events.append)

    assert total(events) == len(server.seen)
    assert sum(second.failed for second in of(Traffic, events)) == 0
    assert traffic.finished


def test_a_hanging_server_is_not_waited_for_when_asked_to_stop(tmp_path: Path) -> None:
    """Each request that it has read is counted as one without an answer, and says why."""
    events: list[Event] = []
    with serving(lambda number, path: "hang") as server, start(server.url, tmp_path) as traffic:
        eventually(lambda: len(server.seen) == 4, "all four clients are stuck")
        traffic.stop()
        traffic.pump(events.append)

    assert total(events) == sum(second.errors for second in of(Traffic, events)) == 4
    assert {"cut off: no answer before the drill's end"} == {request.error for request in of(Request, events)}
    assert {0} == {request.status for request in of(Request, events)}


@pytest.mark.parametrize("behaviour", ["close", "truncate"])
def test_a_broken_connection_is_one_request_without_an_answer(tmp_path: Path, behaviour: str) -> None:
    """It is never silently sent again: the server sees each request once, too."""
    with serving(lambda number, path: behaviour if number % 4 == 0 else 200) as server:
        _, events = run(server.url, tmp_path)

    assert total(events) == len(server.seen) == 100
    assert sum(second.errors for second in of(Traffic, events)) == 25
    assert len({trace for _, _, _, trace, _ in server.seen}) == 100
    assert all(request.error for request in of(Request, events) if request.failed)


def test_a_redirect_is_an_answer(tmp_path: Path) -> None:
    """Following it would be a request that nobody counts."""
    with serving(lambda number, path: "redirect") as server:
        _, events = run(server.url, tmp_path)

    assert total(events) == len(server.seen) == 100
    assert {"302"} == {status for second in of(Traffic, events) for status in second.status}


def test_a_target_that_refuses_is_no_answer(tmp_path: Path) -> None:
    """All requests are counted as errors, and have no latency."""
    with serving() as server:
        url = server.url
    _, events = run(url, tmp_path)
    seconds = of(Traffic, events)

    assert total(events) == sum(second.errors for second in seconds) == 100
    assert not any(second.latency or second.status for second in seconds)
    assert all("refused" in request.error for request in of(Request, events))


def test_several_processes_are_one_load(tmp_path: Path) -> None:
    """They share the rate, nothing is lost or counted twice, and no two traces are the same."""
    with serving(lambda number, path: 500 if number % 10 == 0 else 200) as server:
        traffic, events = run(server.url, tmp_path, processes=2, rate=100)

    seconds = of(Traffic, events)
    assert total(events) == len(server.seen) == 200
    assert len({trace for _, _, _, trace, _ in server.seen}) == 200
    assert sum(second.failed for second in seconds) == 20
    assert sum(request.failed for request in of(Request, events)) == 20
    assert len({(second.t, second.route) for second in seconds}) == len(seconds)
    assert not of(Blind, events)
    assert -0.1 < server.seen[0][0] - traffic.t0 < 5


def test_only_this_machine_can_reach_the_processes(tmp_path: Path) -> None:
    """With several of them they talk over loopback; one alone listens nowhere."""
    with serving() as server:
        for processes in (1, 2):
            with start(server.url, tmp_path, processes=processes) as traffic:
                family = [psutil.Process(traffic.pid), *psutil.Process(traffic.pid).children(recursive=True)]
                listening = [
                    one.laddr.ip for process in family for one in process.net_connections() if one.status == "LISTEN"
                ]
                assert set(listening) <= {"127.0.0.1"}
                assert bool(listening) == (processes > 1)


def test_no_secret_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of our environment the process gets what it needs, and no settings of the user's own Locust."""
    monkeypatch.setenv("SOME_TOKEN", "hush")
    monkeypatch.setenv("LOCUST_HEADLESS", "false")
    with serving() as server, TrafficProcess.start(load(), host=server.url, directory=tmp_path) as traffic:
        environment = psutil.Process(traffic.pid).environ()

    assert "PATH" in environment
    assert not {"SOME_TOKEN", "LOCUST_HEADLESS"} & set(environment)


def test_a_killed_process_is_an_error_after_all_was_read(tmp_path: Path) -> None:
    """The error says the exit code and where the log is; what it had told before is kept."""
    events: list[Event] = []
    with serving() as server, start(server.url, tmp_path) as one:
        pump_until(one, events, 50)
        os.kill(one.pid, signal.SIGKILL)
        with pytest.raises(TrafficError, match=r"exit code -9 \(see .*traffic.log"):
            one.wait(events.append)

    assert total(events) >= 50


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_somebody_elses_signal_is_an_error(tmp_path: Path, number: signal.Signals) -> None:
    """Then the traffic was well counted, but too short."""
    events: list[Event] = []
    with serving() as server, start(server.url, tmp_path) as one:
        os.kill(one.pid, number)
        with pytest.raises(TrafficError, match="somebody else stopped the clients"):
            one.wait(events.append)

    assert total(events) == len(server.seen)


def test_a_vanished_worker_leaves_a_blind_spot(tmp_path: Path) -> None:
    """The run ends in time, says that it cannot know all, and fails."""
    events: list[Event] = []
    with serving() as server, start(server.url, tmp_path, processes=2, **{"for": "4s"}) as traffic:
        pump_until(traffic, events, 20)
        psutil.Process(traffic.pid).children()[0].kill()
        with pytest.raises(TrafficError, match="vanished"):
            traffic.wait(events.append)

    assert [blind.watcher for blind in of(Blind, events)] == ["traffic"]


def test_a_full_disk_ends_the_traffic_with_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Traffic that nobody accounts proves nothing; what was written before is whole."""
    command = module._command

    def limited(*args: Any) -> list[str]:
        return ["sh", "-c", 'ulimit -f 4; exec "$@"', "sh", *command(*args)]

    monkeypatch.setattr(module, "_command", limited)
    events: list[Event] = []
    with (
        serving() as server,
        start(server.url, tmp_path) as one,
        pytest.raises(TrafficError, match="cannot write"),
    ):
        one.wait(events.append)

    assert total(events) > 0


def test_clients_that_do_not_start_say_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error has the end of the log, and no process is left."""
    broken = tmp_path / "broken.py"
    broken.write_text("raise RuntimeError('out of order')\n")
    monkeypatch.setattr(module, "LOCUSTFILE", broken)

    with pytest.raises(TrafficError, match=r"(?s)did not start: exit code 1 .*RuntimeError: out of order"):
        TrafficProcess.start(load(), host="http://127.0.0.1:1", directory=tmp_path)


def test_clients_that_start_too_late_are_killed(tmp_path: Path) -> None:
    """Somebody waits for them."""
    with pytest.raises(TrafficError, match=r"sent no request within 0.05s"):
        TrafficProcess.start(load(), host="http://127.0.0.1:1", directory=tmp_path, within_s=0.05)

    assert not psutil.Process().children()


HARNESS = """
import json, sys, time
from pathlib import Path
from scenarios.model import Load
from scenarios.traffic import TrafficProcess

url, directory, processes = sys.argv[1:]
load = Load.model_validate({"for": "300s", "warm_up": "0s", "users": 4, "rate": 50, "processes": int(processes)})
with TrafficProcess.start(load, host=url, directory=Path(directory)) as traffic:
    print(traffic.pid, flush=True)
    traffic.wait(lambda event: None)
"""


@pytest.mark.parametrize("processes", [1, 2])
def test_a_killed_harness_leaves_no_traffic(tmp_path: Path, processes: int) -> None:
    """Even `kill -9`: its clients notice, finish what they began, and end; workers, too."""
    command = [sys.executable, "-c", HARNESS, *map(str, ("{url}", tmp_path, processes))]
    with serving() as server:
        command[3] = server.url
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as harness:
            assert harness.stdout is not None
            clients = psutil.Process(int(harness.stdout.readline()))
            family = [clients, *clients.children(recursive=True)]
            eventually(lambda: len(server.seen) >= 20, "traffic")
            harness.kill()
        killed_t = time.time()
        eventually(lambda: not any(map(_alive, family)), "all clients have ended")

        assert len(family) == (1 if processes == 1 else 1 + processes)
        assert max(arrived for arrived, *_ in server.seen) - killed_t < 10


def _alive(process: psutil.Process) -> bool:
    """Whether it still runs; a zombie whom nobody has buried yet does not."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
