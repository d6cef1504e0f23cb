"""The SLO dashboard: is the promise kept, how much error budget is left, how fast does it burn, when is it gone."""

from collections.abc import Sequence

from stack.config.profile import PROFILES
from stack.dashboards.boards.alert_states import STATES, state_of
from stack.dashboards.panel import GREEN, ORANGE, RED, YELLOW, Board, Limit, Metric, Panel, Row
from stack.dashboards.scope import BASE_WINDOW, WHO
from stack.slo.model import Alert, Slo
from stack.slo.promql import duration, number

LEAST_PACE = 0.1
"""Below this burn rate the projection stays at ten periods: whether it is ten or a hundred, nobody has to act."""

_LEGEND = "{{service_name}} ({{service_namespace}})"


def board(slos: Sequence[Slo]) -> Board:
    """One row for each service level, and Grafana's own alert rules below."""
    return Board(
        uid="slo",
        title="SLO",
        description="Promises against what users got: SLI, error budget, burn rates, projection, alerts.",
        rows=[*(_row(slo) for slo in slos), Row(title="Rules that Grafana evaluates", panels=[_grafana_rules()])],
    )


def burn_title(slo: Slo, alert: Alert) -> str:
    """The panel that shows the burn rate which an alert looks at."""
    return f"{slo.title}: burn rate, {'pages' if alert.severity == 'page' else 'tickets'}"


def sli_title(slo: Slo) -> str:
    """The panel that shows a level's indicator."""
    return f"{slo.title}: SLI and objective"


def _row(slo: Slo) -> Row:
    pages = [alert for alert in slo.alerts if alert.kind == "burn-rate" and alert.severity == "page"]
    tickets = [alert for alert in slo.alerts if alert.kind == "burn-rate" and alert.severity != "page"]
    burns = [_burn(slo, alerts) for alerts in (pages, tickets) if alerts]
    judged = [_left(slo), _projection(slo, pages or tickets)] if burns else [_left(slo)]
    panels = [*judged, _sli(slo), _spent(slo), *burns, _requests(slo), _states(slo)]
    return Row(title=f"{slo.title}: {slo.description}", panels=panels)


def _recorded(record: str, slo: Slo, window: str = BASE_WINDOW) -> str:
    return f'{record}{{slo="{slo.name}",{window},{WHO}}}'


def _per_slo(record: str, slo: Slo) -> str:
    return f'{record}{{slo="{slo.name}"}}'


def _pace(slo: Slo, window: str) -> str:
    """How many times as fast as allowed the budget burns."""
    share, budget = _recorded("slo:sli_error:ratio_rate", slo, window), _per_slo("slo:error_budget:ratio", slo)
    return f"{share} / on (slo) group_left () {budget}"


def _windows(nominal: Sequence[int]) -> str:
    """A matcher for windows under their names in all profiles; no window of one profile has another's name."""
    names = {duration(profile.window_s(seconds)) for profile in PROFILES.values() for seconds in nominal}
    return f'window=~"{"|".join(sorted(names))}"'


def _sli(slo: Slo) -> Panel:
    good = f"1 - {_recorded('slo:sli_error:ratio_rate', slo)}"
    objective = _per_slo("slo:objective:ratio", slo)
    return Panel(
        title=sli_title(slo),
        description=f"Share of good requests over five minutes (in drills five seconds). Promised: {slo.description}",
        queries=[Metric(expr=good, legend=_LEGEND), Metric(expr=objective, legend="objective")],
        unit="percentunit",
        width=12,
        limits=[Limit(value=float(slo.objective), colour=GREEN)],
        base=RED,
        least=None,
        most=1,
        decimals=2,
    )


def _left(slo: Slo) -> Panel:
    return Panel(
        title=f"{slo.title}: error budget left",
        description="What is left of the period's error budget; below zero the promise is broken.",
        queries=[Metric(expr=f'slo:error_budget_remaining:ratio{{slo="{slo.name}",{WHO}}}', legend=_LEGEND)],
        kind="number",
        unit="percentunit",
        width=12,
        height=5,
        base=RED,
        limits=[Limit(value=0, colour=ORANGE), Limit(value=0.25, colour=YELLOW), Limit(value=0.5, colour=GREEN)],
        least=None,
        most=1,
    )


def _projection(slo: Slo, alerts: Sequence[Alert]) -> Panel:
    window = _windows([alerts[0].conditions[0].window_s])
    left = f'slo:error_budget_remaining:ratio{{slo="{slo.name}",{WHO}}}'
    spendable = f"clamp_min({left}, 0) * on (slo) group_left () {_per_slo('slo:period:seconds', slo)}"
    pace = f"clamp_min({_pace(slo, window)}, {LEAST_PACE:g})"
    return Panel(
        title=f"{slo.title}: budget gone in",
        description=(
            "When the budget is gone if it goes on burning as in the last hour (in drills: minute). "
            "Ten periods mean that next to nothing burns."
        ),
        queries=[
            Metric(expr=f"{spendable}\n/ on (slo, service_namespace, service_name)\n{pace}", legend=_LEGEND),
        ],
        kind="number",
        unit="s",
        width=12,
        height=5,
        base=RED,
        limits=[Limit(value=6 * 3600, colour=ORANGE), Limit(value=3 * 86400, colour=GREEN)],
        decimals=1,
    )


def _spent(slo: Slo) -> Panel:
    left = f'slo:error_budget_remaining:ratio{{slo="{slo.name}",{WHO}}}'
    return Panel(
        title=f"{slo.title}: error budget left and burnt",
        description="Both as shares of the period's budget; what is burnt comes back only as the period moves on.",
        queries=[
            Metric(expr=left, legend="left: {{service_name}}"),
            Metric(expr=f"1 - {left}", legend="burnt: {{service_name}}"),
        ],
        unit="percentunit",
        width=12,
        limits=[Limit(value=1, colour=RED)],
        least=None,
    )


def _burn(slo: Slo, alerts: Sequence[Alert]) -> Panel:
    conditions = [condition for alert in alerts for condition in alert.conditions]
    nominal = [seconds for one in conditions for seconds in (one.window_s, one.short_s) if seconds is not None]
    factors = sorted({condition.factor for condition in conditions})
    colours = [ORANGE, RED] if len(factors) > 1 else [RED]
    return Panel(
        title=burn_title(slo, alerts[0]),
        description=(
            "1 is the pace at which the budget lasts exactly for the period. An alert fires where its long and its "
            f"short window are both above its line: {', '.join(number(factor) for factor in factors)}."
        ),
        queries=[Metric(expr=_pace(slo, _windows(nominal)), legend="{{service_name}} over {{window}}")],
        unit="none",
        width=12,
        height=9,
        limits=[Limit(value=float(f), colour=c) for f, c in zip(factors, colours, strict=False)],
        decimals=1,
    )


def _requests(slo: Slo) -> Panel:
    return Panel(
        title=f"{slo.title}: requests and bad ones",
        description="What the indicator counts: all requests and the bad ones, per second.",
        queries=[
            Metric(expr=_recorded("slo:sli_total:rate", slo), legend="all: {{service_name}}"),
            Metric(expr=_recorded("slo:sli_bad:rate", slo), legend="bad: {{service_name}}"),
        ],
        unit="reqps",
        width=12,
    )


def _states(slo: Slo) -> Panel:
    return Panel(
        title=f"{slo.title}: alert states",
        description="The alerts of this level as Prometheus evaluates them, for each service.",
        queries=[state_of(slo, alert) for alert in slo.alerts],
        kind="states",
        unit="none",
        width=12,
        states=STATES,
    )


def _grafana_rules() -> Panel:
    return Panel(
        title="Grafana's alerts",
        description="The rules that Grafana itself evaluates, and what is pending or firing.",
        queries=[],
        kind="alerts",
        unit="none",
        width=24,
    )
