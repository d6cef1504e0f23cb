"""The Drill dashboard: what a drill breaks, what its clients feel, what Prometheus says, and who was told."""

from collections.abc import Sequence

from stack.dashboards.boards.alert_states import STATES, state_of
from stack.dashboards.panel import GREEN, RED, Board, Metric, Panel, Row, State
from stack.dashboards.scope import NAMESPACE, WHO
from stack.slo.model import Slo

CLIENT_REQUESTS = "tocsin_client_requests_total"
CLIENT_DURATION = "tocsin_client_request_duration_seconds"
FAULT_ACTIVE = "tocsin_fault_active"
"""What a drill tells the stack of itself, with `service_namespace`: its clients' requests by `outcome` (`ok`, `failed`), how long
they took, and for each fault (`kind`, `target`) whether it is in force."""

_RATE = "[$__rate_interval]"


def board(slos: Sequence[Slo]) -> Board:
    """The dashboard."""
    return Board(
        uid="drill",
        title="Drill",
        description="The current drill: fault windows, clients' truth against Prometheus, alerts and notifications.",
        span="15m",
        refresh="5s",
        rows=[
            Row(title="Timeline", panels=[_faults(), *(_alerts(slo) for slo in slos)]),
            Row(title="Clients against Prometheus", panels=_truth()),
            Row(title="Who was told", panels=_told()),
        ],
    )


def _faults() -> Panel:
    return Panel(
        title="Faults",
        description="When each fault of the drill is in force. Vertical regions in all panels show the same.",
        queries=[Metric(expr=f"max by (kind, target) ({FAULT_ACTIVE}{{{NAMESPACE}}})", legend="{{kind}} {{target}}")],
        kind="states",
        unit="none",
        width=24,
        height=5,
        states=[State(value=0, text="healed", colour=GREEN), State(value=1, text="in force", colour=RED)],
    )


def _alerts(slo: Slo) -> Panel:
    return Panel(
        title=f"Alerts: {slo.title.lower()}",
        description="The alerts of this level for each service: quiet, pending or firing.",
        queries=[state_of(slo, alert) for alert in slo.alerts],
        kind="states",
        unit="none",
        width=12,
        height=9,
        states=STATES,
    )


def _truth() -> Sequence[Panel]:
    requests, failed = f"{CLIENT_REQUESTS}{{{NAMESPACE}}}", f'{CLIENT_REQUESTS}{{outcome="failed",{NAMESPACE}}}'
    share = f"(sum(rate({failed}{_RATE})) or sum(rate({requests}{_RATE})) * 0) / (sum(rate({requests}{_RATE})) > 0)"
    took = f"sum by (le) (rate({CLIENT_DURATION}_bucket{{{NAMESPACE}}}{_RATE}))"
    return [
        Panel(
            title="Requests: clients and services",
            description="Requests per second that clients made, and that each service counted.",
            queries=[
                Metric(expr=f"sum(rate({requests}{_RATE}))", legend="clients"),
                Metric(expr=f"service:http_server_requests:rate{{{WHO}}}", legend="{{service_name}}"),
            ],
            unit="reqps",
        ),
        Panel(
            title="Errors: clients and services",
            description="Share of requests that failed: as clients felt it, and as each service counted it.",
            queries=[
                Metric(expr=share, legend="clients"),
                Metric(expr=f"service:http_server_errors:ratio_rate{{{WHO}}}", legend="{{service_name}}"),
            ],
            unit="percentunit",
        ),
        Panel(
            title="P95 latency: clients and services",
            description="As clients felt it, and as each service measured it.",
            queries=[
                Metric(expr=f"histogram_quantile(0.95, {took})", legend="clients"),
                Metric(expr=f"service:http_server_duration_seconds:p95{{{WHO}}} >= 0", legend="{{service_name}}"),
            ],
            unit="s",
        ),
    ]


def _told() -> Sequence[Panel]:
    sent = 'sum(increase(alertmanager_notifications_total{integration="webhook"}[$__rate_interval]))'
    return [
        Panel(
            title="Notifications by Alertmanager",
            description="Webhooks that Alertmanager sent within each step; the watchdog's are among them.",
            queries=[Metric(expr=sent, legend="notifications")],
            unit="short",
        ),
        Panel(
            title="Alerts held by Alertmanager",
            description="Alerts that Alertmanager knows, by state.",
            queries=[Metric(expr="sum by (state) (alertmanager_alerts)", legend="{{state}}")],
            unit="short",
        ),
        Panel(
            title="Alerts held by Grafana",
            description="Grafana's own alert rules: what is pending or firing.",
            queries=[],
            kind="alerts",
            unit="none",
        ),
    ]
