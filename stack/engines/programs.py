"""Programs: run one, keep what it prints in a log, and be able to stop all."""

import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from stack.engines.errors import EngineError, explain

TAIL = 15
"""How many lines of a failed program's output its error shows."""


def _ignore(_line: str) -> None:
    """Do nothing with a line."""


def _is_progress(line: str) -> bool:
    """Whether a line only says how far Go is: the bare name of a package, or a download."""
    return not line or " " not in line or line.startswith("go: downloading ")


class Programs:
    """Programs running for one purpose; from `stop` on none is left, and no other starts."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def run(
        self,
        what: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        cwd: Path,
        environment: Mapping[str, str],
        on_line: Callable[[str], None] = _ignore,
    ) -> None:
        """
        Run a program to its end, append what it prints to `log`, and hand each line to `on_line`.

        Raise EngineError, with the tail of the output, if it cannot start or fails.
        """
        tail: deque[str] = deque(maxlen=TAIL)
        try:
            child = self._start(command, cwd, environment)
        except OSError as error:
            raise EngineError(explain(f"{what}: {command[0]} cannot be started", [str(error)], log=log)) from error
        try:
            with log.open("a", encoding="utf-8") as kept:
                kept.write(f"$ {' '.join(map(str, command))}\n")
                for line in child.stdout or ():
                    kept.write(line)
                    on_line(line.rstrip())
                    if not _is_progress(line.rstrip()):
                        tail.append(line.rstrip())
            status = child.wait()
        finally:
            self._end(child)
        if status:
            raise EngineError(explain(f"{what} failed with exit status {status}", tail, log=log))

    def stop(self) -> None:
        """End all that runs; what would start later fails at once."""
        with self._lock:
            self._stopped = True
            running = list(self._running)
        for child in running:
            _kill(child)

    def check(self) -> None:
        """Raise EngineError if all has been stopped."""
        if self._stopped:
            raise EngineError("stopped before it was done; run it again: what has been compiled is kept")

    def _start(self, command: Sequence[str | Path], cwd: Path, environment: Mapping[str, str]) -> subprocess.Popen[str]:
        with self._lock:
            self.check()
            child = subprocess.Popen(
                command,
                cwd=cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
                process_group=0,
            )
            self._running.add(child)
            return child

    def _end(self, child: subprocess.Popen[str]) -> None:
        with self._lock:
            self._running.discard(child)
        if child.poll() is None:
            _kill(child)
            child.wait()
        if child.stdout:
            child.stdout.close()


def _kill(child: subprocess.Popen[str]) -> None:
    """End a program with all that it started: a compiler left behind would hold its output open."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
