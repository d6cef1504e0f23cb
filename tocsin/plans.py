"""Plans: the blueprint of a stack of ours, by which a drill finds what is missing from it."""

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from assertions.blueprint import Blueprint, rule_name
from stack import generated


def blueprint_of(*, profile: str, components: Collection[str]) -> Blueprint:
    """What a stack of this profile with these components should serve."""
    return _blueprint(profile, "detector" in components, "grafana" in components)


@cache
def _blueprint(profile: str, detector: bool, grafana: bool) -> Blueprint:
    rules = {"prometheus": [_name(rule) for rule in generated.prometheus_rules(profile)]}
    if not grafana:
        return Blueprint(rules=rules)
    rules["grafana"] = [_name(rule) for rule in generated.grafana_rules(profile, detector=detector)]
    return Blueprint(dashboards=generated.dashboards(), rules=rules)


def _name(rule: Mapping[str, Any]) -> str:
    kind = "record" if "record" in rule else "alert"
    title = rule.get("record") or rule.get("alert") or rule["title"]
    return rule_name(kind, str(title), rule.get("labels") or {})
