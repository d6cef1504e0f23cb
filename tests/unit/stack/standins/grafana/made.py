"""Rules, outcomes and values for the tests."""

from collections.abc import Mapping
from typing import Any

from stack.standins.grafana.alerting.states import Instance, Outcome, State
from stack.standins.grafana.expressions.values import Number, Series, Values
from stack.standins.grafana.provisioning.rules import Query, Rule


def rule(**changes: Any) -> Rule:
    """
    A rule with an interval of 10 s and one query.
    """
    values: dict[str, Any] = {
        "id": 1,
        "uid": "r",
        "title": "Rule",
        "group": "g",
        "folder": "F",
        "folder_uid": "f",
        "interval_s": 10.0,
        "condition": "A",
        "queries": [Query(ref="A", datasource_uid="p", from_s=300, to_s=0, model={"expr": "x"})],
    }
    return Rule(**{**values, **changes})


def outcome(state: State, labels: Mapping[str, str] | None = None, value: float = 1.0) -> Outcome:
    """
    An outcome with one value.
    """
    error = "broken" if state is State.ERROR else ""
    return Outcome(labels=labels or {}, state=state, values={"A": value}, value_string=f"[ A={value} ]", error=error)


def instance(state: State = State.NORMAL, starts_s: float | None = None) -> Instance:
    """
    An instance in a state.
    """
    found = outcome(state)
    return Instance(rule_uid="r", key="", labels={}, annotations={}, state=state, starts_s=starts_s, outcome=found)


def numbers(*values: float | None, **labels: str) -> Values:
    """
    Numbers, each with a label `n` of its place beside the given labels.
    """
    many = len(values) > 1
    items = [
        Number(labels={**labels, **({"n": str(index)} if many else {})}, value=value)
        for index, value in enumerate(values)
    ]
    return Values(items=items)


def series(*values: float | None, step_ms: int = 1000, **labels: str) -> Values:
    """
    One series with even times.
    """
    times = [index * step_ms for index in range(len(values))]
    return Values(items=[Series(labels=labels, times_ms=times, values=values)])
