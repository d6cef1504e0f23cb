"""Process: one program that we started, known by its pid and the marker in its environment."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

import psutil

from stack.errors import StackError
from stack.runtimes.disk import Disk
from stack.runtimes.unit import Usage

MARKER = "TOCSIN_ROSTER"
"""The environment variable that every process of ours carries: the id of the roster that it belongs to."""

_POLL_S = 0.02
_GLANCE_S = 0.001
_MARKED_WITHIN_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to run: a command, what is added to the environment, and the log that takes both of its outputs."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path


class Process:
    """
    A program and all of its children: a Unit.

    It may have been started by another process of ours (`tocsin up`), so it is known by pid and start time alone.
    """

    def __init__(self, program: Program, *, roster: str, disk: Disk | None = None) -> None:
        self.program = program
        self.pid = 0
        self._created_t = 0.0
        self._roster = roster
        self._disk = disk
        self._child: subprocess.Popen[bytes] | None = None

    @classmethod
    def adopt(cls, program: Program, *, roster: str, pid: int, started_t: float) -> Self:
        """One that was started by another process of ours."""
        process = cls(program, roster=roster)
        process.pid, process._created_t = pid, started_t
        return process

    def start(self) -> None:
        """
        Start the program in a process group of its own. Raises StackError when it cannot be started at all.
        """
        program = self.program
        environment = {**os.environ, **program.environment, MARKER: self._roster}
        try:
            with program.log.open("ab") as log:
                self._child = subprocess.Popen(
                    list(program.command),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    start_new_session=True,
                )
        except OSError as error:
            raise StackError(f"{program.name}: cannot start {program.command[0]}: {error.strerror or error}") from error
        self.pid = self._child.pid
        self._created_t = _creation_time(self.pid)
        # Its environment is there a moment after it began to run; until then a roster would not know it for its own.
        deadline = time.monotonic() + _MARKED_WITHIN_S
        while self.alive and not _carries(self.pid, self._roster) and time.monotonic() < deadline:
            time.sleep(_GLANCE_S)

    @property
    def name(self) -> str:
        """The program's name."""
        return self.program.name

    @property
    def started_t(self) -> float:
        """When it was started, on the clock of `time.time()`; 0 before."""
        return self._created_t + _skew_s() if self._created_t else 0.0

    @property
    def alive(self) -> bool:
        """Whether it runs (or is frozen), and is still the one that we started."""
        if self._child is not None:
            return self._child.poll() is None
        return _is_running(self.pid, self._created_t)

    @property
    def paused(self) -> bool:
        """Whether it is frozen."""
        try:
            return self.alive and psutil.Process(self.pid).status() == psutil.STATUS_STOPPED
        except psutil.Error:
            return False

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs, or when another process of ours was its parent."""
        return self._child.poll() if self._child else None

    def pause(self) -> None:
        """Freeze it: its sockets stay open and nothing answers."""
        self._signal(signal.SIGSTOP)

    def unpause(self) -> None:
        """Thaw it."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once, without a chance to clean up."""
        self._signal(signal.SIGKILL)
        self._wait(5)

    def stop(self, within_s: float = 5) -> None:
        """
        Ask it to end, frozen or not; after `within_s` seconds end it.
        """
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)
        if not self._wait(within_s):
            self.kill()

    def fill_disk(self) -> None:
        """Fill the disk of its own. Raises StackError where it has none."""
        if self._disk is None:
            raise StackError(f"{self.name} has no disk of its own, so that nobody else's would be filled")
        self._disk.fill()

    def free_disk(self) -> None:
        """Take away what filled it."""
        if self._disk:
            self._disk.free()

    def log(self) -> Path:
        """Its log; both of its outputs go there."""
        return self.program.log

    def log_tail(self, lines: int = 15) -> str:
        """The last lines of its log."""
        return log_tail(self.program.log, lines)

    def usage(self) -> Usage | None:
        """What it and its children use; None when it does not run."""
        return used_by(self.pid) if self.alive else None

    def state(self) -> dict[str, Any]:
        """What `adopt` needs."""
        return {
            "command": list(self.program.command),
            "environment": dict(self.program.environment),
            "log": str(self.program.log),
            "pid": self.pid,
            "started_t": self._created_t,
        }

    def _signal(self, number: signal.Signals) -> None:
        if not self.alive:
            return
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return

    def _wait(self, within_s: float) -> bool:
        deadline = time.monotonic() + within_s
        while self.alive:
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_S)
        return True


def used_by(pid: int) -> Usage | None:
    """What a process and its children use; children that ended count by their CPU time once their parent knows of their end."""
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.Error:
        return None
    cpu_s, memory_bytes = 0.0, 0
    for member in family:
        with suppress(psutil.Error):
            times, memory = member.cpu_times(), member.memory_info()
            cpu_s += times.user + times.system + times.children_user + times.children_system
            memory_bytes += memory.rss
    return Usage(cpu_s=cpu_s, memory_bytes=memory_bytes)


def log_tail(path: Path, lines: int = 15) -> str:
    """
    The last lines of a log, at most 64 KiB of it; empty when there is none.
    """
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 65536))
            return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-lines:])
    except OSError:
        return ""


@cache
def _skew_s() -> float:
    """By how much the times at which processes were created are early: they count from a boot time in whole seconds."""
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return 0.0
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) - psutil.boot_time()


def _creation_time(pid: int) -> float:
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return 0.0


def _carries(pid: int, roster: str) -> bool:
    try:
        return psutil.Process(pid).environ().get(MARKER) == roster
    except (psutil.Error, OSError):
        return False


def _is_running(pid: int, started_t: float) -> bool:
    try:
        process = psutil.Process(pid)
        # A pid is soon given to another process, so its start time has to be the same too.
        return abs(process.create_time() - started_t) < 0.05 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
