"""Generated: the committed dashboards and rules as data, so that what a stack serves can be compared with them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from stack.dashboards.generate import DASHBOARDS, RULES, STACK
from stack.slo.generate import rules_dir

ANOMALY = "anomaly.yaml"
"""The file with the rule about the detector's scores, which only a stack with a detector has."""


def dashboards() -> Mapping[str, Mapping[str, Any]]:
    """All dashboards by uid, in Grafana's classic JSON."""
    pages = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((STACK / DASHBOARDS).glob("*.json"))]
    return {page["uid"]: page for page in pages}


def prometheus_rules(profile: str) -> Sequence[Mapping[str, Any]]:
    """The rules of Prometheus as its files have them, recording and alerting ones."""
    return list(_rules(sorted(rules_dir(profile).glob("*.rules.yaml"))))


def grafana_rules(profile: str, *, detector: bool) -> Sequence[Mapping[str, Any]]:
    """The rules that Grafana evaluates, as its provisioning files have them."""
    paths = sorted((STACK / RULES / profile).glob("*.yaml"))
    return list(_rules([path for path in paths if detector or path.name != ANOMALY]))


def _rules(paths: Sequence[Path]) -> Iterator[Mapping[str, Any]]:
    for path in paths:
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]:
            yield from group["rules"]
