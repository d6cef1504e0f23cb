"""Asking: each thing is missing once, and only an expectation that is about it and now fails has noticed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from assertions.evidence import Evidence, Rulebook
from assertions.questions import QUESTIONS, Question
from scenarios.history import History
from scenarios.model import Expectation, Rules
from scenarios.record import Outcome, Verdict
from stack.mutations import Mutation
from tests.unit.tocsin.mutation.missing import alert, item, missing
from tests.unit.tocsin.saved import scenario
from tocsin.mutation import asking as module
from tocsin.mutation.asking import Witness, ask_all, can_be_asked
from tocsin.mutation.finding import Finding

QUERY, RULE = missing("panel query", "slo", "grafana"), missing("recording rule", "a:b:c")
ALERT, ROUTE = missing("alert rule", "A"), missing("policy route", "page")


@dataclass(slots=True, kw_only=True)
class FakeWitness:
    """An expectation that, asked again, gives these verdicts one after the other, the last one for ever."""

    item: Expectation
    verdicts: list[Verdict]
    name: str = "d: it"
    asked: int = field(default=0)

    def again(self) -> Outcome:
        """Judge once more."""
        verdict = self.verdicts[min(self.asked, len(self.verdicts) - 1)]
        self.asked += 1
        return Outcome(id="expect/1", title="it", verdict=verdict, observed="it is gone")


class World:
    """A stack that refuses what it is told to refuse, and notes what it loads."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *gone: Mutation) -> None:
        self.loaded: list[str] = []
        self.refused: set[Mutation] = set()
        self.root = Path()
        monkeypatch.setattr(module, "Loader", lambda _: self)
        monkeypatch.setattr(module, "mutations", lambda _: list(gone))
        monkeypatch.setattr(module, "PATIENCE_S", 0.5)

    @contextmanager
    def without(self, gone: Sequence[Mutation]) -> Iterator[str]:
        """As the loader does it."""
        (mutation,) = gone
        self.loaded.append(f"without {mutation.name}")
        yield "400: no" if mutation in self.refused else ""

    def load(self, file: str) -> str:
        """As the loader does it."""
        self.loaded.append(file)
        return ""

    def close(self) -> None:
        """As the loader does it."""
        self.loaded.append("closed")

    def ask(self, *known: FakeWitness) -> dict[Mutation, Finding | None]:
        """What became of each mutation."""
        stack: Any = None
        return dict(ask_all(stack, cast("Sequence[Witness]", known), lambda _: None))


def test_an_expectation_that_fails_has_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """In its words; others that are about it need not be asked."""
    first = FakeWitness(item=item(dashboard={"uid": "slo"}), verdicts=[Verdict.FAIL], name="d: dashboard slo")
    second = FakeWitness(item=item(dashboard={"uid": "slo"}), verdicts=[Verdict.FAIL], name="e: dashboard slo")

    assert World(monkeypatch, QUERY).ask(first, second)[QUERY] == Finding(
        mutation=QUERY,
        how="asked",
        tried=("d: dashboard slo", "e: dashboard slo"),
        noticed_by=("d: dashboard slo",),
        words="it is gone",
    )
    assert second.asked == 0


def test_a_loss_may_need_a_moment_to_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule is evaluated in rounds."""
    slow = FakeWitness(item=item(rules={}), verdicts=[Verdict.PASS, Verdict.UNKNOWN, Verdict.FAIL])
    found = World(monkeypatch, RULE).ask(slow)[RULE]

    assert found is not None
    assert (found.survived, slow.asked) == (False, 3)


@pytest.mark.parametrize("verdict", [Verdict.PASS, Verdict.UNKNOWN])
def test_what_does_not_fail_has_not_noticed(monkeypatch: pytest.MonkeyPatch, verdict: Verdict) -> None:
    """Nobody knows whether an unknown verdict is for the sake of what is missing."""
    found = World(monkeypatch, RULE).ask(FakeWitness(item=item(rules={}), verdicts=[verdict]))[RULE]

    assert found == Finding(mutation=RULE, how="asked", tried=("d: it",))
    assert found.survived


def test_who_is_not_about_it_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then nobody could have noticed."""
    other = FakeWitness(item=item(dashboard={"uid": "traces"}), verdicts=[Verdict.FAIL])

    assert World(monkeypatch, QUERY).ask(other)[QUERY] == Finding(mutation=QUERY, how="nobody")
    assert other.asked == 0


def test_a_file_that_is_refused_is_noticed_by_whoever_loads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the whole file is loaded again, so that the next one does not suffer."""
    world = World(monkeypatch, ROUTE)
    world.refused = {ROUTE}
    found = world.ask()[ROUTE]

    assert found is not None
    assert (found.how, found.words, found.survived) == ("refused", "400: no", False)
    assert world.loaded == ["without page", "f.yaml", "closed"]


def test_what_needs_a_drill_is_left_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A route is loaded, for it might be refused; an alert rule never is."""
    world = World(monkeypatch, ALERT, ROUTE)

    assert world.ask() == {ALERT: None, ROUTE: None}
    assert world.loaded == ["without page", "f.yaml", "closed"]


def test_drills_that_can_be_asked_again_expect_what_people_look_at() -> None:
    """And share their stack, which is asked when they are over."""
    fault = {"kind": "errors", "target": "catalog", "at": "1s", "for": "2s"}
    load = {"users": 1, "rate": 10, "warm_up": "5s", "for": "10s"}

    assert can_be_asked(scenario(expect=[{"rules": {}}]))
    assert not can_be_asked(scenario(expect=[{"rules": {}}], exclusive=True))
    assert not can_be_asked(
        scenario(
            load=load, faults=[fault], expect=[{"alert": {"name": "A", "within": "5s"}}, {"silent": {"except": "A"}}]
        )
    )


def test_a_witness_judges_its_expectation_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what is asked now in place of what was found when the drill was over, and nothing else of the drill."""

    def gone(*_: object) -> Rulebook:
        return Rulebook(loaded=1, missing=("record a:b:c{}",))

    monkeypatch.setitem(cast("dict[Any, Any]", QUESTIONS), Rules, [Question(backend="", part="rulebooks", ask=gone)])
    drill = scenario(
        load={"users": 1, "rate": 10, "warm_up": "5s", "for": "10s"},
        faults=[{"kind": "errors", "target": "catalog", "at": "1s", "for": "2s"}],
        expect=[{"silent": {}}, {"rules": {}}],
    )
    before = Evidence(asked_t=1, rulebooks={"expect/2": Rulebook(loaded=2)}, problems={"prometheus": "was away"})
    backends: Any = type("Backends", (), {"namespace": "run-1"})
    witness = Witness(
        item=drill.expect[1], name="x", scenario=drill, history=History([]), evidence=before, backends=backends
    )

    outcome = witness.again()

    assert (outcome.verdict, outcome.observed) == (Verdict.FAIL, "not loaded: record a:b:c{}")


def test_alerts_cannot_be_asked_again() -> None:
    """They fire when they fire."""
    assert not isinstance(alert(), module.ASKED_AGAIN)
