"""Component: it goes down with its fault and comes back, or stays up; and nothing else goes down."""

from collections.abc import Sequence
from typing import Any

import pytest

from assertions import component as judge_of
from scenarios.history import Event
from scenarios.model import ComponentState, Fault
from scenarios.record import Outcome, Rung, Verdict
from tests.unit.assertions.builders import CHECK, fault, fault_on, felt, found, history

KILL = fault(kind="kill", target="tempo")
"""From 5 s to 15 s."""

OTHERS = [found(-9, "ready", "collector"), found(-9, "ready", "users")]
DIES: list[Event] = [
    found(-9, "ready"),
    found(5.2, "down"),
    found(15.1, "unready", started=15),
    found(16, "ready", started=15),
]
"""What becomes of Tempo under it."""


def judged(
    *events: Event | Sequence[Event],
    faults: Sequence[Fault] = (KILL,),
    of: Outcome | None = None,
    **given: Any,
) -> Outcome:
    """What becomes of an expectation of Tempo; the fault was on from 5 s to 16 s, for healing takes a second."""
    item = ComponentState.model_validate({"name": "tempo"} | given)
    happened = history(fault_on(5, 16), OTHERS, *events)
    return judge_of.judge(item, CHECK, happened, faults=faults, felt=(of or felt()) if item.goes_down else None)


def test_it_goes_down_and_comes_back() -> None:
    """In time, as one new process, and alone."""
    outcome = judged(DIES, down_within="1s", back_within="2s", restarts=1)

    assert outcome.verdict is Verdict.PASS
    assert outcome.expected == (
        "it goes down within 1 s and comes back within 2 s, is restarted once, nothing else goes down"
    )
    assert outcome.observed == ("down after 200 ms, up again 1 s after the healing began; restarted once")
    assert outcome.facts == pytest.approx({"down_s": 0.2, "back_s": 1.0, "down_for_s": 10.8, "restarts": 1})


def test_it_stays_up() -> None:
    """Though a fault was on, it went on."""
    outcome = judged(found(-9, "ready"), restarts=0)

    assert (outcome.verdict, outcome.expected, outcome.observed) == (
        Verdict.PASS,
        "it stays up, is never restarted, nothing else goes down",
        "it stayed up, and was never restarted",
    )
    assert outcome.facts["down_s"] is None


@pytest.mark.parametrize(
    ("given", "observed", "rung"),
    [
        ({"down_within": "100ms"}, "it was down after 200 ms, 100 ms too late", None),
        ({"back_within": "0.5s"}, "it was up again after 1 s, 500 ms too late", None),
        ({"back_within": "5s", "restarts": 0}, "it was restarted once", None),
        ({"back_within": "5s", "restarts": 2}, "it was restarted once", None),
        ({}, "it went down once, in all for 10.8 s", None),
    ],
)
def test_what_is_wrong_is_told(given: dict[str, Any], observed: str, rung: Rung | None) -> None:
    """With what was expected, where, when, and what to look at."""
    outcome = judged(DIES, **given)

    assert (outcome.verdict, outcome.observed, outcome.rung) == (Verdict.FAIL, observed, rung)
    assert (outcome.where, outcome.when, outcome.hint) == (
        "its process and its readiness",
        "from the end of the warm-up",
        "see logs/tempo.log",
    )


def test_one_that_never_went_down_shows_that_its_fault_was_not_applied() -> None:
    """Whatever the fault says of itself; also when it went down only after the healing."""
    for events in ([found(-9, "ready")], [found(-9, "ready"), found(15.5, "down"), found(16, "ready", started=16)]):
        outcome = judged(events, back_within="5s")

        assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, Rung.FAULT_NOT_APPLIED)
        assert outcome.observed == "it answered all the time that its fault was on"


def test_one_that_was_down_before_did_not_go_down_with_its_fault() -> None:
    """Something else took it down."""
    outcome = judged(found(-9, "ready"), found(3, "down"), found(16, "ready", started=15), back_within="5s")

    assert (outcome.verdict, outcome.observed) == (Verdict.FAIL, "it was down 2 s before its fault")


def test_a_look_that_had_begun_when_the_fault_came_may_see_it_first() -> None:
    """It is stamped with its beginning; that is no other fault."""
    outcome = judged(
        found(-9, "ready"), found(4.8, "down"), found(16, "ready", started=15), down_within="1s", back_within="5s"
    )

    assert outcome.verdict is Verdict.PASS
    assert outcome.observed.startswith("down after 0 ")


def test_one_that_is_down_at_the_end_did_not_come_back() -> None:
    """Nor does it help that it came back for a while."""
    gone: list[Event] = [found(-9, "ready"), found(5.2, "down")]
    again: list[Event] = [*DIES, found(25, "down")]

    assert judged(gone, down_within="1s").observed == "it is down at the end"
    assert judged(again, down_within="1s").observed == "it is down at the end"


def test_before_the_drive_it_may_do_what_it_likes() -> None:
    """It was starting."""
    assert judged(found(-9, "unready"), found(-8, "ready"), restarts=0).verdict is Verdict.PASS


def test_who_went_down_with_it_is_named() -> None:
    """Unless it may, or the drill's own faults hit it."""
    beside = [found(6, "unready", "collector"), found(7, "ready", "collector")]

    assert judged(DIES, beside, back_within="5s").observed == "collector went down, too"
    may: dict[str, Any] = {"except": "collector"}
    excused = judged(DIES, beside, back_within="5s", **may)
    assert (excused.verdict, excused.expected) == (
        Verdict.PASS,
        "it goes down and comes back within 5 s, nothing else but collector goes down",
    )
    both = [KILL, fault(kind="pause", target="collector")]
    assert judged(DIES, beside, back_within="5s", faults=both).verdict is Verdict.PASS


def test_what_another_fault_did_to_it_is_that_ones_affair() -> None:
    """Each has an expectation of its own: one process began anew under the first, none under the second."""
    both = [fault(kind="restart", target="tempo", at="1s", **{"for": "3s"}), KILL]
    earlier: list[Event] = [found(-9, "ready"), found(1.1, "down"), found(2, "ready", started=1.5)]
    later: list[Event] = [found(5.2, "unready", started=1.5), found(15.5, "ready", started=1.5)]
    windows = fault_on(1, 3, "faults/1") + fault_on(5, 16, "faults/2")

    def of(number: int, restarts: int) -> Outcome:
        item = ComponentState.model_validate(
            {"name": "tempo", "fault": number, "back_within": "1s", "restarts": restarts}
        )
        happened = history(windows, OTHERS, earlier, later)
        return judge_of.judge(item, CHECK, happened, faults=both, felt=felt())

    assert (of(1, 1).verdict, of(2, 0).verdict) == (Verdict.PASS, Verdict.PASS)
    assert (of(1, 0).observed, of(2, 1).observed) == ("it was restarted once", "it was never restarted")


def test_a_restart_heals_itself() -> None:
    """So its way back counts from its beginning."""
    restart = fault(kind="restart", target="tempo")
    events = [found(-9, "ready"), found(5.1, "down"), found(7, "ready", started=5.5)]

    outcome = judged(events, faults=[restart], back_within="3s", restarts=1)
    assert outcome.verdict is Verdict.PASS
    assert outcome.observed == "down after 100 ms, up again 2 s after its beginning; restarted once"
    assert judged(events, faults=[restart], back_within="1s").verdict is Verdict.FAIL


def test_one_that_came_back_before_its_healing_is_up_again() -> None:
    """Somebody else has started it, which restarts would show."""
    outcome = judged(found(-9, "ready"), found(5.1, "down"), found(8, "ready", started=8), back_within="1s")

    assert outcome.verdict is Verdict.PASS
    assert outcome.observed.startswith("down after 100 ms, up again before the healing began")


def test_a_fault_that_was_not_felt_comes_first() -> None:
    """Nothing can be said of its target."""
    outcome = judged(DIES, of=felt(Verdict.FAIL), back_within="5s")

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, Rung.FAULT_NOT_APPLIED)


def test_what_nobody_looked_after_is_unknown() -> None:
    """Never a pass."""
    for given in ({"back_within": "5s"}, {"restarts": 0}):
        outcome = judged(**given)

        assert (outcome.verdict, outcome.observed) == (Verdict.UNKNOWN, "nobody looked after tempo")
