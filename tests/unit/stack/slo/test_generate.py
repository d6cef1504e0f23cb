"""Generation: what is committed is what the source says, in both profiles."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from stack.components import PROMETHEUS
from stack.config import PROFILES
from stack.slo.__main__ import main
from stack.slo.generate import GENERATED, SOURCE, generate, rules_dir, stale, write
from stack.slo.pipeline import RESEND_S, WATCHES
from stack.slo.promql import duration
from stack.slo.ratios import BASE_WINDOW_S

FILES = generate()


def rules(profile: str, kind: str) -> list[dict[str, Any]]:
    """All rules of a kind (`alert` or `record`) in a profile."""
    files = [yaml.safe_load(text) for name, text in FILES.items() if name.startswith(f"{profile}/")]
    return [rule for file in files for group in file["groups"] for rule in group["rules"] if kind in rule]


def formulas(profile: str) -> dict[str, dict[str, Any]]:
    """The alerts' formulas by name."""
    return {rule["alert"]: json.loads(rule["annotations"]["tocsin_formula"]) for rule in rules(profile, "alert")}


# --- in step ------------------------------------------------------------------------------------------------------


def test_committed_rules_are_in_step_with_their_source() -> None:
    """
    If this fails: `python -m stack.slo generate`.
    """
    assert stale(FILES) == []


def test_what_changed_is_missing_or_left_over_is_stale(tmp_path: Path) -> None:
    """
    Each kind of difference is found, and writing mends all.
    """
    write(FILES, tmp_path)
    assert stale(FILES, tmp_path) == []

    (tmp_path / "drill/slo.rules.yaml").write_text("groups: []\n", encoding="utf-8")
    (tmp_path / "drill/http.rules.yaml").unlink()
    (tmp_path / "production/old.rules.yaml").touch()
    assert stale(FILES, tmp_path) == ["drill/http.rules.yaml", "drill/slo.rules.yaml", "production/old.rules.yaml"]

    write(FILES, tmp_path)
    assert stale(FILES, tmp_path) == []


def test_command_writes_checks_and_says_what_is_out_of_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Exit code 1 for out of step, with the file and what to do.
    """
    assert main(["generate", "--out", str(tmp_path)]) == 0
    assert main(["generate", "--check", "--out", str(tmp_path)]) == 0
    (tmp_path / "drill/slo.rules.yaml").unlink()
    assert main(["generate", "--check", "--out", str(tmp_path)]) == 1
    assert "drill/slo.rules.yaml: out of step with " in capsys.readouterr().err


def test_command_refuses_a_wrong_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Exit code 2, one clear error, and nothing is written.
    """
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("kind: Slo\n", encoding="utf-8")
    out = tmp_path / "out"
    assert main(["generate", "--slo", str(wrong), "--out", str(out)]) == 2
    assert capsys.readouterr().err.startswith(f"{wrong}:1: unknown kind 'Slo'; known: ")
    assert not out.exists()


def test_profiles_have_a_folder_each() -> None:
    """
    Where a runtime looks for the rules of its profile.
    """
    assert {rules_dir(name) for name in PROFILES} == {path for path in GENERATED.iterdir() if path.is_dir()}


# --- two profiles, one meaning ------------------------------------------------------------------------------------


def test_profiles_have_the_same_rules() -> None:
    """
    The same alerts with the same labels, and the same records, in the same order.
    """

    def names(profile: str) -> list[tuple[str, str]]:
        alerts = [(rule["alert"], json.dumps(rule["labels"])) for rule in rules(profile, "alert")]
        return alerts + [(rule["record"], rule["labels"].get("slo", "")) for rule in rules(profile, "record")]

    assert names("production") == names("drill")


def test_expressions_differ_in_windows_only() -> None:
    """
    Thresholds, selectors and operators are the same, word by word.
    """
    number_before_guard = (
        r"(\* )\d+( >= 10)|(\) / )\d+(\nor\n)|(timestamp_seconds(?:\[WINDOW\]\))? > )\d+|(^vector\()\d{4,}(\)$)"
    )

    def bare(profile: str) -> list[str]:
        texts = [
            re.sub(r"\b\d+[smhd]\b", "WINDOW", rule["expr"])
            for kind in ("alert", "record")
            for rule in rules(profile, kind)
        ]
        return [re.sub(number_before_guard, r"\1\3\5\6SECONDS\2\4\7", text) for text in texts]

    assert bare("production") == bare("drill")


@pytest.mark.parametrize("profile", PROFILES)
def test_no_window_is_shorter_than_four_scrapes(profile: str) -> None:
    """
    `rate()` over fewer samples would be blind whenever one is late.
    """
    texts = [rule["expr"] for kind in ("alert", "record") for rule in rules(profile, kind)]
    found = {(int(number), unit) for text in texts for number, unit in re.findall(r"\[(\d+)([smhd])", text)}
    windows_s = {number * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit] for number, unit in found}
    assert windows_s
    floor_s = 4 * PROFILES[profile].scrape_interval_s
    assert min(windows_s) >= floor_s


# --- alerts -------------------------------------------------------------------------------------------------------


def test_an_alerts_name_is_given_once() -> None:
    """
    Two rules of one name could not be told apart in a notification.
    """
    names = [rule["alert"] for rule in rules("drill", "alert")]
    assert len(names) == len(set(names))


def test_alerts_say_who_must_act_about_what() -> None:
    """
    Every one has a severity that Alertmanager routes, and either a promise or a component.
    """
    for rule in rules("drill", "alert"):
        assert rule["labels"]["severity"] in {"page", "ticket", "none"}, rule["alert"]
        assert ("slo" in rule["labels"]) != ("component" in rule["labels"]), rule["alert"]


def test_alerts_tell_people_what_to_do() -> None:
    """
    A summary, a description, and a runbook of the alert's own name.
    """
    for rule in rules("drill", "alert"):
        assert rule["annotations"]["summary"], rule["alert"]
        assert rule["annotations"]["description"].endswith("."), rule["alert"]
        assert rule["annotations"]["runbook_url"] == f"docs/runbooks/{rule['alert']}.md"


@pytest.mark.parametrize("profile", PROFILES)
def test_formulas_say_what_the_rules_say(profile: str) -> None:
    """
    Holds, windows and limits of a formula are those of its expression.
    """
    for rule in rules(profile, "alert"):
        formula = json.loads(rule["annotations"]["tocsin_formula"])
        assert rule["for"] in {f"{formula['for_s']}s", f"{formula['for_s'] // 60}m"}, rule["alert"]
        for part in formula.get("any_of", [formula]):
            if "factor" in part:
                assert f"> {part['factor'] * formula['budget']:.12g}\n" in rule["expr"], rule["alert"]
                assert f"* {part['short_s']} >= {formula['min_requests']}" in rule["expr"], rule["alert"]


def test_formulas_in_a_drill() -> None:
    """
    The keys that README.md specifies, one of each kind.
    """
    found = formulas("drill")
    guard = {"min_requests": 10}
    timing = {"for_s": 0, "interval_s": 1}
    assert {name: found[name] for name in ("ErrorBudgetBurnFast", "ErrorRateHigh", "LatencyP95High")} == {
        "ErrorBudgetBurnFast": {"kind": "burn_rate", "bad": "5xx", "budget": 0.001, "factor": 14.4}
        | {"long_s": 60, "short_s": 5}
        | guard
        | timing,
        "ErrorRateHigh": {"kind": "error_ratio", "bad": "5xx", "threshold": 0.01, "window_s": 5} | guard | timing,
        "LatencyP95High": {"kind": "latency_quantile", "bad": "slow", "quantile": 0.95}
        | {"threshold_s": 0.5, "window_s": 5}
        | guard
        | timing,
    }
    assert found["TelemetryAbsent"] == {
        "kind": "absent",
        "window_s": 30,
        "expiration_s": PROFILES["drill"].metric_expiration_s,
        "for_s": 2,
        "interval_s": 1,
    }
    assert found["LatencyBudgetBurnTicket"]["kind"] == "latency_burn_rate"
    assert found["LatencyBudgetBurnTicket"]["any_of"] == [
        {"factor": 3, "long_s": 1440, "short_s": 120},
        {"factor": 1, "long_s": 4320, "short_s": 360},
    ]
    assert found["MemoryGrowing"] == {"kind": "memory_growth", "times": 2, "window_s": 60, "for_s": 2, "interval_s": 1}
    assert found["TargetDown"] == {"kind": "pipeline", "lag_s": 1, "for_s": 5, "interval_s": 1}
    assert found["QueueFull"] == {"kind": "pipeline", "for_s": 0, "interval_s": 1}


@pytest.mark.parametrize(
    ("alert", "drill_s", "production_s"),
    [
        ("CollectorRefusing", 5, 300),
        # Counted at least every 5 s, as often as an alert is sent again.
        ("PrometheusNotificationsFailing", 8, 300),
        # Counted every 10 s in a drill, when a notification is given up; else every minute.
        ("AlertmanagerNotificationsFailing", 15, 300),
    ],
)
def test_windows_of_rare_counts_hold_more_than_one_of_them(alert: str, drill_s: int, production_s: int) -> None:
    """
    Otherwise an alert would end and begin again while what it is about goes on.
    """
    (watch,) = (watch for watch in WATCHES if watch.alert == alert)

    assert [watch.window_in(PROFILES[name]) for name in ("drill", "production")] == [drill_s, production_s]


def test_alerts_are_sent_again_as_often_as_rules_believe() -> None:
    """
    The setting is Prometheus' own.
    """
    assert f"--rules.alert.resend-delay={RESEND_S}s" in PROMETHEUS.args


def test_alerts_are_left_to_grafana_where_the_file_says_so(tmp_path: Path) -> None:
    """
    What they read is still recorded, since Grafana asks Prometheus for it.
    """
    path = tmp_path / "slo.yaml"
    text = SOURCE.read_text(encoding="utf-8").replace('"prometheus,grafana"', "grafana", 1)
    path.write_text(text, encoding="utf-8")
    made = generate(path)["drill/slo.rules.yaml"]
    assert "alert: ErrorBudgetBurnFast" not in made
    assert "alert: LatencyBudgetBurnFast" in made
    assert made.count("record: ") == FILES["drill/slo.rules.yaml"].count("record: ")


def test_alerts_are_evaluated_after_what_they_read() -> None:
    """
    In the same round, so that no alert is a round late.
    """
    for group in yaml.safe_load(FILES["drill/slo.rules.yaml"])["groups"]:
        kinds = ["alert" if "alert" in rule else "record" for rule in group["rules"]]
        assert kinds == sorted(kinds, reverse=True), group["name"]


def test_recorded_windows_are_those_that_alerts_read() -> None:
    """
    Each ratio that an alert reads is recorded, and nothing else but the window that people look at.
    """
    asked = re.compile(r'slo:sli_error:ratio_rate\{slo="(\w+)",window="(\w+)"\}')
    for name, profile in PROFILES.items():
        labels = [rule["labels"] for rule in rules(name, "record") if rule["record"] == "slo:sli_error:ratio_rate"]
        read = {found for rule in rules(name, "alert") for found in asked.findall(rule["expr"])}
        shown = {(slo, duration(profile.window_s(BASE_WINDOW_S))) for slo in ("availability", "latency")}
        assert {(found["slo"], found["window"]) for found in labels} == read | shown
