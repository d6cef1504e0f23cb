"""Grafana's own alerts and rules, as versions 9 to 13 give them, and their attribution apart from Prometheus'."""

from typing import Any

import pytest

from assertions import alert as judges
from assertions.backend import BackendError
from assertions.grafana import Grafana
from scenarios.record import Outcome, Rung, Verdict
from tests.unit.assertions.builders import (
    CHECK,
    NAMESPACE,
    OF_CATALOG,
    T0,
    alert,
    answering,
    change,
    evidence,
    fault,
    fault_on,
    felt,
    history,
    life,
    rule,
    service,
    traffic,
)

LABELS = {"alertname": "Burn", "grafana_folder": "Tocsin alerts", "severity": "page"}


def listed(*states: str) -> Any:
    """The answer with one instance for each state."""
    instances = [
        {"labels": LABELS, "annotations": {}, "state": state, "activeAt": "2026-11-24T10:48:10Z", "value": "1e+00"}
        for state in states
    ]
    return {"status": "success", "data": {"alerts": instances}}


def asked(answer: Any) -> Grafana:
    """A client of a Grafana that answers so."""
    return Grafana("http://grafana", transport=answering(answer))


@pytest.mark.parametrize(
    ("state", "seen", "name"),
    [
        ("Pending", "pending", "Burn"),
        ("Alerting", "firing", "Burn"),
        ("Alerting (NoData)", "firing", "Burn"),
        ("Recovering", "firing", "Burn"),
        ("NoData", "nodata", "DatasourceNoData"),
        ("Error", "error", "DatasourceError"),
    ],
)
def test_states_are_those_of_a_history(state: str, seen: str, name: str) -> None:
    """What has no data or fails is told under a name of its own, with its rule's as a label."""
    (found,) = asked(listed(state)).alerts()

    assert (found.state, found.name) == (seen, name)
    assert found.labels.get("rulename", "Burn") == "Burn"
    assert found.active_at == pytest.approx(1795517290)


def test_normal_instances_are_no_alerts() -> None:
    """Nor is a list that is left out while nothing was evaluated."""
    assert asked(listed("Normal", "Normal (MissingSeries)")).alerts() == []
    assert asked({"data": {"alerts": None}}).alerts() == []


def test_rules_are_read_with_their_formula_and_interval() -> None:
    """Fields that an older version leaves out have a default."""
    group = {
        "interval": 1,
        "rules": [{"name": "Burn", "health": "error", "lastError": "no such metric", "duration": 2}],
    }
    (found,) = asked({"data": {"groups": [group]}}).rules()

    assert (found.name, found.health, found.last_error) == ("Burn", "err", "no such metric")
    assert (found.for_s, found.interval_s, found.annotations) == (2, 1, {})


def test_an_answer_without_data_is_named() -> None:
    """With its beginning."""
    with pytest.raises(BackendError, match="grafana answered /api/prometheus/grafana/api/v1/alerts without data"):
        asked({"message": "hello"}).alerts()


def judged(*events: Any, **found: Any) -> Outcome:
    """The outcome of an alert that Grafana must raise."""
    happened = history(traffic(-10, 20, failed=5), fault_on(), *events)
    answers = evidence(**({"services": {"catalog": service(failed=5)}, "grafana_rules": {"Burn": rule()}} | found))
    expected = alert(source="grafana", resolves_within="10s")
    return judges.judge(expected, CHECK, happened, answers, namespace=NAMESPACE, fault=fault(), felt=felt())


def by_grafana(labels: dict[str, str] = OF_CATALOG) -> list[Any]:
    """An alert's life as Grafana raised and told it."""
    return [
        event.model_copy(update={"receiver": "grafana-page"} if hasattr(event, "receiver") else {"source": "grafana"})
        for event in life(labels=labels)
    ]


def test_an_alert_by_grafana_is_judged_by_its_own_life() -> None:
    """With its own bound, from its own rule."""
    found = judged(by_grafana())

    assert found.verdict is Verdict.PASS, found.message()
    assert found.facts["source"] == "grafana"
    assert found.facts["bound_s"] is not None


def test_the_same_alert_by_prometheus_does_not_count() -> None:
    """Neither its firing nor its notification; the failure is Grafana's."""
    found = judged(life())

    assert (found.verdict, found.rung, found.where) == (Verdict.FAIL, Rung.NOT_EVALUATED, "grafana")


def test_a_rule_that_grafana_lacks_is_named_with_those_that_it_has() -> None:
    """They are not Prometheus'."""
    found = judged(grafana_rules={"Other": rule()})

    assert found.hint == "no rule of this name is loaded in grafana; loaded: Other"


def test_one_that_fired_and_was_not_told_is_a_matter_of_policies() -> None:
    """Alertmanager has no part in it."""
    found = judged(change(7, "firing", source="grafana"))

    assert (found.rung, found.where) == (Rung.NOT_NOTIFIED, "grafana and its contact points")
    assert "notification policy" in found.hint
    assert found.facts["fired_t"] >= T0
