"""The Pipeline dashboard: does the stack itself work: collector, Prometheus, alerting, Tempo, Grafana, detector."""

from collections.abc import Sequence

from stack.dashboards.boards import collector, metrics_store
from stack.dashboards.boards.alert_states import STATES
from stack.dashboards.panel import GREEN, RED, Board, Limit, Metric, Panel, Row, State
from stack.dashboards.scope import WHO
from stack.slo.pipeline import WATCHES

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
            Row(title="Collector", panels=collector.panels()),
            Row(title="Prometheus", panels=metrics_store.panels()),
            Row(title="Notifications", panels=metrics_store.notifications()),
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
