"""Judge: one outcome for each fault and each expectation, whatever happens."""

from typing import Any

import pytest

from assertions import sli
from assertions.judge import check_ids, judge, titles
from scenarios.history import History
from scenarios.record import Verdict
from tests.unit.assertions.builders import (
    NAMESPACE,
    blinded,
    evidence,
    fault_on,
    history,
    life,
    scenario,
    service,
    traffic,
)

ERRORS = {"kind": "errors", "target": "catalog", "ratio": "50%", "at": "5s", "for": "10s"}
ALL_KINDS: list[dict[str, Any]] = [
    {"sli": {"name": "availability"}},
    {"alert": {"name": "Burn", "within": "5s", "labels": {"service_name": "catalog"}}},
    {"silent": {"except": ["Burn"]}},
    {"traces": {"where": "error"}},
    {"delivered": {}},
    {"anomaly": {"signal": "errors", "service": "catalog", "within": "5s"}},
    {"service_graph": {"edges": ["frontend -> catalog", "frontend -> users"]}},
    {"exemplar": {"service": "catalog"}},
    {"semconv": {}},
    {"logs": {"service": "catalog"}},
    {"component": {"name": "catalog", "back_within": "5s"}},
    {"recovered": {"within": "5s"}},
    {"budget": {"component": "catalog", "memory": "200MiB"}},
    {"watchdog": {"missing_within": "5s", "back_within": "5s"}},
]
DRILL = scenario(
    *ALL_KINDS,
    faults=[ERRORS, {"kind": "spike", "factor": 3, "at": "20s", "for": "5s"}],
    noise=[ERRORS | {"target": "users"}],
)
HAPPENED = history(traffic(-10, 5), traffic(5, 15, failed=5), traffic(15, 30), fault_on(), life())


def test_every_fault_and_expectation_is_judged_in_order() -> None:
    """Faults first, for all else depends on them."""
    outcomes = judge(DRILL, HAPPENED, evidence(), namespace=NAMESPACE)

    assert [(one.id, one.title, str(one.verdict)) for one in outcomes] == [
        ("faults/1", "errors on catalog is felt", "PASS"),
        ("faults/2", "spike of the traffic is felt", "FAIL"),
        ("noise/1", "noise: errors on users is felt", "FAIL"),
        ("expect/1", "sli availability of frontend", "FAIL"),
        ("expect/2", "alert Burn of catalog", "PASS"),
        ("expect/3", "silent", "PASS"),
        ("expect/4", "traces of failed requests", "UNKNOWN"),
        ("expect/5", "delivered: the ledger balances", "FAIL"),
        ("expect/6", "anomaly of errors in catalog", "FAIL"),
        ("expect/7", "service graph: frontend -> catalog and frontend -> users", "UNKNOWN"),
        ("expect/8", "exemplar of catalog slower than 500 ms", "UNKNOWN"),
        ("expect/9", "semconv: stable names, units and attributes", "UNKNOWN"),
        ("expect/10", "logs of catalog lead to the traces of failed requests", "UNKNOWN"),
        ("expect/11", "component catalog goes down and comes back", "UNKNOWN"),
        ("expect/12", "recovered: traces", "FAIL"),
        ("expect/13", "budget of catalog", "UNKNOWN"),
        ("expect/14", "watchdog is missed and comes back", "UNKNOWN"),
    ]
    assert {one.id: one.title for one in outcomes} == titles(DRILL)


def test_treatments_are_proved_before_all_else() -> None:
    """If the configuration is not the one that was asked for, nothing that follows is about it."""
    treated = scenario(*ALL_KINDS[:1], treatments=[{"kind": "sampling", "ratio": "10%"}])

    outcomes = judge(treated, HAPPENED, evidence(), namespace=NAMESPACE)

    assert (outcomes[0].id, outcomes[0].title) == ("treatments/1", "sampling 10% is seen")
    assert {one.id: one.title for one in outcomes} == titles(treated)
    assert check_ids(treated) == {"treatments/1": "sampling is seen", "expect/1": "sli availability"}


def test_names_of_tests_are_known_before_and_stay_as_they_are() -> None:
    """People select tests by them."""
    assert check_ids(DRILL) == {
        "faults/1": "errors is felt",
        "faults/2": "spike is felt",
        "noise/1": "errors is felt",
        "expect/1": "sli availability",
        "expect/2": "alert Burn",
        "expect/3": "silent",
        "expect/4": "traces error",
        "expect/5": "delivered",
        "expect/6": "anomaly errors",
        "expect/7": "service_graph",
        "expect/8": "exemplar",
        "expect/9": "semconv",
        "expect/10": "logs",
        "expect/11": "component catalog",
        "expect/12": "recovered traces",
        "expect/13": "budget catalog",
        "expect/14": "watchdog",
    }
    assert list(check_ids(DRILL)) == list(titles(DRILL))


def test_an_alert_is_judged_by_its_own_fault() -> None:
    """The second one was not felt, so nothing can be attributed to it."""
    drill = scenario(
        {"alert": {"name": "Burn", "within": "5s", "fault": 2}},
        faults=[ERRORS, {"kind": "spike", "factor": 3, "at": "20s", "for": "5s"}],
    )
    outcome = judge(drill, HAPPENED, evidence(), namespace=NAMESPACE)[-1]

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, "FAULT_NOT_APPLIED")


def test_alerts_of_another_drill_do_not_count() -> None:
    """The namespace is the drill's."""
    outcomes = judge(DRILL, HAPPENED, evidence(), namespace="another")

    (missed,) = (one for one in outcomes if one.id == "expect/2")
    assert (missed.verdict, missed.when) == (Verdict.FAIL, "after the fault at 5 s, healed at 15 s")


def test_a_judge_that_crashes_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never a pass, and never the end of the others."""

    def crash(*_: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(sli, "judge", crash)
    outcome = next(one for one in judge(DRILL, HAPPENED, evidence(), namespace=NAMESPACE) if one.id == "expect/1")

    assert outcome.verdict is Verdict.UNKNOWN
    assert outcome.title == "sli availability of frontend"
    assert outcome.expected == "a verdict"
    assert outcome.observed == "the check itself failed: ZeroDivisionError: division by zero"
    assert outcome.hint == "this is a bug of tocsin; `tocsin analyze` repeats it on the saved run"


@pytest.mark.parametrize("happened", [History([]), history()])
def test_nothing_is_ever_a_pass(happened: History) -> None:
    """No data, no pass: of no expectation, and of no fault."""
    outcomes = judge(DRILL, happened, evidence(rules={}), namespace=NAMESPACE)

    assert not [one for one in outcomes if one.verdict is Verdict.PASS]
    assert not [one for one in outcomes if "the check itself failed" in one.observed]


def test_nobody_to_ask_is_unknown_everywhere() -> None:
    """Backends that did not answer, and watchers that could not look."""
    seen = evidence(rules={}, problems={name: f"{name} did not answer" for name in ("prometheus", "tempo")})
    happened = history(
        traffic(-10, 5),
        traffic(5, 15, failed=5),
        fault_on(),
        *(blinded(name) for name in ("prometheus", "sink", "traffic")),
    )
    drill = scenario(*ALL_KINDS, faults=[ERRORS])

    outcomes = judge(drill, happened, seen, namespace=NAMESPACE)

    assert [str(one.verdict) for one in outcomes] == ["PASS", *["UNKNOWN"] * len(ALL_KINDS)]


def test_service_evidence_is_used() -> None:
    """The indicator passes with the right numbers, so that it fails above for want of them."""
    seen = evidence(services={"frontend": service(failed=1.25)})
    outcomes = judge(DRILL, HAPPENED, seen, namespace=NAMESPACE)

    assert [one.verdict for one in outcomes if one.id == "expect/1"] == [Verdict.PASS]
