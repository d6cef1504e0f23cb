"""Alert states: whether Prometheus' alerts are quiet, pending or firing, as one number over time."""

from stack.dashboards.panel import GREEN, RED, YELLOW, Metric, State
from stack.dashboards.scope import BASE_WINDOW, WHO
from stack.slo.model import Alert, Slo
from stack.slo.promql import BY

STATES = (
    State(value=0, text="quiet", colour=GREEN),
    State(value=1, text="pending", colour=YELLOW),
    State(value=2, text="firing", colour=RED),
)


def state_of(slo: Slo, alert: Alert) -> Metric:
    """The state of one alert for each service; a service that reports and has no such alert is quiet."""
    who = f'alertname="{alert.name}",{WHO}'
    raised = f'2 * ALERTS{{alertstate="firing",{who}}} or ALERTS{{alertstate="pending",{who}}}'
    quiet = f'sum {BY} (slo:sli_total:rate{{slo="{slo.name}",{BASE_WINDOW},{WHO}}}) * 0'
    return Metric(expr=f"max {BY} ({raised}) or {quiet}", legend=f"{alert.name} {{{{service_name}}}}")
