"""The collector's panels: what it takes in, refuses, sends on and loses, and how full it is."""

from collections.abc import Sequence

from stack.dashboards.panel import ORANGE, RED, Limit, Metric, Panel
from stack.slo.pipeline import SIGNALS

_RATE = "[$__rate_interval]"


def panels() -> Sequence[Panel]:
    """All of them."""
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
