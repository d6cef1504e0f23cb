"""Telemetry: a drill tells its stack what its clients saw, and never suffers from a collector that does not listen."""

import threading
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from scenarios.history import LATENCY_EDGES_S, FaultChange, Traffic
from tocsin.telemetry import BOUNDS_S, ClientTruth, Teller

FAULTS = {"faults/1": {"kind": "errors", "target": "catalog"}}


def traffic(**given: Any) -> Traffic:
    """One second of one route."""
    return Traffic.model_validate({"t": 1.0, "route": "/", "count": 4, "failed": 1} | given)


def told(truth: ClientTruth) -> dict[str, Any]:
    """The data points by the name of their metric."""
    found = {one.name: one for one in truth.metrics(start_ns=1, now_ns=2)}
    return {
        "requests": found["tocsin.client.requests"].sum.data_points,
        "took": found["tocsin.client.request.duration"].histogram.data_points[0],
        "faults": found["tocsin.fault.active"].gauge.data_points,
    }


def attributes(point: Any) -> dict[str, str]:
    """A data point's attributes."""
    return {one.key: one.value.string_value for one in point.attributes}


def test_requests_are_summed_by_outcome() -> None:
    """Every second and every route counts; both outcomes are there from the start."""
    truth = ClientTruth({})
    assert {attributes(one)["outcome"]: one.as_int for one in told(truth)["requests"]} == {"ok": 0, "failed": 0}

    truth.see(traffic(), traffic(route="/other", count=10, failed=0))

    assert {attributes(one)["outcome"]: one.as_int for one in told(truth)["requests"]} == {"ok": 13, "failed": 1}


@pytest.mark.parametrize("index", [0, 4, 5, 37, len(LATENCY_EDGES_S) - 1, len(LATENCY_EDGES_S)])
def test_a_request_stays_between_the_edges_that_it_was_counted_between(index: int) -> None:
    """Buckets are merged whole, so that no request is moved over an edge."""
    truth = ClientTruth({})
    truth.see(traffic(latency={index: 3}, sum_s=0.5))

    point = told(truth)["took"]
    (place,) = [number for number, count in enumerate(point.bucket_counts) if count]
    lower = BOUNDS_S[place - 1] if place else 0.0
    upper = BOUNDS_S[place] if place < len(BOUNDS_S) else float("inf")
    assert (point.count, point.sum, len(point.bucket_counts)) == (3, 0.5, len(BOUNDS_S) + 1)
    assert lower <= (LATENCY_EDGES_S[index - 1] if index else 0.0)
    assert (LATENCY_EDGES_S[index] if index < len(LATENCY_EDGES_S) else float("inf")) <= upper


def test_faults_are_off_until_they_are_applied_and_once_they_are_healed() -> None:
    """Each with its kind, its target and its id; one that is not of the scenario is nobody's."""
    truth = ClientTruth(FAULTS)
    seen = [told(truth)["faults"][0].as_int]
    for action in ("applied", "renewed", "healed"):
        truth.see(FaultChange(t=1, fault="faults/1", action=action))
        seen.append(told(truth)["faults"][0].as_int)
    truth.see(FaultChange(t=1, fault="noise/9", action="applied"))

    assert seen == [0, 1, 1, 0]
    assert [attributes(one) for one in told(truth)["faults"]] == [
        {"fault": "faults/1", "kind": "errors", "target": "catalog"}
    ]


def test_sums_are_told_as_those_of_the_run() -> None:
    """Under the run's namespace and the drill's own name, so that no rule takes them for a service's."""
    sent: list[httpx.Request] = []

    def take(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200)

    truth = ClientTruth(FAULTS)
    teller = Teller(
        truth,
        url="http://collector",
        namespace="run-1",
        every_s=1,
        transport=httpx.MockTransport(take),
        clock_ns=lambda: 7,
    )
    teller.tell()

    (request,) = sent
    assert (request.url.path, request.headers["content-type"]) == ("/v1/metrics", "application/x-protobuf")
    (found,) = ExportMetricsServiceRequest.FromString(request.content).resource_metrics
    named = {one.key: one.value.string_value for one in found.resource.attributes}
    assert (named["service.name"], named["service.namespace"]) == ("tocsin", "run-1")
    assert len(found.scope_metrics[0].metrics) == 3


def test_the_last_sums_are_told_at_the_end() -> None:
    """However long the pause between two messages would be."""
    got = threading.Event()
    counts: list[int] = []

    def take(request: httpx.Request) -> httpx.Response:
        message = ExportMetricsServiceRequest.FromString(request.content)
        metric = message.resource_metrics[0].scope_metrics[0].metrics[0]
        counts.append(sum(point.as_int for point in metric.sum.data_points))
        got.set()
        return httpx.Response(200)

    truth = ClientTruth({})
    with Teller(truth, url="http://c", namespace="n", every_s=3600, transport=httpx.MockTransport(take)):
        assert got.wait(30)
        truth.see(traffic(count=4))

    assert (counts[0], counts[-1]) == (0, 4)


def test_a_collector_that_is_gone_is_no_matter_of_the_drill() -> None:
    """Nothing is raised, neither while it runs nor at its end."""
    tried = threading.Event()

    def refuse(request: httpx.Request) -> httpx.Response:
        tried.set()
        raise httpx.ConnectError("connection refused", request=request)

    with Teller(ClientTruth({}), url="http://c", namespace="n", every_s=0.01, transport=httpx.MockTransport(refuse)):
        assert tried.wait(30)
