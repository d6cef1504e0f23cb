"""The supply: what is missing is built once, whole, and in order of need; a failure says what to try."""

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stack.engines import ENGINES, MAKERS, EngineError, Progress, Stage, cache, ensure, locate
from tests.unit.stack.engines.workshop import Workshop


def test_all_are_built(workshop: Workshop) -> None:
    """Each binary is built, says the pinned version, and is found where ensure says."""
    workshop.install_go()
    paths = ensure()

    assert set(MAKERS) == set(paths)
    for binary, path in paths.items():
        said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
        assert f"version {MAKERS[binary].version}" in said
        assert path == locate(binary)


def test_builds_are_pinned_and_static(workshop: Workshop) -> None:
    """Go builds in the committed tools module, without paths of this machine and without symbols."""
    workshop.install_go()
    ensure(["prometheus"])
    (build,) = workshop.builds()

    assert build.startswith(f"{cache.HERE / 'tools' / 'prometheus'}: ")
    assert (
        "-trimpath -gcflags all=-dwarf=false -tags remove_all_sd -ldflags -s -w -X github.com/prometheus/common/version.Version=3.16.0"
        in build
    )


def test_collector_is_generated_then_pinned(workshop: Workshop) -> None:
    """The builder comes from its own tools module; the sources that it writes are compiled with the pinned modules."""
    workshop.install_go()
    ensure(["otelcol"])
    builder, collector = workshop.builds()

    assert builder.startswith(f"{cache.HERE / 'tools' / 'builder'}: ")
    assert collector.partition(": ")[0].endswith("/source")


def test_only_what_is_missing_is_built(workshop: Workshop) -> None:
    """What is on PATH or in the cache is not built; a second call builds nothing."""
    workshop.install_go()
    there = workshop.install_engine("amtool", "amtool, version 0.31.1")
    assert {"amtool": there} == ensure(["amtool"])
    assert workshop.builds() == []

    ensure(["toxiproxy", "amtool"])
    ensure(["toxiproxy", "toxiproxy"])
    assert len(workshop.builds()) == 1


def test_damaged_engine_is_built_again(workshop: Workshop) -> None:
    """An engine that is not what was built is replaced."""
    workshop.install_go()
    path = ensure(["toxiproxy"])["toxiproxy"]
    path.write_text("damaged")

    assert {"toxiproxy": path} == ensure(["toxiproxy"])
    assert len(workshop.builds()) == 2


def test_unknown_name_builds_nothing(workshop: Workshop) -> None:
    """One wrong name stops all before a build begins."""
    workshop.install_go()
    with pytest.raises(EngineError, match="no engine makes 'grafana'"):
        ensure(["toxiproxy", "grafana"])

    assert workshop.builds() == []


def test_progress_is_reported(workshop: Workshop) -> None:
    """Each stage is told in its order, downloads by name, and with the number of packages to compile."""
    workshop.install_go()
    seen: list[Progress] = []
    ensure(["toxiproxy"], report=seen.append)
    stages = list(dict.fromkeys(one.stage for one in seen if one.engine == "toxiproxy"))

    assert stages == [Stage.DOWNLOAD, Stage.COMPILE, Stage.CHECK, Stage.READY]
    assert "example.com/module v1.0.0" in [one.detail for one in seen if one.stage is Stage.DOWNLOAD]
    assert {2} == {one.total for one in seen if one.stage is Stage.COMPILE}
    assert all(one.elapsed_s >= 0 for one in seen)


def test_failed_build_says_why(workshop: Workshop) -> None:
    """The error has the engine, the step, the advice, the log and its tail; nothing half is left; the others are built."""
    workshop.install_go()
    workshop.let_builds_fail("write /tmp/x.a: no space left on device")
    seen: list[Progress] = []
    with pytest.raises(EngineError) as caught:
        ensure(["toxiproxy", "amtool"], report=seen.append)

    message = str(caught.value)
    assert "toxiproxy 2.12.0: compiling failed with exit status 1\n  try: the disk is full" in message
    assert "alertmanager 0.31.1: compiling failed" in message
    assert "  | write /tmp/x.a: no space left on device" in message
    assert "example.com/package" not in message
    assert "no space left" in cache.log_of(ENGINES["toxiproxy"]).read_text()
    assert set() == workshop.entries()
    assert {"toxiproxy", "alertmanager"} == {one.engine for one in seen if one.stage is Stage.FAILED}


def test_failure_is_mended_by_the_next_call(workshop: Workshop) -> None:
    """After a failure the next call builds as if nothing had been."""
    workshop.install_go()
    workshop.let_builds_fail("dial tcp: no such host")
    with pytest.raises(EngineError, match="check the network and the proxy"):
        ensure(["toxiproxy"])
    (workshop.folder / "failure").unlink()

    assert ensure(["toxiproxy"])


def test_wrong_version_is_no_engine(workshop: Workshop) -> None:
    """A binary that says another version than the pinned one is not taken into the cache."""
    go = workshop.install_go()
    go.write_text(go.read_text().replace('version="${argument##*=}"', "version=9.9.9"))
    with pytest.raises(EngineError, match=r"the built toxiproxy should say version 2\.12\.0, but says .*9\.9\.9"):
        ensure(["toxiproxy"])

    assert set() == workshop.entries()


def test_cache_that_cannot_be_written(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache folder that cannot be made is an error with its path, not a traceback."""
    workshop.install_go()
    (workshop.folder / "file").write_text("")
    monkeypatch.setenv("TOCSIN_CACHE", str(workshop.folder / "file" / "cache"))
    with pytest.raises(EngineError, match=r"toxiproxy 2\.12\.0: .*Not a directory.*file/cache"):
        ensure(["toxiproxy"])


def test_two_that_want_the_same_build_it_once(workshop: Workshop) -> None:
    """The second waits, says so, and takes what the first has built."""
    workshop.install_go()
    open_gate = workshop.close_gate()
    compiling, waiting = threading.Event(), threading.Event()

    def first(progress: Progress) -> None:
        if progress.stage is Stage.COMPILE:
            compiling.set()

    def second(progress: Progress) -> None:
        if progress.stage is Stage.WAIT:
            waiting.set()

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(ensure, ["toxiproxy"], report=first)
        assert compiling.wait(30)
        other = pool.submit(ensure, ["toxiproxy"], report=second)
        assert waiting.wait(30)
        open_gate()
        assert one.result(30) == other.result(30)

    assert len(workshop.builds()) == 1


def test_interrupted_build_leaves_no_half_engine(workshop: Workshop) -> None:
    """Ctrl-C in the middle of a build ends Go, and leaves the cache as it was."""
    workshop.install_go()
    workshop.close_gate()
    script = "from stack.engines import ensure\nensure(['toxiproxy'], report=lambda p: print(p.stage, flush=True))"
    harness = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(cache.HERE).parents[1])},
    )
    assert harness.stdout
    while "compiling" not in harness.stdout.readline():
        assert harness.poll() is None
    harness.send_signal(signal.SIGINT)
    _, error = harness.communicate(timeout=30)

    assert error.rstrip().endswith("KeyboardInterrupt")
    assert set() == workshop.entries()
    (workshop.folder / "gate").unlink()
    assert ensure(["toxiproxy"])
