"""Drilling: what held on a whole stack and fails on one that lacks something has noticed it; nothing else counts."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from scenarios.model import Alert, Scenario
from scenarios.record import Outcome, Record, Verdict
from stack.errors import StackError
from stack.mutations import Mutation
from tests.unit.tocsin.mutation.missing import missing
from tests.unit.tocsin.saved import record, scenario
from tocsin.fleet import Fleet, Order
from tocsin.mutation import drilling as module
from tocsin.mutation.concerns import concerns
from tocsin.mutation.drilling import Drilling, apart
from tocsin.mutation.finding import Finding

A, B, C = (missing("alert rule", name) for name in "ABC")
PAGE = missing("contact point", "page")

Verdicts = Callable[[Scenario, int, Sequence[Mutation]], Verdict]


def drill(*alerts: dict[str, str]) -> Order:
    """A drill that expects alerts."""
    fault = {"kind": "errors", "target": "catalog", "at": "1s", "for": "2s"}
    expect = [{"alert": {"within": "5s"} | alert} for alert in alerts]
    load = {"users": 1, "rate": 10, "warm_up": "5s", "for": "10s"}
    return Order(scenario=scenario(load=load, faults=[fault], expect=expect), source="small.drill.yaml")


class World:
    """Stacks and drills that only pretend: an alert fires unless what it is about is missing."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *orders: Order) -> None:
        self.orders = orders
        self.ran: list[tuple[int, set[Mutation]]] = []
        self.blind: set[str] = set()
        """Alerts that fire whatever is missing."""
        self.broken: set[str] = set()
        """Alerts that never fire."""
        self.refused: set[Mutation] = set()
        """What no stack starts without."""
        monkeypatch.setattr(Drilling, "_run", self._run)

    def _run(self, indices: Sequence[int], gone: Sequence[Mutation]) -> dict[int, Record]:
        self.ran.append((len(indices), set(gone)))
        if self.refused & set(gone):
            return {}
        return {index: self._record(self.orders[index].scenario, gone) for index in indices}

    def _record(self, one: Scenario, gone: Sequence[Mutation]) -> Record:
        outcomes = []
        for number, item in enumerate(one.expect, 1):
            name = getattr(item, "name", "")
            lost = any(concerns(mutation, item) for mutation in gone) and name not in self.blind
            verdict = Verdict.FAIL if lost or name in self.broken else Verdict.PASS
            outcomes.append(
                Outcome(id=f"expect/{number}", title=f"alert {name}", verdict=verdict, observed="it never fired")
            )
        return record(scenario=one.to_json(), outcomes=outcomes)

    def findings(self, *mutations: Mutation) -> dict[Mutation, Finding]:
        """What became of each."""
        tried = Drilling(orders=self.orders, runs=Path(), report=lambda _: None)
        return {one.mutation: one for one in tried.try_all(mutations)}


def test_an_alert_that_fails_without_its_rule_has_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of them in one round, by one drill each time."""
    world = World(monkeypatch, drill({"name": "A"}, {"name": "B"}))
    found = world.findings(A, B)

    assert [found[one].noticed_by for one in (A, B)] == [("small: alert A",), ("small: alert B",)]
    assert (found[A].how, found[A].words) == ("drilled", "it never fired")
    assert world.ran == [(1, set()), (1, {A, B})]


def test_an_alert_that_fires_without_its_rule_lets_it_survive(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was tried, and that is said."""
    world = World(monkeypatch, drill({"name": "A"}, {"name": "B"}))
    world.blind = {"B"}
    found = world.findings(A, B)

    assert (found[A].survived, found[B].survived, found[B].tried) == (False, True, ("small: alert B",))


def test_an_alert_that_did_not_hold_before_has_nothing_to_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor has a rule that no drill is about anybody to notice it."""
    world = World(monkeypatch, drill({"name": "A"}, {"name": "B"}))
    world.broken = {"B"}
    found = world.findings(A, B, C)

    assert [(found[one].how, found[one].survived) for one in (A, B, C)] == [
        ("drilled", False),
        ("nobody", True),
        ("nobody", True),
    ]


def test_what_one_expectation_is_about_is_tried_in_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rule, then its receiver."""
    world = World(monkeypatch, drill({"name": "A", "receiver": "page"}))
    world.findings(A, PAGE)

    assert world.ran == [(1, set()), (1, {A}), (1, {PAGE})]


def test_drills_that_are_about_nothing_of_it_do_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """They would only take time."""
    world = World(monkeypatch, drill({"name": "A"}), drill({"name": "X"}))
    world.findings(A)

    assert world.ran == [(1, set()), (1, {A})]


def test_a_drill_that_could_not_run_has_noticed_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack that does not start may have other reasons."""
    world = World(monkeypatch, drill({"name": "A"}))
    world.refused = {A}
    found = world.findings(A)

    assert (found[A].survived, found[A].words) == (True, "the drill did not run")


def test_a_stack_lacks_only_what_it_has(tmp_path: Path) -> None:
    """One without Grafana has no file of it."""
    (tmp_path / "f.yaml").write_text("a: 1\nb: 2\n")
    mine = Mutation(kind="panel", source="grafana", subject="x", name="x", file="f.yaml", places=(("a",),))
    other = Mutation(kind="panel", source="grafana", subject="x", name="x", file="grafana/g.yaml", places=(("a",),))

    module._remove([mine, other], tmp_path)

    assert (tmp_path / "f.yaml").read_text() == "b: 2\n"


def test_a_stack_that_does_not_start_is_told_and_its_drill_has_no_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others have theirs."""
    order, said = drill({"name": "A"}), list[str]()

    class Refusing(Fleet):
        def _run(self) -> None:
            for future in self._futures.values():
                future.set_exception(StackError("grafana is not ready"))

    monkeypatch.setattr(module, "Fleet", Refusing)
    tried = Drilling(orders=[order], runs=Path(), report=said.append)

    assert tried._run([0], []) == {}
    assert said == ["small: grafana is not ready"]


def test_an_alert_of_both_sources_is_two_expectations() -> None:
    """One that stands there already is not asked for twice; all others stay what they are."""
    both = {"name": "A", "source": "both", "receiver": "page"}
    order = apart(drill(both, {"name": "A", "source": "grafana", "receiver": "page"}, {"name": "B"}))

    assert [(one.name, one.source) for one in order.scenario.expect if isinstance(one, Alert)] == [
        ("A", "prometheus"),
        ("A", "grafana"),
        ("B", "prometheus"),
    ]
    assert Scenario.model_validate(order.scenario.to_json()) == order.scenario


def test_rules_of_both_sources_are_tried_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has an expectation of its own."""
    grafanas = missing("alert rule", "A", "grafana")
    world = World(monkeypatch, apart(drill({"name": "A", "source": "both"})))
    world.findings(A, grafanas)

    assert world.ran == [(1, set()), (1, {A, grafanas})]
