"""A drill and its faults become regions on Grafana's dashboards, as they begin and end."""

import base64
import json
import threading

import httpx
import pytest

from assertions.backend import BackendError, eventually
from assertions.grafana import Grafana
from scenarios.history import Event, FaultChange, Phase, Traffic
from tests.unit.tocsin.saved import scenario
from tocsin.annotations import Marker, Regions, tell

FAULT = {"kind": "errors", "target": "catalog", "at": "1s", "for": "4s"}
HAPPENED: list[Event] = [
    Phase(t=10, name="warm_up"),
    Phase(t=20, name="drive"),
    FaultChange(t=21, fault="faults/1", action="applied"),
    FaultChange(t=22, fault="faults/1", action="renewed"),
    FaultChange(t=25, fault="faults/1", action="healed"),
    Phase(t=30, name="stopped"),
]


class Board:
    """A Grafana that keeps annotations, and may be down."""

    def __init__(self) -> None:
        self.asked: list[httpx.Request] = []
        self.known: dict[int, dict[str, object]] = {}
        self.down = False
        self.held = threading.Event()
        self.held.set()
        transport = httpx.MockTransport(self._answer)
        self.client = Grafana("http://grafana", admin_password="s3cret", transport=transport)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.held.wait(10)
        self.asked.append(request)
        if self.down:
            raise httpx.ConnectError("connection refused", request=request)
        if request.method == "POST":
            self.known[len(self.known) + 1] = json.loads(request.content)
            return httpx.Response(200, json={"message": "Annotation added", "id": len(self.known)})
        number = int(request.url.path.rpartition("/")[2])
        if request.method == "DELETE":
            return httpx.Response(200 if self.known.pop(number, None) else 404, json={})
        self.known[number] |= json.loads(request.content)
        return httpx.Response(200, json={"message": "Annotation patched"})


def regions(*events: Event, **given: object) -> Regions:
    """What these events make of a drill with one fault."""
    found = Regions(scenario(**({"faults": [FAULT]} | given)), "small-1")
    for event in events:
        found.see(event)
    return found


def test_the_drill_and_each_fault_that_was_on_is_a_region() -> None:
    """With tags to find them by: all drills, this run, its faults."""
    drill, fault = regions(*HAPPENED)

    assert (drill.start_t, drill.end_t, drill.tags) == (10, 30, ("tocsin", "small-1", "drill"))
    assert drill.text == "drill small: It is just large enough to be judged in a test."
    assert (fault.start_t, fault.end_t, fault.text) == (21, 25, "fault errors in catalog")
    assert fault.tags == ("tocsin", "small-1", "fault", "errors")


def test_what_did_not_happen_is_no_region() -> None:
    """A fault that was never applied, a drill that never began."""
    assert list(regions(faults=[], noise=[FAULT])) == []
    assert list(regions(*HAPPENED[4:])) == []


def test_what_goes_on_has_no_end_yet() -> None:
    """It is marked all the same."""
    assert [region.end_t for region in regions(*HAPPENED[:4])] == [None, None]


def test_a_drill_that_was_aborted_ends_there() -> None:
    """That its traffic is stopped afterwards is not its end."""
    aborted = Phase(t=15, name="aborted")
    (drill,) = regions(HAPPENED[0], aborted, HAPPENED[-1])

    assert drill.end_t == 15


def test_they_are_written_as_the_admin_in_milliseconds() -> None:
    """Nobody else may. What has begun is marked, and its end is added when it is known; what is known is not told again."""
    board = Board()
    (_, fault) = found = regions(*HAPPENED[:3])
    tell(board.client, fault)
    tell(board.client, fault)
    for event in HAPPENED[3:]:
        found.see(event)
    tell(board.client, fault)
    tell(board.client, fault)

    assert [(one.method, one.url.path) for one in board.asked] == [
        ("POST", "/api/annotations"),
        ("PATCH", "/api/annotations/1"),
    ]
    assert board.asked[0].headers["authorization"] == "Basic " + base64.b64encode(b"admin:s3cret").decode()
    assert json.loads(board.asked[0].content) == {
        "time": 21000,
        "tags": ["tocsin", "small-1", "fault", "errors"],
        "text": "fault errors in catalog",
    }
    assert json.loads(board.asked[1].content) == {"timeEnd": 25000}


def test_a_refusal_is_an_error_that_keeps_the_password_to_itself() -> None:
    """Whatever Grafana says."""
    refusing = httpx.MockTransport(lambda _: httpx.Response(403, text="s3cret may not"))
    grafana = Grafana("http://grafana", admin_password="s3cret", transport=refusing)

    with pytest.raises(BackendError, match="403") as refused:
        tell(grafana, next(iter(regions(*HAPPENED))))

    assert "s3cret" not in str(refused.value)


def marked(board: Board, *events: Event, keep: bool = True) -> str:
    """Mark these events, and say what was the problem."""
    with Marker(board.client, scenario(faults=[FAULT]), run_id="small-1", keep=keep) as marker:
        marker.see(*events, Traffic(t=11, route="/", count=1))
    return marker.problem


def test_marks_are_there_as_soon_as_something_begins() -> None:
    """People look while it happens."""
    board = Board()
    with Marker(board.client, scenario(faults=[FAULT]), run_id="small-1") as marker:
        marker.see(*HAPPENED[:3])
        begun = eventually(lambda: list(board.known.values()), lambda known: len(known) == 2, within_s=10, pause_s=0.01)
        assert ["timeEnd" in one for one in begun] == [False, False]
        marker.see(*HAPPENED[3:])

    assert [(one["time"], one["timeEnd"]) for one in board.known.values()] == [(10000, 30000), (21000, 25000)]
    assert marker.problem == ""


def test_marks_are_removed_when_that_is_the_choice() -> None:
    """All of them, and no other; that one has gone already is no problem."""
    board = Board()
    board.known[1] = {"text": "somebody's"}

    assert marked(board, *HAPPENED, keep=False) == ""
    assert board.known == {1: {"text": "somebody's"}}


def test_a_grafana_that_is_slow_holds_up_nothing() -> None:
    """Whoever tells of an event goes on at once."""
    board = Board()
    board.held.clear()
    with Marker(board.client, scenario(faults=[FAULT]), run_id="small-1") as marker:
        marker.see(*HAPPENED)
        assert board.known == {}
        board.held.set()

    assert len(board.known) == 2


def test_what_could_not_be_said_at_once_is_said_at_the_end() -> None:
    """The drill itself may have broken Grafana meanwhile."""
    board = Board()
    board.down = True
    with Marker(board.client, scenario(faults=[FAULT]), run_id="small-1") as marker:
        marker.see(*HAPPENED[:3])
        eventually(lambda: len(board.asked), lambda asked: asked > 0, within_s=10, pause_s=0.01)
        board.down = False
        marker.see(*HAPPENED[3:])

    assert [(one["time"], one["timeEnd"]) for one in board.known.values()] == [(10000, 30000), (21000, 25000)]
    assert marker.problem == ""


@pytest.mark.parametrize("keep", [True, False])
def test_what_could_not_be_said_at_all_is_the_problem(keep: bool) -> None:
    """It is no error: a drill is judged by what it saw."""
    board = Board()
    board.down = True

    assert "connection refused" in marked(board, *HAPPENED, keep=keep)
