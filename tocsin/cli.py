"""The command line: `tocsin COMMAND`.

Exit codes: 0 all passed, 1 one expectation failed, 2 usage or a bad file, 3 the stack failed or a verdict is unknown.
"""

import json
import signal
import sys
import traceback
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from enum import IntEnum
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from scenarios.errors import ScenarioError
from scenarios.record import Record, Verdict
from stack.errors import StackError
from tocsin import __version__
from tocsin.choice import Choice
from tocsin.rundir import RunDir, RunError
from tocsin.settings import SettingsError
from tocsin.settings import apply as apply_settings

app = typer.Typer(
    name="tocsin",
    help="Fire drills for an observability stack: break something on purpose, prove that every signal told the truth in time.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
out = Console()
err = Console(stderr=True)

_INTERRUPTED = 130
"""What typer makes of a KeyboardInterrupt."""

Runs = Annotated[Path, typer.Option("--runs", metavar="DIR", help="where runs are kept")]
Runtime = Annotated[
    str, typer.Option("--runtime", envvar="TOCSIN_RUNTIME", help="how a stack is run: auto, containers or processes")
]


class Exit(IntEnum):
    """Exit codes."""

    PASSED = 0
    FAILED = 1
    USAGE = 2
    UNKNOWN = 3


def exit_code(records: Sequence[Record]) -> Exit:
    """The exit code for some drills: the worst of their verdicts."""
    worst = Verdict.worst([record.verdict for record in records])
    return {Verdict.PASS: Exit.PASSED, Verdict.FAIL: Exit.FAILED, Verdict.UNKNOWN: Exit.UNKNOWN}[worst]


def main() -> None:
    """
    The entry point: every error that a user can cause is one clear message and an exit code, not a traceback.
    """
    signal.signal(signal.SIGTERM, _terminated)
    try:
        apply_settings()
        app()
    except SystemExit as end:
        if end.code == _INTERRUPTED:
            _fail("interrupted; everything was healed and stopped", Exit.UNKNOWN)
        raise
    except (ScenarioError, RunError, SettingsError) as error:
        _fail(str(error), Exit.USAGE)
    except (FileNotFoundError, FileExistsError) as error:
        _fail(_plain(error), Exit.USAGE)
    except StackError as error:
        _fail(str(error), Exit.UNKNOWN)
    except OSError as error:
        _fail(_plain(error), Exit.UNKNOWN)
    except Exception:
        traceback.print_exc()
        _fail("this is a bug of tocsin; please report it with the lines above", Exit.UNKNOWN)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="print the version and end")] = False,
) -> None:
    if version:
        out.print(f"tocsin {__version__}")
        raise typer.Exit


@app.command()
def run(
    drills: Annotated[list[str], typer.Argument(metavar="DRILL", help="a name of the catalogue, a file or a folder")],
    runs: Runs = Path("runs"),
    at_once: Annotated[int | None, typer.Option(min=1, help="drills side by side on one stack")] = None,
    lanes: Annotated[
        int | None, typer.Option(min=1, help="exclusive drills side by side, each on its own stack")
    ] = None,
    annotations: Annotated[
        Choice, typer.Option(help="marks of drills and faults on Grafana's dashboards, where there is one")
    ] = Choice.KEEP,
    runtime: Runtime = "auto",
) -> None:
    """Run drills, judge them and write a report of each."""
    from scenarios.loader import find, load
    from tocsin.display import watch
    from tocsin.fleet import Fleet, Order
    from tocsin.stacks import stack_for

    orders = [Order(scenario=load(path), source=str(path)) for path in find(drills)]
    _sweep()
    extras = frozenset().union(*(order.scenario.needs for order in orders))
    with ExitStack() as starting:
        settled, report = starting.enter_context(_settled(runtime, extras))
        make_stack = partial(stack_for, runtime=settled, report=report)
        fleet = Fleet(orders, runs=runs, make_stack=make_stack, at_once=at_once, lanes=lanes, annotations=annotations)
        with fleet:
            fleet.begun.wait()
            starting.close()  # one display at a time
            watch(fleet, out)
    records = fleet.records()
    _show(records, runs)
    if fleet.problem:
        raise fleet.problem
    raise typer.Exit(exit_code(records))


@app.command()
def up(
    profile: Annotated[str, typer.Option(help="drill or production")] = "drill",
    port: Annotated[list[str] | None, typer.Option(metavar="COMPONENT.PORT=N", help="a port of your choice")] = None,
    with_: Annotated[
        list[str] | None, typer.Option("--with", metavar="COMPONENT", help="an optional component, such as detector")
    ] = None,
    runtime: Runtime = "auto",
) -> None:
    """Start a stack that stays up for many drills."""
    from stack.config import PROFILES
    from stack.runtimes.stack import Stack

    if profile not in PROFILES:
        raise typer.BadParameter(f"unknown profile {profile!r}; known: {', '.join(PROFILES)}", param_hint="--profile")
    fixed = dict(_port(text) for text in port or [])
    _sweep()
    if Stack.standing():
        raise StackError("a stack is up already; `tocsin status` shows it, `tocsin down` ends it")
    with _settled(runtime, with_ or ()) as (settled, report):
        stack = Stack.create(
            runtime=settled,
            profile=PROFILES[profile],
            standing=True,
            extras=with_ or (),
            fixed_ports=fixed,
            report=report,
        )
    out.print(f"[green]up[/]: {', '.join(stack.running())} ({profile} profile)")
    _status_table(stack)


@app.command()
def down() -> None:
    """End the stack that `up` left, and whatever a killed command left behind."""
    from stack.runtimes.stack import Stack

    swept = _sweep()
    stack = Stack.standing()
    if stack is None:
        out.print("nothing to end: no stack is up" if not swept else "no stack is up")
        return
    stack.stop()
    out.print("[green]down[/]")


@app.command()
def status() -> None:
    """Show the stack that `up` left. Exit code 3 when a part of it does not answer."""
    from stack.runtimes.stack import Stack

    _sweep()
    stack = Stack.standing()
    if stack is None:
        out.print("no stack is up; `tocsin up` starts one")
        return
    if not _status_table(stack):
        raise typer.Exit(Exit.UNKNOWN)


@app.command()
def analyze(
    run: Annotated[str, typer.Argument(help="a run's folder, its id, the beginning of it, or `last`")] = "last",
    runs: Runs = Path("runs"),
) -> None:
    """Judge a saved run again; no stack is needed."""
    from tocsin import analysis

    found = RunDir.find(runs, run)
    record = analysis.analyze(found)
    _show([record], found.path.parent)
    raise typer.Exit(exit_code([record]))


@app.command()
def report(
    run: Annotated[str, typer.Argument(help="a run's folder, its id, the beginning of it, or `last`")] = "last",
    runs: Runs = Path("runs"),
    markdown: Annotated[bool, typer.Option("--markdown", help="print a summary in Markdown instead")] = False,
) -> None:
    """Write the report of a judged run again and say where it is."""
    import reports.markdown
    from tocsin import analysis

    found = RunDir.find(runs, run)
    if markdown:
        sys.stdout.write(reports.markdown.render_markdown(analysis.saved(found)))
        return
    analysis.analyze(found)
    out.print(str(found.report), markup=False, highlight=False, soft_wrap=True)


@app.command()
def compare(
    one: Annotated[str, typer.Argument(help="a run")],
    other: Annotated[str, typer.Argument(help="another run")],
    runs: Runs = Path("runs"),
) -> None:
    """Show what changed between two runs, as Markdown."""
    import reports.compare
    from tocsin import analysis

    records = [analysis.saved(RunDir.find(runs, name)) for name in (one, other)]
    sys.stdout.write(reports.compare.render_markdown(reports.compare.compare(*records)))


@app.command()
def scorecard(
    runs_: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN...]", help="runs; none: all that had the detector")
    ] = None,
    runs: Runs = Path("runs"),
    as_json: Annotated[bool, typer.Option("--json", help="print JSON instead of a table")] = False,
) -> None:
    """Score the anomaly detector over saved runs: precision, recall, time to detect, false alerts."""
    from assertions.scorecard import score
    from tocsin.display import show_scores
    from tocsin.rundir import RunDir
    from tocsin.scoring import drilled

    chosen = [RunDir.find(runs, name) for name in runs_] if runs_ else list(RunDir.all(runs))
    drills = [drill for run in chosen if (drill := drilled(run))]
    if not drills:
        raise FileNotFoundError(f"no run in {runs} had the detector; `tocsin run anomalies` makes one")
    scores = score(drills)
    if as_json:
        sys.stdout.write(json.dumps([asdict(one) for one in scores], indent=2) + "\n")
        return
    show_scores(scores, len(drills), out)


@app.command()
def backfill(
    data_dir: Annotated[Path, typer.Argument(metavar="DIR", help="Prometheus' data folder, while it does not run")],
    days: Annotated[float, typer.Option(min=0.1, max=366)] = 21.0,
    services: Annotated[int, typer.Option(min=1, max=1000)] = 2,
    labels: Annotated[
        Path | None, typer.Option(help="also write labelled faults of the last day, and which, here")
    ] = None,
) -> None:
    """Write synthetic weeks of SLI history into Prometheus' blocks: daily and weekly shape, hourly batches, noise."""
    from detector import cli as detector_cli
    from detector.backfill import BackfillError
    from stack import engines

    promtool = engines.ensure(["promtool"])["promtool"]
    try:
        detector_cli.backfill(data_dir=data_dir, promtool=promtool, days=days, services=services, labels=labels)
    except BackfillError as error:
        raise StackError(str(error)) from error


@app.command()
def mutate(
    drills: Annotated[
        list[str] | None, typer.Argument(metavar="[DRILL...]", help="drills that have to notice; none: the catalogue")
    ] = None,
    runs: Runs = Path("runs"),
    quick: Annotated[
        bool, typer.Option("--quick", help="leave out what only a drill on a stack without it can show")
    ] = False,
    to: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="also write what was found here")] = None,
) -> None:
    """Delete each thing from dashboards and alerting, one at a time, and list what no drill notices. Exit code 1 if there is any."""
    from scenarios.loader import catalog, find, load
    from tocsin.display import show_findings
    from tocsin.fleet import Order
    from tocsin.mutation.asking import can_be_asked
    from tocsin.mutation.campaign import Campaign

    paths = find(drills) if drills else catalog()
    orders = [Order(scenario=load(path), source=str(path)) for path in paths]
    if not any(can_be_asked(order.scenario) for order in orders):
        problem = "none of these drills expects a dashboard, a datasource or rules; name one that does"
        raise typer.BadParameter(f"{problem}, such as grafana-pages", param_hint="DRILL")
    _sweep()
    with _settled("processes", ()) as (_, report):
        findings = list(Campaign(orders=orders, runs=runs, quick=quick, report=report).findings())
    show_findings(findings, out)
    if to:
        lines = ",\n".join(json.dumps(finding.to_json()) for finding in findings)
        to.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    if any(finding.survived for finding in findings):
        raise typer.Exit(Exit.FAILED)


@app.command(name="list")
def list_() -> None:
    """List the drills of the catalogue."""
    from rich.table import Table

    from scenarios.loader import catalog, load

    table = Table("drill", "why", "faults", "lasts", box=None, header_style="bold")
    for path in catalog():
        scenario = load(path)
        faults = ", ".join(fault.kind for fault in scenario.faults) or "none"
        table.add_row(scenario.name, " ".join(scenario.why.split()), faults, f"{scenario.load.total_s:g} s")
    out.print(table)


@app.command()
def init(
    directory: Annotated[Path, typer.Argument(help="where to write them")] = Path(),
) -> None:
    """Write a commented drill and a small test to start from."""
    from scenarios import starter

    for path in starter.write(directory):
        out.print(str(path), markup=False, highlight=False, soft_wrap=True)


@app.command()
def schema() -> None:
    """Print the JSON schema of drills, for editors."""
    from scenarios.schema import json_schema

    sys.stdout.write(json.dumps(json_schema(), indent=2) + "\n")


@app.command()
def compose(
    profile: Annotated[str, typer.Option(help="drill or production")] = "production",
    to: Annotated[
        Path | None, typer.Option("--to", metavar="DIR", help="write it there, with all files that it mounts")
    ] = None,
) -> None:
    """Print the standing stack as a Compose file."""
    from stack.compose import files, text, write
    from stack.config import PROFILES

    if profile not in PROFILES:
        raise typer.BadParameter(f"unknown profile {profile!r}; known: {', '.join(PROFILES)}", param_hint="--profile")
    if to is None:
        sys.stdout.write(text(profile))
        return
    write(files(profile), to)
    out.print(str(to / "compose.yaml"), markup=False, highlight=False, soft_wrap=True)


@app.command()
def doctor() -> None:
    """Say what is there, what is missing, and which runtime `auto` would choose and why. Exit code 3 if no drill could run."""
    from tocsin import doctor as checks

    if not checks.show(out):
        raise typer.Exit(Exit.UNKNOWN)


def _show(records: Sequence[Record], runs: Path) -> None:
    from tocsin.display import show_record

    for record in records:
        show_record(record, runs, out)


def _status_table(stack: Any) -> bool:
    from tocsin.display import show_stack

    return show_stack(stack, out)


def _sweep() -> list[str]:
    """Clear up after commands that were killed: their processes, and their faults in systems that are not ours."""
    from stack.runtimes.clearing import told
    from tocsin.sweeping import sweep

    swept = [*told(), *sweep()]
    for line in swept:
        err.print(f"[yellow]cleared up[/] {escape(line)}")
    return swept


@contextmanager
def _settled(wanted: str, extras: Collection[str]) -> Iterator[tuple[str, Callable[[str], None]]]:
    """
    Settle the runtime, and have its images or engines, with progress.

    The block then gets its name, and where to report what starts: one line that changes, or a line each.
    """
    from stack.engines.display import shown
    from tocsin.runtime import AUTO, CHOICES, settle

    if wanted not in CHOICES:
        raise typer.BadParameter(f"unknown runtime {wanted!r}; known: {', '.join(CHOICES)}", param_hint="--runtime")
    with shown(err) as progress:
        choice = settle(wanted, extras=extras, report=progress)
    if wanted == AUTO:
        err.print(f"runtime [bold]{choice.runtime}[/]: {escape(choice.why)}", highlight=False, soft_wrap=True)
    with err.status("starting") as line:

        def report(text: str) -> None:
            if err.is_terminal:
                line.update(escape(text))
            else:
                err.print(escape(text), highlight=False)

        yield choice.runtime, report


def _port(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    if not number.isdigit() or not 0 < int(number) < 65536:
        raise typer.BadParameter(f"{text!r}: write COMPONENT.PORT=N, such as prometheus.http=9090", param_hint="--port")
    return name, int(number)


def _terminated(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _plain(error: OSError) -> str:
    return f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error)


def _fail(text: str, code: Exit) -> None:
    err.print(f"[red]tocsin:[/] {escape(text)}", soft_wrap=True)
    sys.exit(code)
