"""Toxiproxy: its HTTP API, as far as faults need it: proxies that are switched off and on, and toxics that come and go."""

from collections.abc import Mapping
from typing import Any

import httpx

from scenarios.act import FaultError

_WORDS = ("type", "stream", "attributes")


class Toxiproxy:
    """
    One Toxiproxy, by the address of its API. Whatever it refuses, or does not answer, is a FaultError.
    """

    def __init__(self, url: str, *, transport: httpx.BaseTransport | None = None) -> None:
        # A connection that was kept would outlive the drill.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._client = httpx.Client(base_url=url, timeout=5.0, limits=limits, trust_env=False, transport=transport)

    def add_toxic(self, proxy: str, name: str, toxic: Mapping[str, Any]) -> None:
        """
        Give a proxy a toxic; one of this name that is there already stays, for only an earlier try can have left it.
        """
        body = {**toxic, "name": name, "toxicity": 1.0}
        self._call("POST", f"/proxies/{proxy}/toxics", body, fine=httpx.codes.CONFLICT)

    def remove_toxic(self, proxy: str, name: str) -> None:
        """Take a toxic away; harmless when it is not there."""
        self._call("DELETE", f"/proxies/{proxy}/toxics/{name}", fine=httpx.codes.NOT_FOUND)

    def switch(self, proxy: str, *, on: bool) -> None:
        """Let a proxy serve, or close its connections and refuse all others."""
        self._call("PATCH", f"/proxies/{proxy}", {"enabled": on})

    def serves(self, proxy: str) -> bool:
        """Whether a proxy is switched on."""
        return self._state(proxy)["enabled"] is True

    def toxics(self, proxy: str) -> dict[str, Mapping[str, Any]]:
        """What is done to a proxy's connections now: toxics by name, in Toxiproxy's own words."""
        return {toxic["name"]: {word: toxic[word] for word in _WORDS} for toxic in self._state(proxy)["toxics"]}

    def _state(self, proxy: str) -> Mapping[str, Any]:
        answer = self._call("GET", f"/proxies/{proxy}")
        try:
            state = answer.json()
            return {"enabled": state["enabled"], "toxics": list(state["toxics"])}
        except (ValueError, KeyError, TypeError) as error:
            raise FaultError(f"toxiproxy answered what makes no sense: {answer.text[:200]!r}") from error

    def _call(self, method: str, path: str, body: Any = None, *, fine: int | None = None) -> httpx.Response:
        what = f"{method} {path} at toxiproxy"
        try:
            answer = self._client.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise FaultError(f"{what}: no answer: {type(error).__name__}: {error}") from error
        if answer.is_error and answer.status_code != fine:
            final = answer.status_code in (httpx.codes.BAD_REQUEST, httpx.codes.NOT_FOUND)
            raise FaultError(f"{what}: status {answer.status_code}: {answer.text.strip()[:300]}", final=final)
        return answer
