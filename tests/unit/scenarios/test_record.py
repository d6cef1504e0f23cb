"""The record: verdicts, what outweighs what, and the five parts of a failure."""

from pathlib import Path
from typing import Any

import pytest

from scenarios.record import Outcome, Part, Record, Rung, Verdict


def record(*verdicts: Verdict, **changes: Any) -> Record:
    """A record with outcomes of some verdicts."""
    whole = Record(
        run_id="r",
        scenario={"name": "x"},
        started_t=1,
        ended_t=2,
        runtime="processes",
        profile="drill",
        parts=(Part(name="tempo", version="3", stand_in=True),),
        outcomes=tuple(Outcome(id=str(i), title="t", verdict=verdict) for i, verdict in enumerate(verdicts)),
    )
    return whole.model_copy(update=changes)


@pytest.mark.parametrize(
    ("verdicts", "worst"),
    [
        ([Verdict.PASS, Verdict.PASS], Verdict.PASS),
        ([Verdict.PASS, Verdict.UNKNOWN], Verdict.UNKNOWN),
        ([Verdict.UNKNOWN, Verdict.FAIL, Verdict.PASS], Verdict.FAIL),
        ([], Verdict.UNKNOWN),
    ],
)
def test_failure_outweighs_ignorance_which_outweighs_success(verdicts: list[Verdict], worst: Verdict) -> None:
    """And of nothing, nothing is known."""
    assert Verdict.worst(verdicts) is worst
    assert record(*verdicts).verdict is worst


def test_a_drill_that_ended_with_a_problem_never_passes() -> None:
    """But what failed before it, failed."""
    assert record(Verdict.PASS, problem="Prometheus was killed").verdict is Verdict.UNKNOWN
    assert record(Verdict.FAIL, problem="Prometheus was killed").verdict is Verdict.FAIL


def test_a_record_is_read_as_it_was_saved(tmp_path: Path) -> None:
    """Reports of old runs show what was judged then."""
    whole = record(Verdict.PASS, Verdict.FAIL, problem="x")
    whole.save(tmp_path / "record.json")

    assert Record.read(tmp_path / "record.json") == whole


def test_a_failure_says_what_where_when_and_what_to_try() -> None:
    """In one line, with the rung at which the signal died."""
    outcome = Outcome(
        id="traces",
        title="traces of failed requests",
        verdict=Verdict.FAIL,
        expected="at least 99 %",
        observed="12 of 50",
        where="tempo",
        when="12:00:05 to 12:00:20",
        hint="look at the collector's log",
        rung=Rung.NOT_STORED,
    )

    assert outcome.message() == (
        "traces of failed requests: expected at least 99 %, observed 12 of 50, [NOT_STORED], in tempo, "
        "12:00:05 to 12:00:20; look at the collector's log"
    )


def test_parts_that_are_not_known_leave_no_gap() -> None:
    """A short message is short."""
    outcome = Outcome(id="x", title="silent", verdict=Verdict.PASS, expected="no alert", observed="none")

    assert outcome.message() == "silent: expected no alert, observed none"
