"""The JSON schema: it accepts what the loader accepts, and sees most of what the loader refuses."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator

from scenarios.errors import ScenarioError
from scenarios.loader import catalog
from scenarios.schema import json_schema
from scenarios.yamlfile import YamlFile
from tests.unit.scenarios.drills import documents

VALIDATOR = Draft202012Validator(json_schema())
MALFORMED = sorted((Path(__file__).parent / "malformed").glob("*.drill.yaml"))

# What depends on another part of the file, or on a rule that a schema cannot say.
SEEN_BY_THE_LOADER_ALONE = {
    "abort-without-condition",
    "alert-and-silent",
    "alert-label-dotted",
    "alert-label-of-the-run",
    "alert-links-unnotified",
    "alert-nodata-and-silent",
    "alert-nodata-of-prometheus",
    "alert-of-a-missing-fault",
    "alert-of-no-fault",
    "alert-pending-notified",
    "alert-receiver-of-none",
    "alert-resolves-too-late",
    "alert-within-too-long",
    "alert-without-baseline",
    "anomaly-too-soon",
    "anomaly-within-too-long",
    "anomaly-without-its-fault",
    "budget-of-a-shared-stack",
    "budget-of-nothing",
    "component-back-too-late",
    "component-down-too-late",
    "component-of-a-missing-fault",
    "disk-full-for-all",
    "drop-up",
    "expectation-twice",
    "fault-after-the-drive",
    "fault-delay-too-long",
    "fault-route-without-traffic",
    "fault-without-traffic",
    "faults-on-one-component",
    "faults-overlap",
    "for-days",
    "link-broken-for-all",
    "link-delay-too-long",
    "links-overlap",
    "noise-after-the-drive",
    "recovered-from-nothing",
    "recovered-gap-of-traces",
    "recovered-loss-crossed",
    "recovered-within-too-long",
    "route-of-another",
    "route-unknown",
    "route-weight-negative",
    "routes-all-zero",
    "spike-down",
    "stack-broken-for-all",
    "traces-event-without-name",
    "traces-of-a-missing-fault",
    "traces-span-durations-crossed",
    "treatment-every-too-long",
    "treatment-half-seconds",
    "treatment-label-of-the-run",
    "treatment-of-a-shared-stack",
    "treatment-twice",
    "watchdog-back-too-late",
    "watchdog-missing-too-late",
    "watchdog-of-a-missing-fault",
}


def _readable() -> list[tuple[str, Any]]:
    """The malformed files that are YAML, and what they hold."""
    found = []
    for path in MALFORMED:
        try:
            found.append((path.name.removesuffix(".drill.yaml"), YamlFile(path.read_text("utf-8"), source="").value))
        except (ScenarioError, UnicodeDecodeError):
            continue
    return found


def test_the_schema_is_a_schema() -> None:
    """It follows draft 2020-12, which editors know."""
    Draft202012Validator.check_schema(json_schema())
    assert json_schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("path", catalog(), ids=lambda path: path.name)
def test_the_catalogue_follows_the_schema(path: Path) -> None:
    """An editor shows no error in a drill that can be loaded."""
    VALIDATOR.validate(YamlFile(path.read_text("utf-8"), source="").value)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], deadline=None, max_examples=60)
@given(document=documents())
def test_whatever_the_language_can_say_follows_the_schema(document: dict[str, Any]) -> None:
    """Not only what the catalogue happens to use."""
    assert [error.message for error in VALIDATOR.iter_errors(document)] == []


@pytest.mark.parametrize(("name", "document"), _readable(), ids=lambda value: value if isinstance(value, str) else "")
def test_the_schema_sees_what_is_wrong_with_the_form(name: str, document: Any) -> None:
    """An editor underlines each slip, but for those that are listed here by name."""
    assert VALIDATOR.is_valid(document) is (name in SEEN_BY_THE_LOADER_ALONE)


def test_defaults_are_written_as_people_would() -> None:
    """An editor that fills in a default writes something that can be loaded."""
    definitions = json_schema()["$defs"]

    assert definitions["Load"]["properties"]["warm_up"]["default"] == "10s"
    assert definitions["ErrorsFault"]["properties"]["ratio"]["default"] == "100%"
    assert definitions["Sli"]["properties"]["within"]["default"] == "2%"
    assert definitions["Load"]["properties"]["users"]["default"] == 8
