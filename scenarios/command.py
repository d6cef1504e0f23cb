"""Command: a program of somebody else's, run without a shell, with a deadline and no more output than is worth reading."""

import contextlib
import os
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from typing import IO

TAIL_BYTES = 2_000
"""How much of the end of its output is kept."""


def run_command(argv: Sequence[str], *, within_s: float = 30.0, environment: Mapping[str, str] | None = None) -> str:
    """
    Run a command and return the end of its output; `environment` is added to ours.

    Raises OSError when it cannot be started, and RuntimeError, with the end of its output, when it fails or takes longer
    than `within_s` seconds; then it and all that it started are killed.
    """
    # A file, not a pipe: a child that it leaves behind would keep a pipe open, and us waiting.
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
        try:
            status = process.wait(timeout=within_s)
        except subprocess.TimeoutExpired as error:
            text = f"{shlex.join(argv)}: no end after {within_s:g}s{_quoted(output)}; killed"
            raise RuntimeError(text) from error
        finally:
            if process.poll() is None:
                _kill(process)
        if status != 0:
            raise RuntimeError(f"{shlex.join(argv)}: exit status {status}{_quoted(output)}")
        return _tail(output)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _quoted(output: IO[bytes]) -> str:
    tail = _tail(output)
    return f": {tail}" if tail else ""


def _tail(output: IO[bytes]) -> str:
    output.seek(0, os.SEEK_END)
    output.seek(max(0, output.tell() - TAIL_BYTES))
    return output.read().decode(errors="replace").strip()
