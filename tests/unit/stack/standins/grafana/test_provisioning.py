"""Provisioning files: what is read, what is refused by name, and what is named that Grafana drops."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from stack.standins.grafana.problems import ProvisioningError, Warnings
from stack.standins.grafana.provisioning.world import Files, Provisioned
from stack.standins.grafana.settings import Settings

DATASOURCE = {"name": "P", "uid": "p", "type": "prometheus", "url": "http://p:9090"}
REDUCE: dict[str, Any] = {
    "refId": "B",
    "datasourceUid": "__expr__",
    "model": {"type": "reduce", "expression": "A", "reducer": "last"},
}
QUERY: dict[str, Any] = {
    "refId": "A",
    "datasourceUid": "p",
    "relativeTimeRange": {"from": 60, "to": 0},
    "model": {"expr": "up"},
}
RULE: dict[str, Any] = {"uid": "r", "title": "R", "condition": "B", "for": "0s", "data": [QUERY, REDUCE]}
HOOK = {"uid": "h", "type": "webhook", "settings": {"url": "http://hook/"}}


def write(folder: Path, part: str, tree: object) -> None:
    """One provisioning file."""
    path = folder / part / "file.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(tree, sort_keys=False))


def read(folder: Path, **environment: str) -> tuple[Provisioned, Warnings]:
    """What the folder holds, and what was named."""
    warnings = Warnings()
    settings = Settings(provisioning=folder, data=folder)
    return Files(settings, warnings, environment).read(1000.0), warnings


def with_rule(folder: Path, changes: dict[str, Any] | None = None, **group: Any) -> None:
    """A folder with a datasource and one rule."""
    write(folder, "datasources", {"datasources": [DATASOURCE]})
    rule = {**RULE, **(changes or {})}
    groups = [{"name": "g", "folder": "F", "interval": "10s", "rules": [rule], **group}]
    write(folder, "alerting", {"apiVersion": 1, "groups": groups})


def test_a_datasource_is_read_with_variables(tmp_path: Path) -> None:
    """
    `$NAME` and `${NAME}` from the environment, `$$` for a dollar; secrets are not shown.
    """
    row = {
        **DATASOURCE,
        "url": "http://$HOST:${PORT}/",
        "basicAuth": True,
        "basicAuthUser": "me",
        "secureJsonData": {"basicAuthPassword": "$SECRET"},
        "jsonData": {"timeInterval": "1s", "note": "a$$b"},
    }
    write(tmp_path, "datasources", {"apiVersion": 1, "datasources": [row]})
    (found,) = read(tmp_path, HOST="h", PORT="1", SECRET="hush")[0].datasources

    assert (found.url, found.user, found.password, found.json_data["note"]) == ("http://h:1", "me", "hush", "a$b")
    assert "hush" not in repr(found)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"type": "loki"}, "datasource type 'loki' is not supported by the stand-in; known: prometheus, tempo"),
        ({"access": "direct"}, "access 'direct' is not supported by the stand-in"),
        ({"url": "p:9090"}, "url must begin with http:// or https://, found 'p:9090'"),
        ({"name": ""}, "a datasource needs a name"),
        ({"jsonData": {"timeInterval": "often"}}, 'jsonData.timeInterval: not a valid duration string: "often"'),
        ({"isDefault": "maybe"}, "isDefault must be true or false, found 'maybe'"),
    ],
)
def test_a_bad_datasource_is_refused(change: dict[str, Any], words: str, tmp_path: Path) -> None:
    """
    With file and line.
    """
    write(tmp_path, "datasources", {"datasources": [{**DATASOURCE, **change}]})
    with pytest.raises(ProvisioningError) as caught:
        read(tmp_path)

    assert words in str(caught.value)
    assert f"{tmp_path}/datasources/file.yaml:" in str(caught.value)


def test_two_defaults_and_two_of_a_name_are_refused(tmp_path: Path) -> None:
    """
    As Grafana does.
    """
    write(tmp_path, "datasources", {"datasources": [DATASOURCE, {**DATASOURCE, "name": "Q"}]})
    with pytest.raises(ProvisioningError, match="datasource 'Q' \\(uid 'p'\\) is provisioned twice"):
        read(tmp_path)
    both = [{**DATASOURCE, "isDefault": True}, {**DATASOURCE, "name": "Q", "uid": "q", "isDefault": True}]
    write(tmp_path, "datasources", {"datasources": both})
    with pytest.raises(ProvisioningError, match="Only one datasource per organization can be marked as default"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"record": {"metric": "m", "from": "A"}}, "recording rules are not supported by the stand-in"),
        ({"data": []}, "no data set"),
        (
            {"data": [QUERY, {**REDUCE, "model": {"type": "sql"}}]},
            "expression B: expression type 'sql' is not supported",
        ),
        (
            {"data": [QUERY, {**REDUCE, "model": {**REDUCE["model"], "expression": "Z"}}]},
            "B reads 'Z', which is no query",
        ),
        ({"data": [QUERY, {**REDUCE, "model": {**REDUCE["model"], "expression": "B"}}]}, "expression B reads itself"),
        ({"data": [QUERY, QUERY]}, "each query needs a refId of its own"),
        ({"execErrState": "Sometimes"}, "unknown Error state option Sometimes; known: Error, Alerting, OK, KeepLast"),
        ({"keepFiringFor": "long"}, 'keepFiringFor: not a valid duration string: "long"'),
        (
            {"annotations": {"a": '{{ template "x" . }}'}},
            "annotations 'a': {{ template }} is not supported by the stand-in",
        ),
        ({"labels": {"l": "{{ tableLink `up` }}"}}, "labels 'l': template function 'tableLink' is not supported"),
        (
            {"notification_settings": {"receiver": "nobody"}},
            "receiver 'nobody' does not exist; known: grafana-default-email",
        ),
        ({"panelId": 3}, "panelId needs a dashboardUid beside it"),
    ],
)
def test_a_rule_that_cannot_be_evaluated_is_refused_by_name(change: dict[str, Any], words: str, tmp_path: Path) -> None:
    """
    What the stand-in does not have is never ignored.
    """
    with_rule(tmp_path, change)
    with pytest.raises(ProvisioningError) as caught:
        read(tmp_path)

    assert words in str(caught.value)
    assert f"{tmp_path}/alerting/file.yaml:" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"keep_firing_for": "1m"},
            "key 'keep_firing_for' is unknown, Grafana drops it silently; did you mean 'keepFiringFor'?",
        ),
        ({"missingSeriesEvalsToResolve": 3}, "did you mean 'missing_series_evals_to_resolve'?"),
        ({"labels": {"l": "{{ $labels.job }}"}}, "newer Grafanas expand $labels here as a variable: write $$labels"),
        (
            {"annotations": {"a": "{{ $values.B.Valu }} {{ oops }}"}},
            "Grafana shows it as it stands: function 'oops' not defined",
        ),
        ({"data": [{**QUERY, "model": {}}, REDUCE]}, "query A: model has no expr"),
    ],
)
def test_what_grafana_takes_without_a_word_is_named(change: dict[str, Any], words: str, tmp_path: Path) -> None:
    """
    As a warning, with its place; the rule is there all the same.
    """
    with_rule(tmp_path, change)
    found, warnings = read(tmp_path)

    assert any(words in text and "file.yaml:" in text for text in warnings), list(warnings)
    assert len(found.alerting.rules) == 1


def test_labels_expand_variables_and_annotations_do_not(tmp_path: Path) -> None:
    """
    `$$labels` in a label is `$labels`; an annotation is taken as it stands.
    """
    with_rule(tmp_path, {"labels": {"env": "$ENV", "job": "{{ $$labels.job }}"}, "annotations": {"a": "$ENV $$x"}})
    (rule,) = read(tmp_path, ENV="test")[0].alerting.rules

    assert rule.labels == {"env": "test", "job": "{{ $labels.job }}"}
    assert rule.annotations == {"a": "$ENV $$x"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"type": "slack"}, "receiver type 'slack' is not supported by the stand-in: use webhook"),
        (
            {"settings": {"url": "http://h/", "title": "{{ x }}"}},
            "webhook setting 'title' is not supported by the stand-in",
        ),
        ({"settings": {"url": "ftp://h/"}}, "url must begin with http:// or https://, found 'ftp://h/'"),
        ({"settings": {"url": "http://h/", "httpMethod": "GET"}}, "httpMethod must be POST or PUT, found 'GET'"),
        (
            {"settings": {"url": "http://h/", "username": "u", "authorization_credentials": "c"}},
            "both HTTP Basic Authentication and Authorization Header are set, only 1 is permitted",
        ),
    ],
)
def test_a_contact_point_that_cannot_be_sent_to_is_refused(change: dict[str, Any], words: str, tmp_path: Path) -> None:
    """
    By name.
    """
    write(tmp_path, "alerting", {"contactPoints": [{"name": "c", "receivers": [{**HOOK, **change}]}]})
    with pytest.raises(ProvisioningError) as caught:
        read(tmp_path)

    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ({"receiver": "h", "matchers": ["a=b"]}, "matchers is not supported by the stand-in: write object_matchers"),
        ({"receiver": "h", "object_matchers": [["a", "=", "b"]]}, "the root policy must not have matchers"),
        ({"receiver": "h", "routes": [{"object_matchers": [["a", "="]]}]}, "a matcher is [label, operator, value]"),
        ({"receiver": "h", "routes": [{"object_matchers": [["a", "=~", "("]]}]}, "not a regular expression"),
        ({"receiver": "h", "mute_time_intervals": ["night"]}, "mute time interval 'night' does not exist"),
        ({"receiver": "h", "repeat_interval": "0s"}, "repeat_interval cannot be zero"),
    ],
)
def test_a_bad_policy_is_refused(policy: dict[str, Any], words: str, tmp_path: Path) -> None:
    """
    With what is allowed.
    """
    points = [{"name": "h", "receivers": [HOOK]}]
    write(tmp_path, "alerting", {"contactPoints": points, "policies": [policy]})
    with pytest.raises(ProvisioningError) as caught:
        read(tmp_path)

    assert words in str(caught.value)


def dashboards(folder: Path, model: object, **provider: Any) -> None:
    """A provider with one dashboard."""
    boards = folder / "boards" / "sub"
    boards.mkdir(parents=True, exist_ok=True)
    (boards / "d.json").write_text(json.dumps(model) if not isinstance(model, str) else model)
    row = {"name": "x", "folder": "F", "type": "file", "options": {"path": str(folder / "boards")}, **provider}
    write(folder, "dashboards", {"providers": [row]})


def test_a_dashboard_is_read_with_its_folder(tmp_path: Path) -> None:
    """
    From below the provider's path; the folder by title and uid, or by the files' structure.
    """
    dashboards(tmp_path, {"title": "A b!", "uid": "ab"}, folderUid="f1")
    (board,) = read(tmp_path)[0].dashboards
    assert board.folder is not None
    assert (board.url, board.folder.uid, board.folder.title) == ("/d/ab/a-b", "f1", "F")
    options = {"path": str(tmp_path / "boards"), "foldersFromFilesStructure": True}
    dashboards(tmp_path, {"title": "A", "uid": "ab"}, options=options)

    (board,) = read(tmp_path)[0].dashboards
    assert board.folder is not None
    assert board.folder.title == "sub"


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("{", "not a JSON file"),
        ({"panels": []}, "Dashboard title cannot be empty"),
        ({"title": "x", "elements": {}}, "a dashboard in the v2 schema is not supported by the stand-in"),
        (
            {"title": "x", "panels": [{"type": "graph", "title": "t"}]},
            "panel 't' has type 'graph', which Grafana 13 does not have: use 'timeseries'",
        ),
        ({"title": "x", "panels": [{"type": "row", "panels": [{"type": "singlestat"}]}]}, "use 'stat'"),
        ({"title": "x", "panels": {"a": 1}}, "panels must be a list, found dict"),
    ],
)
def test_a_dashboard_that_grafana_13_cannot_show_is_refused(model: object, words: str, tmp_path: Path) -> None:
    """
    With its file.
    """
    dashboards(tmp_path, model)
    with pytest.raises(ProvisioningError) as caught:
        read(tmp_path)

    assert words in str(caught.value)
    assert "d.json" in str(caught.value)


def test_a_path_without_dashboards_is_named(tmp_path: Path) -> None:
    """
    Grafana only logs it.
    """
    write(tmp_path, "dashboards", {"providers": [{"name": "x", "options": {"path": "/nowhere"}}]})

    assert any("options.path '/nowhere' is no folder" in text for text in read(tmp_path)[1])


def test_an_empty_or_missing_folder_is_fine(tmp_path: Path) -> None:
    """
    Then there is nothing, and the default policy.
    """
    found, warnings = read(tmp_path / "nothing")

    assert (len(found.datasources), len(found.dashboards), len(found.alerting.rules)) == (0, 0, 0)
    assert found.alerting.route.receiver == "grafana-default-email"
    assert list(warnings) == []
