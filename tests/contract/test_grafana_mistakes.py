"""Faulty provisioning: what a real Grafana refuses is refused in its words, what it drops silently is named."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stack.standins.grafana.config import read_settings
from stack.standins.grafana.problems import ProvisioningError
from tests.contract.grafana.world import HERE, World, provision, standin

NOW_S = 1_795_517_210.5
SEEN: dict[str, Any] = json.loads((HERE / "provisioning-failures.json").read_text())
Change = Callable[[dict[str, Any]], object]


def first(tree: dict[str, Any]) -> Any:
    """The first rule."""
    return tree["groups"][0]["rules"][0]


RULES: dict[str, tuple[Change, str]] = {
    "interval-7s": (
        lambda tree: tree["groups"][0].update(interval="7s"),
        "invalid alert rule: interval (7s) should be non-zero and divided exactly by scheduler interval: 10",
    ),
    "interval-missing": (lambda tree: tree["groups"][0].pop("interval"), "empty duration string"),
    "for-missing": (lambda tree: first(tree).pop("for"), "failed to parse: for: empty duration string"),
    "for-bad": (lambda tree: first(tree).update({"for": "10 seconds"}), 'not a valid duration string: "10 seconds"'),
    "uid-missing": (lambda tree: first(tree).pop("uid"), "failed to parse: no UID set"),
    "title-duplicate": (
        lambda tree: first(tree).update(title="HighErrorNow"),
        "a conflicting alert rule is found: rule title under the same organisation and folder should be unique",
    ),
    "condition-missing": (lambda tree: first(tree).pop("condition"), "failed to parse: no condition set"),
    "noDataState-bad": (lambda tree: first(tree).update(noDataState="Nope"), "unknown NoData state option Nope"),
    "folder-missing": (lambda tree: tree["groups"][0].pop("folder"), "rule group has no folder set"),
}
NAMED: dict[str, tuple[Change, str]] = {
    "uid-too-long": (lambda tree: first(tree).update(uid="u" * 50), "is not 1 to 40 of a-z, A-Z, 0-9, - and _"),
    "uid-duplicate": (
        lambda tree: first(tree).update(uid="high-error-now"),
        "uid 'high-error-now' is used twice",
    ),
    "condition-unknown-ref": (lambda tree: first(tree).update(condition="Z"), "condition 'Z' is no refId of the rule"),
    "unknown-key": (lambda tree: first(tree).update(forr="1s"), "key 'forr' is unknown, Grafana drops it silently"),
    "unknown-datasource": (
        lambda tree: first(tree)["data"][0].update(datasourceUid="nope"),
        "datasource 'nope' is unknown, Grafana accepts it",
    ),
}
NOTIFY: dict[str, tuple[str, str, str]] = {
    "receiver-unknown": ("receiver: quiet-hook,", "receiver: nope-hook,", "receiver 'nope-hook' does not exist"),
    "webhook-no-url": ("settings: {url: '$HOOK_BASE/quiet'}", "settings: {}", "required field 'url' is not specified"),
    "contact-bad-type": (
        "      - uid: quiet-hook-1\n        type: webhook",
        "      - uid: quiet-hook-1\n        type: webhookk",
        "quiet-hook: unknown type 'webhookk'",
    ),
    "matcher-bad-op": (
        "[[severity, '=', quiet]]",
        "[[severity, '==', quiet]]",
        'unsupported match type "==" in matcher',
    ),
    "group-wait-bad": ("    group_wait: 1s\n", "    group_wait: soon\n", 'not a valid duration string: "soon"'),
    "group-interval-0s": ("    group_interval: 5s\n", "    group_interval: 0s\n", "group_interval cannot be zero"),
    "yaml-bad": ("    routes:\n", "   routes:\n", "failure to parse file"),
}
SETTINGS: dict[str, tuple[dict[str, str], str]] = {
    "min-interval-1s": (
        {"GF_UNIFIED_ALERTING_MIN_INTERVAL": "1s"},
        "value of setting 'min_interval' should be greater than the base interval (10s)",
    ),
    "legacy-and-unified": (
        {"GF_ALERTING_ENABLED": "true"},
        "legacy and unified alerting cannot both be enabled at the same time",
    ),
}
ACCEPTED = ("ok", "min-interval-20s")
NEWER = ("noDataState-KeepLast",)


def changed(folder: Path, change: Change) -> Path:
    """The provisioning of the recordings with one change in its rules."""
    path = provision(folder) / "provisioning" / "alerting" / "rules.yaml"
    tree = json.loads(path.read_text())
    change(tree)
    path.write_text(json.dumps(tree, indent=1))
    return folder


@pytest.mark.parametrize("name", RULES)
def test_a_faulty_rule_file_is_refused_in_the_real_ones_words(name: str, tmp_path: Path) -> None:
    """
    With file and line before them.
    """
    change, words = RULES[name]
    assert SEEN[name]["exited_rc"] == 1

    with pytest.raises(ProvisioningError) as caught:
        standin(changed(tmp_path, change), World(NOW_S))

    assert words in str(caught.value)
    assert f"{tmp_path}/provisioning/alerting/rules.yaml:" in str(caught.value)
    core = SEEN[name]["last_error"].rsplit(": ", 1)[-1].split(" (")[0].strip('"')
    assert core in str(caught.value)


@pytest.mark.parametrize("name", NAMED)
def test_what_the_real_one_drops_silently_is_named(name: str, tmp_path: Path) -> None:
    """
    It starts, as the real one does, and says what is lost, and where.
    """
    change, words = NAMED[name]
    assert SEEN[name]["exited_rc"] is None

    made = standin(changed(tmp_path, change), World(NOW_S))

    warning = next(text for text in made.warnings if words in text)
    assert warning.startswith(f"{tmp_path}/provisioning/alerting/rules.yaml:")
    assert sorted(rule.title for rule in made.provisioned.alerting.rules) == sorted(SEEN[name]["rules"])


@pytest.mark.parametrize("name", NOTIFY)
def test_a_faulty_notification_file_is_refused(name: str, tmp_path: Path) -> None:
    """
    In the real one's words, with file and line.
    """
    old, new, words = NOTIFY[name]
    assert SEEN[name]["exited_rc"] == 1
    path = provision(tmp_path) / "provisioning" / "alerting" / "notify.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))

    with pytest.raises(ProvisioningError) as caught:
        standin(tmp_path, World(NOW_S))

    assert words in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", SETTINGS)
def test_faulty_settings_are_refused(name: str, tmp_path: Path) -> None:
    """
    In the real one's words, with the variable's name.
    """
    environment, words = SETTINGS[name]
    assert SEEN[name]["exited_rc"] == 1

    with pytest.raises(ProvisioningError) as caught:
        read_settings(tmp_path, None, environment)

    assert words in str(caught.value)
    assert next(iter(environment)) in str(caught.value)


def test_what_the_real_one_accepts_is_accepted_without_a_word(tmp_path: Path) -> None:
    """
    The recorded files, and a minimum interval above a group's own.
    """
    settings = read_settings(tmp_path, None, {"GF_UNIFIED_ALERTING_MIN_INTERVAL": "20s"})
    made = standin(provision(tmp_path, links=True), World(NOW_S), min_interval_s=settings.min_interval_s)

    assert list(made.warnings) == []
    assert [rule.title for rule in made.provisioned.alerting.rules] == SEEN["ok"]["rules"]


def test_keep_last_is_known_since_11(tmp_path: Path) -> None:
    """
    9.4 refused it, 13 does not.
    """
    made = standin(changed(tmp_path, lambda tree: first(tree).update(noDataState="KeepLast")), World(NOW_S))

    assert made.provisioned.alerting.rules[0].no_data_state == "KeepLast"


def test_each_recorded_mistake_is_tried() -> None:
    """
    None of the recorded start-ups is left out.
    """
    assert {*RULES, *NAMED, *NOTIFY, *SETTINGS, *ACCEPTED, *NEWER} == set(SEEN)
