"""Anomaly: the detector called a signal unusual in time, and had called it usual before the fault. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from assertions.check import Check
from assertions.evidence import Evidence
from assertions.fault import unproved
from assertions.ladder import EXPLANATIONS, rung_of_data
from assertions.sight import blind
from assertions.wording import seconds
from scenarios.history import AlertChange, History, Notification
from scenarios.model import Anomaly
from scenarios.record import Outcome, Rung

ALERT = "AnomalyDetected"
"""The alert by which the detector tells; its label `signal` says what of a service is unusual."""

LIMIT = 0.5
"""The detector's score from which on a sample counts as unusual."""

LATE_S = 3.0
"""How long after the healing the detector may still look at what the fault did."""


def judge(
    anomaly: Anomaly, check: Check, history: History, evidence: Evidence, *, namespace: str, felt: Outcome
) -> Outcome:
    """
    Attribute an anomaly to its fault by signal and service: told after the fault began, in time, and not before.

    FAIL with the rung at which the signal died; UNKNOWN when the alerts could not be watched.
    """
    on = history.fault_window(f"faults/{anomaly.fault}")
    if (doubt := unproved(check, felt, on)) is not None:
        return doubt
    assert on is not None, "a fault that was felt was on"
    times = sorted(sightings(anomaly.signal, anomaly.service, history, namespace=namespace))
    first = next((t for t in times if t >= on[0]), None)
    detect_s = None if first is None else first - on[0]
    facts = {
        "signal": anomaly.signal,
        "anomaly_detected_after_s": detect_s,
        "within_s": anomaly.within,
        "highest_score": highest_score(anomaly, evidence, on),
    }
    expected = f"it is called usual before the fault, and unusual within {seconds(anomaly.within)} of it"
    if times and times[0] < on[0]:
        return check.failed(
            expected=expected,
            observed=f"it was called unusual {seconds(on[0] - times[0])} before the fault already",
            where="the detector's alerts",
            hint="was the warm-up long enough to learn from, and the machine quiet?",
            facts=facts,
        )
    if detect_s is None:
        return _missed(anomaly, check, history, evidence, on, expected, facts)
    if detect_s > anomaly.within:
        return check.failed(
            expected=expected,
            observed=f"unusual only after {seconds(detect_s)}",
            where="the detector's alerts",
            hint="compare the score in the facts: is the effect large enough?",
            facts=facts,
        )
    return _seen(check, history, on[0], detect_s, expected, facts)


def _seen(
    check: Check, history: History, on_t: float, detect_s: float, expected: str, facts: Mapping[str, Any]
) -> Outcome:
    """It was called unusual in time; whether it was silent before is proved if one of the two could look."""
    observed = f"unusual after {seconds(detect_s)}"
    sightless = blind(history, "alertmanager", until=on_t) and blind(history, "sink", until=on_t)
    if sightless:
        observed += f"; but it may have been so before, too, for {sightless}"
        return check.unknown(expected=expected, observed=observed, facts=facts)
    return check.passed(expected=expected, observed=observed, facts=facts)


def sightings(signal: str, service: str, history: History, *, namespace: str) -> Iterator[float]:
    """Every moment at which the detector's alert for this signal of a service was seen to fire, or was told."""
    wanted = {"signal": signal, "service_name": service, "service_namespace": namespace}
    for change in history.of(AlertChange):
        if change.name == ALERT and change.state == "firing" and wanted.items() <= change.labels.items():
            yield change.t
    for told in history.of(Notification):
        if told.name == ALERT and told.status == "firing" and wanted.items() <= told.labels.items():
            yield told.t


def highest_score(anomaly: Anomaly, evidence: Evidence, on: tuple[float, float]) -> float | None:
    """The detector's own highest score while the fault was on; None when it never gave one."""
    points = evidence.scores.get(f"{anomaly.service}/{anomaly.signal}", ())
    return max((score for t, score in points if on[0] <= t <= on[1] + LATE_S), default=None)


def _missed(
    anomaly: Anomaly,
    check: Check,
    history: History,
    evidence: Evidence,
    on: tuple[float, float],
    expected: str,
    facts: Mapping[str, Any],
) -> Outcome:
    """It never was called unusual: because nobody could look, because its data died, or because the detector did not think so."""
    reason = blind(history, "alertmanager", "sink", since=on[0])
    if reason:
        return check.unknown(expected=expected, observed=f"no anomaly was seen, but {reason}", facts=facts)
    if "prometheus" in evidence.problems:
        return check.unknown(expected=expected, observed=evidence.problems["prometheus"], facts=facts)
    rung = rung_of_data(
        anomaly.service,
        history=history,
        evidence=evidence,
        since=on[0],
        until=on[1],
        failures=anomaly.signal == "errors",
    )
    score = facts["highest_score"]
    if rung is not None:
        hint = f"{EXPLANATIONS[rung]}: followed the requests of {anomaly.service} during the fault"
    elif score is None:
        hint = "the detector gave no score at all: does it run, and does it watch this signal?"
    else:
        hint = f"the detector's highest score was {score:.2f}; from {LIMIT} on it is unusual"
    return check.failed(
        expected=expected,
        observed="it was never called unusual",
        where="the detector's alerts",
        rung=rung or Rung.NOT_EVALUATED,
        hint=hint,
        facts=facts,
    )
