"""Processes: components as processes on loopback; real engines, and stand-ins where an engine is not to be had."""

import shutil
import sys
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from stack import engines
from stack.components import COMPONENTS, Component
from stack.errors import StackError
from stack.runtimes.disk import Disk
from stack.runtimes.host import Host, Layout, Places, Running
from stack.runtimes.ports import allocate
from stack.runtimes.process import Process, Program
from stack.runtimes.roster import Roster

GRAFANA_HOME = Path("/usr/share/grafana")
"""Where packages install the files that Grafana itself needs."""


class ProcessHost:
    """This machine; each component keeps its data in a folder of the roster."""

    runtime = "processes"

    def __init__(self, roster: Roster, *, logs: Path) -> None:
        self._roster = roster
        self._logs = logs

    def reserve(self, table: Mapping[str, Component], *, fixed: Mapping[str, int] | None = None) -> Places:
        """A port of loopback each. Raises StackError for one that is unknown or taken."""
        names = [f"{component.name}.{port}" for component in table.values() for port in component.ports]
        addresses = allocate(names, roster=self._roster, fixed=fixed)
        return Places(outside=addresses, inside=addresses, listen=addresses)

    def layout(self, component: Component) -> Layout:
        """Folders of the roster."""
        root = self._roster.path
        return Layout(config=str(root / "config"), data=str(root / "data" / component.name))

    def make(self, component: Component, *, places: Places, values: Mapping[str, str]) -> Running:
        """Its engine, or our module in its place. Raises StackError when there is neither."""
        head, version, stand_in = self._program(component)
        data = Path(self.layout(component).data)
        data.mkdir(parents=True, exist_ok=True)
        known = {"home": str(GRAFANA_HOME if GRAFANA_HOME.is_dir() else data), **values}
        program = Program(
            name=component.name,
            command=(*head, *(argument.format(**known) for argument in component.args)),
            environment={name: text.format(**known) for name, text in component.environment.items()},
            log=self._logs / f"{component.name}.log",
        )
        disk = Disk(data, mb=component.disk_mb) if component.disk_mb else None
        process = Process(program, roster=self._roster.id, disk=disk)
        return Running(component=component, unit=process, version=version, stand_in=stand_in)

    def adopt(self, component: Component, state: Mapping[str, Any]) -> Running:
        """The process that another command started."""
        saved = state["unit"]
        program = Program(
            name=component.name, command=saved["command"], environment=saved["environment"], log=Path(saved["log"])
        )
        process = Process.adopt(program, roster=self._roster.id, pid=saved["pid"], started_t=saved["started_t"])
        return Running(component=component, unit=process, version=state["version"], stand_in=state["stand_in"])

    def beside(self, roster: Roster, *, logs: Path) -> Host:
        """Any other process of this machine reaches all of these."""
        return ProcessHost(roster, logs=logs)

    def close(self) -> None:
        """It holds nothing."""

    def _program(self, component: Component) -> tuple[tuple[str, ...], str, bool]:
        """What runs a component here, its version, and whether it is a stand-in."""
        found = self._engines.get(component.binary) if component.binary else None
        if found:
            return (str(found.path),), found.version, False
        if component.module:
            return (sys.executable, "-m", component.module), component.version, component.stand_in
        raise StackError(f"{component.name}: its engine {component.binary} is not there; `make engines` builds it")

    @cached_property
    def _engines(self) -> Mapping[str, engines.Found]:
        """The engine for each component that has one here; those that are not built by us are looked for on PATH alone."""
        found = {one.binary: one for status in engines.status() for one in status.found}
        for component in COMPONENTS.values():
            if component.binary and component.binary not in engines.MAKERS and (path := shutil.which(component.binary)):
                found[component.binary] = engines.Found(
                    binary=component.binary, path=Path(path), version=component.version, origin="PATH"
                )
        return found
