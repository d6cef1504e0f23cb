"""Fault proved: felt by the clients, or said by its target; else nothing that follows proves anything."""

from typing import Any

import pytest

from assertions import fault as judge_of
from assertions.check import Check
from scenarios.history import Event, FaultChange
from scenarios.record import Outcome, Rung, Verdict
from tests.unit.assertions.builders import T0, fault, fault_on, found, history, traffic

CHECK = Check(id="faults/1", title="errors on catalog is felt")
HINT = "is the fault API switched on and reachable, does the route get traffic, is the effect large enough to be felt?"
SILENCE = fault(kind="telemetry_silent", target="catalog")


def judged(broken: Any, *events: Event) -> Outcome:
    """Whether a fault was felt."""
    return judge_of.judge(broken, CHECK, history(*events))


def test_a_fault_that_was_felt_passes() -> None:
    """The words are those of people, the facts those of machines."""
    outcome = judged(fault(), *traffic(-10, 5), *traffic(5, 15, failed=6), *fault_on())

    assert (outcome.verdict, outcome.rung) == (Verdict.PASS, None)
    assert outcome.expected == "share of failed requests of at least 25 %"
    assert outcome.observed == "share of failed requests 60 %, before 0 %"
    assert outcome.facts == {
        "what": "share of failed requests",
        "before": 0.0,
        "during": 0.6,
        "needed": 0.25,
        "from_t": T0 + 5,
        "until_t": T0 + 15,
    }


def test_a_fault_that_was_applied_but_not_felt_fails() -> None:
    """All five parts, and the first rung of all."""
    outcome = judged(fault(), *traffic(-10, 15), *fault_on())

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, Rung.FAULT_NOT_APPLIED)
    assert outcome.expected == "share of failed requests of at least 25 %"
    assert outcome.observed == "share of failed requests 0 %, before 0 %"
    assert outcome.where == "what clients saw of catalog"
    assert outcome.when == "5 s to 15 s after the warm-up"
    assert outcome.hint == HINT
    assert outcome.facts["during"] == 0.0


def test_a_fall_is_worded_as_one() -> None:
    """At most, not at least."""
    outcome = judged(fault(kind="drop", factor=0.5), *traffic(-10, 15), *fault_on())

    assert outcome.verdict is Verdict.FAIL
    assert (outcome.expected, outcome.observed) == ("requests of at most 7.5/s", "requests 10/s, before 10/s")
    assert outcome.where == "what clients saw of the traffic"


def test_clients_that_did_nothing_felt_nothing() -> None:
    """The record holds no number that JSON cannot write."""
    outcome = judged(fault(), *traffic(-10, 5), *fault_on())

    assert outcome.verdict is Verdict.FAIL
    assert outcome.observed == "share of failed requests nothing, before 0 %"
    assert outcome.facts["during"] is None


def test_a_fault_that_could_not_be_applied_says_why() -> None:
    """The last reason counts, for it was tried again and again."""
    tries = [
        FaultChange(t=T0 + n, fault="faults/1", action="failed", detail={"doing": "apply", "reason": f"refused {n}"})
        for n in (5, 6)
    ]
    outcome = judged(fault(), *traffic(-10, 15, failed=9), *tries)

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, Rung.FAULT_NOT_APPLIED)
    assert (outcome.expected, outcome.observed) == ("that it is applied", "refused 6")
    assert (outcome.where, outcome.when) == ("what clients saw of catalog", "5 s to 15 s after the warm-up")
    assert outcome.facts == {}


def test_a_fault_of_which_nothing_is_known_was_not_applied() -> None:
    """What was applied instead of it does not matter."""
    outcome = judged(fault(), *traffic(-10, 15, failed=9), *fault_on(fault_id="faults/2"))

    assert (outcome.verdict, outcome.observed) == (Verdict.FAIL, "it never was, and nobody said why")


@pytest.mark.parametrize(
    ("detail", "verdict", "observed"),
    [
        ({"affected": 59}, "PASS", "applied, and its target acted 59 times"),
        ({}, "PASS", "applied; its target keeps no count"),
        ({"affected": 0}, "FAIL", "applied, but its target says that it affected nothing"),
    ],
)
def test_what_no_client_can_feel_is_said_by_its_target(detail: dict[str, Any], verdict: str, observed: str) -> None:
    """Its own count is the proof; a target that keeps none is believed."""
    outcome = judged(SILENCE, *traffic(-10, 15), *fault_on(**detail))

    assert (outcome.verdict, outcome.expected, outcome.observed) == (
        verdict,
        "that its target says it acted",
        observed,
    )
    assert outcome.facts == {"affected": detail.get("affected"), "from_t": T0 + 5, "until_t": T0 + 15}
    assert outcome.rung is (Rung.FAULT_NOT_APPLIED if verdict == "FAIL" else None)
    assert outcome.where == ("what catalog said" if verdict == "FAIL" else "")


def test_the_highest_count_of_a_target_counts() -> None:
    """It rises while the fault is on, and may begin anew after a restart."""
    counts = [
        FaultChange(t=T0 + 5 + n, fault="faults/1", action="renewed", detail={"affected": count})
        for n, count in enumerate((3, 6, 0))
    ]

    outcome = judged(SILENCE, *fault_on(), *counts)

    assert (outcome.observed, outcome.facts["affected"]) == ("applied, and its target acted 6 times", 6)


def test_counts_of_another_fault_do_not_count() -> None:
    """Each fault has its own."""
    outcome = judged(SILENCE, *fault_on(affected=0), *fault_on(fault_id="faults/2", affected=9))

    assert outcome.verdict is Verdict.FAIL


def test_a_fault_without_a_target_is_told_as_such() -> None:
    """A command has none that we know."""
    broken = fault(kind="command", apply=["a"], heal=["b"])

    assert judged(broken).where == "what the target said"


def test_what_was_seen_of_a_broken_link_is_its_proof() -> None:
    """No client can feel it, and Toxiproxy keeps no count; a connection of our own showed it."""
    broken = fault(kind="cut_link", target="collector -> tempo")

    outcome = judged(broken, *traffic(-10, 15), *fault_on(proof="a connection over it was refused after 0.00 s"))

    assert (outcome.verdict, outcome.expected) == (Verdict.PASS, "that somebody saw it")
    assert outcome.observed == "applied: a connection over it was refused after 0.00 s"
    assert outcome.facts == {
        "proof": "a connection over it was refused after 0.00 s",
        "from_t": T0 + 5,
        "until_t": T0 + 15,
    }


def test_a_link_that_was_not_broken_has_a_hint_of_its_own() -> None:
    """It has no fault API, and no route."""
    outcome = judged(fault(kind="cut_link", target="collector -> tempo"), *traffic(-10, 15))

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, Rung.FAULT_NOT_APPLIED)
    assert outcome.where == "what collector -> tempo said"
    assert outcome.hint == (
        "does the stack have Toxiproxy, does the link go through it, and does who is called answer at all?"
    )


@pytest.mark.parametrize("kind", ["kill", "pause", "restart"])
def test_a_component_that_was_seen_down_proves_its_fault(kind: str) -> None:
    """Everything that runs is looked at all the time."""
    down = [found(-9, "ready"), found(5.5, "unready"), found(16, "ready")]
    outcome = judged(fault(kind=kind, target="tempo"), *down, *fault_on())

    assert (outcome.verdict, outcome.expected, outcome.observed) == (
        Verdict.PASS,
        "that it is seen down",
        "down after 500 ms",
    )
    assert outcome.facts == {"down_s": 0.5, "from_t": T0 + 5, "until_t": T0 + 15}


def test_a_component_that_answered_all_the_time_was_not_hit() -> None:
    """Whatever the fault says of itself; that it was down at another time, or another was, proves nothing."""
    others = [found(-9, "ready"), found(-5, "down"), found(-4, "ready", started=-4), found(6, "down", "users")]
    outcome = judged(fault(kind="kill", target="tempo"), *others, *fault_on())

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, Rung.FAULT_NOT_APPLIED)
    assert outcome.observed == "applied, but it answered all the time"


def test_a_moment_may_pass_between_two_looks() -> None:
    """Then the fault's own word is believed."""
    outcome = judged(fault(kind="pause", target="tempo"), found(-9, "ready"), *fault_on(5, 7))

    assert (outcome.verdict, outcome.observed) == (Verdict.PASS, "applied, for too short a time to be seen")
