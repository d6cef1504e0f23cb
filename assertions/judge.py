"""Judge: history and evidence in, one outcome for each fault and each expectation out. Pure: no clock, no network, no disk."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from assertions import (
    alert,
    anomaly,
    budget,
    component,
    dashboard,
    datasource,
    delivered,
    exemplar,
    fault,
    logs,
    recovered,
    rules,
    semconv,
    service_graph,
    silent,
    sli,
    traces,
    treatment,
    watchdog,
)
from assertions.check import Check
from assertions.evidence import Evidence
from assertions.sight import excused
from assertions.wording import title_of, title_of_fault
from scenarios.history import History
from scenarios.model import (
    Alert,
    Anomaly,
    Budget,
    ComponentState,
    Dashboard,
    Datasource,
    Delivered,
    Exemplar,
    Expectation,
    Logs,
    Recovered,
    Rules,
    Scenario,
    Semconv,
    ServiceGraph,
    Silent,
    Sli,
    Traces,
    Watchdog,
)
from scenarios.record import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that a judge may look at."""

    scenario: Scenario
    history: History
    evidence: Evidence
    namespace: str
    felt: Mapping[str, Outcome]


def judge(scenario: Scenario, history: History, evidence: Evidence, *, namespace: str) -> tuple[Outcome, ...]:
    """
    Judge a drill: first whether each treatment was seen and each fault felt, then each expectation in the scenario's order.

    A judge that crashes is an outcome too: UNKNOWN, never a pass.
    """
    history = excused(history, scenario)
    faults = {f"faults/{number}": item for number, item in enumerate(scenario.faults, 1)}
    faults |= {f"noise/{number}": item for number, item in enumerate(scenario.noise, 1)}
    checks = {check_id: Check(id=check_id, title=title) for check_id, title in titles(scenario).items()}
    treated = [
        _safely(checks[f"treatments/{number}"], partial(treatment.judge, item, history=history, evidence=evidence))
        for number, item in enumerate(scenario.treatments, 1)
    ]
    felt = {
        fault_id: _safely(checks[fault_id], partial(fault.judge, item, history=history))
        for fault_id, item in faults.items()
    }
    case = Case(scenario=scenario, history=history, evidence=evidence, namespace=namespace, felt=felt)
    outcomes = [
        _safely(checks[f"expect/{number}"], partial(_JUDGES[type(item)], item, case=case))
        for number, item in enumerate(scenario.expect, 1)
    ]
    return (*treated, *felt.values(), *outcomes)


def titles(scenario: Scenario) -> dict[str, str]:
    """
    The id of every check of a scenario and what its outcome is called.
    """
    found = {f"treatments/{number}": f"{item.words} is seen" for number, item in enumerate(scenario.treatments, 1)}
    found |= {f"faults/{number}": title_of_fault(item) for number, item in enumerate(scenario.faults, 1)}
    found |= {f"noise/{number}": title_of_fault(item, noise=True) for number, item in enumerate(scenario.noise, 1)}
    return found | {f"expect/{number}": title_of(item) for number, item in enumerate(scenario.expect, 1)}


def check_ids(scenario: Scenario) -> dict[str, str]:
    """
    The id of every check of a scenario and a short name for it, by which tests are called: it never changes.
    """
    ids = {f"treatments/{number}": f"{item.kind} is seen" for number, item in enumerate(scenario.treatments, 1)}
    ids |= {f"faults/{number}": f"{item.kind} is felt" for number, item in enumerate(scenario.faults, 1)}
    ids |= {f"noise/{number}": f"{item.kind} is felt" for number, item in enumerate(scenario.noise, 1)}
    return ids | {f"expect/{number}": _short(item) for number, item in enumerate(scenario.expect, 1)}


def _short(item: Expectation) -> str:
    detail = (
        getattr(item, "name", "")
        or getattr(item, "where", "")
        or getattr(item, "signal", "")
        or getattr(item, "uid", "")
        or getattr(item, "component", "")
        or getattr(item, "source", "")
    )
    return f"{item.KEY} {detail}".strip()


def _safely(check: Check, ask: Callable[[Check], Outcome]) -> Outcome:
    try:
        return ask(check)
    except Exception as error:
        return check.unknown(
            expected="a verdict",
            observed=f"the check itself failed: {type(error).__name__}: {error}",
            hint="this is a bug of tocsin; `tocsin analyze` repeats it on the saved run",
        )


def _alert(item: Alert, check: Check, case: Case) -> Outcome:
    return alert.judge(
        item,
        check,
        case.history,
        case.evidence,
        namespace=case.namespace,
        fault=case.scenario.faults[item.fault - 1],
        felt=case.felt[f"faults/{item.fault}"],
    )


def _silent(item: Silent, check: Check, case: Case) -> Outcome:
    return silent.judge(item, check, case.history, case.evidence, namespace=case.namespace)


def _anomaly(item: Anomaly, check: Check, case: Case) -> Outcome:
    felt = case.felt[f"faults/{item.fault}"]
    return anomaly.judge(item, check, case.history, case.evidence, namespace=case.namespace, felt=felt)


def _component(item: ComponentState, check: Check, case: Case) -> Outcome:
    felt = case.felt.get(f"faults/{item.fault}") if item.goes_down else None
    return component.judge(item, check, case.history, faults=case.scenario.faults, felt=felt)


def _recovered(item: Recovered, check: Check, case: Case) -> Outcome:
    felt = [outcome for fault_id, outcome in case.felt.items() if fault_id.startswith("faults/")]
    return recovered.judge(item, check, case.history, case.evidence, felt=felt)


def _watchdog(item: Watchdog, check: Check, case: Case) -> Outcome:
    fault, felt = case.scenario.faults[item.fault - 1], case.felt[f"faults/{item.fault}"]
    return watchdog.judge(item, check, case.history, fault=fault, felt=felt)


_JUDGES: Mapping[type[Any], Callable[..., Outcome]] = {
    Sli: lambda item, check, case: sli.judge(item, check, case.history, case.evidence),
    Alert: _alert,
    Anomaly: _anomaly,
    Dashboard: lambda item, check, case: dashboard.judge(item, check, case.evidence),
    Datasource: lambda item, check, case: datasource.judge(item, check, case.evidence),
    Rules: lambda item, check, case: rules.judge(item, check, case.evidence),
    Silent: _silent,
    Traces: lambda item, check, case: traces.judge(item, check, case.history, case.evidence),
    ServiceGraph: lambda item, check, case: service_graph.judge(item, check, case.history, case.evidence),
    Exemplar: lambda item, check, case: exemplar.judge(item, check, case.evidence),
    Semconv: lambda item, check, case: semconv.judge(check, case.evidence),
    Logs: lambda item, check, case: logs.judge(item, check, case.history, case.evidence),
    Delivered: lambda item, check, case: delivered.judge(item, check, case.history, case.evidence),
    ComponentState: _component,
    Recovered: _recovered,
    Budget: lambda item, check, case: budget.judge(item, check, case.history),
    Watchdog: _watchdog,
}
"""One judge for each kind of expectation."""
