"""Rounds: what is missing together must not hide each other, and as few drills as possible have to run."""

from tests.unit.tocsin.mutation.missing import alert, missing
from tocsin.mutation.rounds import Seat, rounds_of, seats_for

A, B = missing("alert rule", "A"), missing("alert rule", "B")
GRAFANAS_A, GRAFANAS_B = missing("alert rule", "A", "grafana"), missing("alert rule", "B", "grafana")
PAGE, PAGER = missing("policy route", "page"), missing("contact point", "page")


def seat(drill: int, number: int, *given: str, **more: str) -> Seat:
    """An alert that a drill expects."""
    return Seat(drill=drill, check=f"expect/{number}", item=alert(*given, **more))


def test_nobody_is_asked_who_is_not_about_it() -> None:
    """And a mutation that nobody is about has no seat."""
    mine = seat(0, 1, "A")

    assert seats_for([A, B], [mine]) == {A: mine}


def test_a_drill_that_runs_anyway_is_preferred() -> None:
    """One drill for both, though another knows the first, too."""
    other, mine, more = seat(0, 1, "A"), seat(1, 1, "A"), seat(1, 2, "B")

    assert seats_for([A, B], [other, mine, more]) == {A: mine, B: more}


def test_independent_losses_are_tried_together() -> None:
    """Each has an expectation that is about no other."""
    seated = seats_for([A, B], [seat(0, 1, "A"), seat(0, 2, "B")])

    assert [set(one) for one in rounds_of(seated)] == [{A, B}]


def test_losses_that_one_expectation_is_about_are_tried_apart() -> None:
    """It could not tell which of them it missed."""
    both = seat(0, 1, "A", source="both", receiver="page")
    seated = seats_for([A, GRAFANAS_A, PAGE, PAGER], [both, seat(0, 2, "B", source="grafana")])

    assert [set(one) for one in rounds_of(seated)] == [{A}, {GRAFANAS_A}, {PAGE}, {PAGER}]


def test_grafana_keeps_a_rule() -> None:
    """Without any it does not count as started."""
    seated = seats_for([GRAFANAS_A, GRAFANAS_B], [seat(0, 1, "A", source="grafana"), seat(0, 2, "B", source="grafana")])

    assert [set(one) for one in rounds_of(seated)] == [{GRAFANAS_A}, {GRAFANAS_B}]
