"""Examples: records, histories and evidence as drills leave them behind, built by hand for the reports' tests."""

import math
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from scenarios.history import (
    LATENCY_EDGES_S,
    AlertChange,
    Blind,
    Clock,
    ComponentChange,
    Event,
    FaultChange,
    History,
    Notification,
    Phase,
    Sighted,
    Traffic,
    Usage,
)
from scenarios.record import Outcome, Part, Record, Rung, Verdict

START_T = 1_764_000_000.0
DRIVE_T = START_T + 10
FAULT_T = DRIVE_T + 8
HEALED_T = FAULT_T + 12
END_T = DRIVE_T + 45
RUN_ID = "error-burst-20251124-160010-7f3a"

WHY = "A burst of 5xx must burn the budget, page somebody in seconds, and leave error traces to look at."
IDENTITY = {"service_name": "frontend", "service_namespace": RUN_ID, "severity": "page"}

SCENARIO: Mapping[str, Any] = {
    "name": "error-burst",
    "why": WHY,
    "exclusive": False,
    "load": {"users": 8, "rate": 40.0, "warm_up": "10s", "for": "40s", "cool_down": "5s"},
    "faults": [
        {
            "kind": "errors",
            "target": "catalog",
            "route": "/api/products",
            "ratio": "30%",
            "status": 500,
            "at": "8s",
            "for": "12s",
        }
    ],
    "noise": [],
    "expect": [
        {"sli": {"name": "availability", "within": "2%"}},
        {"sli": {"name": "p95", "within": "5%"}},
        {"alert": {"name": "ErrorBudgetBurnFast", "within": "12s", "notified": True}},
        {"silent": {"except": ["ErrorBudgetBurnFast", "ErrorRateHigh"]}},
        {"traces": {"where": "error", "found": "99%"}},
        {"delivered": {"within": "0%"}},
    ],
}

PARTS = (
    Part(name="collector", version="0.139.0"),
    Part(name="prometheus", version="3.7.2"),
    Part(name="alertmanager", version="0.29.0"),
    Part(name="tempo", version="3.1", stand_in=True, detail="no Tempo on PATH, and no Docker engine answers"),
    Part(name="detector", version="0.1.0"),
    Part(name="frontend", version="0.1.0"),
    Part(name="catalog", version="0.1.0"),
    Part(name="users", version="0.1.0"),
)


@dataclass(frozen=True, kw_only=True)
class Example:
    """
    Everything that a report is drawn from.
    """

    record: Record
    history: History
    evidence: Mapping[str, Any] = field(default_factory=dict)
    logs: Mapping[str, str] = field(default_factory=dict)


def traffic(start: float = START_T, end: float = END_T, *, failing: tuple[float, float] | None = None) -> list[Event]:
    """
    About 40 requests a second over four routes; in the window `failing` a third of one route's fail.
    """
    chance = random.Random(7)
    mix = {"/api/products": 18, "/api/products/<int:id>": 10, "/api/users": 8, "/api/checkout": 4}
    events: list[Event] = []
    for second in range(round(end - start)):
        t = start + second
        for route, weight in mix.items():
            count = weight + chance.choice((-1, 0, 0, 1))
            hit = failing is not None and failing[0] <= t < failing[1] and route == "/api/products"
            failed = sum(chance.random() < 0.3 for _ in range(count)) if hit else 0
            took = [chance.lognormvariate(math.log(0.014), 0.45) for _ in range(count)]
            indices = Counter(next(i for i, edge in enumerate(LATENCY_EDGES_S) if edge >= each) for each in took)
            events.append(
                Traffic(
                    t=t,
                    route=route,
                    method="POST" if route.endswith("checkout") else "GET",
                    count=count,
                    failed=failed,
                    status={"200": count - failed, "500": failed},
                    latency=indices,
                    sum_s=sum(took),
                )
            )
    return events


def phases() -> list[Event]:
    """
    A drill that runs its whole course.
    """
    return [
        Phase(t=START_T, name="warm_up"),
        Phase(t=DRIVE_T, name="drive"),
        Phase(t=DRIVE_T + 40, name="cool_down"),
        Phase(t=END_T, name="stopped"),
    ]


def fault() -> list[Event]:
    """
    The scenario's fault, applied and healed.
    """
    return [
        FaultChange(t=FAULT_T, fault="faults/1", action="applied", detail={"affected": 0}),
        FaultChange(t=HEALED_T, fault="faults/1", action="healed", detail={"affected": 71}),
    ]


def alert_life(
    name: str, pending: float, firing: float, inactive: float, *, told: bool = True, page: bool = True
) -> list[Event]:
    """
    One alert from pending to resolved, with its two notifications.
    """
    labels = IDENTITY | {} if page else IDENTITY | {"severity": "ticket"}
    states = ((pending, "pending"), (firing, "firing"), (inactive, "inactive"))
    events: list[Event] = [
        AlertChange(t=t, source="prometheus", name=name, labels=labels, state=state) for t, state in states
    ]
    events.append(
        AlertChange(
            t=firing + 0.3, source="alertmanager", name=name, labels=labels | {"cluster": "drill"}, state="firing"
        )
    )
    if told:
        sent = labels | {"alertname": name, "cluster": "drill"}
        events += [
            Notification(t=firing + 0.42, receiver="pager", status="firing", name=name, labels=sent),
            Notification(t=inactive + 0.9, receiver="pager", status="resolved", name=name, labels=sent),
        ]
    return events


def clocks() -> list[Event]:
    """
    What was measured of the backends' clocks.
    """
    return [
        Clock(t=START_T - 2, backend="prometheus", offset_s=0.0012, round_trip_s=0.0021),
        Clock(t=START_T - 2, backend="alertmanager", offset_s=-0.0004, round_trip_s=0.0018),
        Clock(t=START_T - 2, backend="tempo", offset_s=0.0009, round_trip_s=0.0035),
    ]


def series(failing: tuple[float, float] | None = None) -> dict[str, list[list[float]]]:
    """
    What Prometheus recorded of the same traffic, a little late and smoothed.
    """
    chance = random.Random(11)
    times = [START_T + 2 + n for n in range(round(END_T - START_T) - 2)]
    low, high = failing or (math.inf, math.inf)
    ratio = [0.13 * max(0.0, min(1.0, (t - low) / 4, 1 - (t - high) / 4)) if t >= low else 0.0 for t in times]
    return {
        "request_rate": [[t, 40 + chance.uniform(-1.2, 1.2)] for t in times],
        "error_ratio": [[t, value] for t, value in zip(times, ratio, strict=True)],
        "p95_s": [[t, 0.029 + chance.uniform(-0.002, 0.002)] for t in times],
    }


def trace() -> dict[str, Any]:
    """
    A failed checkout, with its exception.
    """

    def span(
        number: int, parent: int, name: str, service: str, kind: str, at_ms: float, ms: float, **more: Any
    ) -> dict[str, Any]:
        return {
            "span_id": f"{number:016x}",
            "parent_id": f"{parent:016x}" if parent else "",
            "name": name,
            "service": service,
            "kind": kind,
            "start_t": FAULT_T + 3 + at_ms / 1000,
            "duration_s": ms / 1000,
            "error": False,
            "attributes": {},
            "events": [],
        } | more

    broken = {"http.response.status_code": 500, "error.type": "500"}
    return {
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "why": "The slowest of the failed requests that the clients kept.",
        "spans": [
            span(
                1,
                0,
                "POST /api/checkout",
                "frontend",
                "server",
                0,
                41.2,
                error=True,
                attributes=broken | {"http.route": "/api/checkout"},
            ),
            span(
                2,
                1,
                "GET",
                "frontend",
                "client",
                1.1,
                17.3,
                attributes={"server.address": "users", "http.response.status_code": 200},
            ),
            span(3, 2, "GET /api/users/<int:id>", "users", "server", 2.4, 14.8),
            span(
                4,
                3,
                "SELECT users",
                "users",
                "client",
                4.0,
                9.6,
                attributes={"db.system.name": "sqlite", "db.query.text": "SELECT id, name FROM users WHERE id = ?"},
            ),
            span(
                5,
                1,
                "POST",
                "frontend",
                "client",
                19.0,
                20.4,
                error=True,
                attributes=broken | {"server.address": "catalog"},
            ),
            span(
                6,
                5,
                "POST /api/products/<int:id>/reserve",
                "catalog",
                "server",
                20.6,
                17.9,
                error=True,
                attributes=broken,
                events=[
                    {
                        "name": "exception",
                        "t": FAULT_T + 3.034,
                        "attributes": {
                            "exception.type": "FaultInjected",
                            "exception.message": "errors, by order of a drill",
                        },
                    }
                ],
            ),
            span(7, 6, "SELECT products", "catalog", "client", 22.0, 0.06, attributes={"db.system.name": "sqlite"}),
        ],
    }


def ledger(lost: int = 0) -> list[dict[str, Any]]:
    """
    The hops of both signals; `lost` spans never came to Tempo.
    """

    def hop(name: str, signal: str, count: float, expected: float, note: str = "") -> dict[str, Any]:
        return {"hop": name, "signal": signal, "count": count, "expected": expected, "note": note}

    return [
        hop("clients", "traces", 2198, 2198, "requests that carried a trace id"),
        hop("app", "traces", 9210, 9210, "spans that the SDKs ended"),
        hop("collector in", "traces", 9210, 9210),
        hop("collector out", "traces", 9210, 9210),
        hop("Tempo", "traces", 9210 - lost, 9210, "spans of this run's namespace"),
        hop("clients", "metrics", 2198, 2198),
        hop("Prometheus", "metrics", 2198, 2198, "http_server_request_duration_seconds_count"),
    ]


def alerts() -> list[dict[str, Any]]:
    """
    The expected alert's times.
    """
    return [
        {
            "name": "ErrorBudgetBurnFast",
            "labels": IDENTITY,
            "severity": "page",
            "time_to_detect_s": 2.31,
            "bound_s": 3.4,
            "within_s": 12.0,
            "notified_after_s": 2.73,
            "resolved_after_s": 19.2,
            "active_t": FAULT_T + 1.2,
            "fired_t": FAULT_T + 2.31,
            "notified_t": FAULT_T + 2.73,
            "resolved_t": FAULT_T + 19.2,
            "bound_t": FAULT_T + 3.4,
        }
    ]


def log(name: str, lines: int = 40) -> str:
    """
    A log as components write it.
    """
    return "".join(
        f"2025-11-24T16:00:{n % 60:02d}Z\tinfo\t{name}\tbatch sent, {n * 37 % 512} items\n" for n in range(lines)
    )


def outcomes() -> tuple[Outcome, ...]:
    """
    The outcomes of a drill that passed.
    """
    detect = {"time_to_detect_s": 2.31, "bound_s": 3.4, "within_s": 12.0, "notified_after_s": 2.73}
    return (
        Outcome(
            id="faults/1",
            title="errors on catalog was felt",
            verdict=Verdict.PASS,
            expected="30% of /api/products to fail",
            observed="29.6% failed, 0% before",
        ),
        Outcome(
            id="expect/1",
            title="availability agrees with the clients",
            verdict=Verdict.PASS,
            expected="97.01% ± 2%",
            observed="97.02%",
            facts={"client": 0.9701, "observed": 0.9702},
        ),
        Outcome(
            id="expect/2",
            title="p95 agrees with the clients",
            verdict=Verdict.PASS,
            expected="28.1 ms ± 5% and one bucket",
            observed="29.4 ms",
        ),
        Outcome(
            id="expect/3",
            title="ErrorBudgetBurnFast",
            verdict=Verdict.PASS,
            expected="fires for frontend within 12 s, notified",
            observed="fired after 2.31 s, notified after 2.73 s",
            facts=detect,
        ),
        Outcome(
            id="expect/4",
            title="nothing else screams",
            verdict=Verdict.PASS,
            expected="no alert but ErrorBudgetBurnFast, ErrorRateHigh",
            observed="none",
        ),
        Outcome(
            id="expect/5",
            title="failed requests left error traces",
            verdict=Verdict.PASS,
            expected="at least 99% of 50 found",
            observed="50 of 50, all marked as errors",
        ),
        Outcome(
            id="expect/6",
            title="everything was delivered",
            verdict=Verdict.PASS,
            expected="no loss",
            observed="0 of 9,210 spans lost",
        ),
    )


def record(*judged: Outcome, **changes: Any) -> Record:
    """
    The record of `error-burst`, with other outcomes or other fields where they are given.
    """
    usual: dict[str, Any] = {
        "run_id": RUN_ID,
        "scenario": SCENARIO,
        "source": "",
        "started_t": START_T - 4,
        "ended_t": END_T + 6.3,
        "runtime": "processes",
        "profile": "drill",
        "parts": PARTS,
        "outcomes": judged or outcomes(),
        "tocsin_version": "0.1.0",
    }
    return Record(**usual | changes)


def passed() -> Example:
    """
    `error-burst`, and every signal told the truth in time.
    """
    failing = (FAULT_T, HEALED_T)
    events = [
        *clocks(),
        *phases(),
        *traffic(failing=failing),
        *fault(),
        *alert_life("ErrorBudgetBurnFast", FAULT_T + 1.2, FAULT_T + 2.31, FAULT_T + 19.2),
        *alert_life("ErrorRateHigh", FAULT_T + 1.9, FAULT_T + 4.9, FAULT_T + 23.0, page=False),
    ]
    evidence = {"series": series(failing), "trace": trace(), "ledger": ledger(), "alerts": alerts()}
    logs = {
        name: log(name) for name in ("collector", "prometheus", "alertmanager", "tempo", "frontend", "catalog", "users")
    }
    return Example(record=record(), history=History(events), evidence=evidence, logs=logs)


def not_notified() -> Example:
    """
    The alert fired, but Alertmanager's receiver points nowhere.
    """
    found = list(outcomes())
    found[3] = Outcome(
        id="expect/3",
        title="ErrorBudgetBurnFast",
        verdict=Verdict.FAIL,
        expected="fires for frontend within 12 s, notified",
        observed="fired after 2.31 s, and no notification arrived within 12 s",
        where="the sink",
        when="16:00:28 to 16:00:40 UTC",
        hint="Alertmanager counted 4 failed notifications: look at the receiver's URL and at logs/alertmanager.log",
        rung=Rung.NOT_NOTIFIED,
        facts={"time_to_detect_s": 2.31, "bound_s": 3.4, "within_s": 12.0},
    )
    found[6] = Outcome(
        id="expect/6",
        title="everything was delivered",
        verdict=Verdict.FAIL,
        expected="no loss",
        observed="12 of 9,210 spans lost",
        where="collector out to Tempo",
    )
    failing = (FAULT_T, HEALED_T)
    events = [
        *clocks(),
        *phases(),
        *traffic(failing=failing),
        *fault(),
        *alert_life("ErrorBudgetBurnFast", FAULT_T + 1.2, FAULT_T + 2.31, FAULT_T + 19.2, told=False),
    ]
    times = [alerts()[0] | {"notified_after_s": None, "notified_t": None}]
    evidence = {"series": series(failing), "trace": trace(), "ledger": ledger(lost=12), "alerts": times}
    return Example(
        record=record(*found), history=History(events), evidence=evidence, logs={"alertmanager": log("alertmanager")}
    )


def prometheus_died() -> Example:
    """
    Prometheus was killed while evidence was gathered.
    """
    found = list(outcomes())
    for place in (1, 2, 3):
        found[place] = found[place].model_copy(
            update={
                "verdict": Verdict.UNKNOWN,
                "facts": {},
                "observed": "Prometheus did not answer: connection refused",
                "where": "Prometheus",
                "hint": "see the tail of logs/prometheus.log",
            }
        )
    failing = (FAULT_T, HEALED_T)
    blind = Blind(t=FAULT_T + 6, watcher="alerts in Prometheus", reason="Connection refused; it did not come back.")
    events = [*clocks(), *phases(), *traffic(failing=failing), *fault(), blind]
    evidence = {"trace": trace(), "ledger": [hop | {"count": None} for hop in ledger()], "alerts": []}
    problem = "prometheus ended by itself with exit code -9; the last lines of its log are below."
    return Example(
        record=record(*found, problem=problem),
        history=History(events),
        evidence=evidence,
        logs={"prometheus": log("prometheus", 300)},
    )


def catalog_killed() -> Example:
    """
    The catalog was killed and started again, which nobody but the reader of its part can see.
    """
    changes = [(START_T, "ready", START_T - 5), (FAULT_T, "down", None), (HEALED_T, "ready", HEALED_T)]
    parts = [
        ComponentChange.model_validate({"t": t, "name": "catalog", "state": state, "started_t": started_t})
        for t, state, started_t in changes
    ]
    measured = [
        Usage(t=t, name="catalog", cpu_s=cpu_s, memory_bytes=80 * 1024**2)
        for t, cpu_s in ((START_T, 1.0), (START_T + 20, 3.5))
    ]
    blind: list[Event] = [
        Blind(t=FAULT_T, watcher="grafana", reason="Connection refused."),
        Sighted(t=FAULT_T + 4, watcher="grafana"),
    ]
    example = passed()
    return replace(example, history=History([*example.history.events, *parts, *measured, *blind]))


def baseline() -> Example:
    """
    Nothing breaks, nothing screams; all parts are real.
    """
    scenario = dict(SCENARIO) | {
        "name": "baseline",
        "why": "Nothing breaks, so nothing may scream.",
        "faults": [],
        "expect": [{"sli": {"name": "availability"}}, {"silent": {"except": []}}],
    }
    found = outcomes()
    judged = (found[1], found[4].model_copy(update={"id": "expect/2", "expected": "no alert at all"}))
    parts = tuple(part.model_copy(update={"stand_in": False, "detail": ""}) for part in PARTS)
    return Example(
        record=record(*judged, scenario=scenario, run_id="baseline-20251124-160010-11aa", parts=parts),
        history=History([*clocks(), *phases(), *traffic()]),
        evidence={"series": series(), "ledger": ledger()},
        logs={"collector": log("collector")},
    )


def aborted() -> Example:
    """
    The stack never came up: no history, no evidence, no outcomes.
    """
    bare = record(
        problem="collector did not become ready within 30 s: port 4317 is taken.", ended_t=START_T + 27
    ).model_copy(update={"outcomes": (), "parts": ()})
    return Example(record=bare, history=History([]))


def stopped_early() -> Example:
    """
    The clients suffered more than was meant, so the drill was cut short.
    """
    events = [
        Phase(t=START_T, name="warm_up"),
        Phase(t=DRIVE_T, name="drive"),
        *traffic(end=FAULT_T + 5, failing=(FAULT_T, HEALED_T)),
        fault()[0],
        Phase(t=FAULT_T + 5, name="aborted", reason="more than 50% of requests failed for 5 s"),
    ]
    failed = Outcome(
        id="expect/3",
        title="ErrorBudgetBurnFast",
        verdict=Verdict.UNKNOWN,
        expected="fires",
        observed="the drill was stopped early",
    )
    return Example(record=record(outcomes()[0], failed), history=History(events))


HOSTILE = (
    "</style><script>alert('x')</script><img src=http://192.0.2.1/x onerror=alert(1)>\"'&\x00\x1b[31m\u202e{{ 7*7 }}"
)
"""Text that must never become markup, a request or a command."""


def hostile() -> Example:
    """
    Every text that comes from elsewhere is hostile, every number is odd.
    """
    labels = {"service_name": HOSTILE, "severity": HOSTILE, HOSTILE: HOSTILE}
    scenario = {
        "name": HOSTILE,
        "why": HOSTILE,
        "faults": [{"kind": HOSTILE, "target": HOSTILE, "at": HOSTILE, "for": HOSTILE, HOSTILE: [HOSTILE]}],
        "expect": [{"alert": {"name": HOSTILE}}],
    }
    judged = Outcome(
        id="expect/1",
        title=HOSTILE,
        verdict=Verdict.FAIL,
        expected=HOSTILE,
        observed=HOSTILE,
        where=HOSTILE,
        when=HOSTILE,
        hint=HOSTILE,
        rung=Rung.NOT_STORED,
        facts={"time_to_detect_s": math.nan, "bound_s": math.inf, HOSTILE: HOSTILE},
    )
    events: list[Event] = [
        *phases(),
        *traffic(),
        FaultChange(t=FAULT_T, fault="faults/1", action="applied"),
        FaultChange(t=FAULT_T + 1, fault="faults/1", action="failed", detail={HOSTILE: HOSTILE}),
        AlertChange(t=FAULT_T + 1, source="prometheus", name=HOSTILE * 3, labels=labels, state="pending"),
        AlertChange(t=FAULT_T + 2, source="prometheus", name=HOSTILE * 3, labels=labels, state="suppressed"),
        Notification(
            t=FAULT_T + 3,
            receiver=HOSTILE,
            status="firing",
            name=HOSTILE,
            labels=labels,
            annotations={HOSTILE: HOSTILE},
        ),
        Clock(t=START_T, backend=HOSTILE, offset_s=math.nan, round_trip_s=math.inf),
        Blind(t=START_T, watcher=HOSTILE, reason=HOSTILE),
    ]
    strange = trace()["spans"][0] | {
        "name": HOSTILE,
        "service": HOSTILE,
        "attributes": {HOSTILE: [HOSTILE, {HOSTILE: math.nan}]},
        "parent_id": "0000000000000001",
        "events": [{"name": HOSTILE, "t": math.nan, "attributes": {HOSTILE: HOSTILE}}],
    }
    evidence = {
        "series": {
            "request_rate": [[START_T + 3, math.nan], [START_T + 4, 1e300], [START_T + 5, math.inf]],
            "error_ratio": [],
            HOSTILE: [],
        },
        "trace": {"trace_id": HOSTILE, "why": HOSTILE, "spans": [strange]},
        "ledger": [{"hop": HOSTILE, "signal": HOSTILE, "count": math.nan, "expected": 0, "note": HOSTILE}],
        "alerts": [
            {"name": HOSTILE, "labels": labels, "severity": HOSTILE, "time_to_detect_s": math.nan, "bound_t": math.nan}
        ],
    }
    parts = (Part(name=HOSTILE, version=HOSTILE, stand_in=True, detail=HOSTILE),)
    hostile_record = record(
        judged,
        scenario=scenario,
        parts=parts,
        run_id=HOSTILE,
        source=HOSTILE,
        runtime=HOSTILE,
        profile=HOSTILE,
        tocsin_version=HOSTILE,
        problem=HOSTILE,
    )
    return Example(
        record=hostile_record, history=History(events), evidence=evidence, logs={HOSTILE: f"{HOSTILE}\n" * 10_000}
    )


def silent_clients() -> Example:
    """
    The load generator never sent a request, but Prometheus has series (of nothing).
    """
    example = passed()
    no_traffic = [event for event in example.history.events if not isinstance(event, Traffic)]
    zero = [Traffic(t=START_T + n, route="/api/products", count=0) for n in range(5)]
    return replace(example, history=History([*no_traffic, *zero]), evidence={})


ALL = {
    "passed": passed,
    "not-notified": not_notified,
    "prometheus-died": prometheus_died,
    "catalog-killed": catalog_killed,
    "baseline": baseline,
    "aborted": aborted,
    "stopped-early": stopped_early,
    "hostile": hostile,
    "silent-clients": silent_clients,
}
"""Every example by name."""
