"""The detector's score over many drills: what it found, what it invented, how soon."""

from typing import Any

import pytest

from assertions.anomaly import ALERT
from assertions.scorecard import Drilled, Score, score
from tests.unit.assertions.builders import NAMESPACE, change, fault_on, history, scenario, traffic

FAULT = {"kind": "errors", "target": "catalog", "ratio": "50%", "at": "5s", "for": "10s"}
EXPECT = {"anomaly": {"signal": "errors", "service": "catalog", "within": "8s"}}


def seen(t: float, *, signal: str = "errors", service: str = "catalog") -> Any:
    """The detector's alert began to fire."""
    labels = {"alertname": ALERT, "signal": signal, "service_name": service, "service_namespace": NAMESPACE}
    return change(t, "firing", labels, source="alertmanager")


def drilled(*events: Any, load: dict[str, str] | None = None) -> Drilled:
    """A drill of a minute with a fault from 5 s to 15 s, which should make catalog's errors unusual."""
    made = scenario(EXPECT, faults=[FAULT], load=load or {"warm_up": "30s", "for": "60s"})
    return Drilled(scenario=made, history=history(traffic(-30, 60), fault_on(), *events), namespace=NAMESPACE)


def of(signal: str, *drills: Drilled) -> Score:
    """The score of one signal."""
    return next(one for one in score(drills) if one.signal == signal)


def test_what_was_expected_and_seen_in_time_is_found() -> None:
    """With its delay; recall and precision are whole."""
    found = of("errors", drilled(seen(7)), drilled(seen(9)))

    assert (found.expected, found.found, found.false_alerts) == (2, 2, 0)
    assert (found.recall, found.precision) == (1.0, 1.0)
    assert found.median_detect_s == pytest.approx(3)


def test_what_was_expected_and_not_seen_lowers_the_recall() -> None:
    """An alert of another service is no find, but inside the fault's window no invention either."""
    found = of("errors", drilled(seen(7)), drilled(seen(7, service="frontend")))

    assert (found.recall, found.precision) == (0.5, 1.0)


@pytest.mark.parametrize(("t", "false_alerts"), [(-2, 1), (5, 0), (29, 0), (31, 1)])
def test_an_alert_without_a_fault_is_an_invention(t: float, false_alerts: int) -> None:
    """But for the aftermath of a fault, which lasts 15 s."""
    assert of("errors", drilled(seen(t))).false_alerts == false_alerts


def test_inventions_are_counted_against_the_time_watched_in_peace() -> None:
    """90 s of traffic less 25 s of fault and aftermath, for three services."""
    found = of("latency", drilled(seen(40, signal="latency")))

    assert found.peaceful_series_h == pytest.approx(65 * 3 / 3600, rel=0.03)
    assert found.false_per_series_h == pytest.approx(3600 / 65 / 3, rel=0.03)
    assert (found.recall, found.precision) == (None, 0.0)


def test_of_nothing_there_is_no_score() -> None:
    """No drill, no figures: not a good score."""
    empty = of("traffic")

    assert (empty.recall, empty.precision, empty.median_detect_s, empty.false_per_series_h) == (None,) * 4


def test_a_fault_that_was_never_applied_is_not_found() -> None:
    """And a drill without traffic was watched for no time."""
    made = scenario(EXPECT, faults=[FAULT], load={"warm_up": "30s", "for": "60s"})
    found = of("errors", Drilled(scenario=made, history=history(), namespace=NAMESPACE))

    assert (found.expected, found.found, found.peaceful_series_h) == (1, 0, 0.0)
