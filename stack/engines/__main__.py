"""The engines by hand: `python -m stack.engines build | list | path NAME`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from stack import engines
from stack.engines.display import shown

app = typer.Typer(help="Find, build and list the real programs that the stack runs.", no_args_is_help=True)


def known(names: list[str] | str | None) -> list[str] | str | None:
    """Refuse names that no engine makes, as a mistake in the call."""
    for name in [names] if isinstance(names, str) else names or []:
        try:
            engines.maker(name)
        except engines.EngineError as error:
            raise typer.BadParameter(str(error)) from None
    return names


Names = Annotated[
    list[str] | None, typer.Argument(callback=known, help="Binaries, such as `prometheus`; all, if none is named.")
]
Name = Annotated[str, typer.Argument(callback=known, help="A binary, such as `promtool`.")]
Jobs = Annotated[int, typer.Option(help="Builds at a time.", min=1)]


@contextmanager
def _told() -> Iterator[None]:
    """Print an error as words, not as a traceback, and exit with 3: the stack failed."""
    try:
        yield
    except engines.EngineError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(3) from None


@app.command()
def build(names: Names = None, jobs: Jobs = engines.JOBS) -> None:
    """Build what is neither on PATH nor in the cache."""
    with _told(), shown(Console(stderr=True)) as report:
        found = engines.ensure(names or None, report=report, jobs=jobs)
    for binary, path in found.items():
        typer.echo(f"{binary}\t{path}")


@app.command("list")
def list_engines() -> None:
    """Show what is there, what is missing, and what would build it."""
    table = Table("binary", "version", "found in", Column("path", overflow="fold"))
    notes: list[str] = []
    for status in engines.status():
        for found in status.found:
            table.add_row(found.binary, found.version, found.origin, str(found.path))
        for binary in status.missing:
            table.add_row(binary, status.version, "[red]missing", f"to be built from {status.module}")
        notes += status.notes
    console = Console()
    console.print(table)
    go = engines.find_go()
    told = f"Go {go.version} at {go.program}" if go else f"no {engines.GO_WISH} on PATH; a build would install one"
    console.print("\n".join([*notes, told, f"cache: {engines.cache_folder()}"]), markup=False, soft_wrap=True)


@app.command()
def path(name: Name) -> None:
    """Print where one binary is; exit with 3 if it is not there."""
    with _told():
        found = engines.locate(name)
        if found is None:
            raise engines.EngineError(
                f"{name} is neither on PATH nor in the cache; `python -m stack.engines build {name}`"
            )
    typer.echo(str(found))


if __name__ == "__main__":
    app()
