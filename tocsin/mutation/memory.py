"""Memory: a Grafana that is asked each panel's query once, for the drill is over and its data do not change any more."""

import json
from collections.abc import Mapping
from typing import Any

from assertions.grafana import Grafana


class RememberingGrafana(Grafana):
    """Answers the same question as it was answered before; what Grafana serves (dashboards, datasources, rules) is asked anew."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._points: dict[str, list[tuple[float, float]]] = {}
        self._traces: dict[str, int] = {}

    def query(self, source: str, target: Mapping[str, Any], *, span: tuple[float, float]) -> list[tuple[float, float]]:
        """As Grafana answers, or as it did before."""
        key = json.dumps([source, target, span], sort_keys=True)
        if key not in self._points:
            self._points[key] = super().query(source, target, span=span)
        return self._points[key]

    def search_traces(self, source: str, query: str, *, span: tuple[float, float]) -> int:
        """As Grafana answers, or as it did before."""
        key = json.dumps([source, query, span])
        if key not in self._traces:
            self._traces[key] = super().search_traces(source, query, span=span)
        return self._traces[key]
