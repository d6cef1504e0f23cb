"""Alertmanager: the alerts that it holds; the bodies have the shapes of a real one."""

from typing import Any

import httpx
import pytest

from assertions.alertmanager import Alertmanager
from assertions.backend import BackendError
from assertions.prometheus import ActiveAlert
from tests.unit.assertions.builders import answering


def held(state: str, **given: Any) -> dict[str, Any]:
    """An alert in some state."""
    return {
        "annotations": {"summary": "s"},
        "startsAt": "2026-11-24T12:00:05.500Z",
        "endsAt": "2026-11-24T12:04:05.500Z",
        "fingerprint": "d2349ff3f0be45a0",
        "receivers": [{"name": "pager"}],
        "status": {"inhibitedBy": [], "silencedBy": [], "state": state},
        "updatedAt": "2026-11-24T12:00:05.500Z",
        "labels": {"alertname": "Burn"},
    } | given


@pytest.mark.parametrize(
    ("state", "ours"),
    [("active", "firing"), ("suppressed", "suppressed"), ("unprocessed", "pending"), ("something new", "firing")],
)
def test_alerts_in_our_own_words(state: str, ours: str) -> None:
    """Silenced and inhibited ones are told apart; an unknown state is none to be overlooked."""
    asked: list[httpx.Request] = []
    client = Alertmanager("http://am", transport=answering([held(state)], asked=asked))

    assert client.alerts() == [ActiveAlert(labels={"alertname": "Burn"}, state=ours, active_at=1795521605.5)]
    assert asked[0].url.path == "/api/v2/alerts"


def test_no_alerts() -> None:
    """A quiet time."""
    assert Alertmanager("http://am", transport=answering([])).alerts() == []


@pytest.mark.parametrize(
    "body", [{"alerts": 1}, [{}], [held("active", labels=None)], [{"labels": {}}], 7, [held("active", startsAt="now")]]
)
def test_an_answer_of_another_shape_is_an_error(body: Any) -> None:
    """Nobody knows what it means."""
    with pytest.raises(BackendError, match="alertmanager answered for alerts what is none"):
        Alertmanager("http://am", transport=answering(body)).alerts()


def test_a_closed_client_asks_no_more() -> None:
    """Its connections were given back."""
    client = Alertmanager("http://am", transport=answering([]))
    client.close()

    with pytest.raises(RuntimeError, match="closed"):
        client.alerts()
