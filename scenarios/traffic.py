"""Traffic: starts, feeds and stops the Locust process, and reads what its clients saw into the history.

    with TrafficProcess.start(load, faults, host=url, directory=run_dir) as traffic:
        drive_t = traffic.drive_t
        traffic.wait(history.append)

The process is a child of its own, since importing Locust patches sockets. It ends by itself when its plan does, on
SIGTERM, and when this process dies. What it saw comes as lines of `traffic.jsonl`, each an event of the history.
"""

import contextlib
import math
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from scenarios import plan as plans
from scenarios.history import Event, Phase, parse_event
from scenarios.model import Load, TrafficFault
from scenarios.plan import Plan

LOCUSTFILE = Path(__file__).with_name("locustfile.py")
STOP_WITHIN_S = 15.0
"""How long the process may take to end after SIGTERM; one process needs 2 s at most, several need some more."""

_PASSED_ON = frozenset(
    {
        *("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TZ"),
        *("VIRTUAL_ENV", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    }
)
"""All of our environment that the process gets: what it needs, no secret, and no setting of the user's own Locust."""


class TrafficError(RuntimeError):
    """The clients did not start, or did not last to the end; so what they would have seen is unknown."""


class _Tail:
    """The growing end of a file of lines."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._torn = b""

    def read(self) -> list[bytes]:
        """The lines that were completed since the last call."""
        *lines, self._torn = (self._torn + self._file.read()).split(b"\n")
        return lines

    def close(self) -> None:
        self._file.close()


class TrafficProcess:
    """
    The clients of one drill. Made by `start`; `pump` or `wait` read what they see; leaving the context ends them.
    """

    def __init__(self, plan: Plan, process: subprocess.Popen[bytes], log: Path) -> None:
        self.plan = plan
        self.pid = process.pid
        self._process = process
        self._log = log
        self._tail = _Tail(plan.events)
        self._unread: list[Event] = []
        self._asked_to_stop = False
        self.t0 = math.nan

    @classmethod
    def start(
        cls,
        load: Load,
        faults: Sequence[TrafficFault] = (),
        *,
        host: str,
        directory: Path,
        sampling: float = 1.0,
        within_s: float = 60.0,
    ) -> "TrafficProcess":
        """
        Start the clients and return when their first request goes out, which is the moment `t0`.

        They know by `sampling`, the share of traces that the app keeps, of which requests a trace is to be found.

        In `directory` it leaves `traffic.plan.json`, `traffic.jsonl` and `traffic.log`.
        Raises TrafficError with the log's end when there is no traffic within `within_s` seconds.
        """
        plan = Plan(
            host=host,
            events=(directory / "traffic.jsonl").absolute(),
            load=load,
            faults=tuple(faults),
            sampling=sampling,
        )
        log = directory / "traffic.log"
        plan.events.write_bytes(b"")
        process = _spawn(plan, directory / "traffic.plan.json", log)
        traffic = cls(plan, process, log)
        try:
            traffic._await_first_request(within_s)
        except BaseException:
            traffic.kill()
            traffic.close()
            raise
        return traffic

    @property
    def drive_t(self) -> float:
        """When the warm-up ends, in seconds since the epoch: time nought of the scenario."""
        return self.t0 + self.plan.load.warm_up

    @property
    def end_t(self) -> float:
        """When the last request is sent, in seconds since the epoch."""
        return self.t0 + self.plan.load.total_s

    @property
    def finished(self) -> bool:
        """Whether the process has ended."""
        return self._process.poll() is not None

    def pump(self, record: Callable[[Event], None]) -> int:
        """
        Hand over all that the clients saw since the last call, in about a second's delay; returns how many events.

        Raises TrafficError, after all was handed over, when the process ended though nobody asked it to.
        """
        code = self._process.poll()  # asked first: whatever was written before its end is then read below
        events, self._unread = [*self._unread, *self._read()], []
        for event in events:
            record(event)
        if code is not None:
            self._must_be_well(code)
        return len(events)

    def wait(self, record: Callable[[Event], None], *, poll_s: float = 0.1) -> None:
        """
        Pump until the plan is done and all is recorded. Raises TrafficError as `pump`, or when there is no end to it.
        """
        deadline = self.end_t + self.plan.timeout_s + STOP_WITHIN_S
        while not self.finished:
            if time.time() > deadline:
                self.kill()
                raise TrafficError(f"the clients did not end by themselves {self._where()}")
            self.pump(record)
            time.sleep(poll_s)
        self.pump(record)

    def stop(self) -> None:
        """
        End the traffic now: no new requests, those in flight get 2 s. Then `pump` once more for what they saw.
        """
        if not self.finished:
            self._asked_to_stop = True
            self._process.terminate()
            try:
                self._process.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """
        End the process and its workers at once, whatever is lost.
        """
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        """
        Let go of the files; nothing can be read any more.
        """
        if self._process.stdin:
            self._process.stdin.close()
        self._tail.close()

    def __enter__(self) -> "TrafficProcess":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()
        self.close()

    def _read(self) -> list[Event]:
        return [parse_event(line) for line in self._tail.read() if line]

    def _await_first_request(self, within_s: float) -> None:
        deadline = time.monotonic() + within_s
        while not self._unread:
            code = self._process.poll()
            self._unread = self._read()
            if not self._unread and code is not None:
                raise TrafficError(f"the clients did not start: exit code {code} {self._where()}")
            if not self._unread and time.monotonic() > deadline:
                raise TrafficError(f"the clients sent no request within {within_s:g}s {self._where()}")
            time.sleep(0.01)
        first = self._unread[0]
        assert isinstance(first, Phase), f"the first event must be a phase, got {first!r}"
        self.t0 = first.t

    def _must_be_well(self, code: int) -> None:
        """The process has ended: was that as planned?"""
        if code != 0:
            raise TrafficError(f"the clients broke down: exit code {code} {self._where()}")
        early_s = self.end_t - time.time()
        if early_s > 0 and not self._asked_to_stop:
            raise TrafficError(f"somebody else stopped the clients {early_s:.1f}s before their time {self._where()}")

    def _where(self) -> str:
        """The log's end, for an error's message."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]
        return f"(see {self._log}):\n" + "\n".join(f"    {line}" for line in lines or ["(the log is empty)"])


def _spawn(plan: Plan, plan_file: Path, log: Path) -> subprocess.Popen[bytes]:
    """The process, with its plan in a file and a pipe to notice our death by."""
    plan_file.write_text(plan.to_json(), encoding="utf-8")
    with log.open("ab") as output:
        return subprocess.Popen(
            _command(plan),
            cwd=log.parent,
            env=_environment(os.environ, plan_file.absolute()),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for the harness, which ends the traffic in its own order
        )


def _command(plan: Plan) -> list[str]:
    """Locust without its web page, with all the users that the plan will ever need."""
    users = str(math.ceil(plan.crowd().peak))
    command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--host", plan.host, "--headless"]
    command += ["--users", users, "--spawn-rate", users, "--only-summary"]
    processes = min(plan.load.processes, int(users))
    if processes > 1:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = str(free.getsockname()[1])
        command += ["--processes", str(processes)]
        command += ["--master-bind-host", "127.0.0.1", "--master-bind-port", port]
        command += ["--master-host", "127.0.0.1", "--master-port", port]
    return command


def _environment(ours: Mapping[str, str], plan_file: Path) -> dict[str, str]:
    """A small environment in which the process finds our packages and its plan."""
    path = os.pathsep.join([str(LOCUSTFILE.parents[1]), *filter(None, [ours.get("PYTHONPATH")])])
    return {name: value for name, value in ours.items() if name in _PASSED_ON} | {
        "PYTHONPATH": path,
        plans.PLAN_VARIABLE: str(plan_file),
        plans.LEASH_VARIABLE: "1",
    }
