"""`kill -9` at any moment of a drill with faults of every kind leaves nothing broken, running or lying about.

TOCSIN_KILL_POINTS sets how many moments are tried, TOCSIN_KILL_SEED which ones.
"""

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest

from stack.errors import StackError
from stack.runtimes.engine import LABEL
from tocsin.runtime import settle

pytestmark = pytest.mark.e2e

POINTS = int(os.environ.get("TOCSIN_KILL_POINTS", "2"))
SEED = int(os.environ.get("TOCSIN_KILL_SEED", "1"))
LATEST_S = {"processes": 18.0, "containers": 24.0}
"""By then the drill is over on two cores, and its command gathers and judges."""

DRILL = """
name: killed
why: Whatever is broken when the command is killed must be whole again without it.
exclusive: true
load: {users: 2, rate: 10, warm_up: 1s, for: 9s}
faults:
  - {kind: errors, target: catalog, at: 0s, for: 9s}
  - {kind: memory_leak, target: users, at: 0s, for: 9s}
  - {kind: spike, factor: 2, at: 0s, for: 9s}
  - {kind: pause, target: alertmanager, at: 1s, for: 8s}
  - {kind: kill, target: users, at: 2s, for: 3s}
  - {kind: restart, target: tempo, at: 1s, for: 8s}
  - {kind: pause, target: frontend, at: 6s, for: 2s}
  - {kind: slow_link, target: app -> collector, delay: 300ms, at: 0s, for: 9s}
  - {kind: hung_link, target: prometheus -> collector, at: 0s, for: 4s}
  - {kind: cut_link, target: collector -> tempo, at: 2s, for: 6s}
  - {kind: command, apply: [sh, -c, "touch BROKEN; sleep 1"], heal: [rm, -f, BROKEN], at: 0s, for: 9s}
  - kind: http
    apply: {method: PUT, url: "http://127.0.0.1:PORT/break"}
    heal: {method: DELETE, url: "http://127.0.0.1:PORT/break"}
    at: 0s
    for: 9s
expect:
  - delivered: {}
"""


class Foreign:
    """Somebody else's system: it is broken by a PUT and made whole by a DELETE."""

    def __init__(self) -> None:
        self.broken = False
        foreign = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                self.become(broken=True)

            def do_DELETE(self) -> None:
                self.become(broken=False)

            def become(self, *, broken: bool) -> None:
                foreign.broken = broken
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:
                """Nobody reads it."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)


@pytest.fixture
def foreign() -> Iterator[Foreign]:
    """One that listens."""
    made = Foreign()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state folder of the test's own; whatever still runs at the end is ended."""
    monkeypatch.setenv("TOCSIN_STATE", str(tmp_path / "state"))
    yield tmp_path / "state"
    for process in ours(tmp_path / "state"):
        process.kill()


def ours(state: Path) -> list[psutil.Process]:
    """Every process that was started by a command with this state folder, at first or second hand: also those without a roster."""
    found = []
    for process in psutil.process_iter():
        try:
            environment = process.environ()
        except (psutil.Error, OSError):
            continue
        if environment.get("TOCSIN_STATE") == str(state) and process.pid != os.getpid():
            found.append(process)
    return found


def rosters(state: Path) -> list[str]:
    """The ids of all rosters on disk."""
    folder = state / "rosters"
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def until(condition: Callable[[], object], what: Callable[[], str], within_s: float) -> float:
    """Ask again and again until something holds; how long that took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() < began + within_s, f"waited {within_s:g} s: {what()}"
        time.sleep(0.05)
    return time.monotonic() - began


def in_engine(ids: list[str]) -> list[str]:
    """What a container engine has of these rosters; empty where there is no engine."""
    import docker

    client = docker.from_env()
    try:
        found = []
        for roster in ids:
            labelled: dict[str, Any] = {"label": f"{LABEL}={roster}"}
            found += [str(one.name) for one in client.containers.list(all=True, filters=labelled)]
            found += [str(one.name) for one in client.networks.list(filters=labelled)]
            found += [str(one.name) for one in client.volumes.list(filters=labelled)]
        return found
    finally:
        client.close()


def mounts(state: Path) -> list[str]:
    """What is mounted below the state folder."""
    return [line for line in Path("/proc/self/mounts").read_text().splitlines() if f" {state}/" in line]


def tocsin(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    """Start the command."""
    return subprocess.Popen(
        [sys.executable, "-c", "from tocsin.cli import main; main()", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize("point", range(POINTS))
@pytest.mark.parametrize("runtime", ["processes", "containers"])
def test_nothing_is_left_of_a_command_that_was_killed(
    runtime: str, point: int, tmp_path: Path, state: Path, foreign: Foreign
) -> None:
    """
    No process, container, file, mount or fault: soon, where its guards live; where they were killed too (every other time), after the
    next command.
    """
    guarded = point % 2 == 0
    try:
        settle(runtime, extras=["toxiproxy"])
    except StackError as error:
        pytest.skip(str(error).splitlines()[0])
    broken, port = tmp_path / "broken", foreign.server.server_port
    text = DRILL.replace("BROKEN", str(broken)).replace("PORT", str(port))
    (tmp_path / "killed.drill.yaml").write_text(text)
    after_s = random.Random(f"{SEED} {point}").uniform(0.0, LATEST_S[runtime])
    command = tocsin(tmp_path, "run", "killed.drill.yaml", "--runtime", runtime)
    began = time.monotonic()
    until(lambda: time.monotonic() - began > after_s or command.poll() is not None, lambda: "its time", after_s + 5)

    ids = rosters(state)
    if not guarded:
        for process in ours(state):
            if process.cmdline()[3:4] == ["guard"]:
                process.kill()
    command.kill()
    command.communicate()

    took_s = -1.0
    if guarded:
        took_s = until(
            lambda: not ours(state) and not rosters(state),
            lambda: f"{[process.cmdline() for process in ours(state)]} {rosters(state)}, killed after {after_s:.2f} s",
            30,
        )
    output, _ = (following := tocsin(tmp_path, "status")).communicate(timeout=120)
    print(f"killed after {after_s:.2f} s with {len(ids)} rosters; all gone after {took_s:.2f} s; {output!r}")
    assert following.returncode == 0, output
    until(lambda: not ours(state), lambda: str([process.cmdline() for process in ours(state)]), 10)
    assert rosters(state) == []
    assert mounts(state) == []
    assert not broken.exists()
    assert not foreign.broken
    assert in_engine(ids) == [] if runtime == "containers" else True
