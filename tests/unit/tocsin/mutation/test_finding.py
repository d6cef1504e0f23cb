"""Finding: what survived is what nobody noticed though it was tried."""

import io

from rich.console import Console

from tests.unit.tocsin.mutation.missing import missing
from tocsin.display import show_findings
from tocsin.mutation.finding import Finding, counted

RULE, ROUTE, QUERY = missing("alert rule", "A"), missing("policy route", "page"), missing("panel query", "slo")
NOTICED = Finding(mutation=QUERY, how="asked", tried=("d: dashboard slo",), noticed_by=("d: dashboard slo",), words="x")
SURVIVOR = Finding(mutation=RULE, how="drilled", tried=("d: alert A",))
NOBODYS = Finding(mutation=RULE, how="nobody")
LEFT_OUT = Finding(mutation=ROUTE, how="left out")


def test_what_was_tried_and_not_noticed_survived() -> None:
    """So did what nobody is about; what was left out is not known."""
    assert [one.survived for one in (NOTICED, SURVIVOR, NOBODYS, LEFT_OUT)] == [False, True, True, False]


def test_findings_are_counted_by_what_is_gone() -> None:
    """Each once."""
    assert counted([NOTICED, SURVIVOR, NOBODYS, LEFT_OUT]) == {
        "panel query": {"all": 1, "noticed": 1, "survived": 0, "left out": 0},
        "alert rule": {"all": 2, "noticed": 0, "survived": 2, "left out": 0},
        "policy route": {"all": 1, "noticed": 0, "survived": 0, "left out": 1},
    }


def test_a_finding_can_be_kept() -> None:
    """With how it was tried, who noticed, and in which words."""
    assert NOTICED.to_json() == {
        "kind": "panel query",
        "name": "slo",
        "how": "asked",
        "noticed_by": ["d: dashboard slo"],
        "tried": ["d: dashboard slo"],
        "words": "x",
    }


def test_people_see_each_survivor_and_who_should_have_noticed() -> None:
    """And how many there are."""
    screen = io.StringIO()
    show_findings([NOTICED, SURVIVOR, NOBODYS, LEFT_OUT], Console(file=screen, width=120))
    said = screen.getvalue()

    assert "survived alert rule A: tried: d: alert A" in said
    assert "survived alert rule A: no expectation that held is about it" in said
    assert "1 were left out" in said
    assert said.rstrip().endswith("2 of 4 survived")
