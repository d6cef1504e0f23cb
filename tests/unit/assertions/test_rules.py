"""Rules: what is loaded is compared with what was generated, and with what each one says of its health."""

from typing import Any

import httpx
import pytest

from assertions.blueprint import Blueprint, rule_name
from assertions.evidence import Evidence, Rulebook
from assertions.gather import Backends, gather
from assertions.grafana import Grafana
from assertions.prometheus import Prometheus
from assertions.rules import judge
from assertions.tempo import Tempo
from scenarios.model import Rules
from scenarios.record import Outcome, Rung, Verdict
from tests.unit.assertions.builders import CHECK, NAMESPACE, evidence, history, refusing, scenario, traffic

RULE = {"query": "up", "health": "ok", "duration": 0, "labels": {"severity": "page"}, "annotations": {}}
ALERT = {**RULE, "name": "Down", "type": "alerting"}
RECORD = {"query": "up", "health": "ok", "name": "job:up", "type": "recording", "labels": {"window": "5s"}}
BROKEN = {**RECORD, "name": "job:down", "health": "err", "lastError": "many-to-many"}

DOWN, UP = 'alert Down{severity="page"}', 'record job:up{window="5s"}'


def loaded(*rules: dict[str, Any]) -> httpx.MockTransport:
    """A Prometheus or a Grafana that has these rules, and no answer to anything else."""

    def answer(request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith("/rules"):
            return httpx.Response(500)
        kind = {"alert": "alerting", "record": "recording"}.get(request.url.params.get("type", ""))
        found = [rule for rule in rules if kind in (None, rule["type"])]
        return httpx.Response(200, json={"data": {"groups": [{"interval": 1, "rules": found}]}})

    return httpx.MockTransport(answer)


def gathered(transport: httpx.BaseTransport, *planned: str, source: str = "prometheus") -> Evidence:
    """The evidence of a drill that asks for the rules of a source."""
    backends = Backends(
        prometheus=Prometheus("http://prom", transport=transport),
        tempo=Tempo("http://tempo", transport=refusing()),
        grafana=Grafana("http://grafana", transport=transport),
        namespace=NAMESPACE,
        delays=evidence().delays,
        blueprint=Blueprint(rules={source: planned}),
        settle_s=0,
    )
    return gather(scenario({"rules": {"source": source}}), history(traffic(0, 2)), backends)


def judged(book: Rulebook | None, **given: Any) -> Outcome:
    """The outcome for what is loaded."""
    return judge(Rules(), CHECK, evidence(rulebooks={CHECK.id: book} if book else {}, **given))


def test_rules_are_called_so_that_no_two_share_a_name() -> None:
    """The same series is recorded for several windows."""
    assert rule_name("record", "a", {"b": "2", "a": "1"}) == 'record a{a="1", b="2"}'


def test_recording_and_alerting_rules_are_compared_with_the_plan() -> None:
    """By kind, name and labels; those that fail are named with the reason."""
    found = gathered(loaded(ALERT, RECORD, BROKEN), UP, DOWN, 'record job:up{window="1m"}')

    assert found.rulebooks["expect/1"] == Rulebook(
        loaded=3, missing=('record job:up{window="1m"}',), failing=('record job:down{window="5s"}: many-to-many',)
    )


def test_grafanas_rules_are_compared_too() -> None:
    """By its own API."""
    found = gathered(loaded(ALERT), DOWN, "alert Up{}", source="grafana")

    assert found.rulebooks["expect/1"] == Rulebook(loaded=1, missing=("alert Up{}",))


@pytest.mark.parametrize("source", ["prometheus", "grafana"])
def test_a_source_that_does_not_answer_is_the_one_that_is_blamed(source: str) -> None:
    """So that the check is unknown for its reason."""
    found = gathered(refusing(), source=source)

    assert found.rulebooks == {}
    assert judge(Rules(source=source), CHECK, found).observed.startswith(f"{source} did not answer")


def test_all_there_and_healthy_passes_with_their_number() -> None:
    """And nothing else is said."""
    found = judged(Rulebook(loaded=2))

    assert (found.verdict, found.observed) == (Verdict.PASS, "2 rules, all in order")


@pytest.mark.parametrize(
    ("book", "observed", "hint"),
    [
        (Rulebook(loaded=0, missing=("a",)), "no rule at all is loaded", "is the rule file where it is looked for?"),
        (Rulebook(loaded=1, missing=("a", "b")), "not loaded: a and b", "was the file changed by hand?"),
        (Rulebook(loaded=1, failing=("a: x",)), "cannot be evaluated: a: x", "mend the rule"),
    ],
)
def test_what_is_wrong_is_named(book: Rulebook, observed: str, hint: str) -> None:
    """With what to do about it."""
    found = judged(book)

    assert (found.verdict, found.rung) == (Verdict.FAIL, Rung.NOT_EVALUATED)
    assert (found.observed, found.where) == (observed, "the rules of prometheus")
    assert found.hint.startswith(hint)


def test_rules_that_nobody_asked_for_are_unknown() -> None:
    """With the backend's reason, if there is one."""
    assert judged(None).observed == "prometheus was not asked"
    assert judged(None, problems={"prometheus": "gone"}).observed == "gone"
    assert judged(None).verdict is Verdict.UNKNOWN
