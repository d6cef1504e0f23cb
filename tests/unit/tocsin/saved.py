"""Saved runs, built by hand: what a small drill leaves on disk, in as good or as bad a state as a test asks for."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from assertions.evidence import AlertRule, Evidence, Service
from scenarios.history import Event, HistoryWriter, Notification, Phase, Traffic, write_json
from scenarios.loader import load_text
from scenarios.model import Scenario
from scenarios.record import Outcome, Part, Record, Verdict
from tocsin.rundir import RunDir

START_T = 1_764_000_000.0
SECONDS = 15

DRILL = """
name: small
why: It is just large enough to be judged in a test.
load: {users: 1, rate: 10, warm_up: 5s, for: 10s}
expect:
  - sli: {name: availability}
  - silent: {}
"""


def scenario(**changes: Any) -> Scenario:
    """A drill without faults and with two expectations."""
    return Scenario.model_validate(load_text(DRILL).to_json() | changes)


def events() -> list[Event]:
    """Ten good requests in each second, and the watchdog's notification."""
    phases = (("warm_up", 0), ("drive", 5), ("cool_down", 15), ("stopped", 15))
    watchdog = {"alertname": "Watchdog", "severity": "none"}
    return [
        *(Phase(t=START_T + at, name=name) for name, at in phases),
        *(
            Traffic(t=START_T + n, route="/api/products", count=10, status={"200": 10}, latency={20: 10})
            for n in range(SECONDS)
        ),
        Notification(t=START_T + 8, receiver="watchdog", status="firing", name="Watchdog", labels=watchdog),
    ]


def evidence(*, failed: float = 0) -> Evidence:
    """Prometheus saw as many requests as the clients; `failed` of them as failures."""
    rule = AlertRule(query="vector(1)", interval_s=1, for_s=0, health="ok")
    return Evidence(
        asked_t=START_T + 20,
        services={"frontend": Service(requests=10 * SECONDS, failed=failed, collected=10 * SECONDS)},
        rules={"Watchdog": rule},
    )


def setting(**changes: Any) -> dict[str, Any]:
    """On what it ran."""
    parts = [Part(name="prometheus", version="3"), Part(name="tempo", version="3", stand_in=True)]
    usual = {"runtime": "processes", "profile": "drill", "source": "small.drill.yaml", "problem": ""}
    return usual | {"parts": [part.model_dump() for part in parts], "started_t": START_T} | changes


def save(
    runs: Path,
    run_id: str = "small-1",
    *,
    happened: Iterable[Event] | None = None,
    found: Evidence | None = None,
    on: dict[str, Any] | None = None,
) -> RunDir:
    """Put a run on disk that is ready to be judged; it passes unless told otherwise."""
    run = RunDir(runs / run_id)
    run.logs.mkdir(parents=True)
    write_json(run.scenario, scenario().to_json())
    write_json(run.setting, on or setting())
    with HistoryWriter(run.history) as writer:
        writer.append(*(events() if happened is None else happened))
    (found or evidence()).save(run.evidence)
    (run.logs / "prometheus.log").write_text("the last words of prometheus\n")
    return run


def record(name: str = "small", verdict: Verdict = Verdict.PASS, **changes: Any) -> Record:
    """A record with one outcome."""
    outcome = Outcome(id="expect/1", title="sli availability", verdict=verdict, expected="good", observed="seen")
    usual: dict[str, Any] = {
        "run_id": f"{name}-1",
        "scenario": scenario(name=name).to_json(),
        "started_t": START_T,
        "ended_t": START_T + 20,
        "runtime": "processes",
        "profile": "drill",
        "parts": (Part(name="tempo", version="3", stand_in=True),),
        "outcomes": (outcome,),
    }
    return Record(**usual | changes)
