"""Life: of all instances of an alert, the one that is meant, and when it did what."""

from typing import Any

import pytest

from assertions.life import Life, is_of_drill, life_of
from scenarios.history import Event
from tests.unit.assertions.builders import NAMESPACE, OF_CATALOG, T0, alert, change, history, life, told

OF_USERS = {**OF_CATALOG, "service_name": "users"}
ANOTHER_SLO = {**OF_CATALOG, "slo": "latency"}
A_TICKET = {**OF_CATALOG, "severity": "ticket"}


def lived(*events: Event, **given: Any) -> Life:
    """The life of the usual alert after a fault at 5 s."""
    return life_of(
        alert(**given), history(*events), source=given.get("source", "prometheus"), namespace=NAMESPACE, since=T0 + 5
    )


def test_an_alert_that_nobody_heard_of_has_no_life() -> None:
    """Its service is the one that was asked for, for the sake of its bound."""
    assert Life(service="catalog", labels={}) == lived()


def test_an_alert_without_a_service_is_about_what_clients_use() -> None:
    """Neither its labels nor the expectation's say more."""
    assert lived(labels={}).service == "frontend"


def test_each_moment_is_told() -> None:
    """From pending to the last notification; `active_t` is what the backend itself says."""
    events: list[Event] = [
        change(6, "pending", active_at=T0 + 5.8),
        change(8, "firing", active_at=T0 + 5.8),
        told(8.5),
        change(20, "inactive"),
        told(21, "resolved"),
    ]

    assert lived(*events) == Life(
        service="catalog",
        labels=OF_CATALOG,
        active_t=T0 + 5.8,
        fired_t=T0 + 8,
        lapsed_t=T0 + 20,
        resolved_t=T0 + 20,
        notified_t=T0 + 8.5,
        resolved_notified_t=T0 + 21,
        told=(told(8.5), told(21, "resolved")),
    )


def test_without_the_backends_word_it_was_active_when_it_was_seen() -> None:
    """To the precision of the polls."""
    assert lived(change(8, "firing")).active_t == T0 + 8


def test_what_was_notified_had_fired_by_then() -> None:
    """Alerts are polled, arrivals are stamped; a poll may even miss the firing."""
    assert lived(told(7.9), change(8, "firing")).fired_t == T0 + 7.9
    assert lived(change(6, "pending"), told(7.9)).fired_t == T0 + 7.9
    assert (lived(told(7.9)).fired_t, lived(told(7.9)).labels) == (T0 + 7.9, OF_CATALOG)
    assert lived(told(8.1), change(8, "firing")).fired_t == T0 + 8


def test_a_firing_that_no_poll_saw_still_resolves() -> None:
    """The poll saw it end."""
    assert lived(change(6, "pending"), told(7.9), change(9, "inactive")).resolved_t == T0 + 9


def test_an_end_at_the_very_moment_of_its_notification_is_one() -> None:
    """It had fired for as long as nobody looked."""
    assert lived(change(6, "pending"), told(7.9), change(7.9, "inactive")).resolved_t == T0 + 7.9


def test_an_end_before_the_firing_is_no_resolution() -> None:
    """It had only been pending."""
    assert lived(change(6, "pending"), change(7, "inactive"), told(7.9)).resolved_t is None


@pytest.mark.parametrize(
    "labels",
    [
        {**OF_CATALOG, "alertname": "Another"},
        OF_USERS,
        {**OF_CATALOG, "service_namespace": "somebody-elses"},
        {"alertname": "Burn"},
    ],
)
def test_alerts_of_another_name_service_or_drill_are_not_meant(labels: dict[str, str]) -> None:
    """They are no proof that this fault was seen."""
    assert lived(*life(labels=labels)).fired_t is None


def test_the_pipelines_own_alerts_have_no_namespace() -> None:
    """Then the name and the labels that were asked for have to do."""
    labels = {"alertname": "Burn", "component": "collector"}

    assert lived(*life(labels=labels), labels={"component": "collector"}).fired_t == T0 + 7
    assert is_of_drill(labels, NAMESPACE)


def test_only_prometheus_changes_count() -> None:
    """Alertmanager repeats what it was told."""
    assert lived(change(7, "firing", source="alertmanager")).fired_t is None


def test_of_several_instances_the_first_to_fire_is_meant() -> None:
    """One that only became pending earlier is another one's story; and so are all later moments."""
    events: list[Event] = [change(5.5, "pending"), *life(7, 20, ANOTHER_SLO), *life(8, None)]

    found = lived(*events)

    assert found.labels == ANOTHER_SLO
    assert (found.active_t, found.fired_t, found.resolved_t) == (T0 + 7, T0 + 7, T0 + 20)
    assert (found.notified_t, found.resolved_notified_t) == (T0 + 7.5, T0 + 20.5)


def test_notifications_of_another_instance_prove_nothing() -> None:
    """Nobody was told of this one."""
    found = lived(change(7, "firing"), told(7.5, labels=ANOTHER_SLO | {"severity": "ticket"}))

    assert (found.labels, found.notified_t) == (OF_CATALOG, None)


def test_the_first_to_fire_may_be_known_by_its_notification_alone() -> None:
    """Its own labels are those of the rule, without what was added on the way."""
    found = lived(
        change(6, "pending"),
        change(6, "pending", ANOTHER_SLO),
        told(7, labels={**ANOTHER_SLO, "cluster": "one"}),
        change(7.2, "firing", ANOTHER_SLO),
        *life(9, None),
    )

    assert (found.labels, found.fired_t, found.notified_t) == (ANOTHER_SLO, T0 + 7, T0 + 7)


@pytest.mark.parametrize("other", [told(4, labels=A_TICKET), told(6, "resolved", A_TICKET)])
def test_notifications_of_earlier_firings_do_not_choose_the_instance(other: Event) -> None:
    """Neither one that arrived before the fault, nor one that tells of an end."""
    assert lived(other, *life(8)).labels == OF_CATALOG


def test_a_notification_at_the_very_moment_of_the_fault_chooses_the_instance() -> None:
    """That moment counts as its own."""
    assert lived(told(5, labels=A_TICKET), *life(8)).labels == A_TICKET


def test_without_firing_the_first_pending_instance_is_meant() -> None:
    """It shows how far the alert got."""
    found = lived(change(6, "pending"), change(7, "pending", ANOTHER_SLO))

    assert (found.labels, found.active_t, found.fired_t) == (OF_CATALOG, T0 + 6, None)


def test_what_was_before_the_fault_is_no_part_of_the_life() -> None:
    """It is told apart, for it means that nothing can be attributed."""
    found = lived(change(-8, "firing"), told(-7), change(-6, "inactive"), told(-5, "resolved"), *life(8, 20))

    assert (found.before, found.fired_t, found.notified_t) == ("firing", T0 + 8, T0 + 8.5)


@pytest.mark.parametrize(
    ("earlier", "before"),
    [
        ([], None),
        ([change(-8, "pending"), change(-6, "inactive")], None),
        ([change(4, "pending")], "pending"),
        ([change(4, "pending"), change(4.5, "inactive", ANOTHER_SLO)], "pending"),
        ([change(4, "pending"), change(4.5, "firing")], "firing"),
        ([change(-8, "firing"), change(-6, "inactive")], "firing"),
        ([told(4)], "firing"),
        ([told(4, "resolved")], None),
        ([change(4, "firing", OF_USERS)], None),
        ([told(4, labels=OF_USERS)], None),
    ],
)
def test_silence_before_the_fault(earlier: list[Event], before: str | None) -> None:
    """Any firing breaks it, by whatever instance that is meant; a pending one only if it was so when the fault began."""
    assert lived(*earlier).before == before


def test_a_change_at_the_very_moment_of_the_fault_is_after_it() -> None:
    """The fault is applied at a moment that counts as its own."""
    assert (lived(change(5, "firing")).before, lived(change(5, "firing")).fired_t) == (None, T0 + 5)
    assert (lived(told(5)).before, lived(told(5)).notified_t) == (None, T0 + 5)
    assert (lived(change(4.9, "firing")).fired_t, lived(told(4.9)).fired_t) == (None, None)


@pytest.mark.parametrize(
    ("states", "lapsed", "again", "resolved"),
    [
        ([(7, "firing")], None, None, None),
        ([(7, "firing"), (9, "inactive")], 9, None, 9),
        ([(7, "firing"), (9, "pending")], 9, None, None),
        ([(7, "firing"), (9, "inactive"), (11, "firing")], 9, 11, None),
        ([(7, "firing"), (9, "pending"), (11, "firing"), (20, "inactive")], 9, 11, 20),
        ([(6, "pending"), (6.5, "inactive"), (7, "firing"), (20, "inactive")], 20, None, 20),
        ([(6, "pending"), (6.5, "inactive")], None, None, None),
    ],
)
def test_lapses(
    states: list[tuple[float, str]], lapsed: float | None, again: float | None, resolved: float | None
) -> None:
    """When it first left the state of firing, when it came back, and when it was gone for good."""
    found = lived(*(change(t, state) for t, state in states))

    def at(t: float | None) -> float | None:
        return None if t is None else T0 + t

    assert (found.lapsed_t, found.refired_t, found.resolved_t) == (at(lapsed), at(again), at(resolved))


def test_a_notification_that_fires_again_is_not_resolved() -> None:
    """The last word counts."""
    assert lived(*life(7, 20), told(22)).resolved_notified_t is None


def test_a_resolved_notification_alone_is_none_of_this_alert() -> None:
    """It tells of something that had fired before the fault, and was notified then."""
    assert lived(told(6, "resolved")).resolved_notified_t is None


def test_only_the_receiver_that_was_meant_counts() -> None:
    """What another one was told, before or after, is neither the notification nor its end."""
    events: list[Event] = [change(8, "firing"), told(8.5, receiver="info"), told(9, receiver="page")]
    events += [told(20, "resolved", receiver="page"), told(21, receiver="info")]
    found = lived(*events, receiver="page")

    assert (found.notified_t, found.resolved_notified_t, found.astray) == (T0 + 9, T0 + 20, ())


def test_grafanas_contact_points_count_without_their_first_word() -> None:
    """One name means the same receiver on both ways."""
    events: list[Event] = [change(8, "firing", source="grafana"), told(9, receiver="grafana-page")]

    assert lived(*events, source="grafana", receiver="page").notified_t == T0 + 9
    assert lived(*events, source="grafana", receiver="grafana-page").notified_t == T0 + 9


def test_receivers_that_were_told_instead_are_named() -> None:
    """The alert fired all the same, at the latest when they heard of it."""
    found = lived(told(9, receiver="info"), told(20, "resolved", receiver="info"), receiver="page")

    assert (
        found.fired_t,
        found.notified_t,
        found.resolved_notified_t,
        found.astray,
    ) == (T0 + 9, None, None, ("info",))
