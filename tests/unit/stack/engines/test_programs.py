"""Programs: logged, told line by line, and stopped with all that they started."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stack.engines import EngineError
from stack.engines.programs import Programs

FAILING = "echo fmt; echo one two; echo go: downloading example.com/x v1; echo three four; exit 7"


def run(programs: Programs, script: str, folder: Path, **options: object) -> None:
    """Run a shell script."""
    command = ["/bin/sh", "-c", script]
    programs.run(
        "a step",
        command,
        log=folder / "log",
        cwd=folder,
        environment=os.environ,
        **options,  # type: ignore[arg-type]
    )


def test_output_is_kept_and_told(tmp_path: Path) -> None:
    """Both streams go to the log behind the command, and line by line to who listens."""
    lines: list[str] = []
    run(Programs(), "echo out; echo err >&2", tmp_path, on_line=lines.append)

    assert lines == ["out", "err"]
    assert (tmp_path / "log").read_text() == "$ /bin/sh -c echo out; echo err >&2\nout\nerr\n"


def test_failure_shows_the_tail_without_progress(tmp_path: Path) -> None:
    """The error has the exit status and what matters of the output: neither bare package names nor downloads."""
    with pytest.raises(EngineError) as caught:
        run(Programs(), FAILING, tmp_path)

    assert str(caught.value).splitlines()[0] == "a step failed with exit status 7"
    assert str(caught.value).splitlines()[-2:] == ["  | one two", "  | three four"]


def test_failure_shows_only_the_end(tmp_path: Path) -> None:
    """Of a long output the last lines are shown."""
    with pytest.raises(EngineError) as caught:
        run(Programs(), "for i in $(seq 100); do echo line $i; done; exit 1", tmp_path)

    shown = [line for line in str(caught.value).splitlines() if line.startswith("  | ")]
    assert [f"  | line {i}" for i in range(86, 101)] == shown


def test_program_that_is_not_there(tmp_path: Path) -> None:
    """A missing program is an error that names it."""
    with pytest.raises(EngineError, match=r"(?s)a step: /no/such cannot be started.*No such file"):
        Programs().run("a step", ["/no/such"], log=tmp_path / "log", cwd=tmp_path, environment={})


def test_stop_ends_all_and_lets_nothing_start(tmp_path: Path) -> None:
    """Stopped, a program ends at once with its children, which would hold its output open; the next one is refused."""
    programs = Programs()
    started = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        child = "sleep 600 & echo started; wait"
        running = pool.submit(run, programs, child, tmp_path, on_line=lambda _: started.set())
        assert started.wait(30)
        programs.stop()
        with pytest.raises(EngineError, match="exit status -9"):
            running.result(timeout=30)

    with pytest.raises(EngineError, match="stopped before it was done; run it again"):
        run(programs, "echo more", tmp_path)


def test_program_is_ended_if_its_listener_fails(tmp_path: Path) -> None:
    """An error in the one who listens leaves no program running."""

    def fail(line: str) -> None:
        raise ValueError(line)

    with pytest.raises(ValueError, match=r"^\d+$") as caught:
        run(Programs(), "echo $$; exec sleep 600", tmp_path, on_line=fail)

    with pytest.raises(ProcessLookupError):
        os.kill(int(str(caught.value)), 0)
