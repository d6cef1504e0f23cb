"""Grafana: a thin typed client of the parts of its HTTP API that a drill needs; versions 9 to 13 answer it alike."""

from collections.abc import Mapping
from typing import Any

import httpx

from assertions.backend import Backend, BackendError
from assertions.prometheus import ActiveAlert, Rule, timestamp

_STATES = {"Pending": "pending", "Alerting": "firing", "Recovering": "firing", "NoData": "firing", "Error": "firing"}
"""Grafana's states of an instance as the states of a history; `Normal` is no alert."""

_SYNTHETIC = {"NoData": "DatasourceNoData", "Error": "DatasourceError"}
"""An instance without data, or whose query fails, is told under another name than its rule's."""


class Grafana:
    """Asks one Grafana, as whoever it lets in without a password. Every method raises BackendError when there is no good answer."""

    def __init__(self, url: str, *, transport: httpx.BaseTransport | None = None) -> None:
        self._backend = Backend("grafana", url, transport=transport, timeout_s=8)

    def close(self) -> None:
        """Give back the connections."""
        self._backend.close()

    def alerts(self) -> list[ActiveAlert]:
        """All instances of its own alert rules that are not normal now."""
        alerts = self._data("/api/prometheus/grafana/api/v1/alerts").get("alerts") or []
        return [alert for raw in alerts if (alert := _alert(raw)) is not None]

    def rules(self) -> list[Rule]:
        """All of its own alert rules."""
        return [
            Rule(
                name=rule["name"],
                query=rule.get("query", ""),
                annotations=rule.get("annotations") or {},
                labels=rule.get("labels") or {},
                health="err" if rule.get("health") == "error" else rule.get("health", "unknown"),
                last_error=rule.get("lastError", ""),
                for_s=float(rule.get("duration", 0)),
                interval_s=float(group["interval"]),
            )
            for group in self._data("/api/prometheus/grafana/api/v1/rules")["groups"]
            for rule in group["rules"]
        ]

    def _data(self, path: str) -> Mapping[str, Any]:
        answer = self._backend.ask_json(path)
        try:
            data: Mapping[str, Any] = answer["data"]
        except (KeyError, TypeError) as error:
            raise BackendError(f"grafana answered {path} without data: {str(answer)[:200]}") from error
        return data


def _alert(raw: Mapping[str, Any]) -> ActiveAlert | None:
    # A state may have its reason behind it, such as `Alerting (NoData)`.
    state, _, reason = str(raw.get("state", "")).partition(" ")
    if state not in _STATES:
        return None
    name = _SYNTHETIC.get(state)
    labels = {str(key): str(value) for key, value in raw["labels"].items()}
    if name:
        labels |= {"alertname": name, "rulename": labels.get("alertname", "")}
    return ActiveAlert(
        labels=labels,
        state=_STATES[state],
        active_at=timestamp(raw.get("activeAt")),
        value=f"{raw.get('value', '')} {reason}".strip(),
    )
