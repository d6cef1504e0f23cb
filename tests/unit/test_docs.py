"""The documentation: what it shows can be loaded, and its runbooks are those of the alerts. Commands are run in tests/e2e."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from scenarios.loader import catalog, load, load_text
from scenarios.model import SYNTHETIC, Alert, Anomaly
from stack.generated import grafana_rules, prometheus_rules
from tests.unit.snippets import Snippet, snippets
from tests.unit.test_project import ROOT, files, here

RUNBOOKS = ROOT / "docs" / "runbooks"
YAML = snippets("yaml")
DRILLS = [one for one in YAML if re.search(r"^expect:", one.text, re.MULTILINE)]


@pytest.mark.parametrize("snippet", DRILLS, ids=str)
def test_every_drill_that_is_shown_can_be_loaded(snippet: Snippet) -> None:
    """People copy them."""
    assert load_text(snippet.text, source=str(snippet)).expect


@pytest.mark.parametrize("snippet", [one for one in YAML if one not in DRILLS], ids=str)
def test_every_other_piece_of_yaml_is_some(snippet: Snippet) -> None:
    """And has something in it."""
    assert yaml.safe_load(snippet.text)


@pytest.mark.parametrize("snippet", snippets("python"), ids=str)
def test_every_piece_of_python_runs(snippet: Snippet) -> None:
    """What it imports is there; tests in it are defined, not run."""
    exec(compile(snippet.text, str(snippet), "exec"), {})


@pytest.mark.parametrize("snippet", snippets("json"), ids=str)
def test_every_piece_of_json_is_some(snippet: Snippet) -> None:
    """It can be read."""
    assert yaml.safe_load(snippet.text)


def test_snippets_are_found() -> None:
    """Otherwise the tests above would test nothing."""
    assert len(DRILLS) > 3
    assert snippets("console")
    assert snippets("python")
    assert {""} == {one.language for one in snippets("")}


def test_every_block_says_which_language_it_is_in_or_none() -> None:
    """A language that nobody tests is a promise that nobody keeps."""
    tested = ("", "console", "json", "promql", "python", "yaml")
    known = {id(one) for one in snippets(*tested)}

    assert len(known) == len(snippets(*tested, *_languages()))


def _languages() -> set[str]:
    texts = [path.read_text(encoding="utf-8") for path in files("*.md")]
    return {name for text in texts for name in re.findall(r"^```(\w+)$", text, re.MULTILINE)}


def alerts(profile: str) -> dict[str, Mapping[str, Any]]:
    """The alerts that are generated for a profile, by name, of Prometheus and of Grafana."""
    by_grafana = {rule["title"]: rule for rule in grafana_rules(profile, detector=True)}
    return by_grafana | {rule["alert"]: rule for rule in prometheus_rules(profile) if "alert" in rule}


def severities() -> dict[str, str]:
    """How urgent each alert is that people may hear of; those that Grafana raises itself are as urgent as their rules."""
    return {name: rule["labels"]["severity"] for name, rule in alerts("production").items()} | dict.fromkeys(
        SYNTHETIC.values(), "page"
    )


def drilled() -> dict[str, set[str]]:
    """The drills of the catalogue that expect each alert, by the name under which people hear of it."""
    found: dict[str, set[str]] = {}
    for scenario in map(load, catalog()):
        for item in scenario.expect:
            if isinstance(item, Alert):
                for name in {item.name, item.told_as} if item.state == "nodata" else {item.told_as}:
                    found.setdefault(name, set()).add(scenario.name)
            if isinstance(item, Anomaly):
                found.setdefault("AnomalyDetected", set()).add(scenario.name)
    return found


@pytest.mark.parametrize("profile", ["drill", "production"])
def test_every_alert_leads_to_its_runbook(profile: str) -> None:
    """Whoever was paged finds a page, and no page is of an alert that does not exist."""
    links = {name: rule["annotations"]["runbook_url"] for name, rule in alerts(profile).items()}

    assert links == {name: f"docs/runbooks/{name}.md" for name in links}
    assert {path.stem for path in RUNBOOKS.glob("*.md")} - {"README"} == set(links) | set(SYNTHETIC.values())


@pytest.mark.parametrize("name", sorted(severities()))
def test_a_runbook_has_what_people_look_for(name: str) -> None:
    """In the same order on each page, and how urgent it is in the first words."""
    text = (RUNBOOKS / f"{name}.md").read_text(encoding="utf-8")

    assert re.findall(r"^#+ (.*)$", text, re.MULTILINE) == [name, "What to look at", "Queries", "Drill it"]
    urgency = {"page": "A person has to look", "ticket": "Look at it within working hours", "none": "All is well"}
    assert f"\n**{urgency[severities()[name]]}" in text
    assert re.search(r"^1\. ", text, re.MULTILINE)
    assert "\n```promql\n" in text


@pytest.mark.parametrize(("name", "drills"), sorted(drilled().items()))
def test_a_runbook_names_a_drill_that_makes_its_alert_fire(name: str, drills: set[str]) -> None:
    """Where the catalogue has one: whoever changes the rule can try it at once."""
    text = (RUNBOOKS / f"{name}.md").read_text(encoding="utf-8")
    _, _, how = text.partition("\n## Drill it\n")

    assert drills & set(re.findall(r"[a-z0-9-]+", how))


def test_the_index_of_runbooks_lists_each_with_its_severity() -> None:
    """In the order of importance that people gave it."""
    text = (RUNBOOKS / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| \[(\w+)\]\(\1\.md\) \| (\w+) \|", text, re.MULTILINE))

    assert rows == severities()


def test_alerts_that_runbooks_and_drills_name_exist() -> None:
    """Also within a text: a page that sends people to another one that is gone wastes their time."""
    known = set(severities())
    pages = [*RUNBOOKS.glob("*.md"), *files("catalog/*.drill.yaml")]
    suffixes = "Fast|Growing|Slow|Ticket|High|Absent|Down|Refusing|Dropping|Failing|Full|Failures|Stale|Spans"
    named = [(page, name) for page in pages for name in re.findall(rf"\b[A-Z]\w+(?:{suffixes})\b", page.read_text())]

    assert len(named) > 50
    assert [f"{here(page)}: {name}" for page, name in named if name not in known] == []


def test_the_index_leads_to_every_page() -> None:
    """A page that nobody finds is not there."""
    text = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}

    assert pages <= set(re.findall(r"\]\(([\w.-]+\.md)\)", text))


def test_ci_runs_what_the_makefile_knows() -> None:
    """And keeps what it made, also when something failed."""
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yaml").read_text())
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    makefile = (ROOT / "Makefile").read_text()
    targets = [target for step in steps for target in re.findall(r"\bmake (\w+)", step.get("run", ""))]

    assert {"check", "unit"} <= set(targets)
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)
    assert any(step.get("run") == ".ci/run" for step in steps)
    assert any("upload-artifact" in step.get("uses", "") and "cancelled" in step.get("if", "") for step in steps)
