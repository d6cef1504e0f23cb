"""Content: what a notification says is filled in, is about the right thing, and leads somewhere."""

from collections.abc import Mapping
from typing import Any

import pytest

from assertions import alert as judge_of
from assertions.content import fits
from assertions.evidence import Lead
from scenarios.history import Event
from scenarios.record import Outcome, Verdict
from tests.unit.assertions.builders import (
    CHECK,
    NAMESPACE,
    OF_CATALOG,
    alert,
    change,
    evidence,
    fault,
    fault_on,
    felt,
    history,
    service,
    told,
    traffic,
)

SUMMARY = {"summary": "catalog (run-1): availability: 50% bad"}


def happened(*, texts: Mapping[str, str] = SUMMARY, labels: Mapping[str, str] = OF_CATALOG) -> list[Event]:
    """An alert that fires, is told with these texts, and resolves."""
    return [
        change(7, "firing", labels),
        told(7.5, labels=labels).model_copy(update={"annotations": texts}),
        change(20, "inactive", labels),
        told(20.5, "resolved", labels).model_copy(update={"annotations": texts}),
    ]


def judged(
    *events: Event, links: tuple[Lead, ...] | None = None, problem: str = "", asked: tuple[str, ...] = (), **given: Any
) -> Outcome:
    """What becomes of the usual alert when it was told so."""
    found = evidence(
        services={"catalog": service(failed=4)},
        leads={} if links is None else {CHECK.id: links},
        problems={"leads": problem} if problem else {},
    )
    return judge_of.judge(
        alert(links=asked, **given),
        CHECK,
        history(traffic(-10, 5), traffic(5, 15, failed=5), traffic(15, 30), fault_on(), events or happened()),
        found,
        namespace=NAMESPACE,
        fault=fault(),
        felt=felt(),
    )


@pytest.mark.parametrize(
    ("text", "ask"),
    [
        ("{{ $labels.service_name }} is slow", "{{ $labels.service_name }}"),
        ("<no value> is slow", "<no value>"),
        ("[no value] is slow", "[no value]"),
        ("<error expanding template: no such label> is slow", "<error expanding template: no such label>"),
        ("%!f(string=x) is slow", "%!f(string=x)"),
    ],
)
def test_a_template_that_was_not_filled_in_fails(text: str, ask: str) -> None:
    """By Prometheus, Grafana or Go; it is no matter whether the drill asks for the text."""
    outcome = judged(*happened(texts={"summary": text}))

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, None)
    assert outcome.expected == "texts whose templates are filled in"
    assert outcome.observed == f"summary of the notification that it is firing says {text!r}"
    assert outcome.hint == f"what does {ask} ask for? the rule's query gives no such label or value"
    assert (outcome.where, outcome.when) == ("prometheus", "after the fault at 5 s, healed at 15 s")


def test_labels_are_filled_in_too() -> None:
    """A component that is called by a template's text leads nobody anywhere."""
    labels = {**OF_CATALOG, "component": "{{ $labels.job }}"}

    assert "component of the notification" in judged(*happened(labels=labels)).observed


@pytest.mark.parametrize("text", ['{"kind":"burn_rate","any_of":[{"factor":1}]}', "100% bad", "a [value] < 5", "{}"])
def test_braces_alone_are_no_template(text: str) -> None:
    """A formula is JSON."""
    assert judged(*happened(texts={"summary": text})).verdict is Verdict.PASS


def test_the_end_must_be_told_as_well_as_the_beginning() -> None:
    """Its texts are filled in anew."""
    end = told(20.5, "resolved").model_copy(update={"annotations": {"summary": "<no value>"}})
    outcome = judged(*happened()[:3], end)

    assert outcome.observed == "summary of the notification that it is resolved says '<no value>'"


def test_the_texts_that_are_asked_for_are_there() -> None:
    """And it is said which were looked at."""
    outcome = judged(annotations={"summary": "catalog (*): *% bad"})

    assert outcome.verdict is Verdict.PASS
    assert ", says its summary, resolves" in outcome.expected


@pytest.mark.parametrize(
    ("texts", "observed"),
    [
        ({"summary": "users *"}, "it is 'catalog (run-1): availability: 50% bad'"),
        ({"description": "*"}, "it has no description; it has: summary"),
    ],
)
def test_another_text_fails(texts: dict[str, str], observed: str) -> None:
    """Whoever is called reads about the wrong thing, or nothing."""
    outcome = judged(annotations=texts)
    ((name, pattern),) = texts.items()

    assert outcome.verdict is Verdict.FAIL
    assert outcome.expected == f"a notification whose {name} is {pattern!r}"
    assert (outcome.observed, outcome.where) == (observed, "alertmanager and its receivers")
    assert outcome.hint == "is the annotation of the rule right, and is it about the right service?"


def test_a_notification_without_any_text_says_so() -> None:
    """There is nothing to choose from."""
    assert judged(*happened(texts={}), annotations={"summary": "*"}).observed == "it has no summary; it has: none"


RUNBOOK = Lead(source="prometheus", name="runbook", url="docs/a.md")
RULE = Lead(source="prometheus", name="rule", url="http://prom/graph")


def test_links_that_lead_somewhere_pass() -> None:
    """Those of the other source are not looked at."""
    dead = Lead(source="grafana", name="rule", url="http://grafana/x", problem="is nowhere")

    assert judged(links=(RUNBOOK, RULE, dead), asked=("runbook", "rule")).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("links", "verdict", "observed"),
    [
        ((RULE,), Verdict.FAIL, "the notification has no link to its runbook; it has: rule"),
        ((), Verdict.FAIL, "the notification has no link to its runbook; it has: none"),
        (
            (RUNBOOK.model_copy(update={"problem": "is no file in /docs"}),),
            Verdict.FAIL,
            "its runbook docs/a.md is no file in /docs",
        ),
        (
            (RUNBOOK.model_copy(update={"problem": "leads outside", "followed": False}),),
            Verdict.UNKNOWN,
            "its runbook docs/a.md leads outside",
        ),
        (None, Verdict.UNKNOWN, "nobody followed them"),
    ],
)
def test_links_that_lead_nowhere(links: tuple[Lead, ...] | None, verdict: Verdict, observed: str) -> None:
    """One that is missing or broken fails; one that nobody followed is not known."""
    outcome = judged(links=links, asked=("runbook",))

    assert (outcome.verdict, outcome.observed) == (verdict, observed)
    assert outcome.expected == "links that lead somewhere: runbook"
    if verdict is Verdict.FAIL:
        assert outcome.hint == (
            "whoever is paged at night follows it: is what it names there, and is the address one for people?"
        )


def test_a_backend_that_did_not_answer_is_named() -> None:
    """So links are not known to be wrong."""
    assert judged(problem="grafana did not answer", asked=("panel",)).observed == "grafana did not answer"


@pytest.mark.parametrize(
    ("text", "pattern", "fit"),
    [
        ("catalog is slow", "catalog*", True),
        ("catalog is slow", "*slow", True),
        ("catalog is slow", "catalog", False),
        ("a.b", "a?b", False),
        ("a[1]", "a[1]", True),
        ("two\nlines", "two*", True),
        ("", "*", True),
    ],
)
def test_patterns(text: str, pattern: str, fit: bool) -> None:
    """Only `*` stands for something else than itself, and the whole text must fit."""
    assert fits(text, pattern) is fit
