"""A record in a few words: the right culprit, and the rung at which the signal died."""

from typing import Any

import pytest

from reports import story
from scenarios.history import History
from scenarios.record import Outcome, Record, Rung, Verdict
from tests.unit.reports import examples


def states(record: Record) -> list[str]:
    """
    The ladder's states in order.
    """
    return [step.state for step in story.ladder(record)]


def test_a_passed_alert_proves_the_whole_ladder() -> None:
    """
    Who was notified of a fault was notified by every rung before.
    """
    assert states(examples.passed().record) == ["reached"] * 6
    assert [step.note for step in story.ladder(examples.passed().record)] == ["applied", *["reached"] * 5]


def test_the_broken_rung_is_marked_and_later_ones_were_not_reached() -> None:
    """
    The rung says in words what it means.
    """
    stored = Outcome(id="expect/5", title="traces", verdict=Verdict.FAIL, rung=Rung.NOT_STORED)
    record = examples.record(*examples.outcomes()[:5], stored)

    assert states(record) == ["reached", "reached", "reached", "broken", "beyond", "beyond"]
    assert story.ladder(record)[3].note == "Prometheus or Tempo does not have it"


def test_the_earliest_of_several_rungs_is_the_cause() -> None:
    """
    What the app never sent cannot be notified either.
    """
    failures = [
        Outcome(id=f"expect/{n}", title="x", verdict=Verdict.FAIL, rung=rung)
        for n, rung in enumerate((Rung.NOT_NOTIFIED, Rung.NOT_EMITTED), 1)
    ]

    assert Rung.NOT_EMITTED is story.broken_rung(examples.record(*failures))


def test_a_fault_that_was_not_applied_breaks_the_first_rung() -> None:
    """
    Nothing is reached then.
    """
    proof = Outcome(id="faults/1", title="felt", verdict=Verdict.FAIL, rung=Rung.FAULT_NOT_APPLIED)

    assert ["broken", *["beyond"] * 5] == states(examples.record(proof))


def test_a_baseline_has_no_fault_and_tries_no_alert() -> None:
    """
    What was not tried is not claimed.
    """
    assert states(examples.baseline().record) == ["untried", *["reached"] * 3, *["untried"] * 2]
    assert [step.note for step in story.ladder(examples.baseline().record)][::5] == ["none", "not tried"]


def test_a_fault_that_was_planned_but_never_tried_is_not_called_none() -> None:
    """
    A drill that never began had a fault to apply.
    """
    assert [step.note for step in story.ladder(examples.aborted().record)] == ["not tried"] * 6


def test_a_failure_is_not_explained_by_what_could_not_be_judged() -> None:
    """
    The rung of an UNKNOWN outcome is not where a failed one's signal died.
    """
    failed = Outcome(id="expect/1", title="sli", verdict=Verdict.FAIL)
    unknown = Outcome(id="expect/3", title="alert", verdict=Verdict.UNKNOWN, rung=Rung.NOT_EVALUATED)

    assert story.broken_rung(examples.record(failed, unknown)) is None
    assert story.broken_rung(examples.record(unknown)) is Rung.NOT_EVALUATED


def test_what_was_tried_but_not_found_out_is_not_proved() -> None:
    """
    An alert that could not be judged proves nothing, and is not called untried.
    """
    assert [*["reached"] * 4, *["unproved"] * 2] == states(examples.prometheus_died().record)


@pytest.mark.parametrize(
    ("alert", "last"), [({"name": "A", "notified": False}, "untried"), ({"name": "A"}, "reached"), ("A", "reached")]
)
def test_an_alert_that_nobody_needed_to_be_told_of_proves_only_its_rule(alert: Any, last: str) -> None:
    """
    `notified: false` leaves the last rung untried.
    """
    scenario = dict(examples.SCENARIO) | {"expect": [{"alert": alert}]}
    outcome = Outcome(id="expect/1", title="A", verdict=Verdict.PASS)

    assert [*["reached"] * 5, last] == states(examples.record(outcome, scenario=scenario))


@pytest.mark.parametrize(
    ("id_", "kind"),
    [
        ("expect/3", "alert"),
        ("expect/9", ""),
        ("faults/1", "fault"),
        ("noise/2", "fault"),
        ("expect/0", ""),
        ("expect/x", "expect"),
    ],
)
def test_an_outcome_knows_its_kind_by_its_place(id_: str, kind: str) -> None:
    """
    A place that the scenario does not have has no kind.
    """
    assert kind == story.expectation_kind(examples.record(), Outcome(id=id_, title="", verdict=Verdict.PASS))


def test_a_pass_tells_the_slowest_detection() -> None:
    """
    One sentence, and nobody to blame.
    """
    example = examples.passed()
    headline = story.headline(example.record, example.history)

    assert headline.sentence == "All 7 expectations held. The slowest detection took 2.31\u00a0s."
    assert headline.culprit is None


def test_a_failure_tells_where_the_signal_died_and_blames_that_outcome() -> None:
    """
    Not the first failed outcome is blamed, but the one that names the broken rung.
    """
    example = examples.not_notified()
    record = example.record.model_copy(update={"outcomes": tuple(reversed(example.record.outcomes))})
    headline = story.headline(record, example.history)

    assert (
        headline.sentence
        == "2 of 7 expectations failed, and the signal died on its way: the alert fired, but nobody was told."
    )
    assert headline.culprit is not None
    assert headline.culprit.title == "ErrorBudgetBurnFast"


def test_what_could_not_be_judged_is_said_so() -> None:
    """
    UNKNOWN is neither failed nor passed.
    """
    example = examples.prometheus_died()

    assert story.headline(example.record, example.history).sentence == "3 of 7 expectations could not be judged."


@pytest.mark.parametrize(
    ("verdict", "said"), [(Verdict.PASS, "held."), (Verdict.FAIL, "failed."), (Verdict.UNKNOWN, "could not be judged.")]
)
def test_a_single_expectation_is_not_counted(verdict: Verdict, said: str) -> None:
    """
    "1 of 1 expectations" is no English.
    """
    record = examples.record(Outcome(id="expect/4", title="silent", verdict=verdict))

    assert f"The one expectation {said}" == story.headline(record, History([])).sentence


def test_two_expectations_are_both() -> None:
    """
    "All 2 expectations" is no English either.
    """
    example = examples.baseline()

    assert story.headline(example.record, example.history).sentence == "Both expectations held."


def test_a_drill_that_never_began_tells_its_problem() -> None:
    """
    There is no outcome to blame.
    """
    example = examples.aborted()

    assert example.record.problem == story.headline(example.record, example.history).sentence


def test_a_problem_spoils_an_otherwise_good_drill() -> None:
    """
    All outcomes passed, yet the verdict is UNKNOWN because of the problem, so the problem is the story.
    """
    assert story.headline(examples.record(problem="Disk full."), History([])).sentence == "Disk full."


def test_nothing_judged_is_said_so() -> None:
    """
    Neither outcomes nor a problem: still a sentence.
    """
    bare = examples.record().model_copy(update={"outcomes": ()})

    assert story.headline(bare, History([])).sentence == "Nothing was judged."


def test_a_drill_that_was_stopped_early_says_why() -> None:
    """
    The reason comes first.
    """
    example = examples.stopped_early()
    sentence = story.headline(example.record, example.history).sentence

    assert sentence.startswith("The drill was stopped early: more than 50% of requests failed for 5 s. ")


def test_a_drill_without_a_name_has_one_still() -> None:
    """
    A record of which little is known can be drawn.
    """
    assert story.scenario_name(examples.record(scenario={})) == "unnamed drill"
