"""Telemetry: every request leaves exactly what it should, and tells the truth about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.sdk.metrics.export import HistogramDataPoint, MetricsData, NumberDataPoint
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode, format_trace_id

from demo_app.metrics import ShopMetrics, observe_process
from demo_app.telemetry import DURATION_BUCKETS_S, LogExporter, MetricExporter, SpanExporter
from tests.unit.demo_app.conftest import MakeRole, Role, Seen, Shop
from tests.unit.demo_app.test_request_faults import break_it

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = {"traceparent": f"00-{TRACE_ID}-b7ad6b7169203331-01"}


def call(role: Role, path: str, method: str = "GET", **options: Any) -> int:
    return role.app.test_client().open(path, method=method, headers=TRACEPARENT, **options).status_code


def durations(seen: Seen) -> list[HistogramDataPoint]:
    return [point for point in seen.points("http.server.request.duration") if isinstance(point, HistogramDataPoint)]


def attributes(thing: ReadableSpan | HistogramDataPoint | NumberDataPoint) -> dict[str, Any]:
    return dict(thing.attributes or {})


def parent_of(span: ReadableSpan, seen: Seen) -> ReadableSpan | None:
    assert span.parent is not None
    return next((other for other in seen.spans() if other.context.span_id == span.parent.span_id), None)


def test_one_trace_goes_through_all_roles(shop: Shop, seen: Seen) -> None:
    """
    The client's trace id is everywhere, and each span hangs below the one that caused it.
    """
    cart = {"user_id": 1, "items": [{"product_id": 1}]}
    assert call(shop.frontend, "/api/checkout", "POST", json=cart) == 201

    assert {format_trace_id(span.context.trace_id) for span in seen.spans()} == {TRACE_ID}
    links = {
        (span.name, parent.name if parent else None) for span in seen.spans() for parent in [parent_of(span, seen)]
    }
    assert links == {
        ("POST /api/checkout", None),
        ("checkout", "POST /api/checkout"),
        ("POST", "checkout"),
        ("POST /api/reservations", "POST"),
        ("reserve stock", "POST /api/reservations"),
        ("SELECT", "reserve stock"),
        ("UPDATE", "reserve stock"),
        ("POST /api/charges", "POST"),
        ("charge user", "POST /api/charges"),
        ("SELECT", "charge user"),
        ("UPDATE", "charge user"),
    }
    assert len(seen.spans()) == 12


@pytest.mark.parametrize(
    ("fault", "path", "status"),
    [
        ({"kind": "latency", "delay_s": 0.001}, "/api/products", 200),
        ({"kind": "errors", "status": 503}, "/api/products", 503),
        ({"kind": "exception", "type": "KeyError"}, "/api/products", 500),
        ({"kind": "errors", "route": "/api/products"}, "/api/products/999", 404),
        ({"kind": "errors"}, "/nowhere", 404),
    ],
)
def test_each_request_is_one_count_and_one_server_span(
    make_role: MakeRole, seen: Seen, fault: dict[str, Any], path: str, status: int
) -> None:
    """
    However a request ends, the ledger of client, metric and spans balances, also by status.
    """
    catalog = make_role("catalog")
    break_it(catalog, **fault)

    assert [call(catalog, path) for _ in range(3)] == [status] * 3

    assert len(seen.spans(SpanKind.SERVER)) == 3
    assert [point.count for point in durations(seen)] == [3]
    assert attributes(durations(seen)[0])["http.response.status_code"] == status
    assert {attributes(span)["http.response.status_code"] for span in seen.spans(SpanKind.SERVER)} == {status}


def test_an_exception_is_told_by_its_span(make_role: MakeRole, seen: Seen) -> None:
    """
    The server span is an error, and its event holds type, words and stack.
    """
    catalog = make_role("catalog")
    break_it(catalog, kind="exception", type="ZeroDivisionError")
    call(catalog, "/api/products/1")

    (span,) = seen.spans(SpanKind.SERVER)
    (event,) = span.events
    assert span.status.status_code is StatusCode.ERROR
    assert event.name == "exception"
    assert event.attributes is not None
    assert event.attributes["exception.type"] == "ZeroDivisionError"
    assert event.attributes["exception.message"] == "division by zero"
    assert "raise crashed.fault.exception()" in str(event.attributes["exception.stacktrace"])


def test_only_server_failures_are_errors(make_role: MakeRole, seen: Seen) -> None:
    """
    What the client did wrong is no error of the server's span.
    """
    catalog = make_role("catalog")
    call(catalog, "/api/products/999")
    break_it(catalog, kind="errors")
    call(catalog, "/api/products")

    statuses = [span.status.status_code for span in seen.spans(SpanKind.SERVER)]
    assert statuses == [StatusCode.UNSET, StatusCode.ERROR]


def test_server_metrics_follow_the_stable_conventions(make_role: MakeRole, seen: Seen) -> None:
    """
    Seconds, the required attributes, the route's template, and the error's type where there is one.
    """
    catalog = make_role("catalog")
    call(catalog, "/api/products/1")
    break_it(catalog, kind="errors")
    call(catalog, "/api/products/2")

    ok, failed = sorted(durations(seen), key=lambda point: str(attributes(point)["http.response.status_code"]))
    expected = {
        "http.request.method": "GET",
        "url.scheme": "http",
        "http.route": "/api/products/<int:id>",
        "network.protocol.version": "1.1",
    }
    assert attributes(ok) == expected | {"http.response.status_code": 200}
    assert attributes(failed) == expected | {"http.response.status_code": 500, "error.type": "500"}
    assert tuple(ok.explicit_bounds) == DURATION_BUCKETS_S
    assert 0 < ok.sum < 5


def test_server_spans_follow_the_stable_conventions(shop: Shop, seen: Seen) -> None:
    """
    All that is required of a server span, as a real server has it.
    """
    call(shop.frontend, "/api/products/1")

    # The other one is the frontend's, which Flask's test client called without a socket.
    (span,) = [span for span in seen.spans(SpanKind.SERVER) if attributes(span)["server.address"] == "127.0.0.1"]
    told = attributes(span)
    host, _, port = shop.urls["catalog"].removeprefix("http://").partition(":")
    assert span.name == "GET /api/products/<int:id>"
    assert told.pop("client.port") > 0
    assert told.pop("user_agent.original").startswith("python-urllib3/")
    assert told == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "http.route": "/api/products/<int:id>",
        "network.protocol.version": "1.1",
        "url.scheme": "http",
        "url.path": "/api/products/1",
        "server.address": host,
        "server.port": int(port),
        "client.address": "127.0.0.1",
    }


def test_what_nobody_looks_at_is_not_exported(shop: Shop, seen: Seen) -> None:
    """
    Sizes and row counts, which the instrumentations add, are dropped at the source.
    """
    call(shop.frontend, "/api/checkout", "POST", json={"user_id": 1, "items": [{"product_id": 1}]})

    assert seen.points("http.client.request.body.size") == []
    assert seen.points("http.client.response.body.size") == []
    assert seen.points("db.client.response.returned_rows") == []
    assert seen.points("db.client.operation.duration") != []


def test_durations_carry_exemplars_that_lead_to_the_trace(make_role: MakeRole, seen: Seen) -> None:
    """
    A slow bucket names a trace that was slow.
    """
    catalog = make_role("catalog")
    break_it(catalog, kind="latency", delay_s=0.11)
    call(catalog, "/api/products/1")

    (point,) = durations(seen)
    (exemplar,) = point.exemplars
    assert exemplar.trace_id is not None
    assert format_trace_id(exemplar.trace_id) == TRACE_ID
    assert exemplar.value >= 0.11
    assert seen.spans(SpanKind.SERVER)[0].context.span_id == exemplar.span_id


def test_client_metrics_and_spans_name_the_call(shop: Shop, seen: Seen) -> None:
    """
    The frontend's view of the catalog: duration, method, status, address.
    """
    call(shop.frontend, "/api/products/1")

    (point,) = seen.points("http.client.request.duration")
    assert isinstance(point, HistogramDataPoint)
    assert point.count == 1
    assert attributes(point)["http.request.method"] == "GET"
    assert attributes(point)["http.response.status_code"] == 200
    assert attributes(point)["server.address"] == "127.0.0.1"
    (span,) = [span for span in seen.spans(SpanKind.CLIENT) if span.name == "GET"]
    host, _, port = shop.urls["catalog"].removeprefix("http://").partition(":")
    assert attributes(span) == {
        "http.request.method": "GET",
        "url.full": f"{shop.urls['catalog']}/api/products/1",
        "server.address": host,
        "server.port": int(port),
        "http.response.status_code": 200,
    }


def test_database_spans_follow_the_stable_conventions(make_role: MakeRole, seen: Seen) -> None:
    """
    System, namespace and statement, without its values; and the same operation's duration.
    """
    call(make_role("users"), "/api/users/7")

    (span,) = seen.spans(SpanKind.CLIENT)
    assert attributes(span) == {
        "db.system.name": "sqlite",
        "db.namespace": "users",
        "db.query.text": "SELECT id, name FROM users WHERE id = ?",
    }
    (point,) = seen.points("db.client.operation.duration")
    assert isinstance(point, HistogramDataPoint)
    assert point.count == 1
    assert attributes(point)["db.operation.name"] == "SELECT"


def test_a_slow_database_shows_in_its_own_span(make_role: MakeRole, seen: Seen) -> None:
    """
    The delay is the database's, not the handler's.
    """
    catalog = make_role("catalog")
    break_it(catalog, kind="slow_database", delay_s=0.1)
    call(catalog, "/api/products/1")

    (span,) = seen.spans(SpanKind.CLIENT)
    assert span.end_time is not None
    assert span.start_time is not None
    assert span.end_time - span.start_time >= 0.1e9


@pytest.mark.parametrize("path", ["/health", "/ready", "/ready?verbose=1"])
def test_probes_leave_nothing(shop: Shop, seen: Seen, path: str) -> None:
    """
    Who watches over a process must not show in what its clients did, nor the calls that a probe makes.
    """
    assert call(shop.frontend, path) == 200
    assert call(shop.catalog, path) == 200

    assert seen.spans() == []
    assert durations(seen) == []
    assert seen.points("http.client.request.duration") == []


def test_unknown_paths_do_not_name_spans(make_role: MakeRole, seen: Seen) -> None:
    """
    Span names are few, whatever clients ask for.
    """
    catalog = make_role("catalog")
    call(catalog, "/a/b/c")
    call(catalog, "/d", "DELETE")
    call(catalog, "/d", "BREW")

    assert [span.name for span in seen.spans(SpanKind.SERVER)] == ["GET", "DELETE", "HTTP"]


def test_a_broken_context_splits_the_trace(shop: Shop, seen: Seen) -> None:
    """
    The catalog starts a trace of its own, because the frontend's call lost its headers.
    """
    break_it(shop.frontend, kind="broken_context", ratio=0.5)
    assert [call(shop.frontend, "/api/products") for _ in range(4)] == [200] * 4

    roots = [span for span in seen.spans(SpanKind.SERVER) if span.parent is None]
    assert len(roots) == 2
    assert all(format_trace_id(span.context.trace_id) != TRACE_ID for span in roots)


def test_a_timed_out_call_is_an_error_of_its_client_span(make_role: MakeRole, shop: Shop, seen: Seen) -> None:
    """
    The span lasts as long as the wait, and says what ended it.
    """
    frontend = make_role("frontend", upstreams=shop.urls, timeout_s=0.1)
    break_it(frontend, kind="dependency_timeout", upstream="catalog")
    assert call(frontend, "/api/products") == 504

    (client,) = seen.spans(SpanKind.CLIENT)
    (server,) = seen.spans(SpanKind.SERVER)
    assert client.status.status_code is StatusCode.ERROR
    assert attributes(client)["error.type"] == "TimeoutError"
    assert [event.name for event in client.events] == ["exception"]
    assert server.status.status_code is StatusCode.ERROR
    (failures,) = seen.points("shop.upstream.failures")
    assert attributes(failures) == {"shop.upstream": "catalog", "shop.reason": "timeout"}


def test_a_retry_storm_is_a_row_of_client_spans(shop: Shop, seen: Seen) -> None:
    """
    Below one server span of the frontend there are as many calls as attempts.
    """
    break_it(shop.frontend, kind="retry_storm", upstream="catalog", attempts=3)
    call(shop.frontend, "/api/products")

    (entry,) = [span for span in seen.spans(SpanKind.SERVER) if parent_of(span, seen) is None]
    calls = [span for span in seen.spans(SpanKind.CLIENT) if span.name == "GET"]
    assert len(calls) == 3
    assert {parent_of(span, seen) for span in calls} == {entry}


def test_orders_are_counted_by_their_outcome(shop: Shop, seen: Seen) -> None:
    """
    Placed, refused (the client's fault) and failed (ours) are three things; only placed ones have a value.
    """
    cart = {"user_id": 1, "items": [{"product_id": 1, "quantity": 2}]}
    price = 4.99
    call(shop.frontend, "/api/checkout", "POST", json=cart)
    call(shop.frontend, "/api/checkout", "POST", json=cart | {"user_id": 999})
    break_it(shop.users, kind="errors")
    call(shop.frontend, "/api/checkout", "POST", json=cart)

    orders = {attributes(point)["shop.order.outcome"]: point for point in seen.points("shop.orders")}
    assert {outcome: point.value for outcome, point in orders.items() if isinstance(point, NumberDataPoint)} == {
        "placed": 1,
        "refused": 1,
        "failed": 1,
    }
    (value,) = seen.points("shop.order.value")
    (items,) = seen.points("shop.cart.items")
    assert isinstance(value, HistogramDataPoint)
    assert isinstance(items, HistogramDataPoint)
    assert value.count == 1
    assert value.sum == pytest.approx(2 * price)
    assert (items.count, items.sum) == (3, 6)


def test_the_business_span_tells_what_was_ordered(shop: Shop, seen: Seen) -> None:
    """
    A person who looks at a trace finds the order in it.
    """
    call(shop.frontend, "/api/checkout", "POST", json={"user_id": 1, "items": [{"product_id": 1, "quantity": 2}]})

    (span,) = [span for span in seen.spans() if span.name == "checkout"]
    assert attributes(span)["shop.cart.items"] == 2
    assert attributes(span)["shop.order.value"] == pytest.approx(9.98)
    assert len(attributes(span)["shop.order.id"]) == 32


def test_the_process_reports_what_it_uses(seen: Seen) -> None:
    """
    Processor time by mode, resident memory, threads, waiting requests.
    """
    observe_process(seen.telemetry.meter, lambda: 7)

    def value(name: str) -> float:
        return sum(point.value for point in seen.points(name) if isinstance(point, NumberDataPoint))

    assert value("process.cpu.time") > 0
    assert value("process.memory.usage") > 10_000_000
    assert value("process.thread.count") >= 1
    assert value("shop.server.waiting_requests") == 7


def test_a_cart_that_is_a_label_makes_a_series_of_its_own(seen: Seen) -> None:
    """
    That is the mistake which `label_cardinality` makes.
    """
    metrics = ShopMetrics(seen.telemetry.meter)
    for cart in "abc":
        metrics.add_cart(cart)

    assert sorted(attributes(point)["shop.cart.id"] for point in seen.points("shop.cart.events")) == ["a", "b", "c"]


def test_the_resource_says_who_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Name, namespace and instance come from the standard variables.
    """
    monkeypatch.setenv("OTEL_SERVICE_NAME", "catalog")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.namespace=run-1,service.instance.id=run-1-catalog")

    resource = Resource.create().attributes

    assert resource["service.name"] == "catalog"
    assert resource["service.namespace"] == "run-1"
    assert resource["service.instance.id"] == "run-1-catalog"


@pytest.mark.parametrize(
    ("signal", "exporter", "batch"),
    [
        ("traces", SpanExporter, []),
        ("metrics", MetricExporter, MetricsData(resource_metrics=[])),
        ("logs", LogExporter, []),
    ],
)
def test_a_silenced_signal_is_dropped_without_an_error(
    signal: str, exporter: Callable[[Callable[[str], bool]], Any], batch: Any
) -> None:
    """
    Silence looks like success to the SDK: nothing is queued, retried or complained about.
    """
    asked: list[str] = []

    outcome = exporter(lambda name: not asked.append(name)).export(batch)  # type: ignore[func-returns-value]

    assert asked == [signal]
    assert outcome.name == "SUCCESS"
