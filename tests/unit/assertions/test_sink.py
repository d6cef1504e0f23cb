"""Sink: what arrived at the webhook receiver since it was last asked."""

from typing import Any

import httpx
import pytest

from assertions.backend import BackendError
from assertions.sink import Sink, read_arrival
from scenarios.history import Notification
from tests.unit.assertions.builders import answering, refusing

OF_ALERTMANAGER = {
    "version": "4",
    "groupKey": '{}/{severity="page"}:{alertname="Burn"}',
    "truncatedAlerts": 0,
    "status": "firing",
    "receiver": "pager",
    "groupLabels": {"alertname": "Burn"},
    "commonLabels": {"alertname": "Burn"},
    "commonAnnotations": {},
    "externalURL": "http://am",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "Burn", "service_name": "catalog"},
            "annotations": {"summary": "s"},
            "startsAt": "2026-11-24T12:00:05.5Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prom",
            "fingerprint": "d2349ff3f0be45a0",
        },
        {
            "status": "resolved",
            "labels": {"alertname": "Burn", "service_name": "users"},
            "annotations": {},
            "startsAt": "2026-11-24T12:00:05Z",
            "endsAt": "2026-11-24T12:01:05Z",
        },
    ],
}


def arrival(n: int = 1, body: Any = OF_ALERTMANAGER) -> dict[str, Any]:
    """What the sink keeps of one call."""
    return {"n": n, "t": 100.0 + n, "receiver": "pager", "body": body}


class Server:
    """A sink that holds arrivals."""

    def __init__(self) -> None:
        self.arrivals: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.client = Sink("http://sink", "hush", transport=httpx.MockTransport(self._answer))

    def take(self, *bodies: Any) -> None:
        """Some calls arrive."""
        for body in bodies:
            self.arrivals.append(arrival(len(self.arrivals) + 1, body))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        return httpx.Response(200, json={"now": 0, "arrivals": self.arrivals[int(request.url.params["after"]) :]})


def named(name: str) -> dict[str, Any]:
    """A notification of one alert."""
    return {"alerts": [{"status": "firing", "labels": {"alertname": name}}]}


def test_each_alert_of_a_call_is_a_notification() -> None:
    """Stamped with the arrival of the call."""
    assert list(read_arrival(arrival())) == [
        Notification(
            t=101,
            receiver="pager",
            status="firing",
            name="Burn",
            labels={"alertname": "Burn", "service_name": "catalog"},
            annotations={"summary": "s"},
            starts_at=1795521605.5,
            ends_at=None,
            links={"rule": "http://prom"},
        ),
        Notification(
            t=101,
            receiver="pager",
            status="resolved",
            name="Burn",
            labels={"alertname": "Burn", "service_name": "users"},
            starts_at=1795521605,
            ends_at=1795521665,
        ),
    ]


def test_grafanas_calls_are_read_alike() -> None:
    """Its body has other fields around, and more in each alert."""
    body = {
        "receiver": "ticket-hook",
        "status": "firing",
        "version": "1",
        "orgId": 1,
        "state": "alerting",
        "title": "[FIRING:1] HighErrorNow Drills",
        "alerts": [
            {
                "status": "firing",
                "labels": {"alertname": "HighErrorNow", "grafana_folder": "Drills", "service": "shop"},
                "annotations": {"value": "0.400"},
                "startsAt": "2026-11-24T10:57:03Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "values": {"A": 0.4, "C": 1},
                "valueString": "[ var='A' labels={} value=0.4 ]",
                "generatorURL": "http://grafana/alerting/grafana/r/view",
                "silenceURL": "http://grafana/alerting/silence/new",
                "dashboardURL": "http://grafana/d/slo",
                "panelURL": "",
            }
        ],
    }

    (told,) = read_arrival(arrival(body=body))

    assert (told.name, told.status, told.labels["grafana_folder"]) == ("HighErrorNow", "firing", "Drills")
    assert (told.starts_at, told.ends_at, told.annotations) == (1795517823.0, None, {"value": "0.400"})
    assert told.links == {
        "rule": "http://grafana/alerting/grafana/r/view",
        "silence": "http://grafana/alerting/silence/new",
        "dashboard": "http://grafana/d/slo",
    }


@pytest.mark.parametrize("body", [None, "text", 7, [], {}, {"alerts": None}, {"alerts": {}}, {"alerts": [7, None]}])
def test_a_body_of_another_shape_has_no_alerts(body: Any) -> None:
    """Anybody may call a webhook."""
    assert list(read_arrival(arrival(body=body))) == []


@pytest.mark.parametrize("moment", [None, "yesterday", 7, ""])
def test_an_alert_with_odd_details_still_counts(moment: Any) -> None:
    """Somebody was told of something."""
    odd = {"labels": {"alertname": "A", "n": 7}, "annotations": None, "startsAt": moment, "endsAt": moment}

    (told,) = read_arrival(arrival(body={"alerts": [odd]}))

    assert (told.name, told.status, told.labels, told.annotations) == ("A", "firing", {"alertname": "A", "n": "7"}, {})
    assert (told.starts_at, told.ends_at) == (None, None)


@pytest.mark.parametrize("labels", [None, {}, [], {"severity": "page"}])
def test_an_alert_without_a_name_is_nameless(labels: Any) -> None:
    """It is no reason to lose it."""
    (told,) = read_arrival(arrival(body={"alerts": [{"labels": labels}]}))

    assert told.name == ""


def test_each_arrival_is_told_once() -> None:
    """In order, however often it is asked."""
    server = Server()
    server.take(named("A"))

    assert [told.name for told in server.client.new()] == ["A"]
    assert server.client.new() == []
    server.take(named("B"), OF_ALERTMANAGER)
    assert [told.name for told in server.client.new()] == ["B", "Burn", "Burn"]
    assert server.client.new() == []
    assert server.asked[0] == "http://sink/arrivals/hush?after=0"
    assert server.asked[-1] == "http://sink/arrivals/hush?after=3"


def test_what_arrived_before_can_be_skipped() -> None:
    """It belongs to another drill."""
    server = Server()
    server.take(named("A"), named("B"))

    server.client.skip()

    assert server.client.new() == []
    server.take(named("C"))
    assert [told.name for told in server.client.new()] == ["C"]


def test_skipping_nothing_is_fine() -> None:
    """A new sink is empty."""
    server = Server()
    server.client.skip()
    server.take(named("A"))

    assert [told.name for told in server.client.new()] == ["A"]


def test_arrivals_come_in_their_order() -> None:
    """However they are listed."""
    listed = {"arrivals": [arrival(2, named("B")), arrival(1, named("A"))]}
    asked: list[httpx.Request] = []
    client = Sink("http://sink", "hush", transport=answering(listed, asked=asked))

    assert [told.name for told in client.new()] == ["A", "B"]
    client.new()
    assert asked[-1].url.params["after"] == "2"


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"arrivals": None},
        {"arrivals": [7]},
        {"arrivals": [{"n": 1}]},
        {"arrivals": [{"n": 1, "body": named("A")}]},
    ],
)
def test_an_answer_of_another_shape_is_an_error(body: Any) -> None:
    """Nobody knows what it means, and nothing counts as seen."""
    with pytest.raises(BackendError, match="sink answered for arrivals what is none"):
        Sink("http://sink", "hush", transport=answering(body)).new()


def test_the_token_is_in_no_error() -> None:
    """It would end up in a report."""
    with pytest.raises(BackendError) as caught:
        Sink("http://sink", "hush", transport=refusing()).new()

    assert str(caught.value) == "sink did not answer /arrivals/... at http://sink: connection refused"


def test_a_closed_client_asks_no_more() -> None:
    """Its connections were given back."""
    server = Server()
    server.client.close()

    with pytest.raises(RuntimeError, match="closed"):
        server.client.new()
