"""Alertmanager: a thin typed client of its API, version 2."""

import httpx

from assertions.backend import Backend, understanding
from assertions.prometheus import ActiveAlert, timestamp

_STATES = {"active": "firing", "suppressed": "suppressed", "unprocessed": "pending"}


class Alertmanager:
    """Asks one Alertmanager. Every method raises BackendError when there is no (good) answer."""

    def __init__(self, url: str, *, transport: httpx.BaseTransport | None = None) -> None:
        self._backend = Backend("alertmanager", url, transport=transport)

    def close(self) -> None:
        """Give back the connections."""
        self._backend.close()

    def alerts(self) -> list[ActiveAlert]:
        """All alerts that it holds now, silenced and inhibited ones too (as `suppressed`)."""
        answer = self._backend.ask_json("/api/v2/alerts")
        with understanding("alertmanager", "alerts"):
            return [
                ActiveAlert(
                    labels=dict(alert["labels"]),
                    state=_STATES.get(alert["status"]["state"], "firing"),
                    active_at=timestamp(alert.get("startsAt")),
                )
                for alert in answer
            ]

    def undecided(self) -> frozenset[str]:
        """None: it evaluates nothing, and what it has not been told again since it was started it does not hold."""
        return frozenset()
