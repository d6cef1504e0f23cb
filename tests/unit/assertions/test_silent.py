"""Silent: nothing else screamed, and the silence can be trusted."""

from collections.abc import Sequence

import pytest

from assertions import silent as judge_of
from assertions.evidence import Evidence
from scenarios.history import Event, History
from scenarios.model import Silent
from scenarios.record import Outcome, Rung, Verdict
from tests.unit.assertions.builders import (
    CHECK,
    NAMESPACE,
    OF_CATALOG,
    blinded,
    change,
    evidence,
    history,
    life,
    rule,
    told,
    traffic,
)

DOG = {"alertname": "Watchdog", "component": "alerting", "severity": "none"}
WATCHED = evidence(rules={"Watchdog": rule(), "Burn": rule()})


def barks(*moments: float, status: str = "firing") -> list[Event]:
    """Arrivals of the watchdog."""
    return [told(t, status, DOG) for t in moments]


STEADY = [*barks(-8, -3, 2, 7, 12, 17, 22, 27), *traffic(-10, 30)]


def judged(
    *events: Event | Sequence[Event], found: Evidence = WATCHED, excepted: Sequence[str] = (), dog: bool = True
) -> Outcome:
    """What becomes of the silence when this happened, with a watchdog every 5 s."""
    happened = history(STEADY if dog else traffic(-10, 30), *events)
    item = Silent.model_validate({"except": list(excepted)})
    return judge_of.judge(item, CHECK, happened, found, namespace=NAMESPACE)


def test_silence_with_a_watchdog_that_keeps_arriving_passes() -> None:
    """It counts from the end of the warm-up, as silence does."""
    outcome = judged()

    assert (outcome.verdict, outcome.expected) == (Verdict.PASS, "no alert")
    assert outcome.observed == "none; the watchdog arrived 6 times"
    assert outcome.facts == {"watchdog": 6}


def test_exceptions_are_in_the_expectation() -> None:
    """So that a report says what was allowed."""
    outcome = judged(life(), excepted=["Burn", "Other", "Third"])

    assert (outcome.verdict, outcome.expected) == (Verdict.PASS, "no alert but Burn, Other and Third")


def test_an_alert_that_nobody_expected_fails() -> None:
    """Once for each alert and service, with what was seen of it, and when."""
    of_pipeline = {"alertname": "TargetDown", "component": "tempo"}
    outcome = judged(life(7), change(8, "firing", source="alertmanager"), change(9, "firing", of_pipeline), life(21))

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, None)
    assert outcome.expected == "no alert"
    assert outcome.observed == (
        "Burn of catalog fired 7 s after the warm-up and was notified 7.5 s after the warm-up; "
        "TargetDown of tempo fired 9 s after the warm-up"
    )
    assert outcome.where == "the alerts of prometheus, alertmanager and grafana, and the notifications"
    assert outcome.when == "from the end of the warm-up"
    assert outcome.hint == "is the alert right and the drill's `except` too short, or is the alert too nervous?"
    assert outcome.facts["unexpected"] == outcome.observed.split("; ")


@pytest.mark.parametrize(
    "event",
    [
        change(0, "firing"),
        told(0),
        change(0, "firing", source="alertmanager"),
        change(0, "nodata", source="grafana"),
        change(0, "error", source="grafana"),
    ],
)
def test_a_single_sight_of_it_is_enough(event: Event) -> None:
    """Whoever saw it, and be it at the first moment that counts."""
    assert judged(event).verdict is Verdict.FAIL


@pytest.mark.parametrize(("t", "words"), [(0, "0 s"), (0.5, "500 ms"), (3, "3 s")])
def test_it_is_told_when_it_was(t: float, words: str) -> None:
    """Counted from the end of the warm-up."""
    assert judged(change(t, "firing")).observed == f"Burn of catalog fired {words} after the warm-up"


@pytest.mark.parametrize(
    ("labels", "whose"),
    [
        ({"alertname": "A", "service_name": "users", "component": "c", "job": "j"}, "A of users"),
        ({"alertname": "A", "component": "collector", "job": "j"}, "A of collector"),
        ({"alertname": "A", "job": "tempo"}, "A of tempo"),
        ({"alertname": "A"}, "A of the pipeline"),
    ],
)
def test_it_is_told_whose_alert_it_was(labels: dict[str, str], whose: str) -> None:
    """By the first label that says so."""
    assert judged(change(3, "firing", labels)).observed == f"{whose} fired 3 s after the warm-up"


@pytest.mark.parametrize(
    "events",
    [
        [change(3, "pending"), change(4, "inactive")],
        [change(3, "suppressed", source="alertmanager")],
        [told(3, "resolved")],
        life(7, labels={**OF_CATALOG, "service_namespace": "somebody-elses"}),
        [change(-8, "firing"), change(-3, "inactive")],
        [told(-8)],
        barks(3.5),
    ],
)
def test_what_is_no_scream(events: list[Event]) -> None:
    """Pending or silenced alerts, resolutions, other drills' alerts, the warm-up's, and the watchdog."""
    assert judged(events).verdict is Verdict.PASS


def test_an_alert_that_began_in_the_warm_up_and_went_on_is_loud() -> None:
    """It screams in the drive, too; what it did in between does not matter."""
    outcome = judged(change(-9, "inactive"), change(-8, "firing"), change(20, "inactive"))

    assert outcome.verdict is Verdict.FAIL
    assert outcome.observed == "Burn of catalog fired before the end of the warm-up and went on"


def test_two_sources_of_one_alert_are_told_apart() -> None:
    """That Alertmanager lists it no more does not mean that Prometheus does."""
    events = [change(-8, "firing"), change(-7, "firing", source="alertmanager")]

    assert judged(events, change(-1, "inactive", source="alertmanager")).verdict is Verdict.FAIL
    assert judged(events, change(-1, "inactive")).verdict is Verdict.FAIL
    assert judged(events, change(-1, "inactive"), change(-1, "inactive", source="alertmanager")).verdict is Verdict.PASS


def test_without_a_drive_it_is_unknown() -> None:
    """There was nothing to be silent in."""
    outcome = judge_of.judge(Silent(), CHECK, History([]), WATCHED, namespace=NAMESPACE)

    assert (outcome.verdict, outcome.observed) == (Verdict.UNKNOWN, "the drive never began")


def test_a_scream_before_the_drive_ever_began_is_a_scream() -> None:
    """It is all that is known of such a drill."""
    outcome = judge_of.judge(Silent(), CHECK, History([change(3, "firing")]), WATCHED, namespace=NAMESPACE)

    assert outcome.verdict is Verdict.FAIL


@pytest.mark.parametrize("watcher", ["prometheus", "alertmanager", "grafana", "sink"])
def test_a_blind_watcher_makes_silence_unknown(watcher: str) -> None:
    """It may have missed a scream."""
    outcome = judged(blinded(watcher))

    assert outcome.verdict is Verdict.UNKNOWN
    assert outcome.observed == f"none was seen; but {watcher} could not be watched: connection refused"
    assert outcome.hint == "see the logs of the stack"


def test_what_was_heard_was_heard_whoever_was_blind() -> None:
    """A scream is a scream."""
    assert judged(blinded("prometheus"), told(3)).verdict is Verdict.FAIL


def test_blind_traffic_does_not_concern_silence() -> None:
    """It listens to no alert."""
    assert judged(blinded("traffic")).verdict is Verdict.PASS


def test_a_watchdog_that_never_arrived_is_a_dead_path() -> None:
    """Then nobody would have heard any alert, so silence proves nothing."""
    outcome = judged(dog=False)

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, Rung.NOT_NOTIFIED)
    assert outcome.expected == "no alert, and the watchdog's notification again and again"
    assert outcome.observed == (
        "no alert, but no watchdog either: the path to the receiver is dead, so its silence proves nothing"
    )
    assert outcome.where == "alertmanager and its receivers"
    assert outcome.when == "from the end of the warm-up"
    assert outcome.hint == "see alertmanager's log: is the receiver's address right?"
    assert outcome.facts == {"watchdog": 0}


@pytest.mark.parametrize("events", [barks(-8, -3), barks(3, status="resolved"), [told(3, labels=OF_CATALOG)]])
def test_only_a_watchdog_that_fires_in_the_drive_counts(events: list[Event]) -> None:
    """What arrived in the warm-up, or tells that it ended, proves nothing."""
    assert judged(events, dog=False, excepted=["Burn"]).verdict is Verdict.FAIL


def test_a_watchdog_that_stopped_arriving_is_a_dead_path() -> None:
    """From then on silence proves nothing; its own rhythm tells how long to wait for it."""
    outcome = judged(barks(-8, -3, 2, 8, 13), change(26, "pending"), dog=False)

    assert outcome.verdict is Verdict.FAIL
    assert outcome.observed == (
        "no alert, but the watchdog, which came at least every 6 s, was not heard in the last 16 s: "
        "the path to the receiver is dead, so its silence proves nothing"
    )
    assert outcome.facts == {"watchdog": 3}


@pytest.mark.parametrize(
    ("moments", "verdict"),
    [((12, 17), "PASS"), ((11.9, 16.9), "FAIL"), ((2, 3, 12), "PASS"), ((-9, -2, 12), "PASS"), ((8.9, 9.9), "FAIL")],
)
def test_a_watchdog_may_miss_one_turn(moments: tuple[float, ...], verdict: str) -> None:
    """Twice its longest pause, and 2 s on top; the history ends at 29 s."""
    assert judged(barks(*moments), dog=False).verdict == verdict


def test_a_watchdog_at_the_very_end_of_the_warm_up_counts() -> None:
    """That moment is the first that does."""
    assert judged(barks(0), dog=False).facts == {"watchdog": 1}


def test_a_watchdog_that_was_heard_once_has_no_rhythm() -> None:
    """A drill may be shorter than its pauses."""
    outcome = judged(barks(1), dog=False)

    assert (outcome.verdict, outcome.observed) == (Verdict.PASS, "none; the watchdog arrived once")


def test_a_stack_without_a_watchdog_is_told_as_such() -> None:
    """Its silence is worth less, and the words say so."""
    outcome = judged(found=evidence(rules={"Burn": rule()}), dog=False)

    assert (outcome.verdict, outcome.observed) == (Verdict.PASS, "none; this stack has no watchdog")


def test_a_stack_without_any_rule_is_unknown() -> None:
    """Nothing could have screamed."""
    outcome = judged(found=evidence(rules={}), dog=False)

    assert outcome.verdict is Verdict.UNKNOWN
    assert outcome.expected == "no alert, of rules that could fire"
    assert outcome.observed == ("no alert; but prometheus has no alerting rules at all, so its silence proves nothing")
    assert outcome.hint == "is the rule file loaded?"


def test_a_prometheus_that_could_not_be_asked_is_unknown() -> None:
    """Nobody knows whether there is a watchdog."""
    found = evidence(rules={}, problems={"prometheus": "prometheus did not answer"})
    outcome = judged(found=found, dog=False)

    assert outcome.verdict is Verdict.UNKNOWN
    assert outcome.expected == "no alert, and to know whether there is a watchdog"
    assert outcome.observed == "no alert; but prometheus did not answer"


def test_a_watchdog_that_was_heard_needs_no_rules() -> None:
    """Its arrival is the proof, whatever could be asked afterwards."""
    found = evidence(rules={}, problems={"prometheus": "prometheus did not answer"})

    assert judged(found=found).verdict is Verdict.PASS
