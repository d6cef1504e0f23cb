"""Rule: one recording or alerting rule of Prometheus, their groups, and the file that holds them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stack.slo.blocks import dump

HEADER = "# Generated from {source} by `python -m stack.slo generate`: edit that, not this.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A series that is worth computing once."""

    record: str
    expr: str
    labels: Mapping[str, str] = field(default_factory=dict)

    def data(self) -> dict[str, Any]:
        """As Prometheus reads it."""
        return {"record": self.record, "expr": self.expr} | ({"labels": dict(self.labels)} if self.labels else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerting:
    """A condition that somebody must hear of; it goes on firing for `keep` after the condition was last true."""

    alert: str
    expr: str
    hold: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    keep: str = ""

    def data(self) -> dict[str, Any]:
        """As Prometheus reads it."""
        return {
            "alert": self.alert,
            "expr": self.expr,
            "for": self.hold,
            **({"keep_firing_for": self.keep} if self.keep else {}),
            "labels": dict(self.labels),
            "annotations": dict(self.annotations),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rules that are evaluated together, in this order: an alert sees what was recorded before it in the same round."""

    name: str
    interval: str
    rules: Sequence[Recording | Alerting]

    def data(self) -> dict[str, Any]:
        """As Prometheus reads it."""
        return {"name": self.name, "interval": self.interval, "rules": [rule.data() for rule in self.rules]}


def text(groups: Sequence[Group], *, source: str) -> str:
    """A rule file's text; `source` is named in its first line."""
    return HEADER.format(source=source) + dump({"groups": [group.data() for group in groups]})
