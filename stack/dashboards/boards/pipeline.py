"""The Pipeline dashboard: does the stack itself work: collector, Prometheus, alerting, Tempo, Grafana, detector."""

from collections.abc import Sequence

from stack.dashboards.boards.alert_states import STATES
from stack.dashboards.panel import GREEN, ORANGE, RED, Board, Limit, Metric, Panel, Row, State
from stack.dashboards.scope import WHO
from stack.slo.pipeline import SIGNALS, WATCHES

ANOMALY_SCORE = "Anomaly score"

_RATE = "[$__rate_interval]"
_NO_DETECTOR = "No anomaly detector in this stack"
_NO_GRAFANA = "Grafana is not scraped in this stack"


def board() -> Board:
    """The dashboard."""
    return Board(
        uid="pipeline",
        title="Pipeline",
        description="Whether signals get through: collector, Prometheus, alerting, Tempo, Grafana, anomaly detector.",
        rows=[
            Row(title="State", panels=[_targets(), _alerts()]),
            Row(title="Collector", panels=_collector()),
            Row(title="Prometheus", panels=_prometheus()),
            Row(title="Notifications", panels=_notifications()),
            Row(title="Tempo", panels=_tempo()),
            Row(title="Grafana", panels=_grafana()),
            Row(title="Anomaly detector", panels=_detector()),
        ],
    )


def _targets() -> Panel:
    return Panel(
        title="Scrape targets",
        description="Whether Prometheus can read each part of the stack.",
        queries=[Metric(expr="min by (job) (up)", legend="{{job}}")],
        kind="states",
        unit="none",
        width=12,
        states=[State(value=0, text="down", colour=RED), State(value=1, text="up", colour=GREEN)],
    )


def _alerts() -> Panel:
    """Each watch has a query of its own, so that a quiet one is a line, too."""

    def state(alert: str) -> Metric:
        named = f'alertname="{alert}"'
        raised = f'2 * ALERTS{{alertstate="firing",{named}}} or ALERTS{{alertstate="pending",{named}}}'
        return Metric(expr=f"max({raised}) or vector(0)", legend=alert)

    return Panel(
        title="Alerts about the pipeline",
        description="The rules by which the stack watches itself; the watchdog always fires, that is its work.",
        queries=[state(watch.alert) for watch in WATCHES],
        kind="states",
        unit="none",
        width=12,
        states=STATES,
    )


def _signals(counter: str, by: str) -> Sequence[Metric]:
    """One query for each signal; a counter that is born with its first count is 0 before, if `by` is there."""
    return [
        Metric(expr=f"sum by ({by}) (rate({counter}_{signal}{_RATE}))", legend=f"{signal} {{{{{by}}}}}")
        for signal in SIGNALS
    ]


def _lost(counter: str) -> Sequence[Metric]:
    """What exporters lost: such a series is born with the first loss, so sending without one counts as 0."""
    return [
        Metric(
            expr=f"sum by (exporter) (rate({counter}_{signal}{_RATE}))\n"
            f"or\nsum by (exporter) (otelcol_exporter_sent_{signal}) * 0",
            legend=f"{signal} {{{{exporter}}}}",
        )
        for signal in SIGNALS
    ]


def _collector() -> Sequence[Panel]:
    lost = [Limit(value=0.001, colour=RED)]
    full = "otelcol_exporter_queue_size / otelcol_exporter_queue_capacity"
    return [
        Panel(
            title="Collector: taken in",
            description="Spans, metric points and log records per second that the receivers accepted.",
            queries=_signals("otelcol_receiver_accepted", "receiver"),
            unit="ops",
        ),
        Panel(
            title="Collector: refused",
            description="Turned away because something behind the receiver pushes back; senders try again, then lose.",
            queries=_signals("otelcol_receiver_refused", "receiver"),
            unit="ops",
            limits=lost,
        ),
        Panel(
            title="Collector: sent on",
            description="What each exporter got rid of, per second.",
            queries=_signals("otelcol_exporter_sent", "exporter"),
            unit="ops",
        ),
        Panel(
            title="Collector: dropped before the queue",
            description="Lost because a sending queue was full.",
            queries=_lost("otelcol_exporter_enqueue_failed"),
            unit="ops",
            limits=lost,
        ),
        Panel(
            title="Collector: given up",
            description="Lost because the receiving side did not take it, after all retries.",
            queries=_lost("otelcol_exporter_send_failed"),
            unit="ops",
            limits=lost,
        ),
        Panel(
            title="Collector: queue",
            description="How full each sending queue is; once it is full, data are lost.",
            queries=[Metric(expr=full, legend="{{exporter}} {{data_type}}")],
            unit="percentunit",
            most=1,
            limits=[Limit(value=0.5, colour=ORANGE), Limit(value=0.8, colour=RED)],
        ),
        Panel(
            title="Collector: memory",
            description="Resident memory; near its limit the collector refuses data.",
            queries=[Metric(expr="otelcol_process_memory_rss", legend="{{instance}}")],
            unit="bytes",
            width=12,
        ),
        Panel(
            title="Collector: CPU",
            description="Cores that the collector uses.",
            queries=[Metric(expr=f"rate(otelcol_process_cpu_seconds{_RATE})", legend="{{instance}}")],
            unit="none",
            width=12,
        ),
    ]


def _prometheus() -> Sequence[Panel]:
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


def _notifications() -> Sequence[Panel]:
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


def _tempo() -> Sequence[Panel]:
    received = f"sum(rate(tempo_distributor_spans_received_total{_RATE}))"
    discarded = f"sum by (reason) (rate(tempo_discarded_spans_total{_RATE}))"
    return [
        Panel(
            title="Tempo: spans taken in",
            description="Spans per second that Tempo received; compare with what the collector sent on.",
            queries=[Metric(expr=received, legend="received")],
            unit="ops",
        ),
        Panel(
            title="Tempo: spans discarded",
            description="Spans per second that a limit of Tempo turned away, by reason.",
            queries=[Metric(expr=f"{discarded}\nor\n{received} * 0", legend="discarded {{reason}}")],
            unit="ops",
            limits=[Limit(value=0.001, colour=RED)],
        ),
        Panel(
            title="Tempo: metrics from traces",
            description="Series that Tempo derives from traces: service graph and span metrics.",
            queries=[
                Metric(expr="sum(tempo_metrics_generator_registry_active_series)", legend="series"),
            ],
            unit="short",
        ),
    ]


def _grafana() -> Sequence[Panel]:
    return [
        Panel(
            title="Grafana: rule evaluations",
            description="Rules that Grafana evaluates, per second, and those of them that failed.",
            queries=[
                Metric(expr=f"sum(rate(grafana_alerting_rule_evaluations_total{_RATE}))", legend="evaluated"),
                Metric(expr=f"sum(rate(grafana_alerting_rule_evaluation_failures_total{_RATE}))", legend="failed"),
            ],
            unit="ops",
            width=12,
            empty=_NO_GRAFANA,
        ),
        Panel(
            title="Grafana: alert instances",
            description="Instances of Grafana's alert rules by state.",
            queries=[Metric(expr="sum by (state) (grafana_alerting_alerts)", legend="{{state}}")],
            unit="short",
            width=12,
            empty=_NO_GRAFANA,
        ),
    ]


def _detector() -> Sequence[Panel]:
    fired = f"max by (watch, service_name, grade) (anomaly_firing{{{WHO}}})"
    score = f"max by (watch, service_name) (anomaly_score{{{WHO}}})"
    took = f"histogram_quantile(0.95, sum by (le) (rate(anomaly_tick_seconds_bucket{_RATE})))"
    return [
        Panel(
            title=ANOMALY_SCORE,
            description="How unusual each series is: 0.5 is the detector's limit, 1 infinitely far from what is usual.",
            queries=[Metric(expr=score, legend="{{service_name}} {{watch}}")],
            unit="none",
            most=1,
            limits=[Limit(value=0.5, colour=RED)],
            empty=_NO_DETECTOR,
        ),
        Panel(
            title="Detector: anomalies",
            description="1 while the detector calls a series an anomaly, by how grave it is.",
            queries=[Metric(expr=fired, legend="{{service_name}} {{watch}} {{grade}}")],
            unit="none",
            most=1,
            empty=_NO_DETECTOR,
        ),
        Panel(
            title="Detector: series watched",
            description="Series by how much the detector knows of them; while it learns, it tells nothing.",
            queries=[Metric(expr="sum by (state) (anomaly_series)", legend="{{state}}")],
            unit="short",
            empty=_NO_DETECTOR,
        ),
        Panel(
            title="Detector: last complete round",
            description="Time since the detector last read all that it watches; if it grows, no anomaly would be seen.",
            queries=[Metric(expr="time() - max(anomaly_last_success_timestamp_seconds)", legend="age")],
            unit="s",
            width=12,
            empty=_NO_DETECTOR,
        ),
        Panel(
            title="Detector: time of a round",
            description="95 % of rounds take less than this.",
            queries=[Metric(expr=took, legend="P95")],
            unit="s",
            width=12,
            empty=_NO_DETECTOR,
        ),
    ]
