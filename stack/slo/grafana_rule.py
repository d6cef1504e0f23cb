"""Rules of Grafana's own alerting: queries, a condition over them, and the provisioning file that holds them."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

FOLDER = "Tocsin alerts"
"""Where rules are filed; not with the dashboards, whose folder Grafana makes in another way."""

PROMETHEUS_UID, EXPRESSIONS_UID = "prometheus", "__expr__"
"""The datasources that rules ask."""

LONGEST_UID = 40
LOOK_BACK_S = 600

ErrorState = Literal["KeepLast", "Error"]
"""What a rule becomes while Prometheus cannot be asked: it stays what it was, or it says so by an alert of its own."""

NoDataState = Literal["OK", "NoData"]
"""What a rule becomes while its query gives nothing: all is well, or it says so by an alert of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Above:
    """A limit: fires for each series of the query's answer that is above it."""

    limit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelRef:
    """A panel that shows what a rule looks at; alerts link to it."""

    dashboard: str
    panel: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GrafanaRule:
    """
    One alert rule. Each query has a limit of its own, and any of them fires it; all times are whole seconds.

    No data is no alert, but where a rule is about just that.
    """

    title: str
    queries: Sequence[tuple[str, Above]]
    hold_s: int
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    panel: PanelRef
    on_error: ErrorState = "KeepLast"
    on_no_data: NoDataState = "OK"

    @property
    def uid(self) -> str:
        """A name for machines, the same as long as the title is; of at most 40 characters, as Grafana wants it."""
        kebab = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+", "-", self.title).strip("-").lower()
        uid = f"tocsin-{kebab}"
        if len(uid) <= LONGEST_UID:
            return uid
        return f"{uid[: LONGEST_UID - 9]}-{hashlib.sha256(uid.encode()).hexdigest()[:8]}"

    def data(self) -> dict[str, Any]:
        """As Grafana reads it from a provisioning file."""
        place = {"__dashboardUid__": self.panel.dashboard, "__panelId__": str(self.panel.panel)}
        return {
            "uid": self.uid,
            "title": self.title,
            "condition": "C",
            "for": f"{self.hold_s}s",
            "noDataState": self.on_no_data,
            "execErrState": self.on_error,
            "labels": dict(self.labels),
            "annotations": {**self.annotations, **place},
            "dashboardUid": self.panel.dashboard,
            "panelId": self.panel.panel,
            "data": [*self._asked(), _step(EXPRESSIONS_UID, "C", self._condition())],
        }

    def _asked(self) -> Sequence[dict[str, Any]]:
        model = {"instant": True, "range": False, "intervalMs": 1000, "maxDataPoints": 43200}
        return [
            _step(PROMETHEUS_UID, ref_id, {"expr": expr, **model})
            for ref_id, (expr, _) in zip("AB", self.queries, strict=False)
        ]

    def _condition(self) -> dict[str, Any]:
        """One limit is a threshold, which people can drag in a panel; two are a formula."""
        limits = [above.limit for _, above in self.queries]
        if len(limits) == 1:
            evaluator = {"type": "gt", "params": limits}
            return {"type": "threshold", "expression": "A", "conditions": [{"evaluator": evaluator}]}
        parts = [f"(${ref_id} > {limit:.12g})" for ref_id, limit in zip("AB", limits, strict=True)]
        return {"type": "math", "expression": " || ".join(parts)}


@dataclass(frozen=True, slots=True, kw_only=True)
class GrafanaGroup:
    """Rules that are evaluated together."""

    name: str
    interval_s: int
    rules: Sequence[GrafanaRule]

    def data(self) -> dict[str, Any]:
        """As Grafana reads it from a provisioning file."""
        return {
            "orgId": 1,
            "name": self.name,
            "folder": FOLDER,
            "interval": f"{self.interval_s}s",
            "rules": [rule.data() for rule in self.rules],
        }


def _step(datasource: str, ref_id: str, model: Mapping[str, Any]) -> dict[str, Any]:
    span = {"from": LOOK_BACK_S if datasource == PROMETHEUS_UID else 0, "to": 0}
    return {
        "refId": ref_id,
        "relativeTimeRange": span,
        "datasourceUid": datasource,
        "model": {"refId": ref_id, **model},
    }
