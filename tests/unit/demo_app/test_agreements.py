"""What others rely on: the README tells the truth, and drills speak the fault API's language."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest

import demo_app
import scenarios.model as model
from demo_app.faults.kinds import EXCEPTIONS, KINDS
from demo_app.settings import VARIABLES
from demo_app.telemetry import DURATION_BUCKETS_S
from tests.unit.demo_app.conftest import MakeRole

README = (Path(demo_app.__file__).parent / "README.md").read_text()

NEEDED: dict[str, dict[str, Any]] = {
    "latency": {"delay": "500ms", "jitter": "100ms"},
    "slow_database": {"delay": "500ms"},
    "dependency_timeout": {"upstream": "users"},
    "retry_storm": {"upstream": "catalog"},
}


def cells(heading: str) -> list[list[str]]:
    """The rows of the first table below a heading, after its own heading row."""
    section = README.split(f"## {heading}\n")[1].split("\n## ")[0]
    return [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]


def test_the_readme_names_every_setting() -> None:
    """
    No variable of this app's own is missing, none is invented.
    """
    named = {name for row in cells("Settings") for name in re.findall(r"`(DEMO_\w+)`", row[0])}

    assert named == {variable.name for variable in VARIABLES if variable.name.startswith("DEMO_")}


def test_the_readme_names_every_fault_and_its_fields() -> None:
    """
    Kinds and what they take are those of the models.
    """
    told = {row[0].strip(" `"): set(re.findall(r"`(\w+)`", row[1])) for row in cells("Fault API") if len(row) == 3}

    assert told == {name: set(kind.model_fields) - {"kind", "lease_s"} for name, kind in KINDS.items()}


@pytest.mark.parametrize("role", ["frontend", "catalog", "users"])
def test_the_readme_names_every_route(make_role: MakeRole, role: str) -> None:
    """
    Each role has the routes that the README gives it.
    """
    upstreams = {"catalog": "http://127.0.0.1:1", "users": "http://127.0.0.1:1"} if role == "frontend" else {}
    told = {
        re.findall(r"`\w+ (\S+)`", row[0])[0] for row in cells("Routes") if row[1].strip() == "all" or role in row[1]
    }

    rules = {rule.rule for rule in make_role(role, upstreams=upstreams).app.url_map.iter_rules()}

    assert told == rules - {"/static/<path:filename>"}


def test_the_readme_tells_the_buckets() -> None:
    """
    Who sets a latency objective finds the edges there.
    """
    edges = re.search(r"edges at ([\d, ]+) ms, ([\d., ]+) s;", README)
    assert edges is not None

    told = [float(edge) / 1000 for edge in edges[1].split(",")] + [float(edge) for edge in edges[2].split(",")]

    assert told == list(DURATION_BUCKETS_S)


@pytest.mark.parametrize("fault", get_args(model.AppFault), ids=lambda fault: str(fault.__name__))
def test_every_app_fault_of_a_drill_is_one_of_ours(fault: Any) -> None:
    """
    What a drill file can say, the fault API takes as it is sent.
    """
    (kind,) = get_args(fault.model_fields["kind"].annotation)
    drill = fault.model_validate({"kind": kind, "at": "1s", "for": "1s"} | NEEDED.get(kind, {}))

    ours = KINDS[kind].model_validate_json(json.dumps(drill.api_body() | {"lease_s": 4}))

    assert ours.kind == kind


def test_drills_know_every_kind() -> None:
    """
    There is no fault here that a drill file cannot ask for.
    """
    kinds = {get_args(fault.model_fields["kind"].annotation)[0] for fault in get_args(model.AppFault)}

    assert kinds == set(KINDS)


def test_drills_know_every_exception() -> None:
    """
    The types that can be raised are the same on both sides.
    """
    assert set(get_args(model.ExceptionFault.model_fields["type"].annotation)) == set(EXCEPTIONS)
