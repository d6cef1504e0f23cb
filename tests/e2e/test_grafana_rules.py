"""Grafana's rules and the dashboards' queries, judged by Prometheus' own tool."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from stack.config import PROFILES, Profile
from stack.dashboards.evidence import panel_of
from stack.slo.generate import SOURCE
from stack.slo.grafana import Clock, groups
from stack.slo.grafana_rule import GrafanaRule
from stack.slo.grafana_values import anomaly
from stack.slo.loader import load
from tests.e2e.test_rules import ALERTS, Case, concerning, run, tool, unit_test
from tests.unit.stack.dashboards.pages import Asked, asked, filled

pytestmark = pytest.mark.e2e

SLOS = load(SOURCE)
ABOUT_LEVELS = {alert.name for slo in SLOS for alert in slo.alerts}
CASES = [case for case in ALERTS if case.alert in ABOUT_LEVELS]
METRICS = [one for one in asked() if "expr" in one.query]


def grafana_rule(title: str, profile: Profile) -> GrafanaRule:
    """One of Grafana's rules."""
    made = groups(SLOS, profile, Clock.of(profile), panel_of(SLOS))
    return next(rule for group in made for rule in group.rules if rule.title == title)


def in_promql(rule: GrafanaRule) -> dict[str, Any]:
    """The rule in Prometheus' words: a series for each one that is above a limit."""
    above = [f"(({expr}) > {limit.limit:.12g})" for expr, limit in rule.queries]
    return {"alert": rule.title, "expr": " or ".join(above), "for": f"{rule.hold_s}s", "labels": dict(rule.labels)}


def recordings(case: Case, profile: Profile) -> list[dict[str, Any]]:
    """What Prometheus records for the case, without its own alerts."""
    found = concerning(case, profile)
    return [{**group, "rules": [rule for rule in group["rules"] if "record" in rule]} for group in found]


def check_rules(rules: list[dict[str, Any]], path: Path) -> "subprocess.CompletedProcess[str]":
    """Let promtool read the rules; it names each that it cannot parse."""
    path.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}, width=10_000), encoding="utf-8")
    command = [tool("promtool"), "check", "rules", "--lint=none", str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def record_name(one: Asked) -> str:
    """A query's place as a name that a recording rule may have."""
    return re.sub(r"\W+", "_", str(one))


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES.keys())
@pytest.mark.parametrize("case", CASES, ids=str)
def test_grafanas_rules_fire_when_those_of_prometheus_do(case: Case, profile: Profile, tmp_path: Path) -> None:
    """
    The cases of Prometheus' alerts hold for Grafana's: they fire for the same services, and are silent for the same.
    """
    ours = {"name": "grafana", "rules": [in_promql(grafana_rule(case.alert, profile))]}
    rule_file, path = tmp_path / "all.rules.yaml", tmp_path / "case.yaml"
    made = [*recordings(case, profile), ours]
    rule_file.write_text(yaml.safe_dump({"groups": made}), encoding="utf-8")
    test = unit_test(case, profile, rule_file) | {"group_eval_order": [group["name"] for group in made]}
    test["tests"][0].pop("alert_rule_test", None)
    path.write_text(yaml.safe_dump(test, width=10_000), encoding="utf-8")
    run(tool("promtool"), "test", "rules", str(path))


@pytest.mark.parametrize(
    ("score", "firing", "wanted"),
    [
        ("0.1x6 0.8x3", "0x7 1x2", 0.8),
        ("0.8x9", "0x9", 0),
        ("0.8x5 0.4 0.1 0.4 0.1", "1x9", 0.8),
        ("0.1x9", "1x9", 0.1),
        ("_x9", "_x9", None),
    ],
    ids=["an anomaly", "unusual, but none that counts", "an anomaly with a calm moment", "about to end", "no detector"],
)
def test_the_rule_about_anomalies_shows_the_score_of_what_the_detector_calls_one(
    score: str, firing: str, wanted: float | None, tmp_path: Path
) -> None:
    """
    And 0 of what it does not; above 0.33 it fires, where the detector would not yet end it.
    """
    expr, _ = anomaly(PROFILES["drill"])
    who = 'service_namespace="ns",service_name="web",signal="latency",watch="p95"'
    series = [
        {"series": f"anomaly_score{{{who}}}", "values": score},
        {"series": f'anomaly_firing{{{who},grade="warning"}}', "values": firing},
        {"series": f'anomaly_firing{{{who},grade="critical"}}', "values": firing.replace("1", "0")},
    ]
    labels = '{service_namespace="ns",service_name="web",signal="latency"}'
    samples = [] if wanted is None else [{"labels": labels, "value": wanted}]
    tests: list[dict[str, Any]] = [{"interval": "1s", "input_series": series}]
    tests[0]["promql_expr_test"] = [{"expr": expr, "eval_time": "8s", "exp_samples": samples}]
    path = tmp_path / "case.yaml"
    path.write_text(yaml.safe_dump({"evaluation_interval": "1s", "tests": tests}), encoding="utf-8")
    run(tool("promtool"), "test", "rules", str(path))


def test_every_query_of_every_dashboard_is_promql(tmp_path: Path) -> None:
    """
    A mistake is named with dashboard, panel and query.
    """
    rules = [{"record": record_name(one), "expr": filled(one.query["expr"])} for one in METRICS]
    done = check_rules(rules, tmp_path / "queries.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_mistake_in_promql_would_be_named(tmp_path: Path) -> None:
    """
    The check above can fail, and says where.
    """
    done = check_rules([{"record": "slo_Some_panel_A", "expr": "sum by (le (x)"}], tmp_path / "queries.yaml")
    assert done.returncode != 0
    assert "slo_Some_panel_A" in done.stdout + done.stderr
