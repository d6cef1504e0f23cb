"""The detector's command line: run, check-config, once, backtest, explain, backfill."""

import asyncio
import json
import logging
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from detector import backfill as filling
from detector import backtest as testing
from detector.config import Watch
from detector.config_file import ConfigError, load
from detector.explain import Subject, page
from detector.once import look
from detector.roster import series_id
from detector.server import Server
from detector.source import SourceError

USAGE, UNREACHABLE = 2, 3
app = typer.Typer(
    name="detector", help="Watches SLIs in Prometheus and tells Alertmanager what is not as it should be.",
    no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False,
)  # fmt: skip
ConfigFile = Annotated[Path, typer.Option("--config", "-c", help="The configuration file (YAML).")]
From = Annotated[str, typer.Option("--from", help="Start: 2026-11-01T12:00:00Z or seconds since the epoch.")]
To = Annotated[str, typer.Option("--to", help="End, in the same form.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")]


@app.command()
def run(config: ConfigFile, verbose: Annotated[bool, typer.Option("--verbose", "-v")] = False) -> None:
    """Watch, until SIGTERM; SIGHUP or POST /-/reload reads the configuration again."""
    level = logging.DEBUG if verbose else logging.INFO
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("httpcore").setLevel(logging.WARNING)
    asyncio.run(Server(config, load(config)).run())


@app.command("check-config")
def check_config(config: ConfigFile) -> None:
    """Check a configuration file; exit code 2 and one line for each mistake."""
    found = load(config)
    typer.echo(f"{config}: fine, {len(found.series)} series queries, interval {found.interval:g}s")


@app.command()
def once(
    config: ConfigFile, at: Annotated[str, typer.Option(help="The moment; default: now.")] = "", as_json: AsJson = False
) -> None:
    """Say of every series what the detector would say at one moment."""
    settings = load(config)
    at_s = _moment(at) if at else time.time() - settings.lag_s
    rows = asyncio.run(look(settings, at_s))
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
        return
    table = Table("series", "state", "score", "verdict", "id")
    for row in rows:
        where = " ".join([row["watch"], *row["labels"].values()])
        mark = f"[bold red]{row['severity']}[/]" if row["firing"] else row["status"]
        table.add_row(where, mark, f"{row['score']:.2f}", row["reason"], row["id"])
    _print(table)


@app.command()
def backtest(
    config: ConfigFile,
    start: From,
    end: To,
    labels: Annotated[
        Path | None, typer.Option(help="Labelled faults (JSON); without: only alerts are listed.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Score a recorded range: precision, recall and delay against labelled faults; warm-up comes before --from."""
    settings = load(config)
    faults = testing.read_labels(labels) if labels else []
    from_s, to_s = _moment(start), _moment(end)
    rows = []
    for watch in settings.series:
        recording = asyncio.run(testing.record(settings, watch, from_s - settings.lookback, to_s))
        found = testing.trace(settings, watch, recording)
        card = testing.score(watch, recording, found, faults, from_s)
        rows.append({"watch": watch.name, "series": len(recording.labels), **card.as_dict()})
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
        return
    table = Table(*rows[0])
    for row in rows:
        table.add_row(*(f"{cell}" for cell in row.values()))
    _print(table)


@app.command()
def explain(
    config: ConfigFile,
    series: Annotated[str, typer.Argument(help="The id of a series (see once), or the name of a watch.")],
    start: From,
    end: To,
    out: Annotated[Path, typer.Option(help="The HTML file to write.")] = Path("explain.html"),
) -> None:
    """Draw one series: values, band, score and decisions, as an HTML page."""
    settings = load(config)
    from_s, to_s = _moment(start), _moment(end)
    for watch in settings.series:
        recording = asyncio.run(testing.record(settings, watch, from_s, to_s))
        slot = _chosen(watch, recording, series)
        if slot is not None:
            subject = Subject(watch=watch.name, kind=watch.kind, labels=recording.labels[slot], slot=slot)
            found = testing.trace(settings, watch, recording)
            out.write_text(page(subject, testing.native(watch.kind, recording), found))
            typer.echo(f"wrote {out}")
            return
    names = ", ".join(watch.name for watch in settings.series)
    raise ConfigError(f"no series {series!r} in this time; watches: {names}; ids are listed by `once`")


def _print(table: Table) -> None:
    Console(width=None if sys.stdout.isatty() else 180).print(table)


def _moment(written: str) -> float:
    try:
        return testing.moment(written)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _chosen(watch: Watch, recording: testing.Recording, series: str) -> int | None:
    for slot, labels in enumerate(recording.labels):
        if series in (watch.name, series_id(watch.name, labels)):
            return slot
    return None


@app.command()
def backfill(
    data_dir: Annotated[Path, typer.Option("--data-dir", help="Prometheus' data folder; best while it does not run.")],
    promtool: Annotated[Path, typer.Option(help="The promtool binary.")] = Path("promtool"),
    until: Annotated[str, typer.Option(help="End of the history; default: three hours ago.")] = "",
    days: Annotated[float, typer.Option(min=0.1, max=366.0)] = 21.0,
    step_s: Annotated[float, typer.Option("--step", min=1.0, max=3600.0, help="Seconds between samples.")] = 60.0,
    services: Annotated[int, typer.Option(min=1, max=1000)] = 2,
    labels: Annotated[Path | None, typer.Option(help="Write the labelled faults of the last day here.")] = None,
) -> None:
    """Write synthetic weeks of SLI history into Prometheus blocks, with hourly batches and labelled faults."""
    until_s = _moment(until) if until else time.time() - 3 * 3600
    weeks = filling.Weeks(until_s=until_s, days=days, step_s=step_s, services=services, faults=labels is not None)
    recorded = filling.history(weeks)
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "history.om"
        with text.open("w") as out:
            samples = filling.write_openmetrics(weeks, recorded, out)
        filling.make_blocks(promtool, text, data_dir)
    told = f", {filling.write_labels(weeks, recorded, labels)} faults labelled in {labels}" if labels else ""
    typer.echo(f"wrote {samples} samples of {days:g} days into {data_dir}{told}")


def main() -> None:
    """Run, and turn what went wrong into a message and an exit code: 2 usage, 3 something could not be reached."""
    try:
        app()
    except (ConfigError, testing.LabelsError) as error:
        typer.echo(str(error), err=True)
        sys.exit(USAGE)
    except (SourceError, filling.BackfillError) as error:
        typer.echo(str(error), err=True)
        sys.exit(UNREACHABLE)
