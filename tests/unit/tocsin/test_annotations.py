"""A drill and its faults become regions on Grafana's dashboards."""

import base64
import json

import httpx
import pytest

from assertions.backend import BackendError
from assertions.grafana import Grafana
from scenarios.history import Event, FaultChange, History, Phase
from tests.unit.tocsin.saved import scenario
from tocsin.annotations import annotate, regions

FAULT = {"kind": "errors", "target": "catalog", "at": "1s", "for": "4s"}
HAPPENED: list[Event] = [
    Phase(t=10, name="warm_up"),
    Phase(t=20, name="drive"),
    FaultChange(t=21, fault="faults/1", action="applied"),
    FaultChange(t=25, fault="faults/1", action="healed"),
    Phase(t=30, name="stopped"),
]


def test_the_drill_and_each_fault_that_was_on_is_a_region() -> None:
    """With tags to find them by: all drills, this run, its faults."""
    drill, fault = regions(scenario(faults=[FAULT]), History(HAPPENED), run_id="small-1")

    assert (drill.start_t, drill.end_t, drill.tags) == (10, 30, ("tocsin", "small-1", "drill"))
    assert drill.text == "drill small: It is just large enough to be judged in a test."
    assert (fault.start_t, fault.end_t, fault.text) == (21, 25, "fault errors in catalog")
    assert fault.tags == ("tocsin", "small-1", "fault", "errors")


def test_what_did_not_happen_is_no_region() -> None:
    """A fault that was never applied, a drill that never began."""
    assert list(regions(scenario(noise=[FAULT]), History([]), run_id="small-1")) == []


def test_a_drill_that_was_aborted_ends_there() -> None:
    """It has no other end."""
    (drill,) = regions(scenario(), History([HAPPENED[0], Phase(t=15, name="aborted")]), run_id="small-1")

    assert drill.end_t == 15


def test_they_are_written_as_the_admin_in_milliseconds() -> None:
    """Nobody else may."""
    asked: list[httpx.Request] = []

    def take(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"message": "Annotation added", "id": len(asked)})

    grafana = Grafana("http://grafana", admin_password="s3cret", transport=httpx.MockTransport(take))

    assert annotate(grafana, scenario(faults=[FAULT]), History(HAPPENED), run_id="small-1") == 2
    assert asked[1].headers["authorization"] == "Basic " + base64.b64encode(b"admin:s3cret").decode()
    assert json.loads(asked[1].content) == {
        "time": 21000,
        "timeEnd": 25000,
        "tags": ["tocsin", "small-1", "fault", "errors"],
        "text": "fault errors in catalog",
    }


def test_a_refusal_is_an_error_that_keeps_the_password_to_itself() -> None:
    """Whatever Grafana says."""
    refusing = httpx.MockTransport(lambda _: httpx.Response(403, text="s3cret may not"))
    grafana = Grafana("http://grafana", admin_password="s3cret", transport=refusing)

    with pytest.raises(BackendError, match="403") as refused:
        annotate(grafana, scenario(), History(HAPPENED), run_id="small-1")

    assert "s3cret" not in str(refused.value)
