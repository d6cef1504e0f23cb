"""The webhooks of the Grafana stand-in against recorded ones of a real Grafana."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.contract.grafana.comparison import comparable
from tests.contract.grafana.differences import ONLY_IN_13
from tests.contract.grafana.stages import Recording, at
from tests.contract.grafana.world import ask, recorded

STOCK = (
    "webhook-firing",
    "webhook-resolved",
    "webhook-firing-put-basic-auth-no-dashboard",
    "webhook-nodata",
    "webhook-error",
)
LINKED = ("webhook-firing-dashboard-annotations", "webhook-resolved-dashboard-annotations")
FAST = (
    "webhook-direct-threshold",
    "webhook-template-error",
    "webhook-nodata-as-alerting",
    "webhook-error-as-alerting",
    "webhook-two-instances-firing",
    "webhook-mixed-firing-resolved",
    "webhook-resolved-missing-series",
    "webhook-error-datasource-down-grouped",
    "webhook-error-mixed-firing-resolved",
    "webhook-error-resolved-by-expiry",
)


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Recording]:
    """What stand-ins sent that lived through the recordings: with a 10 s tick, the same with links, and with a 1 s tick."""
    lives = {
        "stock": Recording(tmp_path_factory.mktemp("stock"), ""),
        "linked": Recording(tmp_path_factory.mktemp("linked"), "", links=True),
        "fast": Recording(tmp_path_factory.mktemp("fast"), "fast-"),
    }
    for name, living in lives.items():
        living.live_until(at("10:55:40") if name == "fast" else at("10:49:25"))
    return lives


@pytest.mark.parametrize(
    ("life", "name"),
    [("stock", name) for name in STOCK] + [("linked", name) for name in LINKED] + [("fast", name) for name in FAST],
)
def test_the_recorded_webhook_is_sent(life: str, name: str, sent: Mapping[str, Recording]) -> None:
    """
    The same method, path and content type, and the same body but for times.
    """
    exchange = recorded(name)
    bodies = [
        comparable(body)
        for body, (_, request) in zip(sent[life].world.sent(), sent[life].world.hooks, strict=True)
        if (request.method, request.url.path) == (exchange["method"], exchange["path"])
        and request.headers["content-type"] == exchange["request_headers"]["Content-Type"]
        and ("authorization" in request.headers) == ("Authorization" in exchange["request_headers"])
    ]

    assert closest(comparable(exchange["request_body"]), bodies) == comparable(exchange["request_body"])


def test_what_only_13_sends_is_there(sent: Mapping[str, Recording]) -> None:
    """
    Each alert of each webhook names its rule and organisation.
    """
    for body in sent["stock"].world.sent():
        for alert in body["alerts"]:
            assert set(ONLY_IN_13["webhook alert"]) <= set(alert)


def test_times_of_a_notification(sent: Mapping[str, Recording]) -> None:
    """
    A firing one has no end, a resolved one ends at the tick that resolved it, and both begin where firing began.
    """
    firing, resolved = (
        body["alerts"][0] for body in sent["stock"].world.sent("/hook") if "HighErrorRate" in body["groupKey"]
    )

    assert (firing["startsAt"], firing["endsAt"]) == ("2026-11-24T10:48:30Z", "0001-01-01T00:00:00Z")
    assert (resolved["startsAt"], resolved["endsAt"]) == ("2026-11-24T10:48:30Z", "2026-11-24T10:49:10Z")


def test_a_refused_webhook_is_sent_again_at_the_next_interval(tmp_path: Path) -> None:
    """
    After a 500 nothing is sent until the group's next flush (1 s for tickets), which sends the same once more.
    """
    living = Recording(tmp_path, "fast-")
    living.world.ratio = lambda at_s: 0.4 if at_s >= at("10:50:43") else 0.0
    living.world.hook_status = 500
    living.live_until(at("10:50:43.95"))
    exchange = recorded("webhook-answered-500")
    failing = ask(living.standin, recorded("fast-am-receivers-failing"))
    living.world.hook_status = 200
    living.live_until(at("10:50:49"))
    working = ask(living.standin, recorded("fast-am-receivers-ok"))

    tickets = [
        (when, body)
        for (when, request), body in zip(living.world.hooks, living.world.sent(), strict=True)
        if request.url.path == "/ticket"
    ]
    assert comparable(exchange["request_body"]) == comparable(tickets[0][1]) == comparable(tickets[1][1])
    assert 1.0 <= tickets[1][0] - tickets[0][0] < 1.3
    assert len(tickets) == 2
    assert receivers(recorded("fast-am-receivers-failing")["response_body"]) == receivers(failing.json())
    assert receivers(recorded("fast-am-receivers-ok")["response_body"]) == receivers(working.json())


def receivers(body: Any) -> Any:
    """
    Contact points by name without times.
    """
    for point in body:
        for one in point["integrations"]:
            if not one["lastNotifyAttempt"].startswith("0001"):
                one["lastNotifyAttempt"] = one["lastNotifyAttemptDuration"] = "<time>"
    return sorted(body, key=lambda point: str(point["name"]))


def closest(wanted: Any, bodies: list[Any]) -> Any:
    """
    The body that has the most in common with the wanted one, so that a failure shows what differs.
    """
    assert bodies, "nothing was sent there"
    return max(bodies, key=lambda body: sum(body.get(key) == value for key, value in wanted.items()))
