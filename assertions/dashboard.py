"""Dashboard: every panel is there and shows data of the drill, and those that should show the fault do. Pure."""

from dataclasses import dataclass

from assertions.check import Check
from assertions.evidence import Evidence
from assertions.panels import Panel
from assertions.wording import listed, percent
from scenarios.model import Dashboard
from scenarios.record import Outcome


def judge(dashboard: Dashboard, check: Check, evidence: Evidence) -> Outcome:
    """
    FAIL for a panel that is missing or lacks a query, whose query is wrong, that shows nothing, or that does not move as it should;
    UNKNOWN when Grafana was not asked.
    """
    panels = evidence.dashboards.get(check.id)
    if panels is None:
        reason = evidence.problems.get("grafana", "grafana was not asked")
        return check.unknown(expected="an answer", observed=reason)
    served = [panel for panel in panels if not panel.gone]
    full = sum(1 for panel in served if panel.points)
    facts = {
        "panels": len(served),
        "empty": len(served) - full,
        "lost": [panel.title for panel in panels if panel.gone or panel.lost],
    }
    for problem in (_wrong, _lost, _empty, _still):
        if found := problem(dashboard, panels):
            return check.failed(
                expected=found.expected,
                observed=found.observed,
                where=f"dashboard {dashboard.uid} in grafana",
                when=found.when,
                hint=found.hint,
                facts=facts,
            )
    return check.passed(
        expected=_expectation(dashboard),
        observed=f"{full} of {len(served)} panels have data" + _observed_moves(dashboard, panels),
        facts=facts,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong with a dashboard."""

    expected: str
    observed: str
    hint: str
    when: str = ""


Panels = tuple[Panel, ...]


def _wrong(dashboard: Dashboard, panels: Panels) -> Problem | None:
    for panel in panels:
        if panel.error:
            return Problem(
                expected="queries that can be answered",
                observed=f"{panel.title!r} asks {panel.query!r}: {panel.error}",
                hint="mend the panel's query; the message is the backend's own",
            )
    return None


def _lost(dashboard: Dashboard, panels: Panels) -> Problem | None:
    """What was generated and is not served."""
    lost = [f"panel {panel.title!r} is not there" for panel in panels if panel.gone]
    lost += [f"{panel.title!r} does not ask {query!r}" for panel in panels for query in panel.lost]
    if not lost:
        return None
    return Problem(
        expected="every panel and every query that was generated",
        observed=listed(lost),
        hint="was it changed by hand? generate the dashboard anew, or change what it is generated from",
    )


def _empty(dashboard: Dashboard, panels: Panels) -> Problem | None:
    if not panels:
        observed = "no such dashboard, or none of its panels has a query"
    elif dashboard.panels_have_data and (empty := [name for one in panels for name in _silent_in(one, dashboard)]):
        observed = f"nothing in {listed(empty)}"
    else:
        return None
    return Problem(
        expected=_expectation(dashboard),
        observed=observed,
        when="all drill",
        hint="does its query ask for series that exist? name panels that may be empty under `empty`",
    )


def _silent_in(panel: Panel, dashboard: Dashboard) -> list[str]:
    """A panel that shows nothing, or its queries that find nothing; none if it may be empty."""
    if panel.title in dashboard.empty:
        return []
    return [f"{panel.title} for {query!r}" for query in panel.silent] if panel.points else [panel.title]


def _still(dashboard: Dashboard, panels: Panels) -> Problem | None:
    """A panel under `moves` that does not show the fault, or is not there."""
    by_title = {panel.title: panel for panel in panels}
    for title, least in dashboard.moves.items():
        panel = by_title.get(title)
        expected = f"{title!r} to reach {percent(least)} of what it showed before the fault"
        if panel is None:
            observed = f"no such panel; there are: {listed(sorted(by_title))}"
        elif panel.before is None or panel.during is None:
            observed = (
                "it shows nothing before the fault" if panel.before is None else "it shows nothing while it was on"
            )
        elif panel.during >= least * panel.before and panel.during > 0:
            continue
        else:
            observed = f"{panel.during:.4g} at most, before {panel.before:.4g}"
        return Problem(
            expected=expected,
            observed=observed,
            when="while the first fault was on",
            hint="is it the right panel, does it look at the right services, is its window short enough?",
        )
    return None


def _expectation(dashboard: Dashboard) -> str:
    data = "every panel to have data" if dashboard.panels_have_data else "every query to be answered"
    but = f" but {listed(dashboard.empty)}" if dashboard.empty and dashboard.panels_have_data else ""
    moves = f", and {listed(list(dashboard.moves))} to show the fault" if dashboard.moves else ""
    return data + but + moves


def _observed_moves(dashboard: Dashboard, panels: Panels) -> str:
    shown = [panel for panel in panels if panel.title in dashboard.moves]
    return "".join(f"; {panel.title}: {panel.before:.3g} before, up to {panel.during:.3g}" for panel in shown)
