"""Judge: history and evidence in, one outcome for each fault and each expectation out. Pure: no clock, no network, no disk."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from assertions import alert, delivered, fault, silent, sli, traces
from assertions.evidence import Evidence
from scenarios.history import History
from scenarios.model import Alert, Delivered, Expectation, Scenario, Silent, Sli, Traces
from scenarios.record import Outcome, Verdict


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
    Judge a drill: first whether each fault was felt, then each expectation in the scenario's order.

    A judge that crashes is an outcome too: UNKNOWN, never a pass.
    """
    faults = {f"faults/{number}": item for number, item in enumerate(scenario.faults, 1)}
    faults |= {f"noise/{number}": item for number, item in enumerate(scenario.noise, 1)}
    felt = {
        fault_id: _safely(fault_id, f"{fault_id} {item.kind} is felt", partial(fault.judge, item, fault_id, history))
        for fault_id, item in faults.items()
    }
    case = Case(scenario=scenario, history=history, evidence=evidence, namespace=namespace, felt=felt)
    outcomes = [
        _safely(check_id, item.KEY, partial(_JUDGES[type(item)], item, check_id, case))
        for check_id, item in ((f"expect/{number}", item) for number, item in enumerate(scenario.expect, 1))
    ]
    return (*felt.values(), *outcomes)


def check_ids(scenario: Scenario) -> dict[str, str]:
    """
    The id of every check of a scenario and a short name for it, known before anything runs.
    """
    ids = {f"faults/{number}": f"{item.kind} is felt" for number, item in enumerate(scenario.faults, 1)}
    ids |= {f"noise/{number}": f"{item.kind} is felt" for number, item in enumerate(scenario.noise, 1)}
    return ids | {f"expect/{number}": _short(item) for number, item in enumerate(scenario.expect, 1)}


def _short(item: Expectation) -> str:
    detail = getattr(item, "name", "") or getattr(item, "where", "")
    return f"{item.KEY} {detail}".strip()


def _safely(check_id: str, title: str, ask: Callable[[], Outcome]) -> Outcome:
    try:
        return ask()
    except Exception as error:
        return Outcome(
            id=check_id,
            title=title,
            verdict=Verdict.UNKNOWN,
            expected="a verdict",
            observed=f"the check itself failed: {type(error).__name__}: {error}",
            hint="this is a bug of tocsin; `tocsin analyze` repeats it on the saved run",
        )


def _alert(item: Alert, check_id: str, case: Case) -> Outcome:
    return alert.judge(
        item,
        check_id,
        case.history,
        case.evidence,
        namespace=case.namespace,
        fault=case.scenario.faults[item.fault - 1],
        felt=case.felt[f"faults/{item.fault}"],
    )


_JUDGES: Mapping[type[Any], Callable[[Any, str, Case], Outcome]] = {
    Sli: lambda item, check_id, case: sli.judge(item, check_id, case.history, case.evidence),
    Alert: _alert,
    Silent: lambda item, check_id, case: silent.judge(
        item, check_id, case.history, case.evidence, namespace=case.namespace
    ),
    Traces: lambda item, check_id, case: traces.judge(item, check_id, case.history, case.evidence),
    Delivered: lambda item, check_id, case: delivered.judge(item, check_id, case.history, case.evidence),
}
"""One judge for each kind of expectation."""
