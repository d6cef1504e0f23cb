"""Sending a webhook, and how each contact point has fared."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx

from stack.standins.grafana.notify.webhook import Notification, body
from stack.standins.grafana.provisioning.contact_points import NOOP, ContactPoint, Integration

TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The last attempt of one integration; `error` is empty when it was taken."""

    at_s: float
    took_s: float
    error: str = ""


class Sender:
    """Sends to contact points; one client, so connections are kept."""

    def __init__(self, client: httpx.AsyncClient, root_url: str, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._root_url = root_url
        self._clock = clock
        self.attempts: dict[str, Attempt] = {}

    async def send(self, told: Notification, point: ContactPoint, integration: Integration) -> bool:
        """
        Send once; False when the receiver did not take it (the group's next flush tries again).
        """
        if integration.kind != "webhook" or integration.url == NOOP:
            return True  # the default e-mail receiver: nothing here can send it, as in a Grafana without SMTP
        started_s, wall_s = time.monotonic(), self._clock()
        error = await self._post(integration, body(told, point, integration, self._root_url))
        self.attempts[integration.uid] = Attempt(at_s=wall_s, took_s=time.monotonic() - started_s, error=error)
        return not error

    async def post_test(self, integration: Integration, content: Mapping[str, object]) -> str:
        """
        Send a test; the error, or nothing.
        """
        return await self._post(integration, content)

    async def _post(self, integration: Integration, content: Mapping[str, object]) -> str:
        auth = (integration.user, integration.password) if integration.user else httpx.USE_CLIENT_DEFAULT
        headers = {"User-Agent": "Grafana", **integration.headers}
        try:
            answer = await self._client.request(
                integration.method, integration.url, json=content, headers=headers, auth=auth, timeout=TIMEOUT_S
            )
        except httpx.HTTPError as error:
            return f'{integration.method.title()} "{integration.url}": {str(error) or type(error).__name__}'
        if answer.is_success:
            return ""
        return f"webhook response status {answer.status_code} {answer.reason_phrase}"
