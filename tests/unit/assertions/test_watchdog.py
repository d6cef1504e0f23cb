"""Watchdog: it is missed while the way to people is cut, and arrives again."""

from collections.abc import Sequence
from typing import Any

import pytest

from assertions import watchdog as judge_of
from scenarios.history import Notification
from scenarios.model import Watchdog
from scenarios.record import Outcome, Rung, Verdict
from tests.unit.assertions.builders import CHECK, fault, fault_on, felt, history, told, traffic

BARKS = {"alertname": "Watchdog", "severity": "none"}


def arrivals(*times: float, status: str = "firing", **labels: str) -> list[Notification]:
    """It arrived."""
    return [told(t, status, BARKS | labels) for t in times]


CUT = arrivals(-9, -5, -1, 3, 24, 28)
"""Every 4 s, but for the time of a fault from 5 s to 22 s."""


def judged(*events: Sequence[Notification], of: Outcome | None = None, healed: float = 22, **given: Any) -> Outcome:
    """What becomes of it; the fault is on from 5 s and meant to be healed at 20 s, and the history ends at 30 s."""
    item = Watchdog.model_validate({"missing_within": "5s", "back_within": "3s"} | given)
    happened = history(traffic(-10, 30), fault_on(5, healed), *events)
    broken = fault(**{"kind": "kill", "target": "alertmanager", "for": "15s"})
    return judge_of.judge(item, CHECK, happened, fault=broken, felt=of or felt())


def test_it_is_missed_and_arrives_again() -> None:
    """Missed when it is one and a half of its pauses overdue: 6 s after it was last heard."""
    outcome = judged(CUT)

    assert outcome.verdict is Verdict.PASS
    assert outcome.expected == "it is missed within 5 s and arrives again within 3 s of the healing"
    assert outcome.observed == "missed after 4 s, arrived again 2 s after the healing"
    assert outcome.facts == {"pause_s": 4, "missed_after_s": 4, "back_after_s": 2}


@pytest.mark.parametrize(
    ("events", "given", "observed", "rung"),
    [
        (arrivals(*range(-9, 30, 4)), {}, "it went on arriving", None),
        (CUT, {"missing_within": "3s"}, "it was missed after 4 s, 1 s too late", Rung.NOT_NOTIFIED),
        (CUT, {"back_within": "1s"}, "it arrived again 2 s after the healing, 1 s too late", Rung.NOT_NOTIFIED),
        (arrivals(-9, -5, -1, 3), {}, "it never arrived again", Rung.NOT_NOTIFIED),
        (arrivals(-9, -5, -1, 3, 18, 22), {}, "it arrived again 2 s before the healing", Rung.NOT_NOTIFIED),
    ],
)
def test_what_is_wrong_is_told(
    events: list[Notification], given: dict[str, Any], observed: str, rung: Rung | None
) -> None:
    """One thing at a time, in the order in which it happens."""
    outcome = judged(events, **given)

    assert (outcome.verdict, outcome.observed, outcome.rung) == (Verdict.FAIL, observed, rung)
    assert (outcome.where, outcome.when) == (
        "alertmanager and its receivers",
        "after the fault at 5 s, healed at 20 s",
    )
    assert outcome.hint == "does the fault cut this way at all? see alertmanager's log"


def test_who_arrives_while_the_target_is_being_healed_is_back() -> None:
    """Its readiness is known only afterwards."""
    outcome = judged(arrivals(-9, -5, -1, 3, 21, 25))

    assert outcome.verdict is Verdict.PASS
    assert outcome.facts["back_after_s"] == 0


def test_a_pause_before_the_fault_is_its_own_affair() -> None:
    """Only what ends after the fault began counts, and the longest one is its pace."""
    outcome = judged(arrivals(-10, -9, -1, 3, 24, 28), missing_within="10s")

    assert (outcome.verdict, outcome.facts["pause_s"], outcome.facts["missed_after_s"]) == (Verdict.PASS, 8, 10)


@pytest.mark.parametrize(
    "events",
    [
        [],
        arrivals(3, 24),
        arrivals(-9, -5, -1, 3, 24, alertname="Another"),
        arrivals(-9, -5, -1, 3, 24, status="resolved"),
    ],
)
def test_without_a_pace_before_nothing_can_be_missed(events: list[Notification]) -> None:
    """That it is not there is not known to be news."""
    outcome = judged(events)

    assert (outcome.verdict, outcome.observed, outcome.hint) == (
        Verdict.UNKNOWN,
        "it did not arrive twice before the fault, so nobody knows its pace",
        "does it fire and is it routed? if so, let `load.warm_up` be longer",
    )


def test_grafanas_own_receivers_are_another_way() -> None:
    """What they are told says nothing of this one."""
    others = [one.model_copy(update={"receiver": "grafana-page"}) for one in arrivals(*range(-9, 30, 4))]

    assert judged(CUT, others).verdict is Verdict.PASS


def test_a_fault_that_was_not_felt_comes_first() -> None:
    """Nothing can be said of the way that it should have cut."""
    assert judged(CUT, of=felt(Verdict.FAIL)).rung is Rung.FAULT_NOT_APPLIED
