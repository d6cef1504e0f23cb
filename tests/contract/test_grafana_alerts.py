"""The life of alerts in the Grafana stand-in against the recorded stages of a real one's."""

from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from tests.contract.grafana.comparison import comparable
from tests.contract.grafana.differences import EDITED, ONLY_IN_13
from tests.contract.grafana.stages import (
    FILTERED,
    HISTORIES,
    ORDER,
    STAGES,
    Recording,
    at,
    last_evaluations,
    stock_world,
)
from tests.contract.grafana.world import ask, provision, recorded, standin

SILENCE = {
    "matchers": [{"name": "alertname", "value": "HighErrorRate", "isRegex": False, "isEqual": True}],
    "startsAt": "2026-11-24T10:00:00.000Z",
    "endsAt": "2026-11-24T12:00:00.000Z",
    "createdBy": "harness",
    "comment": "drill",
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, httpx.Response]:
    """What two stand-ins, which live through the recordings from their begin to their end, answer at each stage."""
    found = {}
    for prefix in ("", "fast-"):
        living = Recording(tmp_path_factory.mktemp("living"), prefix)
        for time in ORDER:
            names = [name for name, stage in STAGES.items() if stage == (prefix, time)]
            if names:
                living.evaluate_until(last_evaluations(f"{prefix}rules-{time}"))
                found.update({name: ask(living.standin, recorded(name)) for name in names})
    return found


@pytest.mark.parametrize("name", STAGES)
def test_each_stage_is_as_the_real_one_showed_it(name: str, answers: Mapping[str, httpx.Response]) -> None:
    """
    The same values at the same ticks give the same states, labels, annotations, fingerprints, groups and order.
    """
    assert_same(name, answers[name])


@pytest.mark.parametrize("prefix", ["", "fast-"])
def test_silenced_alerts_are_as_the_real_one_showed_them(prefix: str, tmp_path: Path) -> None:
    """
    A silenced alert is suppressed; filters by state, matcher and receiver find what they found there.
    """
    living = Recording(tmp_path, prefix)
    living.evaluate_until(last_evaluations(f"{prefix}rules-notified"))
    if prefix:
        titles = [rule.title for rule in living.standin.provisioned.alerting.rules]
        living.evaluate_until(dict.fromkeys(titles, at("10:50:49")))
    living.standin.silences.set(SILENCE, living.world.now_s)

    for name in ("am-alerts-silenced", "am-alerts-active-only", "am-alerts-filter"):
        assert_same(prefix + name, ask(living.standin, recorded(prefix + name)))


def test_alerts_of_one_receiver_are_found(tmp_path: Path) -> None:
    """
    Before anything fires, the ticket receiver has no alert (as recorded); once it fires, it has that one.
    """
    living = Recording(tmp_path, "")
    living.evaluate_until(last_evaluations("rules-normal"))
    assert_same("am-alerts-receiver", ask(living.standin, recorded("am-alerts-receiver")))
    living.evaluate_until(last_evaluations("rules-notified"))

    found = ask(living.standin, recorded("am-alerts-receiver")).json()

    assert [one["labels"]["alertname"] for one in found] == ["HighErrorNow"]


@pytest.mark.parametrize(("name", "prefix", "time"), HISTORIES)
def test_the_history_is_as_the_real_one_kept_it(name: str, prefix: str, time: str, tmp_path: Path) -> None:
    """
    Each change of state is an annotation with the same text, states and data.
    """
    living = Recording(tmp_path, prefix, links=name.endswith("dashboard"))
    living.evaluate_until(last_evaluations(f"{prefix}rules-{time}"))

    assert_same(name, ask(living.standin, recorded(name)))


@pytest.mark.parametrize("name", FILTERED)
def test_filtered_rules_are_as_the_real_one_showed_them(name: str, tmp_path: Path) -> None:
    """
    The rules of one dashboard, and of all, with the links to their dashboards.
    """
    living = Recording(tmp_path, "", links=name != "auth-viewer-rules")
    titles = [rule.title for rule in living.standin.provisioned.alerting.rules]
    living.evaluate_until(dict.fromkeys(titles, at("10:48:10")))

    assert_same(name, ask(living.standin, recorded(name)))


def test_a_filter_that_only_13_knows_is_followed(tmp_path: Path) -> None:
    """
    9.4 ignored filters by name and state; 13 follows them, so a firing rule that there is none of yields no group.
    """
    living = Recording(tmp_path, "", links=True)
    titles = [rule.title for rule in living.standin.provisioned.alerting.rules]
    living.evaluate_until(dict.fromkeys(titles, at("10:48:10")))

    found = ask(living.standin, recorded("rules-filter-ignored-newer")).json()["data"]["groups"]

    assert found == []


def test_what_only_13_shows_is_there(tmp_path: Path) -> None:
    """
    The keys that the comparison leaves out, because the recorded Grafana did not have them, are in the answers.
    """
    living = Recording(tmp_path, "")
    living.evaluate_until(last_evaluations("rules-notified"))
    group = ask(living.standin, recorded("rules-notified")).json()["data"]["groups"][0]
    alert = ask(living.standin, recorded("am-alerts-notified")).json()[0]

    assert set(ONLY_IN_13["group"]) <= set(group)
    assert set(ONLY_IN_13["rule"]) <= set(group["rules"][0])
    assert set(ONLY_IN_13["alert status"]) <= set(alert["status"])
    assert group["rules"][3]["alerts"][0]["annotations"]["Error"].startswith("failed to execute query A: bad_data")


def test_an_active_alert_ends_after_four_intervals(tmp_path: Path) -> None:
    """
    13 keeps an alert for 4 × max(interval, 30 s) after it was last sent, where 9.4 kept it for 3 ×.
    """
    living = Recording(tmp_path, "")
    living.evaluate_until(last_evaluations("rules-notified"))
    ours = {one["fingerprint"]: one["endsAt"] for one in ask(living.standin, recorded("am-alerts-notified")).json()}

    for one in recorded("am-alerts-notified")["response_body"]:
        assert at(ours[one["fingerprint"]][11:-1]) == at(one["endsAt"][11:-1]) + 30


def test_metrics_have_the_real_ones_names_and_types(tmp_path: Path) -> None:
    """
    Each of the stand-in's metrics that Grafana has too is of the same type, those of alerting among them.
    """
    exchange = recorded("metrics")
    theirs = {**exchange["response_body"]["types"], **exchange["response_body"]["other_types"]}
    lines = ask(standin(provision(tmp_path), stock_world()), exchange).text.splitlines()
    ours = {line.split()[2]: line.split()[3] for line in lines if line.startswith("# TYPE")}

    common = set(ours) & set(theirs)
    assert {name: ours[name] for name in common} == {name: theirs[name] for name in common}
    assert {"grafana_alerting_alerts", "grafana_alerting_rule_evaluations_total", "grafana_build_info"} <= common


def assert_same(name: str, answer: httpx.Response) -> None:
    """
    A recorded request was answered as the real one answered it.
    """
    exchange = recorded(name)
    edit = EDITED[name][1] if name in EDITED else lambda body: body
    assert exchange["status"] == answer.status_code, answer.text
    assert comparable(edit(exchange["response_body"])) == comparable(edit(answer.json()))


def test_two_instances_are_one_group(tmp_path: Path) -> None:
    """
    Two series of one rule that fire after each other are in one group, each with its own start and values.
    """
    living = Recording(tmp_path, "fast-")
    titles = [rule.title for rule in living.standin.provisioned.alerting.rules]
    living.evaluate_until({title: at("10:52:03") for title in titles if title == "MultiSeries"})
    name = "fast-am-groups-two-instances"

    assert_same(name, ask(living.standin, recorded(name)))


def test_all_can_be_silenced(tmp_path: Path) -> None:
    """
    A silence by regular expression suppresses each alert, which all stay in their groups.
    """
    living = Recording(tmp_path, "fast-")
    living.world.ratio = lambda at_s: 0.4 if at_s >= at("10:50:44") else 0.0
    titles = [rule.title for rule in living.standin.provisioned.alerting.rules]
    living.evaluate_until(dict.fromkeys(titles, at("10:50:48")))
    everything = {"name": "alertname", "value": ".+", "isRegex": True, "isEqual": True}
    living.standin.silences.set({**SILENCE, "matchers": [everything]}, living.world.now_s)

    for name in ("fast-am-alerts-all-silenced", "fast-am-groups-all-silenced"):
        assert_same(name, ask(living.standin, recorded(name)))


def test_a_viewer_sees_the_alerts(tmp_path: Path) -> None:
    """
    Reading alerts needs no more than anonymous access.
    """
    living = Recording(tmp_path, "", links=False)
    living.evaluate_until(last_evaluations("rules-normal"))

    assert_same("am-alerts-anonymous-viewer", ask(living.standin, recorded("am-alerts-anonymous-viewer")))
