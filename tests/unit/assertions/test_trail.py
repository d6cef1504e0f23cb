"""Trail: a hint at why an alert did not fire, or at where it got lost."""

from typing import Any

import pytest

from assertions.evidence import Collector, Evidence
from assertions.trail import why_not_evaluated, why_not_told
from scenarios.record import Rung
from tests.unit.assertions.builders import (
    OF_CATALOG,
    T0,
    change,
    counter,
    evidence,
    fault,
    history,
    ordeal,
    rule,
    service,
    traffic,
)

HAPPENED = history(traffic(-10, 5), traffic(5, 15, failed=5), traffic(15, 30), traffic(5, 15, route="/api/users"))
SILENT = {"catalog": service(until=4)}


def why(found: Evidence, broken: Any = None, **given: Any) -> tuple[Rung, str]:
    """Why the usual alert did not fire though its fault was on from 5 s to 15 s."""
    return why_not_evaluated(ordeal(found, HAPPENED, broken=broken, **given))


def test_data_that_never_came_is_told_before_the_rule() -> None:
    """A rule cannot see what is not there; the hint names the service that was followed."""
    assert why(evidence(services=SILENT, rules={})) == (
        Rung.NOT_EMITTED,
        "the app sent nothing of it: followed the requests of catalog during the fault",
    )


def test_failures_are_followed_for_faults_that_make_them() -> None:
    """All requests were counted, but none of them as failed."""
    found = evidence(services={"catalog": service(failed=0)})

    assert why(found)[0] is Rung.NOT_EMITTED
    assert why(found, fault(kind="exception", target="catalog"))[0] is Rung.NOT_EMITTED
    assert why(found, fault(kind="latency", target="catalog", delay="1s"))[0] is Rung.NOT_EVALUATED


def test_the_service_that_the_alert_is_about_is_followed() -> None:
    """By its label; else the fault's target; else, for faults of the traffic, what clients use."""
    assert why(evidence(services={"users": service(failed=4)}), labels={"service_name": "users"})[0] is (
        Rung.NOT_EVALUATED
    )
    assert why(evidence(services=SILENT), labels={})[1].endswith("followed the requests of catalog during the fault")
    spike = fault(kind="spike", factor=3)
    assert why(evidence(services=SILENT), spike, labels={})[1].endswith(
        "followed the requests of frontend during the fault"
    )
    kill = fault(kind="kill", target="users")
    assert why(evidence(services=SILENT), kill, labels={})[1].endswith(
        "followed the requests of users during the fault"
    )


@pytest.mark.parametrize(
    "broken",
    [
        fault(kind="kill", target="collector"),
        fault(kind="command", apply=["a"], heal=["b"]),
    ],
)
def test_an_alert_about_no_service_follows_no_requests(broken: Any) -> None:
    """Nobody knows which ones would tell."""
    assert why(evidence(services=SILENT), broken, labels={})[0] is Rung.NOT_EVALUATED


@pytest.mark.parametrize("kind", ["absent", "pipeline"])
def test_missing_data_does_not_explain_an_alert_about_missing_data(kind: str) -> None:
    """Its rule should have fired just because of it."""
    found = evidence(services=SILENT, rules={"Burn": rule(formula={"kind": kind})})

    assert why(found)[0] is Rung.NOT_EVALUATED


def test_missing_data_does_not_explain_what_a_silent_app_causes() -> None:
    """That it sends nothing is what this fault means."""
    silent = fault(kind="telemetry_silent", target="catalog")

    assert why(evidence(services=SILENT, rules={}), silent)[0] is Rung.NOT_EVALUATED


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        (
            {"rules": {"Watchdog": rule(), "Another": rule()}},
            "no rule of this name is loaded in prometheus; loaded: Another and Watchdog",
        ),
        ({"rules": {}}, "no rule of this name is loaded in prometheus; loaded: none"),
        (
            {"rules": {"Burn": rule(health="err", last_error="parse error")}},
            "the rule cannot be evaluated: parse error",
        ),
        ({}, "the data is there; does the rule ask for it? sum(errors) > 1"),
        ({"rules": {"Burn": rule(formula="text")}}, "the data is there; does the rule ask for it? sum(errors) > 1"),
    ],
)
def test_with_all_data_there_it_is_the_rule(given: dict[str, Any], hint: str) -> None:
    """It is missing, broken, or asks for something else."""
    assert why(evidence(services={"catalog": service(failed=4)}, **given)) == (Rung.NOT_EVALUATED, hint)


def test_where_prometheus_could_not_be_asked_nothing_is_guessed() -> None:
    """Neither data nor rules are known to be missing."""
    found = evidence(rules={}, problems={"prometheus": "prometheus did not answer"})

    assert why(found) == (
        Rung.NOT_EVALUATED,
        "prometheus could not be asked for the rule: prometheus did not answer",
    )


def test_a_dead_collector_is_named() -> None:
    """The rung is that of the ladder."""
    found = evidence(services=SILENT, collector=Collector(up=False))

    assert why(found)[0] is Rung.NOT_COLLECTED


def test_data_of_another_time_does_not_count() -> None:
    """What rose only after the healing was not there for the rule."""
    late = service().model_copy(update={"failed_by_time": ((T0 + 5, 0.0), *counter(22, 30, 50))})

    assert why(evidence(services={"catalog": late}))[0] is Rung.NOT_EMITTED


def hint_of(*states: str, labels: dict[str, str] = OF_CATALOG, **given: Any) -> str:
    """The hint when Alertmanager had the alert in these states."""
    happened = history(
        change(7, "firing"),
        *(change(8 + n, state, labels, source="alertmanager") for n, state in enumerate(states)),
    )
    return why_not_told(ordeal(evidence(**given), happened))


@pytest.mark.parametrize("labels", [OF_CATALOG, {**OF_CATALOG, "cluster": "one"}])
def test_an_alert_that_alertmanager_had_was_lost_behind_it(labels: dict[str, str]) -> None:
    """Its labels may have become more on the way."""
    assert hint_of("firing", labels=labels) == (
        "alertmanager had it and counted no failure: does a route lead to the receiver?"
    )


def test_failed_notifications_are_counted() -> None:
    """That is the clearest word of all."""
    assert hint_of("firing", notify_failures=3) == (
        "alertmanager counted 3 failed notifications: is the receiver's address right?"
    )


@pytest.mark.parametrize(
    ("states", "labels"),
    [((), OF_CATALOG), (("firing",), {**OF_CATALOG, "service_name": "users"}), (("firing",), {"alertname": "Another"})],
)
def test_an_alert_that_alertmanager_never_had_was_lost_before_it(
    states: tuple[str, ...], labels: dict[str, str]
) -> None:
    """That it had another one does not count."""
    assert hint_of(*states, labels=labels, notify_failures=3) == (
        "alertmanager never had it: is its address right in prometheus' configuration?"
    )


@pytest.mark.parametrize("states", [("suppressed",), ("suppressed", "inactive")])
def test_a_silenced_alert_is_called_silenced(states: tuple[str, ...]) -> None:
    """Then nobody had to be told."""
    assert hint_of(*states, notify_failures=3) == (
        "alertmanager had it, but silenced or inhibited: is there a silence, or an alert that inhibits it?"
    )


def test_an_alert_that_fired_with_other_labels_is_told_with_them() -> None:
    """Where all data is there: the drill, or the rule, has a slip in a label."""
    happened = history(traffic(-10, 5), traffic(5, 15, failed=5), change(7, "firing"))
    found = evidence(services={"catalog": service(failed=4)})
    labels = {"service_name": "catalog", "severity": "ticket", "team": "shop"}

    assert why_not_evaluated(ordeal(found, happened, labels=labels)) == (
        Rung.NOT_EVALUATED,
        "it fired with severity=page and team=nothing: are the labels that are expected the right ones?",
    )
