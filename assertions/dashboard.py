"""Dashboard: every panel shows data of the drill, and those that should show the fault do. Pure."""

from assertions.check import Check
from assertions.evidence import Evidence
from assertions.panels import Panel
from assertions.wording import listed, percent
from scenarios.model import Dashboard
from scenarios.record import Outcome


def judge(dashboard: Dashboard, check: Check, evidence: Evidence) -> Outcome:
    """
    FAIL for a panel whose query is wrong, that shows nothing, or that does not move as it should; UNKNOWN when Grafana was not asked.
    """
    panels = evidence.dashboards.get(check.id)
    if panels is None:
        reason = evidence.problems.get("grafana", "grafana was not asked")
        return check.unknown(expected="an answer", observed=reason)
    where = f"dashboard {dashboard.uid} in grafana"
    facts = {"panels": len(panels), "empty": sum(1 for panel in panels if not panel.points)}
    for panel in panels:
        if panel.error:
            return check.failed(
                expected="queries that can be answered",
                observed=f"{panel.title!r} asks {panel.query!r}: {panel.error}",
                where=where,
                hint="mend the panel's query; the message is the backend's own",
                facts=facts,
            )
    return (
        _empty(dashboard, check, panels, where, facts)
        or _still(dashboard, check, panels, where, facts)
        or check.passed(
            expected=_expectation(dashboard),
            observed=f"{len(panels) - facts['empty']} of {len(panels)} panels have data"
            + _observed_moves(dashboard, panels),
            facts=facts,
        )
    )


def _empty(
    dashboard: Dashboard, check: Check, panels: tuple[Panel, ...], where: str, facts: dict[str, int]
) -> Outcome | None:
    empty = [panel.title for panel in panels if not panel.points and panel.title not in dashboard.empty]
    if panels and not (dashboard.panels_have_data and empty):
        return None
    return check.failed(
        expected=_expectation(dashboard),
        observed=f"nothing in {listed(empty)}" if panels else "no such dashboard, or none of its panels has a query",
        where=where,
        when="all drill",
        hint="does its query ask for series that exist? name panels that may be empty under `empty`",
        facts=facts,
    )


def _still(
    dashboard: Dashboard, check: Check, panels: tuple[Panel, ...], where: str, facts: dict[str, int]
) -> Outcome | None:
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
        return check.failed(
            expected=expected,
            observed=observed,
            where=where,
            when="while the first fault was on",
            hint="is it the right panel, does it look at the right services, is its window short enough?",
            facts=facts,
        )
    return None


def _expectation(dashboard: Dashboard) -> str:
    data = "every panel to have data" if dashboard.panels_have_data else "every query to be answered"
    but = f" but {listed(dashboard.empty)}" if dashboard.empty and dashboard.panels_have_data else ""
    moves = f", and {listed(list(dashboard.moves))} to show the fault" if dashboard.moves else ""
    return data + but + moves


def _observed_moves(dashboard: Dashboard, panels: tuple[Panel, ...]) -> str:
    shown = [panel for panel in panels if panel.title in dashboard.moves]
    return "".join(f"; {panel.title}: {panel.before:.3g} before, up to {panel.during:.3g}" for panel in shown)
