"""The Application dashboard: rate, errors and duration by service and route, saturation, and what services depend on."""

from collections.abc import Sequence
from dataclasses import dataclass

from stack.dashboards.panel import ORANGE, RED, Board, Limit, Metric, Panel, Row
from stack.dashboards.scope import WHO
from stack.slo.model import Slo

P95_BY_SERVICE = "P95 latency by service"
REQUESTS_BY_SERVICE = "Requests by service"
ERRORS_BY_SERVICE = "Errors by service"

_BUCKETS = f"http_server_request_duration_seconds_bucket{{{WHO}}}"
_LEGEND = "{{service_name}} ({{service_namespace}})"
_ROUTE = "{{service_name}} {{http_route}}"


def board(slos: Sequence[Slo]) -> Board:
    """The dashboard; its limits are those of the service levels."""
    limits = _Limits.of(slos)
    return Board(
        uid="application",
        title="Application",
        description="Rate, errors and duration of each service and route, how full they are, and what they call.",
        rows=[
            Row(title="Services", panels=_services(limits)),
            Row(title="Routes", panels=_routes(limits)),
            Row(title="Distribution", panels=[_heat_map(), _statuses()]),
            Row(title="Saturation", panels=_saturation()),
            Row(title="Dependencies", panels=_dependencies()),
        ],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limits:
    """The lines in the pictures, from what alerts look at."""

    errors: Sequence[Limit]
    latency: Sequence[Limit]

    @classmethod
    def of(cls, slos: Sequence[Slo]) -> "_Limits":
        alerts = [(slo, alert) for slo in slos for alert in slo.alerts]
        shares = [alert.conditions[0].factor * slo.budget for slo, alert in alerts if alert.kind == "error-ratio"]
        slow_s = [slo.sli.threshold_s or 0 for slo, alert in alerts if alert.kind == "latency-quantile"]
        return cls(
            errors=[Limit(value=float(share)) for share in shares], latency=[Limit(value=float(s)) for s in slow_s]
        )


def _quantile(share: str, level: str, by: str) -> str:
    return f"histogram_quantile({share}, sum by ({by}, le) (rate({level}[$__rate_interval])))"


def _services(limits: _Limits) -> Sequence[Panel]:
    quantiles = [
        Panel(
            title=f"{name} latency by service",
            description=f"{words} of requests are faster than this. Points are exemplars: click one for its trace.",
            queries=[
                Metric(
                    expr=_quantile(share, _BUCKETS, "service_namespace, service_name"), legend=_LEGEND, exemplars=True
                )
            ],
            unit="s",
            limits=limits.latency,
        )
        for name, share, words in (("P50", "0.5", "Half"), ("P95", "0.95", "95 %"), ("P99", "0.99", "99 %"))
    ]
    return [
        Panel(
            title=REQUESTS_BY_SERVICE,
            description="Requests that each service answered, per second.",
            queries=[Metric(expr=f"service:http_server_requests:rate{{{WHO}}}", legend=_LEGEND)],
            unit="reqps",
            width=12,
        ),
        Panel(
            title=ERRORS_BY_SERVICE,
            description="Share of requests that ended with a server error (5xx).",
            queries=[Metric(expr=f"service:http_server_errors:ratio_rate{{{WHO}}}", legend=_LEGEND)],
            unit="percentunit",
            width=12,
            limits=limits.errors,
        ),
        *quantiles,
    ]


def _routes(limits: _Limits) -> Sequence[Panel]:
    rate, errors = f"route:http_server_requests:rate{{{WHO}}}", f"route:http_server_errors:ratio_rate{{{WHO}}}"
    p95 = f"route:http_server_duration_seconds:p95{{{WHO}}}"
    by = "sum by (service_namespace, service_name, http_route)"
    return [
        Panel(
            title="Requests by route",
            description="Requests per second of each route.",
            queries=[Metric(expr=rate, legend=_ROUTE)],
            unit="reqps",
        ),
        Panel(
            title="Errors by route",
            description="Share of server errors (5xx) of each route.",
            queries=[Metric(expr=errors, legend=_ROUTE)],
            unit="percentunit",
            limits=limits.errors,
        ),
        Panel(
            title="P95 latency by route",
            description="95 % of the route's requests are faster than this.",
            queries=[Metric(expr=f"{p95} >= 0", legend=_ROUTE)],
            unit="s",
            limits=limits.latency,
        ),
        Panel(
            title="Routes now",
            description="Each route's rate, share of errors and P95 at the end of the time range.",
            queries=[
                Metric(expr=f"{by} ({rate})", legend="Requests/s", unit="reqps"),
                Metric(expr=f"{by} ({errors})", legend="Errors", unit="percentunit"),
                Metric(expr=f"{by} ({p95} >= 0)", legend="P95", unit="s"),
            ],
            kind="table",
            width=24,
        ),
    ]


def _heat_map() -> Panel:
    return Panel(
        title="Latency heat map",
        description="How many requests took how long; exemplars lead to their traces.",
        queries=[Metric(expr=f"sum by (le) (increase({_BUCKETS}[$__rate_interval]))", exemplars=True)],
        kind="heat",
        unit="s",
        width=16,
        height=10,
    )


def _statuses() -> Panel:
    counted = f"http_server_request_duration_seconds_count{{{WHO}}}"
    expr = f"sum by (http_response_status_code) (rate({counted}[$__rate_interval]))"
    return Panel(
        title="Responses by status",
        description="Responses per second by HTTP status code.",
        queries=[Metric(expr=expr, legend="{{http_response_status_code}}")],
        unit="reqps",
        height=10,
        stacked=True,
    )


def _saturation() -> Sequence[Panel]:
    orders = f"sum by (shop_order_outcome) (rate(shop_orders_total{{{WHO}}}[$__rate_interval]))"
    return [
        _used(
            "CPU", "Cores that each service uses.", f"rate(process_cpu_time_seconds_total{{{WHO}}}[$__rate_interval])"
        ),
        _used("Memory", "Resident memory of each service.", f"process_memory_usage_bytes{{{WHO}}}", unit="bytes"),
        _used("Threads", "Threads that each service has.", f"process_thread_count{{{WHO}}}"),
        _used("Requests in flight", "Requests that are being answered now.", f"http_server_active_requests{{{WHO}}}"),
        _used(
            "Requests that wait",
            "Requests that wait for a free thread; above zero for long, the service is full.",
            f"shop_server_waiting_requests{{{WHO}}}",
            limits=[Limit(value=1, colour=ORANGE)],
        ),
        Panel(
            title="Orders",
            description="Orders per second by outcome: what all of this is for.",
            queries=[Metric(expr=orders, legend="{{shop_order_outcome}}")],
            unit="ops",
            empty="No order yet",
        ),
    ]


def _used(title: str, description: str, expr: str, *, unit: str = "none", limits: Sequence[Limit] = ()) -> Panel:
    """How much each service uses of something, all its instances together."""
    metric = Metric(expr=f"sum by (service_namespace, service_name) ({expr})", legend=_LEGEND)
    return Panel(title=title, description=description, queries=[metric], unit=unit, limits=limits)


def _dependencies() -> Sequence[Panel]:
    calls, database = "http_client_request_duration_seconds", "db_client_operation_duration_seconds"
    target = "service_name, server_address, server_port"
    failed = f'{calls}_count{{error_type=~"5..|[^0-9].*",{WHO}}}'
    every = f"sum by ({target}) (rate({calls}_count{{{WHO}}}[$__rate_interval]))"
    to = "{{service_name}} to {{server_address}}:{{server_port}}"
    return [
        Panel(
            title="Calls to other services",
            description="Outgoing HTTP calls per second by caller and address.",
            queries=[Metric(expr=every, legend=to)],
            unit="reqps",
        ),
        Panel(
            title="Failed calls to other services",
            description="Outgoing calls that got a server error (5xx) or no answer, as a share of all.",
            queries=[
                Metric(
                    expr=f"(sum by ({target}) (rate({failed}[$__rate_interval])) or {every} * 0) / ({every} > 0)",
                    legend=to,
                )
            ],
            unit="percentunit",
            limits=[Limit(value=0.01, colour=RED)],
        ),
        Panel(
            title="P95 of calls to other services",
            description="As the caller feels it: network and waiting included.",
            queries=[Metric(expr=_quantile("0.95", f"{calls}_bucket{{{WHO}}}", target), legend=to)],
            unit="s",
        ),
        Panel(
            title="Database operations",
            description="Database operations per second by service.",
            queries=[
                Metric(
                    expr=(
                        f"sum by (service_name, db_operation_name) (rate({database}_count{{{WHO}}}[$__rate_interval]))"
                    ),
                    legend="{{service_name}} {{db_operation_name}}",
                )
            ],
            unit="ops",
            width=12,
        ),
        Panel(
            title="P95 of database operations",
            description="95 % of a service's database operations are faster than this.",
            queries=[
                Metric(
                    expr=_quantile("0.95", f"{database}_bucket{{{WHO}}}", "service_name, db_operation_name"),
                    legend="{{service_name}} {{db_operation_name}}",
                )
            ],
            unit="s",
            width=12,
        ),
    ]
