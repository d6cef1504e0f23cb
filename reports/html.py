"""HTML: a record as one page that stands alone: no script, no request to any network, complete also when printed."""

import base64
import hashlib
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reports import charts, condition, figures, lanes, ledger, lifecycle, story, trials, truth, waterfall
from reports.evidence import AlertTimes, Evidence
from reports.logs import tails
from reports.window import Window
from scenarios.history import Clock, History
from scenarios.record import Outcome, Record, Verdict

MOST_LANES = 16


def render_html(record: Record, history: History, evidence: Mapping[str, Any], logs: Mapping[str, str]) -> str:
    """
    Draw one drill as a self-contained page; `logs` maps the name of a component to its log.

    What is missing or unreadable is said in a sentence in its section. Nothing in the arguments can become markup.
    """
    context = _context(record, history, Evidence.read(evidence), logs)
    return figures.printable(_environment().get_template("report.html.j2").render(context))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """
    One line of the table of expectations; `troubles` are the parts of a failure that have no column.
    """

    outcome: Outcome
    troubles: tuple[tuple[str, str], ...]
    gauge: Markup | None
    detect_s: float | None
    bound_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """
    The pictures that share one time axis.
    """

    phases: Markup
    faults: Markup | None
    panels: tuple[charts.Panel, ...]
    axis: Markup
    parts: tuple[Markup, ...]
    lanes: tuple[Markup, ...]
    left_out: int
    noise: bool


def _context(record: Record, history: History, evidence: Evidence, logs: Mapping[str, str]) -> dict[str, Any]:
    style = _text("style.css")
    found = trials.trials(record, history)
    requests = truth.bins(history)
    return {
        "record": record,
        "name": story.scenario_name(record),
        "why": str(record.scenario.get("why") or ""),
        "headline": story.headline(record, history),
        "treated": story.treated(record),
        "ladder": story.ladder(record),
        "stand_ins": [part for part in record.parts if part.stand_in],
        "blind": condition.unwatched(history),
        "used": condition.used(history),
        "rows": [_row(outcome) for outcome in record.outcomes],
        "requests": sum(each.count for each in requests),
        "failed": sum(each.failed for each in requests),
        "routes": truth.by_route(history),
        "timeline": _timeline(record, history, evidence, found) if history.events else None,
        "alerts": [(item, _gauge(item)) for item in evidence.alerts],
        "evidence": evidence,
        "spans": waterfall.rows(evidence.trace) if evidence.trace else (),
        "hops": [ledger.entry(hop) for hop in evidence.ledger],
        "trials": found,
        "zero": history.phase("drive"),
        "clocks": list(history.of(Clock)),
        "logs": tails(logs),
        "again": _again(record),
        "style": Markup(style),  # noqa: S704 - our own file
        "policy": _policy(style),
        "icon_address": _icon(record),
    }


def _row(outcome: Outcome) -> Row:
    detect, bound, within = (
        figures.known(outcome.facts.get(key)) for key in ("time_to_detect_s", "bound_s", "within_s")
    )
    words = f"took {figures.seconds(detect)}, bound {figures.seconds(bound)}"
    return Row(
        outcome=outcome,
        troubles=() if outcome.verdict is Verdict.PASS else _troubles(outcome),
        gauge=None if detect is None else charts.gauge(detect, bound, within, words),
        detect_s=detect,
        bound_s=bound,
    )


def _troubles(outcome: Outcome) -> tuple[tuple[str, str], ...]:
    parts = (
        ("Died at", outcome.rung or ""),
        ("Where", outcome.where),
        ("When", outcome.when),
        ("Try", outcome.hint),
    )
    return tuple((name, text) for name, text in parts if text)


def _gauge(item: AlertTimes) -> Markup | None:
    if item.time_to_detect_s is None:
        return None
    words = f"took {figures.seconds(item.time_to_detect_s)}, bound {figures.seconds(item.bound_s)}"
    return charts.gauge(item.time_to_detect_s, item.bound_s, item.within_s, words)


def _timeline(record: Record, history: History, evidence: Evidence, found: tuple[trials.Trial, ...]) -> Timeline:
    window = Window.of(record, history)
    shades = trials.shades(found)
    requests = truth.bins(history)
    panels = [
        charts.panel(metric, requests, evidence.series.get(metric.series, ()), window, shades)
        for metric in charts.METRICS
    ]
    lives = lifecycle.lanes(history, evidence.alerts, _expected(record), window.end)
    return Timeline(
        phases=lanes.phases(history, window),
        faults=lanes.faults(shades, window) if shades else None,
        panels=tuple(panels) if requests else (),
        axis=charts.axis(window),
        parts=tuple(lanes.component(one, window, shades) for one in condition.upkeep(history, window.end)),
        lanes=tuple(lanes.alert(lane, window, shades) for lane in lives[:MOST_LANES]),
        left_out=max(0, len(lives) - MOST_LANES),
        noise=any(shade.noise for shade in shades),
    )


def _expected(record: Record) -> list[str]:
    items = [item.get("alert") for item in record.scenario.get("expect") or () if isinstance(item, Mapping)]
    return [str(item.get("name")) for item in items if isinstance(item, Mapping)]


def _again(record: Record) -> list[tuple[str, str]]:
    drill, run = shlex.quote(record.source or story.scenario_name(record)), shlex.quote(record.run_id)
    return [
        (f"tocsin run {drill}", "holds the drill again, on a stack"),
        (f"tocsin analyze {run}", "judges this run again, from its files, with no stack"),
    ]


def _policy(style: str) -> str:
    """What the page may do: show itself. No script, no request, no style but its own."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"


def _icon(record: Record) -> str:
    """The tab's picture, in the verdict's colour."""
    colour = {"PASS": "1a7f37", "FAIL": "b42318", "UNKNOWN": "8a5700"}[record.verdict]
    return (
        "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
        f"%3Ccircle cx='8' cy='8' r='7' fill='%23{colour}'/%3E%3C/svg%3E"
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        seconds=figures.seconds,
        number=figures.number,
        signed=figures.signed,
        percent=figures.percent,
        times=figures.times,
        size=figures.size,
        moment=figures.moment,
        time_of_day=figures.time_of_day,
    )
    environment.globals.update(plural=figures.plural)
    return environment


@cache
def _text(name: str) -> str:
    return resources.files("reports").joinpath("templates", name).read_text(encoding="utf-8")
