"""Mutations: everything that dashboards and alerting consist of can be deleted, one thing at a time, and nothing else with it."""

import json
from collections import Counter
from pathlib import Path

import pytest

from stack import generated
from stack.mutations import Mutation, apply, mutations
from stack.mutations.mutation import parsed
from tests.unit.stack.mutations.configuration import render


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rendered configuration of a whole stack; nobody changes it."""
    return render(tmp_path_factory.mktemp("stack") / "config")


def names(found: list[Mutation], kind: str, source: str = "") -> list[str]:
    """The subjects of one kind."""
    return [one.subject for one in found if one.kind == kind and source in ("", one.source)]


def test_every_query_of_every_panel_can_be_gone(root: Path) -> None:
    """And each panel's datasource; panels without queries go whole."""
    found = list(mutations(root))
    panels = [(uid, panel) for uid, page in generated.dashboards().items() for panel in page["panels"]]
    shown = [(uid, panel) for uid, panel in panels if panel["type"] != "row"]

    assert Counter(names(found, "panel query")) == Counter(
        uid for uid, panel in shown for _ in panel.get("targets", [])
    )
    assert Counter(names(found, "panel datasource")) == Counter(uid for uid, panel in shown if panel.get("targets"))
    assert Counter(names(found, "panel")) == Counter(uid for uid, panel in shown if not panel.get("targets"))


def test_every_rule_of_both_can_be_gone(root: Path) -> None:
    """Alerting and recording ones, and where Grafana's are asked."""
    found = list(mutations(root))
    rules = generated.prometheus_rules("drill")
    titles = [rule["title"] for rule in generated.grafana_rules("drill", detector=True)]

    assert sorted(names(found, "alert rule", "prometheus")) == sorted(r["alert"] for r in rules if "alert" in r)
    assert sorted(names(found, "recording rule")) == sorted(r["record"] for r in rules if "record" in r)
    assert sorted(names(found, "alert rule", "grafana")) == sorted(titles)
    assert sorted(names(found, "rule datasource")) == sorted(titles)


def test_everybody_who_is_told_can_be_forgotten(root: Path) -> None:
    """Routes and contact points of Alertmanager and of Grafana."""
    found = list(mutations(root))

    assert names(found, "policy route", "prometheus") == ["watchdog", "page"]
    assert names(found, "contact point", "prometheus") == ["page", "ticket", "watchdog"]
    assert names(found, "policy route", "grafana") == ["grafana-page"]
    assert names(found, "contact point", "grafana") == ["grafana-page", "grafana-ticket"]


def test_every_datasource_and_every_link_can_be_gone(root: Path) -> None:
    """Links are settings that name another datasource, and the queries from traces to metrics."""
    found = list(mutations(root))

    assert names(found, "datasource") == ["prometheus", "tempo", "alertmanager"]
    assert Counter(names(found, "datasource link")) == {"prometheus": 2, "tempo": 5}


def test_no_two_mutations_are_called_the_same(root: Path) -> None:
    """So that a survivor is known by its name."""
    counts = Counter(str(one) for one in mutations(root))

    assert [name for name, count in counts.items() if count > 1] == []


def test_a_stack_without_grafana_has_none_of_its_mutations(tmp_path: Path) -> None:
    """Nor is anything missed."""
    found = list(mutations(render(tmp_path / "config", but=("grafana", "detector"))))

    assert {one.kind for one in found} == {"recording rule", "alert rule", "policy route", "contact point"}
    assert {one.source for one in found} == {"prometheus"}


def leaves(data: object) -> int:
    """How many values a file has."""
    items = data.values() if isinstance(data, dict) else data if isinstance(data, list) else None
    return 1 if items is None else 1 + sum(leaves(item) for item in items)


def test_each_takes_something_from_its_file_and_leaves_the_rest(root: Path, tmp_path: Path) -> None:
    """The file still is what it was but for what is gone; others are not touched."""
    for mutation in mutations(root):
        whole = parsed(root / mutation.file)
        copy = tmp_path / mutation.file
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text((root / mutation.file).read_text())

        apply([mutation], tmp_path)

        assert leaves(parsed(copy)) < leaves(whole), mutation
        assert set(parsed(copy)) == set(whole), mutation


def test_several_things_of_one_list_can_be_gone_at_once(tmp_path: Path) -> None:
    """Whichever is named first."""
    (tmp_path / "a.json").write_text(json.dumps({"list": ["a", "b", "c", {"d": [1, 2]}]}))

    def gone(*place: str | int) -> Mutation:
        return Mutation(
            kind="panel", source="grafana", subject="x", name=str(place), file="a.json", places=(("list", *place),)
        )

    apply([gone(0), gone(3, "d", 0), gone(2)], tmp_path)

    assert json.loads((tmp_path / "a.json").read_text()) == {"list": ["b", {"d": [2]}]}


def test_what_is_not_there_cannot_be_deleted(tmp_path: Path) -> None:
    """A mutation that changes nothing would count as a survivor of nothing."""
    (tmp_path / "a.yaml").write_text("a: 1\n")
    mutation = Mutation(kind="panel", source="grafana", subject="x", name="x", file="a.yaml", places=(("b",),))

    with pytest.raises(KeyError):
        apply([mutation], tmp_path)
