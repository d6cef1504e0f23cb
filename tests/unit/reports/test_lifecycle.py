"""Alerts' lives are told per instance, with the notifications that belong to them."""

from reports.evidence import AlertTimes
from reports.lifecycle import Lane, Stretch, lanes
from scenarios.history import AlertChange, Event, History, Notification
from tests.unit.reports import examples

END = 100.0


def change(t: float, state: str, name: str = "A", source: str = "prometheus", **labels: str) -> AlertChange:
    """
    One change of an alert's state.
    """
    return AlertChange.model_validate({"t": t, "source": source, "name": name, "labels": labels, "state": state})


def notice(t: float, status: str = "firing", name: str = "A", **labels: str) -> Notification:
    """
    One arrival at the sink.
    """
    return Notification.model_validate({"t": t, "receiver": "pager", "status": status, "name": name, "labels": labels})


def told(*events: Event, expected: tuple[str, ...] = (), times: tuple[AlertTimes, ...] = ()) -> tuple[Lane, ...]:
    """
    The lanes of a history.
    """
    return lanes(History(events), times, expected, END)


def test_a_life_goes_from_pending_over_firing_to_resolved() -> None:
    """
    Each state lasts until the next change.
    """
    (lane,) = told(change(1, "inactive"), change(10, "pending"), change(12, "firing"), change(30, "inactive"))

    assert (Stretch(start=10, end=12, state="pending"), Stretch(start=12, end=30, state="firing")) == lane.stretches
    assert lane.resolved_t == 30


def test_an_alert_that_fires_still_lasts_to_the_end() -> None:
    """
    What was never seen to resolve is not called resolved.
    """
    (lane,) = told(change(10, "firing"))

    assert (Stretch(start=10, end=END, state="firing"),) == lane.stretches
    assert lane.resolved_t is None


def test_an_alert_that_only_waited_was_not_resolved() -> None:
    """
    Pending that passes is no resolution, for nothing fired.
    """
    (lane,) = told(change(10, "pending"), change(12, "inactive"))

    assert lane.resolved_t is None


def test_a_notification_belongs_to_the_alert_whose_labels_it_has() -> None:
    """
    On its way an alert gains labels, such as Prometheus' external ones; another instance's notification is not taken.
    """
    found = told(
        change(10, "firing", service_name="frontend", alertname="A"),
        change(11, "firing", service_name="users"),
        notice(12, service_name="frontend", cluster="drill", alertname="A"),
    )

    assert [(lane.service, len(lane.notifications)) for lane in found] == [("frontend", 1), ("users", 0)]


def test_alertmanager_has_no_lane_for_what_an_evaluator_lists() -> None:
    """
    Prometheus and Grafana evaluate, each has a lane; Alertmanager only repeats what Prometheus said.
    """
    found = told(
        change(11, "firing", source="alertmanager", job="x", cluster="drill"),
        change(10, "firing", job="x"),
        change(12, "firing", source="grafana", job="x"),
    )

    assert [lane.source for lane in found] == ["prometheus", "grafana"]


def test_alertmanager_has_a_lane_for_what_nobody_else_lists() -> None:
    """
    The detector posts straight to Alertmanager.
    """
    (lane,) = told(change(11, "suppressed", source="alertmanager", service="catalog"))

    assert (lane.source, lane.service, lane.first_t) == ("alertmanager", "catalog", 11)


def test_a_notification_of_an_alert_that_nobody_listed_is_drawn_too() -> None:
    """
    Both notifications of it share one lane.
    """
    (lane,) = told(notice(10, job="x"), notice(20, "resolved", job="x"))

    assert (lane.source, lane.first_t, len(lane.notifications)) == ("notifications", 10, 2)


def test_the_most_interesting_alerts_come_first() -> None:
    """
    Expected instances, their siblings, what else fired, what only waited; a watchdog, which always fires, comes last.
    """
    found = told(
        change(1, "firing", "Watchdog", severity="none"),
        change(3, "pending", "Waited"),
        change(5, "firing", "Fired"),
        change(7, "pending", "Expected", service="sibling"),
        change(9, "pending", "Expected", service="frontend"),
        expected=("Expected",),
        times=(AlertTimes(name="Expected", labels={"service": "frontend"}, bound_t=10),),
    )

    assert [(lane.name, lane.service) for lane in found] == [
        ("Expected", "frontend"),
        ("Expected", "sibling"),
        ("Fired", ""),
        ("Waited", ""),
        ("Watchdog", ""),
    ]
    assert [lane.routine for lane in found] == [False, False, False, False, True]


def test_alerts_of_equal_interest_are_in_order_of_time() -> None:
    """
    What changed first stands first.
    """
    found = told(change(5, "firing", "B"), change(3, "firing", "C"), change(9, "firing", "A"))

    assert [lane.name for lane in found] == ["C", "B", "A"]


def test_an_alert_that_stayed_inactive_has_no_lane() -> None:
    """
    Nothing happened to it.
    """
    assert told(change(5, "inactive")) == ()


def test_the_bound_is_of_the_same_alert_and_service() -> None:
    """
    Two services' alerts of one name have two bounds.
    """
    times = (
        AlertTimes(name="A", labels={"service_name": "users"}, bound_t=50),
        AlertTimes(name="A", labels={"service_name": "frontend", "extra": "x"}, bound_t=40),
    )
    (lane,) = told(change(10, "firing", service_name="frontend"), times=times)

    assert lane.bound_t == 40


def test_the_bound_is_that_of_the_source() -> None:
    """
    One alert that two sources raise has two bounds; figures that do not say whose they are count for both.
    """
    times = (
        AlertTimes(name="A", source="grafana", bound_t=50),
        AlertTimes(name="A", source="prometheus", bound_t=40),
        AlertTimes(name="B", bound_t=30),
    )
    found = told(
        change(10, "firing", "A"),
        change(11, "firing", "A").model_copy(update={"source": "grafana"}),
        change(12, "firing", "B"),
        times=times,
    )

    assert [(lane.source, lane.bound_t) for lane in found] == [("prometheus", 40), ("grafana", 50), ("prometheus", 30)]


def test_a_rule_without_data_or_in_error_is_drawn() -> None:
    """
    People are told of it as of any alert that fires.
    """
    (lane,) = told(change(5, "nodata"), change(6, "error"), change(9, "inactive"))

    assert [(one.start, one.end, one.state) for one in lane.stretches] == [(5, 6, "nodata"), (6, 9, "error")]
    assert (lane.fired, lane.resolved_t) == (True, 9)


def test_an_example_has_the_lanes_that_a_reader_expects() -> None:
    """
    The expected alert of `error-burst` is first, with both notifications.
    """
    first, second = lanes(examples.passed().history, (), ("ErrorBudgetBurnFast",), examples.END_T)

    assert (first.name, len(first.notifications), first.service) == ("ErrorBudgetBurnFast", 2, "frontend")
    assert second.name == "ErrorRateHigh"
