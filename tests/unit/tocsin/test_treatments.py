"""Treatments: each changes one thing of a profile, and nothing else."""

from dataclasses import asdict
from typing import Any

import pytest

from scenarios.model import TREATMENT_KINDS, Treatment
from stack.config import DRILL, PROFILES
from tests.unit.tocsin.saved import scenario
from tocsin.treatments import treated


def treatments(*given: dict[str, Any]) -> tuple[Treatment, ...]:
    """Treatments of a drill that is alone on its stack."""
    return scenario(exclusive=True, treatments=given).treatments


ONE_OF_EACH: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"kind": "sampling", "ratio": "10%"}, {"trace_ratio": 0.1}),
    ({"kind": "export_interval", "every": "2500ms"}, {"export_interval_s": 2.5}),
    ({"kind": "scrape_interval", "every": "5s"}, {"scrape_interval_s": 5}),
    ({"kind": "drop_label", "label": "http.route"}, {"dropped_labels": ("http.route",)}),
    ({"kind": "memory_limit", "mib": 20}, {"memory_limit_mib": 20}),
    ({"kind": "queue", "spans": 300}, {"queue_size": 300}),
    ({"kind": "live_traces", "traces": 40}, {"trace_live_limit": 40}),
]


@pytest.mark.parametrize(("treatment", "changed"), ONE_OF_EACH, ids=lambda value: value.get("kind", ""))
@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_a_treatment_changes_one_thing(profile: Any, treatment: dict[str, Any], changed: dict[str, Any]) -> None:
    """The name stays, and with it the rules that belong to the profile."""
    found = treated(profile, treatments(treatment))

    assert {name: value for name, value in asdict(found).items() if value != asdict(profile)[name]} == changed


def test_every_kind_of_treatment_is_tried() -> None:
    """A new one must be, too."""
    assert {treatment["kind"] for treatment, _ in ONE_OF_EACH} == set(TREATMENT_KINDS)


def test_treatments_add_up_and_may_be_repeated() -> None:
    """A stack is treated when it starts, and its drill looks at the same profile again."""
    several = treatments(
        {"kind": "drop_label", "label": "http.route"},
        {"kind": "memory_limit", "mib": 20},
        {"kind": "drop_label", "label": "server.address"},
    )

    once = treated(DRILL, several)

    assert once.dropped_labels == ("http.route", "server.address")
    assert once.memory_limit_mib == 20
    assert treated(once, several) == once


def test_delays_follow_the_treated_profile() -> None:
    """A bound allows for what was made slower."""
    slower = treated(DRILL, treatments({"kind": "scrape_interval", "every": "5s"}))

    assert slower.delays() == {**DRILL.delays(), "scrape_s": 5.0}
