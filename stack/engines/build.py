"""One build: from an engine's pinned modules to its binaries."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stack.engines.cache import GCFLAGS, HERE, LDFLAGS
from stack.engines.errors import EngineError
from stack.engines.programs import Programs
from stack.engines.progress import Reporter, Stage
from stack.engines.search import version_line
from stack.engines.table import Engine
from stack.engines.toolchain import Go

OPTIONS = ("-trimpath", "-gcflags", GCFLAGS)


@dataclass(slots=True, kw_only=True)
class Build:
    """The build of one engine: its tools, its folder to work in, its log, and who wants to know how far it is."""

    engine: Engine
    go: Go
    programs: Programs
    work: Path
    log: Path
    report: Reporter
    _lines: int = field(default=0, init=False)

    def run(self, into: Path) -> None:
        """Leave the engine's binaries in the folder `into`; raise EngineError if a step fails."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.write_text("", encoding="utf-8")
        into.mkdir(parents=True)
        source = self._generated() if self.engine.generator else HERE / "tools" / self.engine.name
        packages = list(self.engine.packages.values())
        total = self._download(source, packages)
        self._compile(source, packages, into=into, total=total)
        self._check(into)

    def _generated(self) -> Path:
        """Let the Collector's builder write the sources of the binary; the modules that these use stay the pinned ones."""
        tools = HERE / "tools"
        source = self.work / "source"
        self.report(Stage.GENERATE)
        program = self.work / "builder"
        package = "go.opentelemetry.io/collector/cmd/builder"
        self._step(Stage.GENERATE, ["build", *OPTIONS, "-o", program, package], cwd=tools / self.engine.generator)
        manifest = HERE / self.engine.sources[0]
        options: list[str | Path] = ["--skip-get-modules", "--skip-compilation", "--config", manifest]
        self._run("generating its sources", [program, *options], cwd=self.work)
        for pinned in ("go.mod", "go.sum"):
            shutil.copyfile(tools / self.engine.name / pinned, source / pinned)
        return source

    def _download(self, source: Path, packages: Sequence[str]) -> int:
        """Fetch the modules; how many packages there are to compile."""
        self._step(Stage.DOWNLOAD, ["list", "-deps", *self._tags(), *packages], cwd=source)
        return self._lines

    def _compile(self, source: Path, packages: Sequence[str], *, into: Path, total: int) -> None:
        ldflags = LDFLAGS
        if self.engine.version_symbol:
            ldflags += f" -X {self.engine.version_symbol}={self.engine.version}"
        options: list[str | Path] = ["-v", *OPTIONS, *self._tags(), "-ldflags", ldflags]
        # Go names a binary after its package's folder; a trailing slash makes `into` a folder for several.
        target = f"{into}{os.sep}" if len(packages) > 1 else into / next(iter(self.engine.packages))
        self._step(Stage.COMPILE, ["build", *options, "-o", target, *packages], cwd=source, total=total)

    def _check(self, into: Path) -> None:
        """A binary that does not run here, or is another version, is no engine."""
        for binary in self.engine.packages:
            self.report(Stage.CHECK, detail=binary)
            said = version_line(into / binary)
            if self.engine.version not in said:
                raise EngineError(
                    f"{self.engine.name}: the built {binary} should say version {self.engine.version}, but says {said!r}; "
                    f"log: {self.log}"
                )

    def _tags(self) -> list[str]:
        return ["-tags", ",".join(self.engine.tags)] if self.engine.tags else []

    def _step(self, stage: Stage, arguments: Sequence[str | Path], *, cwd: Path, total: int = 0) -> None:
        """Run Go; each line that it prints is one module or package."""
        self._lines = 0
        self.report(stage, total=total)

        def on_line(line: str) -> None:
            downloading = line.startswith("go: downloading ")
            self._lines += not downloading
            self.report(stage, done=self._lines, total=total, detail=line.removeprefix("go: downloading "))

        self._run(stage.value, [self.go.program, *arguments], cwd=cwd, on_line=on_line)

    def _run(self, what: str, command: Sequence[str | Path], *, cwd: Path, **options: Any) -> None:
        self.programs.run(
            f"{self.engine.name} {self.engine.version}: {what}",
            command,
            log=self.log,
            cwd=cwd,
            environment=self.go.environment(),
            **options,
        )
