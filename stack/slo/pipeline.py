"""Pipeline: the rules by which the stack watches itself, so that a blind spot is noticed before it hides something."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stack.config.profile import Profile
from stack.slo.promql import duration, grown
from stack.slo.rule import Alerting, Group

SIGNALS = ("spans", "metric_points", "log_records")


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """
    One thing that may break in the pipeline.

    `counters`: any growth within the window fires. `expr`: an expression, `{window}` and `{window_s}` are filled in.
    Times are nominal seconds, as in production.
    `pace_s` is how often at least the counters grow while it is broken: a window holds one and a half times that, or the alert
    would end and begin again and again. `lag_s` is how long after something went down that is known, apart from scrape,
    evaluation and hold; None where nobody can say.
    """

    alert: str
    severity: str
    component: str
    summary: str
    description: str
    counters: Sequence[str] = ()
    expr: str = ""
    window_s: int = 0
    hold_s: int = 0
    pace_s: Callable[[Profile], int] = lambda _: 0
    lag_s: Callable[[Profile], int] | None = None

    def window_in(self, profile: Profile) -> int:
        """Its window in a profile, in whole seconds."""
        return max(profile.window_s(self.window_s), math.ceil(1.5 * self.pace_s(profile)))


RESEND_S = 5
"""Prometheus sends an alert that goes on again after so long (its `--rules.alert.resend-delay`)."""


def _given_up_s(profile: Profile) -> int:
    """Alertmanager tries a notification until its group's next turn, or for 10 s, and then counts it as failed."""
    return max(10, profile.group_interval_s)


def _signals(counter: str) -> Sequence[str]:
    return [f"{counter}_{signal}" for signal in SIGNALS]


WATCHES = (
    Watch(
        alert="Watchdog",
        severity="none",
        component="alerting",
        expr="vector(1)",
        summary="The way from a rule to people is open",
        description="Always fires; its silence is the alarm: alerts do not arrive any more.",
    ),
    Watch(
        alert="TargetDown",
        severity="page",
        component="{{ $labels.job }}",
        expr="up == 0",
        hold_s=300,
        # A target that hangs is given up at the scrape's timeout, which is the interval.
        lag_s=lambda profile: profile.scrape_interval_s,
        summary="{{ $labels.job }} at {{ $labels.instance }} cannot be scraped",
        description="Prometheus gets no metrics from this target; it is down, hangs, or answers too slowly.",
    ),
    Watch(
        alert="CollectorRefusing",
        severity="page",
        component="collector",
        counters=_signals("otelcol_receiver_refused"),
        window_s=300,
        summary="The collector refuses data",
        description="Its memory limit or a component behind the receiver pushes back; senders retry, then lose data.",
    ),
    Watch(
        alert="CollectorDropping",
        severity="page",
        component="collector",
        counters=_signals("otelcol_exporter_enqueue_failed"),
        window_s=300,
        summary="The collector drops data on the way to {{ $labels.exporter }}",
        description="The sending queue is full, so what comes in is lost.",
    ),
    Watch(
        alert="ExporterFailing",
        severity="page",
        component="collector",
        counters=_signals("otelcol_exporter_send_failed"),
        expr=(
            "min_over_time(otelcol_exporter_queue_size[{window}]) > 0\n"
            # A collector that was frozen or started again has a queue, and no time in which it could have sent something.
            "and on (job, instance) min_over_time(up[{window}]) == 1\n"
            "unless on (job, instance, exporter)\n"
            "increase(otelcol_exporter_sent_spans[{window}]) > 0"
        ),
        window_s=300,
        lag_s=lambda profile: profile.window_s(300),
        summary="The collector cannot send to {{ $labels.exporter }}",
        description="Data wait in the queue and nothing gets through, or it was given up after all retries.",
    ),
    Watch(
        alert="QueueFull",
        severity="ticket",
        component="collector",
        expr="otelcol_exporter_queue_size / otelcol_exporter_queue_capacity > 0.8",
        summary="The queue to {{ $labels.exporter }} is {{ $value | humanizePercentage }} full",
        description="Once it is full, data are lost.",
    ),
    Watch(
        alert="PrometheusRuleFailures",
        severity="page",
        component="prometheus",
        counters=("prometheus_rule_evaluation_failures_total",),
        window_s=300,
        summary="A rule of group {{ $labels.rule_group }} fails",
        description="Its alert cannot fire; the rules page of Prometheus shows the error.",
    ),
    Watch(
        alert="PrometheusNotificationsFailing",
        severity="page",
        component="prometheus",
        counters=("prometheus_notifications_errors_total", "prometheus_notifications_dropped_total"),
        window_s=300,
        pace_s=lambda _: RESEND_S,
        lag_s=lambda _: RESEND_S,
        summary="Prometheus cannot reach {{ $labels.alertmanager }}",
        description="Alerts fire, but Alertmanager does not hear of them.",
    ),
    Watch(
        alert="AlertmanagerNotificationsFailing",
        severity="page",
        component="alertmanager",
        counters=("alertmanager_notifications_failed_total",),
        window_s=300,
        pace_s=_given_up_s,
        # The watchdog is the next that it has to tell.
        lag_s=lambda profile: profile.watchdog_repeat_s + _given_up_s(profile),
        summary="Alertmanager cannot notify by {{ $labels.integration }} ({{ $labels.reason }})",
        description="Alerts reach Alertmanager, but their receiver does not accept them.",
    ),
    Watch(
        alert="TempoDiscardingSpans",
        severity="ticket",
        component="tempo",
        counters=("tempo_discarded_spans_total",),
        window_s=300,
        summary="Tempo discards spans: {{ $labels.reason }}",
        description="Traces are incomplete; a limit of Tempo was reached.",
    ),
    Watch(
        alert="DetectorStale",
        severity="ticket",
        component="detector",
        # Also of one that cannot be scraped any more, for an hour.
        expr="time() - last_over_time(anomaly_last_success_timestamp_seconds[1h]) > {window_s}",
        window_s=600,
        lag_s=lambda profile: profile.window_s(600),
        summary="The anomaly detector has not looked for {{ $value | humanizeDuration }}",
        description="It completes no round, or is gone, so no anomaly would be seen.",
    ),
)
"""What is watched; a rule about a component that a stack does not have stays silent."""


def groups(profile: Profile) -> Sequence[Group]:
    """All of them, in one group."""
    interval = duration(profile.evaluation_interval_s)
    return [Group(name="pipeline", interval=interval, rules=[_alerting(watch, profile) for watch in WATCHES])]


def _alerting(watch: Watch, profile: Profile) -> Alerting:
    hold_s = profile.hold_s(watch.hold_s)
    timing = {"window_s": watch.window_in(profile)} if watch.window_s else {}
    timing |= {"lag_s": watch.lag_s(profile)} if watch.lag_s else {}
    timing |= {"for_s": hold_s, "interval_s": profile.evaluation_interval_s}
    return Alerting(
        alert=watch.alert,
        expr=_expr(watch, profile),
        hold=duration(hold_s),
        labels={"severity": watch.severity, "component": watch.component},
        annotations={
            "summary": watch.summary,
            "description": watch.description,
            "runbook_url": f"docs/runbooks/{watch.alert}.md",
            "tocsin_formula": json.dumps({"kind": "pipeline"} | timing, separators=(",", ":")),
        },
    )


def _expr(watch: Watch, profile: Profile) -> str:
    window_s = watch.window_in(profile)
    parts = [grown(counter, window_s) for counter in watch.counters]
    if watch.expr:
        parts.append(watch.expr.replace("{window}", duration(window_s)).replace("{window_s}", str(window_s)))
    return "\nor\n".join(parts)
