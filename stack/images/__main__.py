"""Images by hand: `python -m stack.images build | status | lock`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import docker
import typer
from rich.console import Console
from rich.table import Column, Table

from stack import engines
from stack.components import APP, COMPONENTS
from stack.engines.display import shown
from stack.engines.progress import Report, Reporter
from stack.errors import StackError
from stack.images import base, local, own, pins
from stack.images.connection import connect
from stack.images.pull import pull
from stack.images.store import held
from stack.images.supply import look, references, variable
from stack.images.table import LOCAL, MADE_HERE, OFFICIAL_BASE, OURS, ROOT, TOXIPROXY

app = typer.Typer(help="Build and list the images that the containers runtime runs.", no_args_is_help=True)

Locally = Annotated[
    bool,
    typer.Option(
        "--local", help="Without any registry: a base from Debian's packages, and engines from their Go modules."
    ),
]
Base = Annotated[
    str, typer.Option("--base", help="The base of our images: one with Python 3.11 or newer and pip, on glibc.")
]
Check = Annotated[bool, typer.Option("--check", help="Write nothing; exit with 1 if a file is not in step.")]


@contextmanager
def _told() -> Iterator[None]:
    """Print an error as words, not as a traceback, and exit with 3: the stack failed."""
    try:
        yield
    except StackError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(3) from None


@app.command()
def build(locally: Locally = False, on: Base = OFFICIAL_BASE) -> None:
    """Build our images; with --local also images that stand for the official ones of the engines. What is there is not built again."""
    with _told(), shown(Console(stderr=True)) as report:
        client = connect()
        if locally:
            on = _build_local(client, report)
        elif held(client, on) is None:
            pull(client, on, Reporter("base", report))
        local.build(client, TOXIPROXY, Reporter(TOXIPROXY.name, report))
        for image in OURS.values():
            own.build(client, image, on, Reporter(image.name, report))
    for reference in [*(image.reference for image in LOCAL.values() if locally), *MADE_HERE]:
        typer.echo(reference)


def _build_local(client: docker.DockerClient, report: Report) -> str:
    """Build the images of engines, and the local base; its reference."""
    engines.ensure(report=report, find=engines.built)
    for image in LOCAL.values():
        local.build(client, image, Reporter(image.name, report))
    base.build_local(client, Reporter("base", report))
    return base.LOCAL_BASE


@app.command()
def status() -> None:
    """Show what each component would run, and what is not there."""
    with _told():
        wanted = references([*COMPONENTS.values(), *APP.values()])
        found = look(connect(), wanted)
    table = Table("component", Column("wanted", overflow="fold"), Column("there", overflow="fold"))
    for name, reference in wanted.items():
        table.add_row(name, reference, str(found[name] or f"[red]missing[/] ({variable(name)} names another)"))
    Console().print(table)


@app.command()
def lock(check: Check = False) -> None:
    """Write the pins of our images anew, from the project's own."""
    with _told():
        locked = pins.read_file(ROOT / pins.LOCK)
        for image in OURS.values():
            path = own.place_of(image) / "requirements.txt"
            text = pins.text_of(pins.needed(locked, image.requires))
            if check and path.read_text(encoding="utf-8") != text:
                typer.echo(f"{path} is not in step with {pins.LOCK}; `python -m stack.images lock` writes it", err=True)
                raise typer.Exit(1)
            if not check:
                path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    app()
