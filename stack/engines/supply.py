"""The supply of engines: what is missing gets built, once, for all that ask."""

import tempfile
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from stack.engines import cache, toolchain
from stack.engines.build import Build
from stack.engines.errors import EngineError, advice
from stack.engines.programs import Programs
from stack.engines.progress import Report, Reporter, Stage, silent
from stack.engines.search import locate, maker
from stack.engines.table import ENGINES, MAKERS, Engine
from stack.engines.toolchain import Go

JOBS = 2
"""Builds at a time: while one downloads or links on one core, another compiles."""


def ensure(
    names: Iterable[str] | None = None,
    *,
    report: Report = silent,
    jobs: int = JOBS,
    find: Callable[[str], Path | None] = locate,
) -> Mapping[str, Path]:
    """
    Where the named binaries are (None: all); what is missing is built first, `jobs` engines at a time.

    `find` looks for one: `locate` on PATH too, `built` for those alone that were built here.
    Interrupted, it stops its builds and leaves no half engine; called again it goes on from Go's own caches.
    Two processes that want the same engine build it once. `report` is called from several threads.
    Raise EngineError, with what to try and the tail of the log, for all engines that could not be built.
    """
    wanted = list(MAKERS) if names is None else list(dict.fromkeys(names))
    paths = {binary: find(binary) for binary in wanted}
    short = {maker(binary).name for binary, path in paths.items() if path is None}
    if short:
        _build([engine for engine in ENGINES.values() if engine.name in short], report=report, jobs=jobs)
    found = {binary: path or find(binary) for binary, path in paths.items()}
    lost = [binary for binary, path in found.items() if path is None]
    if lost:
        raise EngineError(
            f"{', '.join(lost)}: built, and gone again from {cache.folder()}; does something clear that folder?"
        )
    return {binary: path for binary, path in found.items() if path is not None}


def _build(engines: list[Engine], *, report: Report, jobs: int) -> None:
    programs = Programs()
    go = toolchain.provide(programs, Reporter("go", report))
    with ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="engine") as pool:
        builds = [pool.submit(_build_one, engine, go, programs, Reporter(engine.name, report)) for engine in engines]
        try:
            failures = [str(failure) for failure in map(_failure_of, builds) if failure]
        except BaseException:
            programs.stop()
            raise
    if failures:
        raise EngineError("\n\n".join(failures))


def _failure_of(build: Future[None]) -> EngineError | None:
    """How a build ended; a failure of one lets the others go on."""
    try:
        build.result()
    except EngineError as error:
        return error
    return None


def _build_one(engine: Engine, go: Go, programs: Programs, report: Reporter) -> None:
    """Build one engine into the cache, unless another process does so meanwhile."""

    def wait() -> None:
        programs.check()
        report(Stage.WAIT)

    try:
        with cache.locked(cache.home(engine).name, on_wait=wait):
            if any(cache.find(engine, binary) is None for binary in engine.packages):
                _make(engine, go, programs, report)
    except OSError as error:
        report(Stage.FAILED, detail=str(error))
        raise EngineError(f"{engine.name} {engine.version}: {error}\n  try: {advice(str(error))}") from error
    except EngineError:
        report(Stage.FAILED)
        raise
    report(Stage.READY, detail=str(cache.home(engine)))


def _make(engine: Engine, go: Go, programs: Programs, report: Reporter) -> None:
    with cache.replacing(cache.home(engine)) as part, tempfile.TemporaryDirectory(prefix="tocsin-") as work:
        build = Build(engine=engine, go=go, programs=programs, work=Path(work), log=cache.log_of(engine), report=report)
        build.run(part / "bin")
        cache.write_manifest(part, engine, facts={"module": engine.module, "go": go.version})
