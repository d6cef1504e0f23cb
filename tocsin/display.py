"""Display: drills, records and stacks in a terminal."""

import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live as Screen
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from assertions.scorecard import Score
from reports import story
from scenarios.record import Record, Verdict
from stack.runtimes.stack import Stack
from tocsin.fleet import Fleet
from tocsin.live import Live
from tocsin.mutation.finding import Finding, counted
from tocsin.rundir import RunDir

STYLES = {Verdict.PASS: "green", Verdict.FAIL: "red", Verdict.UNKNOWN: "yellow"}

ALERT_STYLES = {"firing": "red", "pending": "yellow", "suppressed": "dim"}

HOW = {
    "asked": "by asking again, once the file was loaded without it",
    "refused": "by loading it, which was refused",
    "drilled": "by a drill on a stack without it",
    "left out": "were left out: they need a drill on a stack without them",
    "nobody": "are nobody's business: no expectation that held is about them",
}
"""How mutations were tried."""

_REFRESH_S = 0.25


def watch(fleet: Fleet, console: Console) -> None:
    """
    Show all drills until they have ended: a live table on a terminal, a line for each change of stage elsewhere.
    """
    if not console.is_terminal:
        _watch_in_lines(fleet, console)
        return
    with Screen(console=console, refresh_per_second=4, transient=True) as screen:
        while not fleet.done():
            screen.update(live_table(fleet.lives()))
            time.sleep(_REFRESH_S)


def live_table(lives: list[Live]) -> Table:
    """What each drill is doing."""
    table = Table(box=None, header_style="bold", padding=(0, 1))
    for column in ("drill", "stage", "", "requests/s", "failed", "faults on", "alerts"):
        table.add_column(column)
    for live in lives:
        since = live.started_t
        elapsed_s = min(live.total_s, time.time() - since) if since else 0.0
        table.add_row(
            live.name,
            Text(live.verdict, style=STYLES[Verdict(live.verdict)]) if live.verdict else live.stage,
            ProgressBar(total=live.total_s, completed=elapsed_s, width=20),
            f"{live.rate:.0f}",
            f"{live.failed} of {live.requests}",
            ", ".join(live.active_faults()),
            Group(
                *(Text(f"{name}: {state}", style=ALERT_STYLES[state]) for name, state in live.active_alerts().items())
            ),
        )
    return table


def _watch_in_lines(fleet: Fleet, console: Console) -> None:
    told: dict[int, str] = {}
    while True:
        done = fleet.done()
        for live in fleet.lives():
            if told.get(id(live)) != live.stage:
                told[id(live)] = live.stage
                console.print(f"{live.name}: {live.stage}", highlight=False)
        if done:
            return
        time.sleep(_REFRESH_S)


def show_record(record: Record, runs: Path, console: Console) -> None:
    """The verdict of each check, what was wrong in whole sentences, and where the report is."""
    verdict = record.verdict
    console.print(f"\n[bold {STYLES[verdict]}]{verdict}[/] [bold]{escape(record.run_id)}[/]", soft_wrap=True)
    if treated := story.treated(record):
        console.print(f"  treated: {escape(treated)}", highlight=False)
    for outcome in record.outcomes:
        style = STYLES[outcome.verdict]
        text = outcome.observed if outcome.verdict is Verdict.PASS else outcome.message()
        title = f"{outcome.title}: " if outcome.verdict is Verdict.PASS else ""
        console.print(f"  [{style}]{outcome.verdict:<7}[/] {escape(title + text)}", highlight=False)
    if record.problem:
        console.print(f"  [yellow]problem[/] {escape(record.problem)}", highlight=False)
    stand_ins = [part.name for part in record.parts if part.stand_in]
    if stand_ins:
        console.print(f"  [dim]stand-in in place of the real one: {', '.join(stand_ins)}[/]")
    console.print(f"  report: {RunDir(runs / record.run_id).report}", markup=False, highlight=False, soft_wrap=True)


def show_stack(stack: Stack, console: Console) -> bool:
    """Every component and whether it is ready now. Returns whether all are."""
    table = Table("component", "version", "address", "state", box=None, header_style="bold")
    states = {name: stack.ready(name) for name in stack.running()}
    for name, running in stack.running().items():
        port = running.component.ready.partition("/")[0]
        version = f"{running.version} (stand-in)" if running.stand_in else running.version
        state = "[green]ready[/]" if states[name] else "[red]does not answer[/]"
        table.add_row(name, version, stack.url(f"{name}.{port}"), state)
    console.print(table)
    return all(states.values())


def show_scores(scores: Sequence[Score], drills: int, console: Console) -> None:
    """The detector's scores by signal; a dash where there is nothing to score."""
    columns = (
        "signal",
        "expected",
        "found",
        "recall",
        "precision",
        "time to detect",
        "false alerts",
        "per series-hour",
    )
    table = Table(*columns, box=None, header_style="bold")
    for one in scores:
        table.add_row(
            one.signal,
            str(one.expected),
            str(one.found),
            _figure(one.recall, "{:.3f}"),
            _figure(one.precision, "{:.3f}"),
            _figure(one.median_detect_s, "{:.2f} s"),
            str(one.false_alerts),
            _figure(one.false_per_series_h, "{:.2f}"),
        )
    console.print(f"the anomaly detector in {drills} drill{'s' if drills != 1 else ''}")
    console.print(table)


def _figure(value: float | None, form: str) -> str:
    return "-" if value is None else form.format(value)


def show_findings(findings: Sequence[Finding], console: Console) -> None:
    """How many mutations of each kind were noticed, how they were tried, and each that was not."""
    table = Table(box=None, header_style="bold", padding=(0, 1))
    columns = ("all", "noticed", "survived", "left out")
    table.add_column("gone")
    for column in columns:
        table.add_column(column, justify="right")
    for kind, row in counted(findings).items():
        table.add_row(kind, *(str(row[column]) for column in columns))
    console.print(table)
    for how, words in HOW.items():
        number = sum(1 for finding in findings if finding.how == how)
        if number:
            console.print(f"{number} {words}", highlight=False)
    survivors = [finding for finding in findings if finding.survived]
    for finding in survivors:
        asked = f"tried: {', '.join(finding.tried)}" if finding.tried else "no expectation that held is about it"
        console.print(f"[red]survived[/] {escape(str(finding.mutation))}: {escape(asked)}", soft_wrap=True)
    console.print(f"{len(survivors)} of {len(findings)} survived")
