"""The generated rules and configurations, checked by the engines' own tools."""

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from stack.components import COMPONENTS
from stack.config import PROFILES, Profile, render
from stack.engines import locate
from stack.slo.generate import rules_dir

pytestmark = pytest.mark.e2e

CASES = Path(__file__).with_name("rules")
WEB = 'job="ns/web",instance="i",service_namespace="ns",service_name="web",http_route="/x"'
OTHER = WEB.replace("ns", "other")
COUNT, BUCKET = "http_server_request_duration_seconds_count", "http_server_request_duration_seconds_bucket"
SERIES = {
    "ok": f'{COUNT}{{{WEB},http_response_status_code="200"}}',
    "failed": f'{COUNT}{{{WEB},http_response_status_code="503"}}',
    "other_ok": f'{COUNT}{{{OTHER},http_response_status_code="200"}}',
    "other_failed": f'{COUNT}{{{OTHER},http_response_status_code="500"}}',
    "answered": f'{COUNT}{{{WEB},http_response_status_code="200"}}',
    "quick": f'{BUCKET}{{{WEB},http_response_status_code="200",le="0.5"}}',
    "other_route": f'{COUNT}{{{WEB.replace("/x", "/y")},http_response_status_code="200"}}',
    "slower": f'{BUCKET}{{{WEB},http_response_status_code="200",le="0.75"}}',
    "any_time": f'{BUCKET}{{{WEB},http_response_status_code="200",le="+Inf"}}',
    "exporter_up": 'up{job="collector-exporter",instance="c"}',
    "collector_up": 'up{job="collector",instance="c"}',
}
"""Short names of series in the cases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One behaviour of one alert, or of a recorded series."""

    case: str
    series: Mapping[str, str]
    at: str
    alert: str = ""
    firing: Sequence[Mapping[str, str]] = ()
    summary: str | None = None
    query: str = ""
    value: float | None = None
    step: str = "15s"
    vanish: bool = False

    def __str__(self) -> str:
        return f"{self.alert or self.query.partition('{')[0]}: {self.case}"


def cases(pattern: str = "*.yaml") -> list[Case]:
    """All cases of the files that match."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(CASES.glob(pattern))]
    return [Case(**case) for text in texts for case in yaml.safe_load(text)]


ALERTS = [case for case in cases() if case.alert]


@cache
def tool(name: str) -> str:
    """Where an engine's tool is; its absence is a failure, since a skipped check proves nothing."""
    path = locate(name)
    assert path is not None, f"{name} is not there; build it with `python -m stack.engines build`"
    return str(path)


def run(*command: str) -> None:
    """A command must succeed; if not, what it said is the message."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"


def nominal_s(text: str) -> int:
    """Seconds of `90s` or `5m`."""
    return int(text[:-1]) * {"s": 1, "m": 60}[text[-1]]


def samples(shape: str, *, per_s: float, step_s: float, vanish: bool) -> str:
    """A shape in promtool's notation: each part's samples, counted by its length."""
    parts: list[str] = []
    value = 0.0
    for part in shape.split(", "):
        length, what = part.split()
        count = round(nominal_s(length) * per_s)
        if what == "absent":
            parts.append("stale" + f" _x{count - 1}" if vanish and parts else f"_x{count}")
        elif what.startswith("="):
            value = float(what[1:])
            parts.append(f"{value:g}x{count - 1}")
        else:
            growth = {"flat": 0.0, "+clock": step_s}.get(what) if not re.match(r"\+[0-9]", what) else float(what)
            assert growth is not None, what
            parts.append(f"{value + growth:g}+{growth:g}x{count - 1}")
            value += growth * count
    return " ".join(parts)


def unit_test(case: Case, profile: Profile, rule_file: Path) -> dict[str, Any]:
    """The case as a promtool unit test, its times scaled to the profile."""
    step_s = max(profile.scrape_interval_s, nominal_s(case.step) * float(profile.window_scale))
    per_s = float(profile.window_scale) / step_s
    at = f"{nominal_s(case.at) * float(profile.window_scale) * 1000:.0f}ms"
    series = [
        {"series": SERIES.get(name, name), "values": samples(shape, per_s=per_s, step_s=step_s, vanish=case.vanish)}
        for name, shape in case.series.items()
    ]
    test: dict[str, Any] = {"name": str(case), "interval": f"{step_s:g}s", "input_series": series}
    if case.alert:
        test["promql_expr_test"] = [{"expr": _alerts(case.alert), "eval_time": at, "exp_samples": _fired(case)}]
    else:
        window_s = profile.window_s(300)
        base = f"{window_s // 60}m" if window_s % 60 == 0 else f"{window_s}s"
        query = f"sum({case.query.replace('$base', base).replace('$step', f'{step_s:g}')})"
        near = query if case.value is None else f"abs({query} - ({case.value})) < bool 1e-9"
        wanted = [] if case.value is None else [{"labels": "{}", "value": 1}]
        test["promql_expr_test"] = [{"expr": near, "eval_time": at, "exp_samples": wanted}]
    if case.summary:
        test["alert_rule_test"] = [{"eval_time": at, "alertname": case.alert, "exp_alerts": _told(case, profile)}]
    interval = f"{step_s:g}s"
    return {"rule_files": [str(rule_file)], "evaluation_interval": interval, "fuzzy_compare": True, "tests": [test]}


def _alerts(name: str) -> str:
    return f'ALERTS{{alertname="{name}",alertstate="firing"}}'


def _fired(case: Case) -> list[dict[str, Any]]:
    fixed = {"alertname": case.alert, "alertstate": "firing"}
    texts = [",".join(f'{name}="{value}"' for name, value in (fixed | dict(labels)).items()) for labels in case.firing]
    return [{"labels": f"ALERTS{{{text}}}", "value": 1} for text in texts]


def _told(case: Case, profile: Profile) -> list[dict[str, Any]]:
    """What people are told: the rule's annotations, with its summary filled in."""
    annotations = alerting_rules(profile)[case.alert]["annotations"] | {"summary": case.summary}
    return [{"exp_labels": dict(labels), "exp_annotations": annotations} for labels in case.firing]


@cache
def groups(profile: Profile) -> list[dict[str, Any]]:
    """All rule groups of a profile."""
    paths = sorted(rules_dir(profile.name).glob("*.rules.yaml"))
    return [group for path in paths for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]]


def alerting_rules(profile: Profile) -> dict[str, dict[str, Any]]:
    """All alerting rules of a profile by name."""
    return {rule["alert"]: rule for group in groups(profile) for rule in group["rules"] if "alert" in rule}


def concerning(case: Case, profile: Profile) -> list[dict[str, Any]]:
    """The groups that the case is about: all would be right too, but take ten times as long."""
    if not case.alert:
        return [group for group in groups(profile) if group["name"] != "pipeline"]
    slo = alerting_rules(profile)[case.alert]["labels"].get("slo")
    wanted = (f"slo-{slo}-fast", f"slo-{slo}-slow") if slo else ("pipeline", "saturation")
    return [group for group in groups(profile) if group["name"] in wanted]


@pytest.fixture(params=PROFILES.values(), ids=lambda profile: profile.name)
def profile(request: pytest.FixtureRequest) -> Profile:
    """Each profile in turn."""
    found: Profile = request.param
    return found


@pytest.fixture
def config_dir(profile: Profile, tmp_path: Path) -> Path:
    """All configuration files of a profile, as a runtime would write them."""
    address = {
        f"{name}.{port}": f"127.0.0.1:{number}"
        for name, part in COMPONENTS.items()
        for port, number in part.ports.items()
    }
    for component in ("collector", "prometheus", "alertmanager", "tempo"):
        files = render(
            component,
            profile=profile,
            address=address,
            data_dir=str(tmp_path / "data"),
            rules_dir=str(rules_dir(profile.name)),
            secrets={"sink_token": "a-token-of-some-length"},
        )
        for name, text in files.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("case", cases(), ids=str)
def test_rules_tell_the_same_story_in_both_profiles(case: Case, profile: Profile, tmp_path: Path) -> None:
    """
    An alert fires when it must and is silent when not, and what is recorded has the right value, at any pace.
    """
    rule_file, path = tmp_path / "all.rules.yaml", tmp_path / "case.yaml"
    rule_file.write_text(yaml.safe_dump({"groups": concerning(case, profile)}), encoding="utf-8")
    path.write_text(yaml.safe_dump(unit_test(case, profile, rule_file), width=10_000), encoding="utf-8")
    run(tool("promtool"), "test", "rules", str(path))


def test_every_alert_has_a_case_that_fires_and_one_that_does_not(profile: Profile) -> None:
    """
    Without both it would be an alert that nobody has ever seen, or one that nobody has ever seen silent.
    """
    assert set(alerting_rules(profile)) - {"Watchdog"} == {case.alert for case in ALERTS if not case.firing}
    assert set(alerting_rules(profile)) == {case.alert for case in ALERTS if case.firing}


def test_promtool_accepts_the_rules(profile: Profile) -> None:
    """
    No rule is given twice, and every expression and template parses.
    """
    files = [str(path) for path in sorted(rules_dir(profile.name).glob("*.rules.yaml"))]
    run(tool("promtool"), "check", "rules", "--lint=all", "--lint-fatal", *files)


def test_promtool_accepts_the_configuration(config_dir: Path) -> None:
    """
    Prometheus would start with it, rules included.
    """
    run(tool("promtool"), "check", "config", "--lint=all", "--lint-fatal", str(config_dir / "prometheus.yaml"))


def test_amtool_accepts_the_configuration(config_dir: Path) -> None:
    """
    Alertmanager would start with it.
    """
    run(tool("amtool"), "check-config", str(config_dir / "alertmanager.yaml"))


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ({"alertname": "ErrorBudgetBurnFast", "severity": "page"}, "page"),
        ({"alertname": "ErrorRateHigh", "severity": "ticket"}, "ticket"),
        ({"alertname": "Watchdog", "severity": "none"}, "watchdog"),
        ({"alertname": "Anything", "severity": "info"}, "ticket"),
        ({"alertname": "WithoutSeverity"}, "ticket"),
    ],
    ids=lambda value: value if isinstance(value, str) else value["alertname"],
)
def test_alertmanager_routes_by_severity(labels: Mapping[str, str], receiver: str, config_dir: Path) -> None:
    """
    Each severity has its receiver, and what has none still reaches somebody.
    """
    path = config_dir / "alertmanager.yaml"
    wanted = [f"{name}={value}" for name, value in labels.items()]
    run(tool("amtool"), "config", "routes", "test", f"--config.file={path}", f"--verify.receivers={receiver}", *wanted)


def test_collector_accepts_the_configuration(config_dir: Path) -> None:
    """
    The collector would start with it: every component is known, and every pipeline is whole.
    """
    run(tool("otelcol"), "validate", f"--config={config_dir / 'collector.yaml'}")


def test_collector_accepts_labels_to_drop(profile: Profile, tmp_path: Path) -> None:
    """
    Its transformations are statements of a language of their own, which it reads when it starts.
    """
    ports = {f"collector.{port}": f"127.0.0.1:{number}" for port, number in COMPONENTS["collector"].ports.items()}
    files = render(
        "collector",
        profile=replace(profile, dropped_labels=("http.route", "server.address")),
        address={**ports, "tempo.otlp_grpc": "127.0.0.1:4317"},
        data_dir=str(tmp_path),
        rules_dir=str(tmp_path),
        secrets={},
    )
    (tmp_path / "collector.yaml").write_text(files["collector.yaml"], encoding="utf-8")
    run(tool("otelcol"), "validate", f"--config={tmp_path / 'collector.yaml'}")
