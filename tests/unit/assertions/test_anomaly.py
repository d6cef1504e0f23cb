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


@pytest.mark.parametrize(("t", "verdict"), [(5, "PASS"), (10, "PASS"), (10.1, "FAIL"), (4.9, "FAIL")])
def test_the_limits_themselves_are_in_time(t: float, verdict: str) -> None:
    """From the very moment of the fault to the last that is allowed."""
    assert judged(told(t, labels=LABELS)).verdict == verdict


def test_an_alert_may_carry_no_more_labels_than_needed() -> None:
    """Or more of them: other labels do not matter."""
    bare = {key: LABELS[key] for key in ("signal", "service_name", "service_namespace")}
    alerts = [told(8, labels=LABELS).model_copy(update={"labels": bare}), told(8, labels=LABELS | {"severity": "page"})]
    changes = [change(8, "firing", LABELS, source="alertmanager").model_copy(update={"labels": bare})]

    assert {judged(event).verdict for event in (*alerts, *changes)} == {Verdict.PASS}


@pytest.mark.parametrize(
    ("points", "highest"),
    [
        ([(4.9, 0.9), (5, 0.2), (18, 0.3), (18.1, 0.9)], 0.3),
        ([(5, 0.4), (18, 0.3)], 0.4),
        ([(4, 0.9), (19, 0.9)], None),
    ],
)
def test_the_highest_score_is_that_of_the_fault(points: list[tuple[float, float]], highest: float | None) -> None:
    """While it was on, and as long after its healing as the detector still looks at it."""
    scores = {"catalog/errors": [(T0 + t, score) for t, score in points]}

    assert judged(scores=scores).facts["highest_score"] == highest


def test_other_signals_than_errors_follow_all_requests() -> None:
    """Requests arrived, failures did not: that explains why no errors were seen, and nothing about latency."""
    found = evidence(services={"catalog": service(failed=0)}, scores={"catalog/latency": [(T0 + 8, 0.1)]})
    item = Anomaly.model_validate({"signal": "latency", "service": "catalog", "within": "5s"})
    happened = history(traffic(-10, 20, failed=5), fault_on())

    outcome = judge(item, CHECK, happened, found, namespace=NAMESPACE, felt=felt())

    assert (outcome.rung, judged(services={"catalog": service(failed=0)}).rung) == (
        Rung.NOT_EVALUATED,
        Rung.NOT_EMITTED,
    )


def test_a_baseline_that_nobody_watched_is_unknown() -> None:
    """If one of the two could look, silence before the fault is proved."""
    blind_before = [blinded("alertmanager", 2), blinded("sink", 3)]
    outcome = judged(*blind_before, told(8, labels=LABELS))

    assert outcome.verdict is Verdict.UNKNOWN
    assert outcome.observed == (
        "unusual after 3 s; but it may have been so before, too, for sink could not be watched: connection refused"
    )
    assert [judged(one, told(8, labels=LABELS)).verdict for one in blind_before] == [Verdict.PASS, Verdict.PASS]


def test_watchers_that_go_blind_after_the_fault_do_not_spoil_what_was_seen() -> None:
    """The baseline was watched."""
    assert judged(blinded("alertmanager", 7), blinded("sink", 7), told(8, labels=LABELS)).verdict is Verdict.PASS
