"""Alertmanager: a thin typed client of its API, version 2."""

import httpx

from assertions.backend import Backend, BackendError
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
        try:
            return [
                ActiveAlert(
                    labels=alert["labels"],
                    state=_STATES.get(alert["status"]["state"], "firing"),
                    active_at=timestamp(alert.get("startsAt")),
                )
                for alert in self._backend.ask_json("/api/v2/alerts")
            ]
        except (KeyError, TypeError) as error:
            raise BackendError(f"alertmanager: an alert without {error}") from error
