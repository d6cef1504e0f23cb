"""Commands: run without a shell, ended when they take too long, and quoted when they fail."""

import os
import sys
import time
from pathlib import Path

import pytest

from scenarios.command import TAIL_BYTES, run_command


def test_the_end_of_the_output_is_returned() -> None:
    """Both streams, and no more than is worth reading."""
    output = run_command([sys.executable, "-c", "import sys; print('x' * 9000); print('end', file=sys.stderr)"])

    assert output.endswith("end")
    assert len(output) <= TAIL_BYTES


def test_no_shell_reads_the_arguments() -> None:
    """A `;` is a `;`."""
    assert run_command(["echo", "a; echo b"]) == "a; echo b"


def test_a_command_that_takes_too_long_is_killed_with_its_children(tmp_path: Path) -> None:
    """Nothing of it goes on breaking things behind our back."""
    pids = tmp_path / "pids"
    script = f"sleep 60 & echo $! $$ > {pids}; echo waiting; wait"

    with pytest.raises(RuntimeError, match=r"no end after 1s: waiting; killed"):
        run_command(["sh", "-c", script], within_s=1)

    deadline = time.monotonic() + 10
    while any(_alive(int(pid)) for pid in pids.read_text().split()):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_child_that_stays_behind_does_not_hold_us_up() -> None:
    """A command may start a daemon that keeps its output open."""
    began = time.monotonic()

    assert run_command(["sh", "-c", "sleep 15 & echo started"], within_s=30) == "started"
    assert time.monotonic() - began < 10


def test_a_silent_failure_shows_the_status_alone() -> None:
    """There is no output to quote."""
    with pytest.raises(RuntimeError, match=r"^false: exit status 1$"):
        run_command(["false"])


def _alive(pid: int) -> bool:
    """Whether a process runs; one that is dead but not yet waited for does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][:1] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
