"""Prometheus' panels: what it stores, whether its rules are evaluated, and whether alerts get from it to people."""

from collections.abc import Sequence

from stack.dashboards.panel import ORANGE, RED, Limit, Metric, Panel

_RATE = "[$__rate_interval]"


def panels() -> Sequence[Panel]:
    """Storage, scrapes and rules."""
    used = "max by (rule_group) (prometheus_rule_group_last_duration_seconds / prometheus_rule_group_interval_seconds)"
    return [
        Panel(
            title="Samples taken in",
            description="Samples per second that Prometheus stored.",
            queries=[Metric(expr=f"rate(prometheus_tsdb_head_samples_appended_total{_RATE})", legend="{{type}}")],
            unit="ops",
        ),
        Panel(
            title="Series",
            description="Series in memory: a jump means that a label takes too many values.",
            queries=[Metric(expr="prometheus_tsdb_head_series", legend="{{instance}}")],
            unit="short",
        ),
        Panel(
            title="Scrape duration",
            description="How long reading each target takes.",
            queries=[Metric(expr="max by (job) (scrape_duration_seconds)", legend="{{job}}")],
            unit="s",
        ),
        Panel(
            title="Rule health",
            description="Failed evaluations and missed rounds per second; above zero, alerts may not fire.",
            queries=[
                Metric(
                    expr=f"sum(rate(prometheus_rule_evaluation_failures_total{_RATE}))",
                    legend="failed evaluations",
                ),
                Metric(
                    expr=f"sum(rate(prometheus_rule_group_iterations_missed_total{_RATE}))",
                    legend="missed rounds",
                ),
            ],
            unit="ops",
            limits=[Limit(value=0.001, colour=RED)],
        ),
        Panel(
            title="Rule groups: time used",
            description="Share of its interval that a group needs for one round; at 100 % rounds are missed.",
            queries=[Metric(expr=used, legend="{{rule_group}}")],
            unit="percentunit",
            width=16,
            limits=[Limit(value=0.5, colour=ORANGE), Limit(value=1, colour=RED)],
        ),
    ]


def notifications() -> Sequence[Panel]:
    """From Prometheus to Alertmanager, and on to people."""
    failing = [Limit(value=0.001, colour=RED)]
    return [
        Panel(
            title="Prometheus to Alertmanager",
            description="Alerts per second that Prometheus sent, and those that it could not send.",
            queries=[
                Metric(expr=f"sum(rate(prometheus_notifications_sent_total{_RATE}))", legend="sent"),
                Metric(expr=f"sum(rate(prometheus_notifications_errors_total{_RATE}))", legend="failed"),
                Metric(expr=f"sum(rate(prometheus_notifications_dropped_total{_RATE}))", legend="dropped"),
            ],
            unit="ops",
        ),
        Panel(
            title="Alertmanager to people",
            description="Notifications per second that webhooks took.",
            queries=[
                Metric(
                    expr=f'sum(rate(alertmanager_notifications_total{{integration="webhook"}}{_RATE}))', legend="sent"
                )
            ],
            unit="ops",
        ),
        Panel(
            title="Alertmanager: failed notifications",
            description="Notifications per second that nobody took, by reason.",
            queries=[
                Metric(
                    expr=(
                        f'sum by (reason) (rate(alertmanager_notifications_failed_total{{integration="webhook"}}{_RATE}))'
                    ),
                    legend="{{reason}}",
                )
            ],
            unit="ops",
            limits=failing,
        ),
    ]
