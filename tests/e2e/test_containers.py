"""Containers: a whole stack on a real engine behaves as one of processes does, and nothing of it is left behind."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import docker
import httpx
import pytest

from scenarios.loader import load_text
from scenarios.record import Record, Verdict
from stack.errors import StackError
from stack.runtimes.engine import LABEL
from stack.runtimes.roster import Roster
from stack.runtimes.stack import Stack, running_stack
from tocsin.drill import Drill
from tocsin.runtime import settle

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]

SOCKET = "/var/run/docker.sock"

ELSEWHERE = "127.0.0.2"
"""All of 127/8 is this machine, but to our code this is some other one."""

DRILL = """
name: both-runtimes
why: The same drill has to find the same on either runtime.
load: {users: 4, warm_up: 8s, for: 20s, cool_down: 15s}
faults:
  - {kind: errors, target: catalog, route: /api/products, ratio: 100%, at: 5s, for: 10s}
expect:
  - sli: {name: availability, within: 3%}
  - alert: {name: ErrorRateHigh, labels: {service_name: catalog}, within: 12s, resolves_within: 15s, notified: true}
  - traces: {where: error, found: 95%}
  - delivered: {}
  - silent: {except: [ErrorBudgetBurnFast, ErrorBudgetBurnSlow, ErrorBudgetBurnTicket, ErrorRateHigh]}
"""


SHORT = """
name: short
why: A drill on a stack that is up brings an app of its own.
load: {users: 2, warm_up: 3s, for: 5s}
expect:
  - traces: {where: any, found: 90%}
"""


@pytest.fixture(scope="session", autouse=True)
def _images() -> None:
    """All images are there; where they cannot be had, these tests are skipped, and the summary says why."""
    try:
        settle("containers", extras=["grafana", "detector", "toxiproxy"])
    except StackError as error:
        pytest.skip(str(error).splitlines()[0])


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of the test's own."""
    monkeypatch.setenv("TOCSIN_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def engine() -> Iterator[docker.DockerClient]:
    """The engine, to see for oneself."""
    client = docker.from_env()
    yield client
    client.close()


def left(engine: docker.DockerClient, *rosters: str) -> list[str]:
    """What the engine still has of these rosters: containers, networks and volumes."""
    found: list[str] = []
    for roster in rosters:
        ours: dict[str, Any] = {"label": f"{LABEL}={roster}"}
        found += [f"container {one.name}" for one in engine.containers.list(all=True, filters=ours)]
        found += [f"network {one.name}" for one in engine.networks.list(filters=ours)]
        found += [f"volume {one.name}" for one in engine.volumes.list(filters=ours)]
    return found


def until(condition: Callable[[], object], what: str, *, within_s: float = 60) -> None:
    """Ask again until it holds."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {within_s} s for {what}"
        time.sleep(0.05)


def test_every_component_can_be_broken_and_comes_back(engine: docker.DockerClient) -> None:
    """Kill, pause and restart do what they say, on the same address, and in the end nothing is left."""
    with running_stack(runtime="containers", extras=["grafana", "detector", "toxiproxy"]) as stack:
        assert stack.runtime == "containers"
        assert all(stack.ready(name) for name in stack.running())
        url, pid = stack.url("prometheus.http"), stack.unit("prometheus")
        assert url.startswith("http://127.0.0.1:")

        stack.unit("prometheus").kill()
        assert not stack.ready("prometheus")
        assert stack.unit("prometheus").exit_code == 137
        stack.restart("prometheus")
        assert stack.ready("prometheus")
        assert (stack.url("prometheus.http"), stack.unit("prometheus")) == (url, pid)

        stack.unit("tempo").pause()
        assert stack.unit("tempo").paused
        assert not stack.ready("tempo")
        stack.unit("tempo").unpause()
        until(lambda: stack.ready("tempo"), "tempo to thaw")

        usage = stack.unit("collector").usage()
        assert usage is not None
        assert usage.cpu_s > 0
        assert usage.memory_bytes > 2**20
        assert all(path.exists() for path in stack.logs().values())
        with pytest.raises(StackError, match="no component 'loki'"):
            stack.unit("loki")
    assert left(engine, stack.roster.id) == []


def test_data_survive_a_restart() -> None:
    """What Prometheus had scraped is still there."""
    with running_stack(runtime="containers") as stack:
        query = {"query": "min_over_time(timestamp(up{job='prometheus'})[10m:1s])"}

        def first() -> list[float]:
            found = httpx.get(f"{stack.url('prometheus.http')}/api/v1/query", params=query, timeout=5).json()
            return [float(one["value"][1]) for one in found["data"]["result"]]

        until(first, "a sample")
        (before,) = first()
        stack.restart("prometheus")
        until(first, "samples after the restart")
        (after,) = first()
    assert after == pytest.approx(before, abs=1)


@contextmanager
def elsewhere() -> Iterator[str]:
    """The local engine at another address of this machine, as if it were another machine's; for DOCKER_HOST."""
    door = socket.create_server((ELSEWHERE, 0))
    open_ones: list[socket.socket] = [door]

    def pass_on(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def serve() -> None:
        with suppress(OSError):
            while True:
                here, _ = door.accept()
                there = socket.socket(socket.AF_UNIX)
                there.connect(SOCKET)
                open_ones.extend((here, there))
                for ends in ((here, there), (there, here)):
                    threading.Thread(target=pass_on, args=ends, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"tcp://{ELSEWHERE}:{door.getsockname()[1]}"
    finally:
        door.shutdown(socket.SHUT_RDWR)
        for one in open_ones:
            one.close()


def test_an_engine_elsewhere_publishes_on_its_own_address(
    engine: docker.DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files are copied and never mounted, so it need not see ours; what is asked there is answered."""
    if not Path(SOCKET).exists():
        pytest.skip(f"the engine is not at {SOCKET}")
    with elsewhere() as place:
        monkeypatch.setenv("DOCKER_HOST", place)
        with running_stack(runtime="containers") as stack:
            assert stack.roster.engine == place
            assert stack.url("prometheus.http").startswith(f"http://{ELSEWHERE}:")
            assert all(stack.ready(name) for name in stack.running())
            roster = stack.roster
    assert left(engine, roster.id) == []


def outcomes(record: Record) -> list[tuple[str, str, Verdict]]:
    """What was checked and how it came out."""
    return [(one.id, one.title, one.verdict) for one in record.outcomes]


def test_a_drill_finds_the_same_on_both_runtimes(tmp_path: Path) -> None:
    """The same checks with the same verdicts; the record says how it ran."""
    records: dict[str, Record] = {}
    for runtime in ("processes", "containers"):
        settle(runtime)
        with running_stack(runtime=runtime) as stack:
            records[runtime] = Drill(scenario=load_text(DRILL), stack=stack, runs=tmp_path / runtime).run()

    processes, containers = records["processes"], records["containers"]
    assert (processes.runtime, containers.runtime) == ("processes", "containers")
    assert containers.problem == ""
    assert containers.verdict is Verdict.PASS, "\n".join(one.message() for one in containers.outcomes)
    assert outcomes(processes) == outcomes(containers)
    assert {part.name for part in processes.parts} == {part.name for part in containers.parts}


@pytest.fixture
def tocsin(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a command of the command line, on containers; whatever still runs at the end of the test is killed."""
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: str) -> subprocess.Popen[str]:
        environment = {**os.environ, "TOCSIN_RUNTIME": "containers", "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", "from tocsin.cli import main; main()", *arguments]
        process = subprocess.Popen(
            command, cwd=tmp_path, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def done(process: subprocess.Popen[str], code: int = 0) -> str:
    """What it printed, once it has ended with that code."""
    output, _ = process.communicate(timeout=120)
    assert process.returncode == code, output
    return output


def test_nothing_is_left_of_a_command_that_was_killed(
    engine: docker.DockerClient, tmp_path: Path, tocsin: Callable[..., subprocess.Popen[str]]
) -> None:
    """kill -9 while it drills; the next command removes its containers, its networks and its volumes."""
    (tmp_path / "both.drill.yaml").write_text(DRILL)
    command = tocsin("run", "both.drill.yaml")
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.extend(command.stdout or ()), daemon=True)
    reader.start()
    until(lambda: "both-runtimes: drive\n" in lines or command.poll() is not None, "it to drive", within_s=120)
    rosters = [roster.id for roster in Roster.all()]
    assert any(line.startswith("container ") for line in left(engine, *rosters)), lines

    command.send_signal(signal.SIGKILL)
    command.wait()
    reader.join(10)
    said = done(tocsin("status"))

    assert "cleared up stack-" in said or not left(engine, *rosters)
    assert left(engine, *rosters) == []
    assert list(Roster.all()) == []


def test_a_stack_stays_up_for_other_commands(
    engine: docker.DockerClient, tmp_path: Path, tocsin: Callable[..., subprocess.Popen[str]]
) -> None:
    """`status` sees it, also when a component has died, drills run on it, and `down` removes it."""
    assert "up: sink" in done(tocsin("up"))
    assert done(tocsin("status")).count("ready") >= 5
    stack = Stack.standing()
    assert stack is not None
    try:
        stack.unit("alertmanager").kill()
        assert "does not answer" in done(tocsin("status"), 3)
        stack.restart("alertmanager")
        assert "does not answer" not in done(tocsin("status"))
        (tmp_path / "short.drill.yaml").write_text(SHORT)
        assert "PASS short-" in done(tocsin("run", "short.drill.yaml"))
    finally:
        stack.close()
        said = done(tocsin("down"))
    assert "down" in said
    assert left(engine, stack.roster.id) == []


def test_a_taken_port_is_told(engine: docker.DockerClient) -> None:
    """By the engine's own words where only it can know; nothing is left of the attempt."""
    with running_stack(runtime="containers") as first:
        taken = int(first.url("prometheus.http").rpartition(":")[2])
        with pytest.raises(StackError, match=f"--port prometheus.http={taken}: the port is taken"):
            Stack.create(runtime="containers", fixed_ports={"prometheus.http": taken})
        assert [roster.id for roster in Roster.all()] == [first.roster.id]
