"""Builders: tiny histories and evidence, made by hand. All times are seconds after time nought of the drill."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from pydantic import TypeAdapter

from assertions.bound import Bound
from assertions.check import Check
from assertions.evidence import AlertRule, Evidence, Service
from assertions.life import life_of
from assertions.ordeal import Ordeal
from scenarios.history import (
    LATENCY_EDGES_S,
    AlertChange,
    Blind,
    ComponentChange,
    Event,
    FaultChange,
    History,
    Notification,
    Phase,
    Request,
    Sighted,
    Traffic,
)
from scenarios.model import Alert, Fault, Scenario
from scenarios.record import Outcome, Verdict

T0 = 1_000_000.0
"""Time nought, in seconds since the Unix epoch."""

NAMESPACE = "run-1"
CHECK = Check(id="expect/1", title="it holds")
FAULT: TypeAdapter[Fault] = TypeAdapter(Fault)

OF_CATALOG = {
    "alertname": "Burn",
    "service_name": "catalog",
    "service_namespace": NAMESPACE,
    "severity": "page",
}
"""The labels of the alert that most tests are about."""

BURN = {
    "kind": "burn_rate",
    "bad": "5xx",
    "budget": 0.001,
    "min_requests": 10,
    "factor": 10,
    "long_s": 60,
    "short_s": 5,
}
"""A formula: more than 1 % failures in the last minute and in the last 5 s."""


def history(*events: Event | Sequence[Event]) -> History:
    """A history of these events, in any order; it has a warm-up of 10 s and a drive."""
    flat = [one for event in events for one in (event if isinstance(event, Sequence) else [event])]
    return History([Phase(t=T0 - 10, name="warm_up"), Phase(t=T0, name="drive"), *flat])


def bucket(latency_s: float) -> int:
    """The clients' bucket of a latency."""
    return next(index for index, edge in enumerate(LATENCY_EDGES_S) if latency_s <= edge)


def traffic(
    since: int,
    until: int,
    *,
    count: int = 10,
    failed: int = 0,
    lost: int = 0,
    latency_s: float = 0.02,
    slow: int = 0,
    slow_s: float = 1.0,
    status: int = 500,
    route: str = "/api/products",
    sampled: bool = True,
) -> list[Traffic]:
    """Seconds of traffic; `failed` of `count` were answered with `status`, `lost` had no answer, `slow` took `slow_s`."""
    answered = count - lost
    latency = {bucket(latency_s): answered - slow, bucket(slow_s): slow}
    return [
        Traffic(
            t=T0 + t,
            route=route,
            count=count,
            failed=(failed if status >= 500 else 0) + lost,
            errors=lost,
            status={str(code): n for code, n in ((200, answered - failed), (status, failed)) if n},
            latency={index: n for index, n in latency.items() if n},
            sampled=sampled,
        )
        for t in range(since, until)
    ]


def fault(**given: Any) -> Fault:
    """A fault; errors on half of the catalog's requests from 5 s to 15 s unless told otherwise."""
    usual = {"kind": "errors", "target": "catalog", "ratio": "50%"} if "kind" not in given else {}
    return FAULT.validate_python(usual | {"at": "5s", "for": "10s"} | given)


def fault_on(
    since: float = 5, until: float | None = 15, fault_id: str = "faults/1", **detail: Any
) -> list[FaultChange]:
    """A fault that was on for a while; without `until`, nobody healed it."""
    changes = [FaultChange(t=T0 + since, fault=fault_id, action="applied", detail=detail)]
    if until is not None:
        changes.append(FaultChange(t=T0 + until, fault=fault_id, action="healed", detail=detail))
    return changes


def change(
    t: float, state: str, labels: Mapping[str, str] = OF_CATALOG, *, source: str = "prometheus", **given: Any
) -> AlertChange:
    """An alert changed its state."""
    return AlertChange.model_validate(
        {"t": T0 + t, "source": source, "name": labels["alertname"], "labels": dict(labels), "state": state} | given
    )


def told(
    t: float, status: str = "firing", labels: Mapping[str, str] = OF_CATALOG, *, receiver: str = "pager"
) -> Notification:
    """A notification arrived."""
    return Notification.model_validate(
        {"t": T0 + t, "receiver": receiver, "status": status, "name": labels["alertname"], "labels": dict(labels)}
    )


def ordeal(found: Evidence, happened: History, *, broken: Fault | None = None, **given: Any) -> Ordeal:
    """What happened to the usual alert, whose fault was on from 5 s to 15 s, as Prometheus knows it."""
    expected = alert(**given)
    return Ordeal(
        alert=expected,
        source="prometheus",
        fault=broken or fault(),
        on_t=T0 + 5,
        healing_t=T0 + 15,
        healed_t=T0 + 15,
        life=life_of(expected, happened, source="prometheus", namespace=NAMESPACE, since=T0 + 5),
        bound=Bound(why="nobody asked"),
        leads=None,
        history=happened,
        evidence=found,
    )


def life(fires: float = 7, resolves: float | None = 20, labels: Mapping[str, str] = OF_CATALOG) -> list[Event]:
    """An alert that fires, is notified 0.5 s later, and does the same when it resolves."""
    events: list[Event] = [change(fires, "firing", labels), told(fires + 0.5, labels=labels)]
    if resolves is not None:
        events += [change(resolves, "inactive", labels), told(resolves + 0.5, "resolved", labels)]
    return events


def found(t: float, state: str, name: str = "tempo", *, started: float | None = -60) -> ComponentChange:
    """A component was found in a state; its process had started long before, unless it is down."""
    started_t = None if state == "down" or started is None else T0 + started
    return ComponentChange.model_validate({"t": T0 + t, "name": name, "state": state, "started_t": started_t})


def blinded(watcher: str, t: float = 0) -> Blind:
    """A watcher could not look any more."""
    return Blind(t=T0 + t, watcher=watcher, reason="connection refused")


def sighted(watcher: str, t: float) -> Sighted:
    """A watcher that was blind could look again."""
    return Sighted(t=T0 + t, watcher=watcher)


def alert(**given: Any) -> Alert:
    """An expectation of the alert that most tests are about."""
    return Alert.model_validate(
        {"name": "Burn", "labels": {"service_name": "catalog"}, "within": "5s", "resolves_within": "10s"} | given
    )


def rule(**given: Any) -> AlertRule:
    """A rule as Prometheus has it loaded."""
    usual = {"query": "sum(errors) > 1", "interval_s": 1, "for_s": 0, "health": "ok", "formula": BURN}
    return AlertRule.model_validate(usual | given)


def evidence(**given: Any) -> Evidence:
    """Evidence with one rule and nothing else."""
    return Evidence.model_validate({"asked_t": T0 + 30, "rules": {"Burn": rule()}} | given)


def counter(since: int, until: int, per_s: float, *, start: float = 0.0) -> tuple[tuple[float, float], ...]:
    """The points of a counter that rises evenly."""
    return tuple((T0 + t, start + per_s * (t - since)) for t in range(since, until + 1))


def service(
    since: int = -10, until: int = 30, *, requests: float = 10, failed: float = 0, spans: float = 10
) -> Service:
    """A service whose counters rise so much each second."""
    length = until - since
    return Service(
        requests=requests * length,
        failed=failed * length,
        collected=spans * length,
        requests_by_time=counter(since, until, requests),
        failed_by_time=counter(since, until, failed),
        collected_by_time=counter(since, until, spans),
    )


def request(
    t: float, trace_id: str, *, status: int = 200, duration_s: float = 0.02, route: str = "/api/products"
) -> Request:
    """One request of the reservoir."""
    return Request(t=T0 + t, route=route, status=status, duration_s=duration_s, trace_id=trace_id)


def span(span_id: str, parent_id: str, service: str, *, kind: str = "server", error: bool = False) -> dict[str, Any]:
    """A span as evidence holds it."""
    return {
        "span_id": span_id,
        "parent_id": parent_id,
        "name": "GET",
        "service": service,
        "kind": kind,
        "error": error,
        "start_t": T0,
    }


def spans(*, error: bool = False) -> tuple[dict[str, Any], ...]:
    """The spans of one request through frontend and catalog."""
    return (
        span("a", "client", "frontend", error=error),
        span("b", "a", "frontend", kind="client", error=error),
        span("c", "b", "catalog", error=error),
    )


def felt(verdict: Verdict = Verdict.PASS) -> Outcome:
    """What became of the proof that the fault was felt."""
    return Outcome(id="faults/1", title="errors on catalog is felt", verdict=verdict, observed="60 % failed")


def scenario(*expect: Mapping[str, Any], faults: Sequence[Mapping[str, Any]] = (), **given: Any) -> Scenario:
    """A drill of 30 s, with a warm-up in which a detector can learn and a cool-down of 10 s."""
    return Scenario.model_validate(
        {
            "name": "example",
            "why": "To try out what the judges make of it.",
            "load": {"warm_up": "40s", "for": "30s", "cool_down": "10s"},
            "faults": faults,
            "expect": expect or [{"silent": {}}],
        }
        | given
    )


def answering(body: Any, status: int = 200, *, asked: list[httpx.Request] | None = None) -> httpx.MockTransport:
    """A backend that gives the same answer to everything (a text as it is, the rest as JSON), and notes what it was asked."""

    def answer(request: httpx.Request) -> httpx.Response:
        if asked is not None:
            asked.append(request)
        return httpx.Response(status, text=body) if isinstance(body, str) else httpx.Response(status, json=body)

    return httpx.MockTransport(answer)


def refusing() -> httpx.MockTransport:
    """A backend that nobody can reach."""

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused", request=request)

    return httpx.MockTransport(refuse)
