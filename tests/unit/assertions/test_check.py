"""Check: it makes outcomes of three verdicts."""

import json
import math

import pytest

from assertions.check import Check, storable
from scenarios.record import Outcome, Rung, Verdict

CHECK = Check(id="expect/1", title="it holds")


def test_a_pass_has_figures_and_nothing_to_try() -> None:
    """It says what was expected and what was seen."""
    assert CHECK.passed(expected="a", observed="b", facts={"n": 1}) == Outcome(
        id="expect/1", title="it holds", verdict=Verdict.PASS, expected="a", observed="b", facts={"n": 1}
    )


def test_a_failure_has_five_parts_and_a_rung() -> None:
    """Expected, observed, where, when, and what to try."""
    outcome = CHECK.failed(
        expected="a", observed="b", where="c", when="d", hint="e", rung=Rung.NOT_STORED, facts={"n": 1}
    )

    assert outcome == Outcome(
        id="expect/1",
        title="it holds",
        verdict=Verdict.FAIL,
        expected="a",
        observed="b",
        where="c",
        when="d",
        hint="e",
        rung=Rung.NOT_STORED,
        facts={"n": 1},
    )
    assert outcome.message() == "it holds: expected a, observed b, [NOT_STORED], in c, d; e"


def test_what_is_unknown_sends_people_to_the_logs() -> None:
    """Unless there is something better to try."""
    assert CHECK.unknown(expected="a", observed="b") == Outcome(
        id="expect/1",
        title="it holds",
        verdict=Verdict.UNKNOWN,
        expected="a",
        observed="b",
        hint="see the logs of the stack",
    )
    assert CHECK.unknown(expected="a", observed="b", hint="c").hint == "c"


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_is_not_known(number: float) -> None:
    """JSON cannot hold it, and nobody could read the record."""
    facts = CHECK.passed(expected="a", observed="b", facts={"n": number, "m": 1.5, "t": "text", "i": 3}).facts

    assert facts == {"n": None, "m": 1.5, "t": "text", "i": 3}
    assert json.loads(json.dumps(storable({"n": number}), allow_nan=False)) == {"n": None}
