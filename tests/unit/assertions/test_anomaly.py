"""An anomaly is attributed by signal and service, in time, and not when it was there before."""

from typing import Any

import pytest

from assertions.anomaly import ALERT, judge
from scenarios.model import Anomaly
from scenarios.record import Outcome, Rung, Verdict
from tests.unit.assertions.builders import (
    CHECK,
    NAMESPACE,
    T0,
    blinded,
    change,
    evidence,
    fault_on,
    felt,
    history,
    service,
    told,
    traffic,
)

LABELS = {"alertname": ALERT, "signal": "errors", "service_name": "catalog", "service_namespace": NAMESPACE}
SCORES = {"catalog/errors": [(T0 + 4, 0.9), (T0 + 8, 0.31)]}


def judged(*events: Any, felt_as: Verdict = Verdict.PASS, on: bool = True, **found: Any) -> Outcome:
    """The outcome for errors in catalog, expected within 5 s of a fault that is on from 5 s to 15 s."""
    anomaly = Anomaly.model_validate({"signal": "errors", "service": "catalog", "within": "5s"})
    happened = history(traffic(-10, 20, failed=5), fault_on() if on else [], *events)
    answers = evidence(**({"services": {"catalog": service(failed=5)}} | found))
    return judge(anomaly, CHECK, happened, answers, namespace=NAMESPACE, felt=felt(felt_as))


@pytest.mark.parametrize(
    "sight", [change(8, "firing", LABELS, source="alertmanager"), told(8, labels=LABELS)], ids=["listed", "notified"]
)
def test_an_anomaly_in_time_passes(sight: Any) -> None:
    """Whether Alertmanager lists it or the sink is told first."""
    found = judged(sight)

    assert (found.verdict, found.observed) == (Verdict.PASS, "unusual after 3 s")
    assert found.facts["anomaly_detected_after_s"] == pytest.approx(3)


def test_one_that_comes_too_late_fails_with_its_time() -> None:
    """The time allowed is part of the expectation."""
    found = judged(told(12, labels=LABELS))

    assert (found.verdict, found.observed) == (Verdict.FAIL, "unusual only after 7 s")
    assert "within 5 s" in found.expected


def test_one_that_was_there_before_proves_nothing() -> None:
    """Even if it goes on during the fault."""
    found = judged(told(2, labels=LABELS), told(8, labels=LABELS))

    assert (found.verdict, found.observed) == (Verdict.FAIL, "it was called unusual 3 s before the fault already")


@pytest.mark.parametrize("other", [{"signal": "latency"}, {"service_name": "users"}, {"service_namespace": "else"}])
def test_an_anomaly_of_something_else_does_not_count(other: dict[str, str]) -> None:
    """Signal, service and drill have to be the right ones."""
    found = judged(told(8, labels=LABELS | other), scores=SCORES)

    assert (found.verdict, found.rung) == (Verdict.FAIL, Rung.NOT_EVALUATED)
    assert found.hint == "the detector's highest score was 0.31; from 0.5 on it is unusual"


def test_one_that_was_resolved_does_not_count_as_seen() -> None:
    """Only firing ones do."""
    found = judged(told(8, "resolved", LABELS), change(8, "inactive", LABELS, source="alertmanager"))

    assert found.verdict is Verdict.FAIL


def test_without_any_score_the_detector_itself_is_in_doubt() -> None:
    """Its silence has another cause than its judgement."""
    assert "gave no score at all" in judged().hint


def test_data_that_died_on_its_way_is_named_by_its_rung() -> None:
    """The detector cannot see what Prometheus does not have."""
    found = judged(services={"catalog": service(failed=0, requests=0, spans=0)})

    assert found.rung is Rung.NOT_EMITTED
    assert "followed the requests of catalog" in found.hint


@pytest.mark.parametrize("watcher", ["alertmanager", "sink"])
def test_what_nobody_could_watch_is_unknown(watcher: str) -> None:
    """Not seen is not the same as not there."""
    found = judged(blinded(watcher))

    assert found.verdict is Verdict.UNKNOWN
    assert watcher in found.observed


def test_without_prometheus_the_reason_is_unknown() -> None:
    """A miss cannot be explained then."""
    found = judged(problems={"prometheus": "prometheus did not answer"})

    assert (found.verdict, found.observed) == (Verdict.UNKNOWN, "prometheus did not answer")


def test_a_fault_that_was_not_felt_comes_first() -> None:
    """Nothing can be blamed for not showing it."""
    not_felt, not_known, not_on = judged(felt_as=Verdict.FAIL), judged(felt_as=Verdict.UNKNOWN), judged(on=False)

    assert (not_felt.verdict, not_felt.rung) == (Verdict.FAIL, Rung.FAULT_NOT_APPLIED)
    assert not_known.verdict is Verdict.UNKNOWN
    assert not_on.rung is Rung.FAULT_NOT_APPLIED
