"""Live: what people see of a drill while it runs."""

from scenarios.history import AlertChange, Event, FaultChange, Notification, Phase, Traffic
from tocsin.live import Live


def live(*events: Event) -> Live:
    """A view that has seen some events."""
    view = Live(name="small", total_s=15)
    view.see(*events)
    return view


def second(t: float, count: int, failed: int = 0, route: str = "/api/products") -> Traffic:
    """One second of one route."""
    return Traffic(t=t, route=route, count=count, failed=failed)


def alert(state: str, name: str = "ErrorRateHigh", source: str = "prometheus", **labels: str) -> AlertChange:
    """A change of one alert."""
    return AlertChange.model_validate({"t": 1, "source": source, "name": name, "labels": labels, "state": state})


def test_a_drill_waits_until_it_begins() -> None:
    """Nothing has happened yet."""
    view = live()

    assert (view.stage, view.started_t, view.requests) == ("waiting", None, 0)


def test_its_stage_is_the_phase_that_it_entered_last() -> None:
    """And its time counts from the first one."""
    view = live(Phase(t=100, name="warm_up"), Phase(t=105, name="drive"))
    assert (view.stage, view.started_t) == ("drive", 100)

    view.enter("gathering")
    assert view.stage == "gathering"


def test_requests_add_up_and_the_rate_is_that_of_the_last_whole_second() -> None:
    """All routes together; the second that is under way is not whole yet."""
    view = live(second(100, 10, failed=1), second(100, 5, route="/api/users"), second(101, 2))

    assert (view.requests, view.failed, view.rate) == (17, 1, 15.0)


def test_faults_are_on_from_their_start_to_their_healing() -> None:
    """A fault that could not be applied is not."""
    changes = [("faults/1", "applied"), ("faults/1", "renewed"), ("faults/2", "failed"), ("noise/1", "applied")]
    view = live(*(FaultChange.model_validate({"t": 1, "fault": f, "action": a}) for f, a in changes))
    assert view.active_faults() == ["faults/1", "noise/1"]

    view.see(FaultChange(t=2, fault="faults/1", action="healed"))
    assert view.active_faults() == ["noise/1"]


def test_alerts_are_shown_while_they_are_active() -> None:
    """By name and service, as Prometheus has them; Alertmanager's word on the same is not counted again."""
    view = live(
        alert("pending", service_name="catalog"),
        alert("firing", service_name="frontend"),
        alert("firing", name="TargetDown"),
        alert("firing", name="Other", source="alertmanager"),
    )
    assert view.active_alerts() == {
        "ErrorRateHigh catalog": "pending",
        "ErrorRateHigh frontend": "firing",
        "TargetDown": "firing",
    }

    view.see(alert("inactive", service_name="catalog"), alert("inactive", name="TargetDown"))
    assert view.active_alerts() == {"ErrorRateHigh frontend": "firing"}


def test_notifications_are_counted() -> None:
    """Each arrival."""
    told = Notification(t=1, receiver="page", status="firing", name="ErrorRateHigh", labels={})

    assert live(told, told).notifications == 2
