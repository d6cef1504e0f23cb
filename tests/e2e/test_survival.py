"""What is left after a command was killed, and what a drill says when its stack dies or its disk is full."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import httpx
import psutil
import pytest

from assertions.spells import restarts, spells
from scenarios.history import ComponentChange, Event, FaultChange, History, Usage
from scenarios.loader import load_text
from scenarios.record import Record, Verdict
from stack.errors import StackError
from stack.runtimes.process import MARKER
from stack.runtimes.stack import Stack, running_stack
from tocsin.drill import Drill
from tocsin.vitals import Patient, Vitals

pytestmark = pytest.mark.e2e

DRILL = """
name: survival
why: A drill that is disturbed in the middle of its fault must leave nothing broken behind.
load: {users: 4, rate: 20, warm_up: 3s, for: SECONDS}
faults:
  - {kind: errors, target: catalog, at: 1s, for: FAULT}
expect:
  - sli: {name: availability, within: 2%}
"""
LONG = DRILL.replace("SECONDS", "60s").replace("FAULT", "59s")
SHORT = DRILL.replace("SECONDS", "6s").replace("FAULT", "4s")


def until(condition: Callable[[], object], what: str, within_s: float = 60) -> None:
    """Ask again and again until something holds."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {within_s:g} s for {what}"
        time.sleep(0.1)


def ours(state: Path) -> list[psutil.Process]:
    """All processes that belong to a roster of this state folder."""
    found = []
    for process in psutil.process_iter():
        try:
            environment = process.environ()
        except (psutil.Error, OSError):
            continue
        if MARKER in environment and environment.get("TOCSIN_STATE") == str(state) and process.pid != os.getpid():
            found.append(process)
    return found


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of the test's own, so that its rosters are not mixed with anybody else's."""
    monkeypatch.setenv("TOCSIN_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def tocsin(tmp_path: Path, state: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts the command in a folder of its own; whatever still runs at the end is ended."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", "from tocsin.cli import main; main()", *arguments]
        process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
    for orphan in ours(state):
        orphan.kill()


def changes(runs: Path) -> list[FaultChange]:
    """The life of all faults so far, by the newest history."""
    histories = sorted(runs.glob("*/history.jsonl"))
    return list(History.read(histories[-1]).of(FaultChange)) if histories else []


def frontend(state: Path) -> Mapping[str, str]:
    """The environment of the drill's frontend."""
    return next(env for process in ours(state) if (env := process.environ()).get("DEMO_ROLE") == "frontend")


def guards(state: Path) -> list[psutil.Process]:
    """Those who wait for the command to die."""
    return [process for process in ours(state) if process.cmdline()[3:4] == ["guard"]]


def test_kill_9_leaves_nothing_even_if_no_command_follows(
    tmp_path: Path, state: Path, tocsin: Callable[..., subprocess.Popen[str]]
) -> None:
    """The guards end all processes; the next command only tells what they did."""
    (tmp_path / "long.drill.yaml").write_text(LONG)
    command = tocsin("run", "long.drill.yaml")
    until(lambda: any(one.action == "applied" for one in changes(tmp_path / "runs")), "the fault to be applied")
    assert len(guards(state)) == 2, "one for the stack, one for the drill"

    command.send_signal(signal.SIGKILL)
    command.wait()

    until(lambda: not ours(state), "the guards to clear up", within_s=20)
    assert list((state / "rosters").iterdir()) == []
    output, _ = tocsin("status").communicate(timeout=60)
    assert "its command was killed" in output


def test_what_guards_that_were_killed_too_cannot_do_is_done_by_the_next_command(
    tmp_path: Path, state: Path, tocsin: Callable[..., subprocess.Popen[str]]
) -> None:
    """The fault's lease runs out by itself; what still runs is ended by whatever command comes next."""
    (tmp_path / "long.drill.yaml").write_text(LONG)
    command = tocsin("run", "long.drill.yaml")
    until(lambda: any(one.action == "applied" for one in changes(tmp_path / "runs")), "the fault to be applied")
    url = f"http://127.0.0.1:{frontend(state)['DEMO_PORT']}/api/products"
    assert httpx.get(url, timeout=10).status_code == 502

    for guard in guards(state):
        guard.kill()
    command.send_signal(signal.SIGKILL)
    command.wait()

    until(lambda: httpx.get(url, timeout=10).status_code == 200, "the fault to end", within_s=5)
    assert ours(state), "the orphans should still be there before the next command"
    following = tocsin("status")
    output, _ = following.communicate(timeout=60)
    assert following.returncode == 0, output
    assert "its command was killed" in output
    assert ours(state) == []
    assert list((state / "rosters").iterdir()) == []


def test_sigterm_heals_records_and_leaves_nothing(
    tmp_path: Path, state: Path, tocsin: Callable[..., subprocess.Popen[str]]
) -> None:
    """A polite end heals the fault and writes a record whose verdict is UNKNOWN; the exit code is 3."""
    (tmp_path / "long.drill.yaml").write_text(LONG)
    command = tocsin("run", "long.drill.yaml")
    until(lambda: any(one.action == "applied" for one in changes(tmp_path / "runs")), "the fault to be applied")

    command.send_signal(signal.SIGTERM)
    output, _ = command.communicate(timeout=60)

    assert command.returncode == 3, output
    assert changes(tmp_path / "runs")[-1].action == "healed"
    (record,) = (tmp_path / "runs").glob("*/record.json")
    assert Record.read(record).verdict is Verdict.UNKNOWN
    assert ours(state) == []


def test_clients_that_suffer_too_much_stop_the_drill(tmp_path: Path, stack: Stack) -> None:
    """An `abort` condition heals the fault long before its time; what was seen until then is no verdict."""
    text = LONG + "abort:\n  - {failed: 20%, for: 3s}\n"
    record = Drill(scenario=load_text(text), stack=stack, runs=tmp_path / "runs").run()

    assert record.verdict is Verdict.UNKNOWN
    assert "of requests failed in the last 3s" in record.problem
    applied, healed = (one for one in changes(tmp_path / "runs") if one.action in ("applied", "healed"))
    assert healed.t - applied.t < 30


def test_a_port_that_is_taken_is_named_and_the_exit_code_is_3(
    state: Path, tocsin: Callable[..., subprocess.Popen[str]]
) -> None:
    """Nothing is started when a port of one's choice is not free."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = tocsin("up", "--port", f"prometheus.http={port}")
        output, _ = command.communicate(timeout=60)

    assert command.returncode == 3
    assert f"prometheus.http={port}: the port is taken" in output
    assert ours(state) == []


@pytest.mark.parametrize("lines", ["expect: [", "name: x\nwhy: too little of it\n"])
def test_a_bad_file_starts_nothing_and_exits_with_2(
    tmp_path: Path, state: Path, tocsin: Callable[..., subprocess.Popen[str]], lines: str
) -> None:
    """The error names file and line; no process was started, no run folder made."""
    (tmp_path / "bad.drill.yaml").write_text(lines)
    command = tocsin("run", "bad.drill.yaml")
    output, _ = command.communicate(timeout=60)

    assert command.returncode == 2, output
    assert "bad.drill.yaml:" in output
    assert not (tmp_path / "runs").exists()
    assert ours(state) == []


def test_a_stack_stays_up_for_many_drills(
    tmp_path: Path, state: Path, tocsin: Callable[..., subprocess.Popen[str]]
) -> None:
    """`up`, a drill on it, `status`, `down`: the drill ends, the stack stays, then nothing is left."""
    (tmp_path / "short.drill.yaml").write_text(SHORT)
    for arguments, code in ((["up"], 0), (["run", "short.drill.yaml"], 0), (["status"], 0)):
        command = tocsin(*arguments)
        output, _ = command.communicate(timeout=120)
        assert command.returncode == code, output
    assert not [process for process in ours(state) if "DEMO_ROLE" in process.environ()]

    again = tocsin("up")
    output, _ = again.communicate(timeout=60)
    assert again.returncode == 3
    assert "a stack is up already" in output

    down = tocsin("down")
    output, _ = down.communicate(timeout=60)
    assert down.returncode == 0, output
    assert ours(state) == []


def test_a_component_that_died_is_seen_by_status(state: Path, tocsin: Callable[..., subprocess.Popen[str]]) -> None:
    """`status` exits with 3 and names what does not answer; a drill refuses the broken stack."""
    up = tocsin("up")
    output, _ = up.communicate(timeout=120)
    assert up.returncode == 0, output
    stack = Stack.standing()
    assert stack is not None
    stack.unit("alertmanager").kill()

    status = tocsin("status")
    output, _ = status.communicate(timeout=60)
    assert status.returncode == 3
    assert "does not answer" in output
    run = tocsin("run", "baseline")
    output, _ = run.communicate(timeout=60)
    assert run.returncode == 3
    assert "the standing stack is broken: alertmanager does not answer" in output
    stack.stop()


@pytest.fixture
def stack(state: Path) -> Iterator[Stack]:
    """A stack of the test's own, in its own state folder."""
    with running_stack() as made:
        yield made


def test_prometheus_killed_while_gathering_is_unknown_with_a_reason(
    tmp_path: Path, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The history is kept, the verdict is UNKNOWN, and the reason names Prometheus."""
    drill = Drill(scenario=load_text(SHORT), stack=stack, runs=tmp_path / "runs")
    gather = Drill._gather

    def kill_then_gather(self: Drill, run: object) -> None:
        stack.unit("prometheus").kill()
        gather(self, run)  # type: ignore[arg-type]

    monkeypatch.setattr(Drill, "_gather", kill_then_gather)
    record = drill.run()

    assert record.verdict is Verdict.UNKNOWN
    sli = next(one for one in record.outcomes if one.title.startswith("sli"))
    assert sli.verdict is Verdict.UNKNOWN
    assert "prometheus did not answer" in sli.observed
    (history,) = (tmp_path / "runs").glob("*/history.jsonl")
    assert History.read(history).count() > 0
    assert "Starting Prometheus Server" in (history.parent / "logs" / "prometheus.log").read_text()


def test_a_killed_component_comes_back_by_restart(stack: Stack) -> None:
    """kill, pause, unpause and restart do to a component what they say."""
    stack.unit("tempo").kill()
    assert not stack.ready("tempo")
    stack.restart("tempo")
    assert stack.ready("tempo")

    stack.unit("prometheus").pause()
    assert not stack.ready("prometheus")
    stack.unit("prometheus").unpause()
    until(lambda: stack.ready("prometheus"), "prometheus to thaw", within_s=10)
    with pytest.raises(StackError, match="no component 'loki'"):
        stack.unit("loki")


def test_what_becomes_of_a_component_is_written_down(stack: Stack) -> None:
    """A kill, a restart and a freeze are seen from outside, and what each part uses is measured."""
    events: list[Event] = []
    ward = {name: Patient(unit=stack.unit(name), ready=partial(stack.ready, name)) for name in ("tempo", "prometheus")}

    def states(name: str) -> list[str]:
        return [one.state for one in events if isinstance(one, ComponentChange) and one.name == name]

    with Vitals(patients=ward, record=lambda *seen: events.extend(seen)):
        until(lambda: states("tempo") == states("prometheus") == ["ready"], "both to be seen")
        stack.unit("tempo").kill()
        until(lambda: "down" in states("tempo"), "the kill to be seen")
        stack.restart("tempo")
        until(lambda: states("tempo")[-1] == "ready", "the restart to be seen")
        stack.unit("prometheus").pause()
        until(lambda: states("prometheus")[-1] == "unready", "the freeze to be seen")
        stack.unit("prometheus").unpause()
        until(lambda: states("prometheus")[-1] == "ready", "the thaw to be seen")

    history = History(events)
    assert [(len(spells(history, name)), len(restarts(history, name))) for name in ward] == [(1, 1), (1, 0)]
    used = {one.name: one for one in history.of(Usage)}
    assert all(used[name].cpu_s > 0 and used[name].memory_bytes > 1_000_000 for name in ward)


def test_a_full_disk_ends_the_drill_as_unknown_and_keeps_the_history(tmp_path: Path, stack: Stack) -> None:
    """When the history cannot be written any more, the drill stops, heals, and says so; what was written stays readable."""
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(small)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"needs the right to mount a small tmpfs: {mounted.stderr.strip()}")
    try:
        drill = Drill(scenario=load_text(LONG), stack=stack, runs=small / "runs")
        filler = threading.Thread(target=_fill_once_driving, args=(drill, small))
        filler.start()
        record = drill.run()
        filler.join()
        assert record.verdict is Verdict.UNKNOWN
        assert "No space left" in record.problem or "is full" in record.problem
        (history,) = (small / "runs").glob("*/history.jsonl")
        assert History.read(history).count() > 0
        assert any(change.action == "applied" for change in History.read(history).of(FaultChange))
    finally:
        subprocess.run(["umount", str(small)], check=True)


def _fill_once_driving(drill: Drill, folder: Path) -> None:
    until(lambda: drill.live.active_faults(), "the fault to be on")
    with (folder / "filler").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 65536)
        except OSError:
            return
