"""The Traces dashboard: who calls whom, what operations cost, and the traces of what failed or was slow."""

from collections.abc import Sequence
from fractions import Fraction

from stack.dashboards.panel import RED, Board, Limit, Metric, Panel, Row, ServiceGraph, Traces
from stack.dashboards.scope import NAMESPACE, WHO
from stack.slo.model import Slo

DEFAULT_SLOW_S = Fraction(1, 2)

_EDGE = "client, server"
_CALLS = "traces_span_metrics_calls_total"
_TOOK = "traces_span_metrics_duration_milliseconds_bucket"
_OPERATION = "{{service_name}}: {{span_name}}"
_SCOPE = 'resource.service.namespace =~ "$namespace" && resource.service.name =~ "$service"'


def board(slos: Sequence[Slo]) -> Board:
    """The dashboard; slow is what the first level about latency calls so."""
    slow_s = next((slo.sli.threshold_s for slo in slos if slo.sli.threshold_s), DEFAULT_SLOW_S)
    return Board(
        uid="traces",
        title="Traces",
        description="Service graph, operations by span metrics, and traces that failed or were slow.",
        rows=[
            Row(title="Who calls whom", panels=_graph()),
            Row(title="Operations", panels=_operations()),
            Row(title="Traces", panels=_found(slow_s)),
        ],
    )


def _graph() -> Sequence[Panel]:
    total = f"sum by ({_EDGE}) (rate(traces_service_graph_request_total{{{NAMESPACE}}}[$__rate_interval]))"
    failed = f"sum by ({_EDGE}) (rate(traces_service_graph_request_failed_total{{{NAMESPACE}}}[$__rate_interval]))"
    took = f"traces_service_graph_request_server_seconds_bucket{{{NAMESPACE}}}"
    p95 = f"histogram_quantile(0.95, sum by ({_EDGE}, le) (rate({took}[$__rate_interval])))"
    return [
        Panel(
            title="Service graph",
            description="Services and their calls, drawn from traces; a click leads to a service's traces.",
            queries=[ServiceGraph(matchers=NAMESPACE)],
            kind="graph",
            unit="none",
            width=12,
            height=14,
        ),
        Panel(
            title="Calls between services",
            description="Each edge of the graph in numbers: calls per second, share that failed, P95 at the server.",
            queries=[
                Metric(expr=f"{total} > 0", legend="Calls/s", unit="reqps"),
                Metric(expr=f"({failed} or {total} * 0) / ({total} > 0)", legend="Failed", unit="percentunit"),
                Metric(expr=f"{p95} >= 0", legend="P95", unit="s"),
            ],
            kind="table",
            width=12,
            height=14,
        ),
        Panel(
            title="Failed calls by edge",
            description="Share of calls on each edge whose span ended with an error.",
            queries=[
                Metric(expr=f"({failed} or {total} * 0) / ({total} > 0)", legend="{{client}} to {{server}}"),
            ],
            unit="percentunit",
            width=12,
            limits=[Limit(value=0.01, colour=RED)],
        ),
        Panel(
            title="P95 latency by edge",
            description="95 % of an edge's calls are answered faster than this, as the server saw it.",
            queries=[Metric(expr=f"{p95} >= 0", legend="{{client}} to {{server}}")],
            unit="s",
            width=12,
        ),
    ]


def _operations() -> Sequence[Panel]:
    served = f'span_kind="SPAN_KIND_SERVER",{WHO}'
    by = "service_name, span_name"
    total = f"sum by ({by}) (rate({_CALLS}{{{served}}}[$__rate_interval]))"
    failed = f'sum by ({by}) (rate({_CALLS}{{status_code="STATUS_CODE_ERROR",{served}}}[$__rate_interval]))'
    took = f"sum by ({by}, le) (rate({_TOOK}{{{served}}}[$__rate_interval]))"
    every = f"sum by (service_name, span_kind) (rate({_CALLS}{{{WHO}}}[$__rate_interval]))"
    return [
        Panel(
            title="Calls by operation",
            description="Server spans per second by operation, counted by the collector.",
            queries=[Metric(expr=total, legend=_OPERATION, exemplars=True)],
            unit="reqps",
        ),
        Panel(
            title="Failed calls by operation",
            description="Share of an operation's spans that ended with an error.",
            queries=[Metric(expr=f"({failed} or {total} * 0) / ({total} > 0)", legend=_OPERATION)],
            unit="percentunit",
            limits=[Limit(value=0.01, colour=RED)],
        ),
        Panel(
            title="P95 latency by operation",
            description="From the collector's span metrics; points are exemplars that lead to their traces.",
            queries=[Metric(expr=f"histogram_quantile(0.95, {took}) >= 0", legend=_OPERATION, exemplars=True)],
            unit="ms",
        ),
        Panel(
            title="Spans by service and kind",
            description="All spans per second: a service that falls silent here sends no traces any more.",
            queries=[Metric(expr=every, legend="{{service_name}} {{span_kind}}")],
            unit="cps",
            width=24,
            height=7,
            stacked=True,
        ),
    ]


def _found(slow_s: Fraction) -> Sequence[Panel]:
    return [
        Panel(
            title="Traces with errors",
            description="Traces with a span that ended with an error; a click on one opens it.",
            queries=[Traces(traceql=f"{{ {_SCOPE} && status = error }}")],
            kind="traces",
            unit="none",
            width=12,
            height=10,
            empty="No trace with an error in this time",
        ),
        Panel(
            title="Slow traces",
            description="Traces with a server span that took longer than users accept.",
            queries=[Traces(traceql=f"{{ {_SCOPE} && kind = server && duration > {int(slow_s * 1000)}ms }}")],
            kind="traces",
            unit="none",
            width=12,
            height=10,
            empty="No slow trace in this time",
        ),
        Panel(
            title="Traces with exceptions",
            description="Traces with a span that recorded an exception.",
            queries=[Traces(traceql=f'{{ {_SCOPE} && event:name = "exception" }}')],
            kind="traces",
            unit="none",
            width=12,
            height=10,
            empty="No trace with an exception in this time",
        ),
        Panel(
            title="Latest traces",
            description="Any traces of the chosen services.",
            queries=[Traces(traceql=f"{{ {_SCOPE} }} | select(span.http.route, span.http.response.status_code)")],
            kind="traces",
            unit="none",
            width=12,
            height=10,
        ),
    ]
