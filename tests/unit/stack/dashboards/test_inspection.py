"""Inspection: every mistake is found, and its message says where, what is known, and what to do."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import yaml

from stack.config import PROFILES
from stack.config.grafana.inspection import inspect
from stack.dashboards.__main__ import main
from tests.unit.stack.dashboards.test_provisioning import rendered

DRILL = PROFILES["drill"]
FILES = rendered(DRILL)
RULES, NOTIFY = "provisioning/alerting/rules.yaml", "provisioning/alerting/notify.yaml"
SOURCES, PAGE, OTHER_PAGE = "provisioning/datasources/tocsin.yaml", "dashboards/slo.json", "dashboards/drill.json"

Change = Callable[[Any], None]


def changed(path: str, change: Change, files: Mapping[str, str] = FILES) -> dict[str, str]:
    """The files with one of them changed as data."""
    data = yaml.safe_load(files[path])
    change(data)
    text = json.dumps(data) if path.endswith(".json") else yaml.safe_dump(data, sort_keys=False)
    return {**files, path: text}


def rule(data: Any) -> Any:
    """The first rule of a file."""
    return data["groups"][0]["rules"][0]


def at(*way: str | int, value: Any) -> Change:
    """Set a value."""

    def change(data: Any) -> None:
        for step in way[:-1]:
            data = data[step]
        data[way[-1]] = value

    return change


def of_rule(*way: str | int, value: Any) -> Change:
    """Set a value of the first rule."""
    return at("groups", 0, "rules", 0, *way, value=value)


def without(*way: str | int) -> Change:
    """Remove a key of the first rule."""

    def change(data: Any) -> None:
        found = rule(data)
        for step in way[:-1]:
            found = found[step]
        del found[way[-1]]

    return change


CASES: dict[str, tuple[str, Change, str]] = {
    # what Grafana takes without a word
    "a uid used twice": (
        RULES,
        lambda data: rule(data).update(uid=data["groups"][0]["rules"][1]["uid"]),
        "uid 'tocsin-error-budget-burn-slow' is used twice, first at provisioning/alerting/rules.yaml:",
    ),
    "a condition that is no query": (
        RULES,
        of_rule("condition", value="D"),
        "rule 'ErrorBudgetBurnFast': condition 'D' is none of its queries, so it never fires; known: A, C",
    ),
    "an unknown datasource": (
        RULES,
        of_rule("data", 0, "datasourceUid", value="promtheus"),
        "query A asks datasource 'promtheus'; known: alertmanager, prometheus, tempo; did you mean 'prometheus'?",
    ),
    "an expression over nothing": (
        RULES,
        of_rule("data", 1, "model", "expression", value="B"),
        "rule 'ErrorBudgetBurnFast': expression C reads 'B'; known: A, C",
    ),
    "a formula over nothing": (
        RULES,
        lambda data: rule(data)["data"][1]["model"].update(type="math", expression="$A > 1 || ${Z} > 2"),
        "expression C reads 'Z'; known: A, C",
    ),
    "a classic condition over nothing": (
        RULES,
        lambda data: rule(data)["data"][1]["model"].update(
            type="classic_conditions", conditions=[{"query": {"params": ["Q"]}}]
        ),
        "expression C reads 'Q'; known: A, C",
    ),
    "a refId used twice": (
        RULES,
        of_rule("data", 1, "refId", value="A"),
        "refId 'A' is used twice; only one of both is asked",
    ),
    "an unknown key of a rule": (
        RULES,
        of_rule("keep_firing_for", value="30s"),
        "groups.0.rules.0.keep_firing_for: unknown key; known: uid, title, condition",
    ),
    "a mistyped key of a rule": (
        RULES,
        of_rule("lables", value={}),
        "unknown key; known: uid, title, condition, data, for, keepFiringFor",
    ),
    "a mistyped key of a group": (RULES, at("groups", 0, "intervall", value="1s"), "did you mean 'interval'?"),
    "a mistyped key of a file": (RULES, at("group", value=[]), "did you mean 'groups'?"),
    "a value of no query in an annotation": (
        RULES,
        of_rule("annotations", "summary", value="{{ $values.B.Value }}"),
        "rule 'ErrorBudgetBurnFast': summary shows $values.B; known: A, C",
    ),
    "a link to no dashboard": (
        RULES,
        of_rule("dashboardUid", value="sol"),
        "rule 'ErrorBudgetBurnFast': links to dashboard 'sol'; known: application, drill, pipeline, slo, traces",
    ),
    "a link to no panel": (
        RULES,
        of_rule("panelId", value=9999),
        "links to panel 9999 of dashboard 'slo'; known: 100, 101",
    ),
    "a uid that is too long": (
        RULES,
        of_rule("uid", value="x" * 41),
        "it must be 1 to 40 letters, digits, '-' and '_'",
    ),
    "a datasource that links nowhere": (
        SOURCES,
        at("datasources", 0, "jsonData", "exemplarTraceIdDestinations", 0, "datasourceUid", value="temp"),
        "datasource 'Prometheus': jsonData.exemplarTraceIdDestinations.0.datasourceUid links to datasource 'temp'; known: "
        "alertmanager, prometheus, tempo; did you mean 'tempo'?",
    ),
    "a variable that the environment would eat": (
        SOURCES,
        at("datasources", 1, "jsonData", "tracesToMetrics", "queries", 0, "query", value="rate(x{$__tags}[1m])"),
        "datasource 'Tempo': $__tags is taken from the environment; write $$__tags to keep it",
    ),
    "an unknown key of a datasource": (SOURCES, at("datasources", 0, "jsondata", value={}), "did you mean 'jsonData'?"),
    # what Grafana refuses
    "a title used twice": (
        RULES,
        lambda data: rule(data).update(title=data["groups"][0]["rules"][1]["title"]),
        "title 'Tocsin alerts: ErrorBudgetBurnSlow' is used twice",
    ),
    "an interval that the tick does not divide": (
        RULES,
        at("groups", 0, "interval", value="1500ms"),
        "group 'slo-availability-fast': interval 1500ms is no multiple of the scheduler's tick of 1s: Grafana refuses to start",
    ),
    "an interval of nothing": (RULES, at("groups", 0, "interval", value="0s"), "interval 0s is no multiple"),
    "no hold": (
        RULES,
        without("for"),
        "rule 'ErrorBudgetBurnFast': has no `for`: Grafana refuses to start; write `for: 0s`",
    ),
    "a bad hold": (
        RULES,
        of_rule("for", value="10 seconds"),
        "a duration is whole numbers, each with one of ms, s, m, h, d, w, y, such as 30s or 1m30s; found '10 seconds'",
    ),
    "no condition": (
        RULES,
        without("condition"),
        "rule 'ErrorBudgetBurnFast': has no condition: Grafana refuses to start",
    ),
    "no uid": (RULES, without("uid"), "groups.0.rules.0.uid: is missing"),
    "a bad state": (
        RULES,
        of_rule("noDataState", value="Nope"),
        "found 'Nope'; allowed: 'NoData', 'Alerting', 'OK' or 'KeepLast'",
    ),
    "no folder": (RULES, lambda data: data["groups"][0].pop("folder"), "groups.0.folder: is missing"),
    "no contact point of a policy": (
        NOTIFY,
        at("policies", 0, "routes", 0, "receiver", value="grafana-pages"),
        "receiver 'grafana-pages' is no contact point: Grafana refuses to start; known: grafana-page, "
        "grafana-ticket; did you mean 'grafana-page'?",
    ),
    "no contact point of a rule": (
        RULES,
        of_rule("notification_settings", value={"receiver": "nobody"}),
        "rule 'ErrorBudgetBurnFast': notifies 'nobody', which is no contact point; known: grafana-page",
    ),
    "a bad operator of a matcher": (
        NOTIFY,
        at("policies", 0, "routes", 0, "object_matchers", value=[["severity", "==", "page"]]),
        "found '=='; allowed: '=', '!=', '=~' or '!~'",
    ),
    "a bad wait": (NOTIFY, at("policies", 0, "group_wait", value="soon"), "found 'soon'"),
    "an interval of groups of nothing": (
        NOTIFY,
        at("policies", 0, "group_interval", value="0s"),
        "group_interval must be above zero: Grafana refuses to start",
    ),
    "a contact point given twice": (
        NOTIFY,
        at("contactPoints", 1, "name", value="grafana-page"),
        "name 'grafana-page' is used twice, first at provisioning/alerting/notify.yaml:",
    ),
    "a datasource given twice": (
        SOURCES,
        at("datasources", 1, "uid", value="prometheus"),
        "uid 'prometheus' is used twice",
    ),
    # dashboards
    "a dashboard's uid used twice": (
        OTHER_PAGE,
        at("uid", value="slo"),
        "uid 'slo' is used twice, first in dashboards/slo.json: Grafana shows only one of both",
    ),
    "a dashboard without a uid": (OTHER_PAGE, at("uid", value=None), "dashboard 'Drill': has no uid"),
    "a panel of an unknown datasource": (
        PAGE,
        at("panels", 1, "datasource", "uid", value="promethues"),
        "dashboard 'SLO': panel 'Availability: error budget left' asks datasource 'promethues'; known: alertmanager, "
        "prometheus, tempo; did you mean 'prometheus'?",
    ),
    "a panel of an unknown variable": (
        PAGE,
        at("panels", 1, "targets", 0, "datasource", "uid", value="${source}"),
        "asks the datasource of variable 'source', which is not there",
    ),
    "a panel's id used twice": (PAGE, at("panels", 1, "id", value=102), "have the same id 102"),
    "a panel that is gone": (
        PAGE,
        at("panels", 3, "type", value="graph"),
        "is a 'graph', which Grafana has removed; use 'timeseries'",
    ),
    "a link between dashboards that leads nowhere": (
        PAGE,
        at("links", 0, "url", value="/d/aplication"),
        "link 'Application' leads to dashboard 'aplication'; known: application, drill, pipeline, slo, traces; did you mean "
        "'application'?",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_mistake_is_found_and_explained(case: str) -> None:
    """
    Each by a message of its own, in the file where it is.
    """
    path, change, wanted = CASES[case]
    found = [str(mistake) for mistake in inspect(changed(path, change), tick_s=DRILL.grafana_tick_s)]
    assert any(wanted in text and text.startswith(path) for text in found), "\n".join(found) or "no mistake found"


def test_a_mistake_has_its_line() -> None:
    """
    That of the value, so that an editor can jump to it.
    """
    files = changed(RULES, of_rule("condition", value="D"))
    line = next(n for n, text in enumerate(files[RULES].splitlines(), 1) if text.strip() == "condition: D")
    (mistake,) = inspect(files, tick_s=1)
    assert mistake.place == f"{RULES}:{line}"


@pytest.mark.parametrize(
    ("path", "text", "wanted"),
    [
        (RULES, "groups: [", "is no YAML"),
        (RULES, "", "is empty; it must hold documents with apiVersion and groups, contactPoints or policies"),
        (SOURCES, "- a list\n", "a document must be a mapping with apiVersion and datasources"),
        (RULES, "apiVersion: 2\n", "apiVersion: found 2; allowed: 1"),
        (PAGE, "{", "is no JSON"),
        (PAGE, '{"spec": {}}', "is no dashboard in classic JSON: it has no list of panels"),
    ],
)
def test_what_cannot_be_read_is_named(path: str, text: str, wanted: str) -> None:
    """
    And does not keep the other files from being looked at.
    """
    found = [str(mistake) for mistake in inspect({**FILES, path: text}, tick_s=1)]
    assert any(one.startswith(f"{path}:1: ") and wanted in one for one in found), found


def test_rules_of_two_files_are_looked_at_together() -> None:
    """
    A uid must be unique over all of them.
    """
    copy = FILES[RULES].replace("title: ", "title: Other")
    found = inspect({**FILES, "provisioning/alerting/more.yaml": copy}, tick_s=1)
    assert len(found) == FILES[RULES].count("- uid: ")
    assert all("more.yaml" in mistake.place and RULES in mistake.text for mistake in found)


def test_other_files_are_not_judged() -> None:
    """
    Settings and plugins' own files are Grafana's business.
    """
    assert inspect({**FILES, "provisioning/plugins/x.yaml": "]", "notes.txt": "]"}, tick_s=1) == []


def test_command_prints_mistakes_and_counts_them(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Exit code 1 with mistakes, 0 without, 2 where there is nothing to look at.
    """
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert main(["inspect", str(tmp_path), "--tick", "1"]) == 0
    assert capsys.readouterr().out == "9 files, 0 mistakes\n"

    assert main(["inspect", str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert f"{RULES}:7: group 'slo-availability-fast'" in said.err
    assert said.out == "9 files, 5 mistakes\n"

    assert main(["inspect", str(tmp_path / "nothing")]) == 2
    assert "holds no files; give the folder that has provisioning/ and dashboards/ in it" in capsys.readouterr().err
