"""Grafana's own rules: from the same service levels, as Grafana's provisioning files want them."""

import json
import re
from fractions import Fraction
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from stack.config.profile import PROFILES, Profile
from stack.slo.generate import SOURCE, generate
from stack.slo.grafana import Clock, anomaly_group, groups, lost_group, text
from stack.slo.grafana_rule import LONGEST_UID, Above, GrafanaRule, PanelRef
from stack.slo.loader import load, load_text

SLOS = load(SOURCE)
PANEL = PanelRef(dashboard="slo", panel=7)


def made(profile: Profile, tick_s: int | None = None) -> list[dict[str, Any]]:
    """The groups of a profile, read back from the file's text."""
    clock = Clock.of(profile, tick_s)
    found: list[dict[str, Any]] = yaml.safe_load(
        text(groups(SLOS, profile, clock, lambda slo, alert: PANEL), source="slo.yaml")
    )["groups"]
    return found


def rules(profile: Profile, tick_s: int | None = None) -> dict[str, dict[str, Any]]:
    """All rules by title."""
    return {rule["title"]: rule for group in made(profile, tick_s) for rule in group["rules"]}


def prometheus_rules(profile: Profile) -> dict[str, dict[str, Any]]:
    """The alerting rules that Prometheus has, by name."""
    file = yaml.safe_load(generate()[f"{profile.name}/slo.rules.yaml"])
    return {rule["alert"]: rule for group in file["groups"] for rule in group["rules"] if "alert" in rule}


@pytest.fixture(params=PROFILES.values(), ids=lambda profile: profile.name)
def profile(request: pytest.FixtureRequest) -> Profile:
    """Each profile in turn."""
    found: Profile = request.param
    return found


# --- what there is ------------------------------------------------------------------------------------------------


def test_every_alert_of_the_levels_is_a_rule(profile: Profile) -> None:
    """
    Under its own name, as in Prometheus, so that a drill can find it on either path.
    """
    assert rules(profile).keys() == prometheus_rules(profile).keys()
    assert {
        "ErrorBudgetBurnFast",
        "ErrorBudgetBurnSlow",
        "ErrorBudgetBurnTicket",
        "ErrorRateHigh",
        "LatencyP95High",
    } < (rules(profile).keys())


def test_labels_say_how_urgent_it_is_and_which_promise() -> None:
    """
    The service's labels come with the series, one instance for each service.
    """
    for rule in rules(PROFILES["drill"]).values():
        assert rule["labels"].keys() == {"severity", "slo"}
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert "service_namespace, service_name" in rule["data"][0]["model"]["expr"]


def test_annotations_are_those_of_prometheus_and_lead_to_a_panel(profile: Profile) -> None:
    """
    Only how a value is named in a template differs between the two.
    """
    known = prometheus_rules(profile)
    for title, rule in rules(profile).items():
        ours, theirs = rule["annotations"], known[title]["annotations"]
        assert [ours[key] for key in ("description", "runbook_url")] == [
            theirs[key] for key in ("description", "runbook_url")
        ]
        assert (ours["__dashboardUid__"], ours["__panelId__"]) == ("slo", "7")
        assert (rule["dashboardUid"], rule["panelId"]) == ("slo", 7)
        assert ours["summary"].replace("$values.A.Value", "$value") == theirs["summary"] or title == "TelemetryAbsent"
        assert not re.search(r"\$value\b", ours["summary"])


def test_levels_that_prometheus_alone_evaluates_are_left_out() -> None:
    """
    `tocsin/alerting: prometheus` leaves Grafana without the rules of that level.
    """
    only = load_text(SOURCE.read_text(encoding="utf-8").replace('"prometheus,grafana"', "prometheus", 1), source="x")
    drill = PROFILES["drill"]
    found = groups(only, drill, Clock.of(drill), lambda slo, alert: PANEL)
    assert {group.name.rpartition("-")[0] for group in found} == {"slo-latency"}


def test_only_one_rule_cries_if_prometheus_cannot_be_asked() -> None:
    """
    The others stay what they were: no storm, and no false end of what is firing.
    """
    states = {title: rule["execErrState"] for title, rule in rules(PROFILES["drill"]).items()}
    assert states.pop("TelemetryAbsent") == "Error"
    assert set(states.values()) == {"KeepLast"}
    assert {rule["noDataState"] for rule in rules(PROFILES["drill"]).values()} == {"OK"}
    summary = rules(PROFILES["drill"])["TelemetryAbsent"]["annotations"]["summary"]
    assert summary.startswith("{{ if $labels.service_name }}")
    assert summary.endswith("{{ else }}Prometheus cannot be asked{{ end }}")


# --- conditions ---------------------------------------------------------------------------------------------------


def test_a_single_limit_is_a_threshold(profile: Profile) -> None:
    """
    An instant query needs no reduction; the limit is the budget times the factor.
    """
    rule = rules(profile)["ErrorBudgetBurnFast"]
    asked, judged = rule["data"]
    assert rule["condition"] == judged["refId"] == "C"
    assert asked["datasourceUid"] == "prometheus"
    assert asked["model"]["instant"]
    assert not asked["model"]["range"]
    assert judged["datasourceUid"] == "__expr__"
    assert judged["model"]["conditions"] == [{"evaluator": {"type": "gt", "params": [0.0144]}}]


def test_alternatives_are_a_formula(profile: Profile) -> None:
    """
    Either pair of windows is enough for a ticket, each with a limit of its own.
    """
    rule = rules(profile)["ErrorBudgetBurnTicket"]
    assert [step["refId"] for step in rule["data"]] == ["A", "B", "C"]
    assert rule["data"][-1]["model"] == {"refId": "C", "type": "math", "expression": "($A > 0.003) || ($B > 0.001)"}


def test_queries_read_windows_that_are_recorded(profile: Profile) -> None:
    """
    A window that Prometheus does not record would never have data.
    """
    recorded = {
        (rule["record"], rule["labels"]["slo"], rule["labels"].get("window"))
        for group in yaml.safe_load(generate()[f"{profile.name}/slo.rules.yaml"])["groups"]
        for rule in group["rules"]
        if "record" in rule
    }
    found = 0
    for rule in rules(profile).values():
        for step in rule["data"][:-1]:
            for record, slo, windows in re.findall(
                r'(slo:\w+:\w+){slo="(\w+)",window=~?"([^"]+)"}', step["model"]["expr"]
            ):
                found += 1
                assert {(record, slo, window) for window in windows.split("|")} <= recorded
    assert found


# --- times --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "tick_s"), [("drill", None), ("drill", 10), ("production", None)])
def test_intervals_and_holds_are_multiples_of_the_tick(name: str, tick_s: int | None) -> None:
    """
    Grafana refuses to start with another interval, and counts a hold in evaluations.
    """
    profile = PROFILES[name]
    tick = tick_s or profile.grafana_tick_s
    for group in made(profile, tick_s):
        interval_s = int(group["interval"].removesuffix("s"))
        assert interval_s % tick == 0
        assert interval_s >= profile.grafana_interval_s
        for rule in group["rules"]:
            formula = json.loads(rule["annotations"]["tocsin_formula"])
            assert formula["interval_s"] == interval_s
            assert int(rule["for"].removesuffix("s")) == formula["for_s"]
            assert formula["for_s"] % interval_s == 0


def test_a_drill_is_judged_every_second_and_tickets_less_often() -> None:
    """
    Where Grafana takes a tick of a second; elsewhere every ten.
    """
    intervals = {group["name"]: group["interval"] for group in made(PROFILES["drill"])}
    assert intervals == {
        "slo-availability-fast": "1s",
        "slo-availability-slow": "4s",
        "slo-latency-fast": "1s",
        "slo-latency-slow": "4s",
    }
    assert {group["interval"] for group in made(PROFILES["drill"], 10)} == {"10s", "40s"}
    assert {group["interval"] for group in made(PROFILES["production"])} == {"20s", "80s"}


def test_formulas_are_those_of_prometheus_but_for_the_clock(profile: Profile) -> None:
    """
    What fires is the same on both paths; only when somebody looks differs.
    """
    known = prometheus_rules(profile)
    for title, rule in rules(profile).items():
        ours, theirs = (json.loads(one["annotations"]["tocsin_formula"]) for one in (rule, known[title]))
        clock = {"for_s", "interval_s"}
        assert {k: v for k, v in ours.items() if k not in clock} == {k: v for k, v in theirs.items() if k not in clock}


# --- names --------------------------------------------------------------------------------------------------------


@given(st.text(min_size=1, max_size=120))
def test_a_uid_is_what_grafana_takes(title: str) -> None:
    """
    At most 40 characters, letters, digits and dashes, whatever an alert is called; the same each time.
    """
    rule = GrafanaRule(title=title, queries=[("1", Above(limit=1))], hold_s=0, labels={}, annotations={}, panel=PANEL)
    assert len(rule.uid) <= LONGEST_UID
    assert re.fullmatch(r"[A-Za-z0-9_-]+", rule.uid)
    assert rule.uid == rule.uid


def test_long_titles_that_differ_at_their_end_have_different_uids() -> None:
    """
    Grafana would silently drop one of two rules with the same uid.
    """
    common = "ErrorBudgetBurnOfTheWholeCheckoutPathOfTheShop"
    uids = {
        GrafanaRule(title=f"{common}{end}", queries=[], hold_s=0, labels={}, annotations={}, panel=PANEL).uid
        for end in ("Fast", "Slow")
    }
    assert len(uids) == 2


def test_uids_are_unique(profile: Profile) -> None:
    """
    Over all groups of a file.
    """
    uids = [rule["uid"] for group in made(profile) for rule in group["rules"]]
    assert len(uids) == len(set(uids))


# --- anomalies ----------------------------------------------------------------------------------------------------


def test_the_rule_about_anomalies_reads_the_detectors_score(profile: Profile) -> None:
    """
    For each signal of each service; it ends when the detector would end it.
    """
    group = anomaly_group(profile, Clock.of(profile), PANEL).data()
    (rule,) = group["rules"]
    assert "anomaly_score" in rule["data"][0]["model"]["expr"]
    assert "service_namespace, service_name, signal" in rule["data"][0]["model"]["expr"]
    assert f"[{4 * profile.scrape_interval_s}s]" in rule["data"][0]["model"]["expr"].replace("[1m]", "[60s]")
    assert rule["labels"]["severity"] == "ticket"


def test_the_rule_about_lost_telemetry_is_about_having_no_data(profile: Profile) -> None:
    """
    Its value never fires it; no data does, after as long as a single service may be missing, and an error is no news of its own.
    """
    group = lost_group(profile, Clock.of(profile), PANEL).data()
    (rule,) = group["rules"]

    assert (rule["title"], rule["noDataState"], rule["execErrState"]) == ("TelemetryLost", "NoData", "KeepLast")
    assert rule["data"][0]["model"]["expr"].startswith("vector(0)\nunless on ()")
    assert "and on ()\n(min(min_over_time(up{" in rule["data"][0]["model"]["expr"], (
        "a scrape that fails is told by another rule"
    )
    assert rule["for"] == rules(profile)["TelemetryAbsent"]["for"]
    formula = json.loads(rule["annotations"]["tocsin_formula"])
    assert (formula["kind"], formula["expiration_s"]) == ("absent", profile.metric_expiration_s)


def test_limits_are_exact() -> None:
    """
    14.4 times a budget of 0.001 is 0.0144, without noise of binary fractions.
    """
    (fast,) = [alert for alert in SLOS[0].alerts if alert.name == "ErrorBudgetBurnFast"]
    assert fast.conditions[0].factor * SLOS[0].budget == Fraction(144, 10000)
    assert "0.0144\n" in text(
        groups(SLOS, PROFILES["drill"], Clock.of(PROFILES["drill"]), lambda slo, alert: PANEL), source="s"
    )
