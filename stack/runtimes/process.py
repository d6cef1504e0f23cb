"""Process: one program that we started, known by its pid and the marker in its environment."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

from stack.errors import StackError

MARKER = "TOCSIN_ROSTER"
"""The environment variable that every process of ours carries: the id of the roster that it belongs to."""

_POLL_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to run: a command, what is added to the environment, and the log that takes both of its outputs."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path


class Process:
    """
    A running program and all of its children.

    It may have been started by another process of ours (`tocsin up`), so it is known by pid and start time alone.
    """

    def __init__(self, program: Program, pid: int, started_t: float | None = None) -> None:
        self.program = program
        self.pid = pid
        self._child: subprocess.Popen[bytes] | None = None
        self._paused = False
        self.started_t = started_t if started_t is not None else _start_time(pid)

    @classmethod
    def start(cls, program: Program, *, roster: str) -> Self:
        """
        Start a program in a process group of its own. Raises StackError when it cannot be started at all.
        """
        environment = {**os.environ, **program.environment, MARKER: roster}
        try:
            with program.log.open("ab") as log:
                child = subprocess.Popen(
                    list(program.command),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    start_new_session=True,
                )
        except OSError as error:
            raise StackError(f"{program.name}: cannot start {program.command[0]}: {error.strerror or error}") from error
        process = cls(program, child.pid)
        process._child = child
        return process

    @property
    def alive(self) -> bool:
        """Whether it runs (or is frozen), and is still the one that we started."""
        if self._child is not None:
            return self._child.poll() is None
        return _is_running(self.pid, self.started_t)

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs, or when another process of ours was its parent."""
        return self._child.poll() if self._child else None

    def pause(self) -> None:
        """Freeze it: its sockets stay open and nothing answers."""
        self._signal(signal.SIGSTOP)
        self._paused = True

    def unpause(self) -> None:
        """Thaw it."""
        self._signal(signal.SIGCONT)
        self._paused = False

    def kill(self) -> None:
        """End it at once, without a chance to clean up."""
        self._signal(signal.SIGKILL)
        self._wait(5)

    def stop(self, within_s: float = 5) -> None:
        """
        Ask it to end; after `within_s` seconds end it.
        """
        if self._paused:
            self.unpause()
        self._signal(signal.SIGTERM)
        if not self._wait(within_s):
            self.kill()

    def log_tail(self, lines: int = 15) -> str:
        """The last lines of its log."""
        return log_tail(self.program.log, lines)

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


def _start_time(pid: int) -> float:
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return 0.0


def _is_running(pid: int, started_t: float) -> bool:
    try:
        process = psutil.Process(pid)
        # A pid is soon given to another process, so its start time has to be the same too.
        return abs(process.create_time() - started_t) < 0.05 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
