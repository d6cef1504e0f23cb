"""Sink: a thin client of the webhook receiver, which knows what was notified and when."""

from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from assertions.backend import Backend, understanding
from assertions.prometheus import timestamp
from scenarios.history import Notification

_LINKS = {"rule": "generatorURL", "silence": "silenceURL", "dashboard": "dashboardURL", "panel": "panelURL"}
"""Where an alert of a body leads to, by our names; Alertmanager tells the first only."""


class Sink:
    """Asks the sink for what arrived since it was last asked."""

    def __init__(self, url: str, token: str, *, transport: httpx.BaseTransport | None = None) -> None:
        self._backend = Backend("sink", url, transport=transport, secret=token)
        self._token = token
        self._seen: int | None = None

    def close(self) -> None:
        """Give back the connections."""
        self._backend.close()

    def skip(self) -> None:
        """Leave out all that arrived so far: it belongs to nobody here. Raises BackendError."""
        self._seen = max((arrival["n"] for arrival in self._ask(0)), default=0)

    def new(self) -> list[Notification]:
        """What arrived since `skip` or the last call, one notification for each alert in it. Raises BackendError."""
        arrivals = self._ask(self._seen or 0)
        with understanding("sink", "arrivals"):
            found = [notification for arrival in arrivals for notification in read_arrival(arrival)]
        if arrivals:
            self._seen = arrivals[-1]["n"]
        return found

    def _ask(self, after: int) -> list[dict[str, Any]]:
        answer = self._backend.ask_json(f"/arrivals/{self._token}", {"after": after})
        with understanding("sink", "arrivals"):
            arrivals: list[dict[str, Any]] = answer["arrivals"]
            return sorted(arrivals, key=lambda arrival: int(arrival["n"]))


def read_arrival(arrival: Mapping[str, Any]) -> Iterator[Notification]:
    """
    The alerts of one webhook call, Alertmanager's or Grafana's; a body of any other shape has none.
    """
    body = arrival["body"]
    alerts = body.get("alerts") if isinstance(body, dict) else None
    for alert in alerts if isinstance(alerts, list) else ():
        if not isinstance(alert, dict):
            continue
        labels = _texts(alert.get("labels"))
        yield Notification(
            t=arrival["t"],
            receiver=arrival["receiver"],
            status="resolved" if alert.get("status") == "resolved" else "firing",
            name=labels.get("alertname", ""),
            labels=labels,
            annotations=_texts(alert.get("annotations")),
            starts_at=_moment(alert.get("startsAt")),
            ends_at=_moment(alert.get("endsAt")),
            links={name: str(alert[key]) for name, key in _LINKS.items() if alert.get(key)},
        )


def _texts(pairs: Any) -> dict[str, str]:
    return {str(key): str(value) for key, value in pairs.items()} if isinstance(pairs, dict) else {}


def _moment(text: Any) -> float | None:
    """A time that is none is not known; what was notified counts all the same."""
    try:
        return timestamp(text) if isinstance(text, str) else None
    except ValueError:
        return None
