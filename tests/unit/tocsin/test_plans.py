"""Plans: what a stack should serve is what was generated for its profile and its components."""

import pytest

from stack.config import PROFILES
from tocsin.plans import blueprint_of


@pytest.mark.parametrize("profile", PROFILES)
def test_every_rule_has_a_name_of_its_own(profile: str) -> None:
    """Otherwise the lack of one would be hidden by another."""
    plan = blueprint_of(profile=profile, components=["grafana", "detector"])

    assert set(plan.rules) == {"prometheus", "grafana"}
    for names in plan.rules.values():
        assert len(names) == len(set(names)) > 5


def test_what_a_stack_lacks_is_not_planned() -> None:
    """No Grafana: no dashboards and no rules of it; no detector: no rule about its scores."""
    bare, without = blueprint_of(profile="drill", components=[]), blueprint_of(profile="drill", components=["grafana"])

    assert (bare.dashboards, set(bare.rules)) == ({}, {"prometheus"})
    assert not [name for name in without.rules["grafana"] if "Anomaly" in name]
    assert set(without.dashboards) == {"slo", "application", "traces", "pipeline", "drill"}
