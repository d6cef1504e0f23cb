"""Alerts: what is told of an anomaly, under which identity, and the book of those that are active."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from detector.config import Config, Watch
from detector.kinds import Kind
from detector.matrix import Labels
from detector.verdict import Verdict, amount

ANOMALY, ABSENT, BLIND = "AnomalyDetected", "AnomalySeriesAbsent", "AnomalyDetectorBlind"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """
    One alert. Its labels are its identity and never change while it lasts; so how grave it is, which does change, is
    the annotation `grade`, and the label `severity` is whatever the watch says, `warning` if it says nothing.
    """

    labels: dict[str, str]
    annotations: dict[str, str]
    starts_s: float
    ends_s: float | None = None
    generator: str = ""

    @property
    def fingerprint(self) -> str:
        """A short name of the identity."""
        return fingerprint_of(self.labels)

    @property
    def grade(self) -> str:
        """`warning` or `critical`."""
        return self.annotations.get("grade", "")

    def as_dict(self) -> dict[str, Any]:
        """The alert as plain data."""
        return {**asdict(self), "fingerprint": self.fingerprint}


def fingerprint_of(labels: Mapping[str, str]) -> str:
    """A short name of a set of labels."""
    return hashlib.sha256(json.dumps(dict(labels), sort_keys=True).encode()).hexdigest()[:16]


def identity(name: str, watch: Watch, labels: Labels) -> dict[str, str]:
    """The labels of an alert: those of the series, those of the watch, and what the detector adds."""
    own = {"alertname": name, "signal": str(watch.kind), "watch": watch.name}
    return {"severity": "warning", **dict(labels), **watch.labels, **own}


def anomaly(config: Config, watch: Watch, labels: Labels, verdict: Verdict) -> Alert:
    """The alert of a series that behaves as it never did."""
    starts_s = verdict.since_s if verdict.since_s is not None else verdict.at_s
    where = " ".join(value for _, value in labels) or watch.name
    kind: Kind = watch.kind
    annotations = {
        "summary": f"{watch.name} of {where} is not as expected",
        "description": verdict.reason,
        "grade": str(verdict.severity or ""),
        "value": amount(kind, verdict.value),
        "expected": amount(kind, verdict.expected),
        "band": f"{amount(kind, verdict.lower)} to {amount(kind, verdict.upper)}",
        "z": f"{max(verdict.z, verdict.slow_z):.1f}",
        "score": f"{verdict.score:.3f}",
        "since": iso(starts_s),
        **watch.annotations,
    }
    if config.explore_url:
        annotations["explore"] = explore(config.explore_url, watch.query, starts_s)
    return Alert(
        labels=identity(ANOMALY, watch, labels),
        annotations=annotations,
        starts_s=starts_s,
        generator=f"{config.prometheus.url}/graph?g0.expr={quote(watch.query, safe='')}",
    )


def absent(watch: Watch, labels: Labels, *, since_s: float) -> Alert:
    """The alert of a series that was there and has gone."""
    where = " ".join(value for _, value in labels) or watch.name
    text = {"summary": f"{watch.name} of {where} is gone", "description": f"no value of {watch.query} any more"}
    return Alert(labels=identity(ABSENT, watch, labels), annotations={**text, **watch.annotations}, starts_s=since_s)


def blind(watch: Watch, problem: str, *, since_s: float) -> Alert:
    """The alert of the detector about itself: it cannot see."""
    text = {"summary": f"the detector cannot read {watch.name}", "description": problem}
    return Alert(labels=identity(BLIND, watch, ()), annotations=text, starts_s=since_s)


def explore(base: str, query: str, starts_s: float) -> str:
    """A link to Grafana's Explore with the query, from half an hour before the alert to half an hour after."""
    around = {"from": str(int((starts_s - 1800) * 1000)), "to": str(int((starts_s + 1800) * 1000))}
    pane = {"datasource": "prometheus", "queries": [{"refId": "A", "expr": query}], "range": around}
    return f"{base}?schemaVersion=1&panes={quote(json.dumps({'a': pane}), safe='')}"


def iso(at_s: float) -> str:
    """A moment as RFC 3339, in UTC."""
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class AlertBook:
    """The active alerts, by fingerprint and by the scope (a watch) that they came from."""

    def __init__(self) -> None:
        self.active: dict[str, Alert] = {}
        self.scopes: dict[str, str] = {}

    def sync(
        self, scope: str, current: Mapping[str, Alert], ends: Mapping[str, str], now_s: float, why: str = "cleared"
    ) -> list[Alert]:
        """
        Make the active alerts of a scope those of `current`, by fingerprint.

        Returns what has to be told: alerts that are new, that became graver, and those that ended, with `ends_s` and
        the reason: the one in `ends`, else `why`.
        """
        told = []
        for fingerprint, alert in current.items():
            before = self.active.get(fingerprint)
            if before is not None:
                alert = replace(alert, starts_s=before.starts_s)
            self.active[fingerprint], self.scopes[fingerprint] = alert, scope
            if before is None or before.grade != alert.grade:
                told.append(alert)
        gone = [key for key, owner in self.scopes.items() if owner == scope and key not in current]
        for fingerprint in gone:
            alert = self.active.pop(fingerprint)
            del self.scopes[fingerprint]
            notes = {**alert.annotations, "ended": ends.get(fingerprint, why)}
            told.append(replace(alert, ends_s=now_s, annotations=notes))
        return told
