"""The model: scenarios as values, and what they refuse."""

import json
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from opentelemetry.sdk.trace.sampling import Decision, TraceIdRatioBased
from pydantic import ValidationError

from scenarios.model import EXPECTATIONS, TREATMENT_KINDS, Expectation, Scenario, Silent, is_kept
from scenarios.model.expectations import Keyed
from scenarios.wording import FAULT_KINDS
from tests.unit.scenarios.drills import scenarios


def drill(**changes: Any) -> Scenario:
    """A good drill with some changes."""
    document: dict[str, Any] = {
        "name": "x",
        "why": "It is good unless it was changed.",
        "load": {"for": "60s", "cool_down": "20s"},
        "faults": [{"kind": "errors", "at": "5s", "for": "10s"}],
        "expect": [{"silent": {}}],
    }
    return Scenario.model_validate(document | changes)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], deadline=None, max_examples=100)
@given(scenario=scenarios())
def test_a_scenario_survives_its_record(scenario: Scenario) -> None:
    """What is stored with a run is the drill that was run, to the last digit."""
    assert scenario == Scenario.model_validate(json.loads(json.dumps(scenario.to_json())))


def test_a_scenario_cannot_be_changed() -> None:
    """It may be shared between threads and stored while it runs."""
    scenario = drill()

    with pytest.raises(ValidationError, match="frozen"):
        setattr(scenario, "name", "y")  # noqa: B010 - the type checker refuses it already


def test_every_expectation_has_one_key() -> None:
    """The table of keys, the union and the tags in YAML agree."""
    tags = {one.__metadata__[0].tag: get_args(one)[0] for one in get_args(get_args(Keyed)[0])}

    assert tags == EXPECTATIONS
    assert set(get_args(Expectation)) == set(EXPECTATIONS.values())


@pytest.mark.parametrize(
    ("fault", "felt"),
    [
        ({"kind": "latency", "delay": "1s"}, True),
        ({"kind": "errors"}, True),
        ({"kind": "hang"}, True),
        ({"kind": "telemetry_silent"}, False),
        ({"kind": "retry_storm", "upstream": "users"}, False),
        ({"kind": "spike", "factor": 2}, True),
        ({"kind": "kill", "target": "catalog"}, True),
        ({"kind": "kill", "target": "prometheus"}, False),
        ({"kind": "command", "apply": ["a"], "heal": ["b"]}, False),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else str(value),
)
def test_a_fault_knows_whether_clients_must_feel_it(fault: dict[str, Any], felt: bool) -> None:
    """A dead Prometheus is no news to a client; a dead catalog is."""
    scenario = drill(exclusive=True, faults=[fault | {"at": "1s", "for": "1s"}])

    assert felt is scenario.faults[0].felt_by_client


def test_noise_may_be_of_the_kind_of_a_fault() -> None:
    """A small delay all the time, and a large one for a while: the drill asks whether rules tell them apart."""
    big = {"kind": "latency", "delay": "1s", "at": "5s", "for": "10s"}
    small = {"kind": "latency", "delay": "10ms", "at": "0s", "for": "60s"}

    assert len(drill(faults=[big], noise=[small]).noise) == 1


def test_faults_may_follow_each_other_and_hit_different_places_at_once() -> None:
    """Only faults that nobody could tell apart are refused."""
    first = {"kind": "errors", "route": "/api/products", "at": "5s", "for": "10s"}

    for other in (
        first | {"at": "15s"},
        first | {"route": "/api/products/<int:id>"},
        first | {"target": "users", "route": None},
        first | {"kind": "latency", "delay": "1s"},
        {"kind": "kill", "target": "users", "at": "5s", "for": "10s"},
    ):
        assert len(drill(faults=[first, other]).faults) == 2


def test_spikes_may_be_heaped_on_each_other() -> None:
    """Their factors multiply, which is a shape of its own."""
    spike = {"kind": "spike", "factor": 2, "at": "5s", "for": "10s"}

    assert len(drill(faults=[spike, spike | {"at": "10s"}]).faults) == 2


def test_the_stack_may_be_broken_by_a_drill_that_has_it_alone() -> None:
    """That is what `exclusive` is for; a role of the app is the drill's own anyway."""
    kill = {"kind": "kill", "at": "5s", "for": "10s"}

    assert drill(exclusive=True, faults=[kill | {"target": "tempo"}]).exclusive
    assert not drill(faults=[kill | {"target": "catalog"}]).exclusive


def test_a_scenario_can_be_made_in_python() -> None:
    """Of the same values, for people who would rather not write YAML."""
    parts = drill()

    assert parts == drill(load=parts.load, faults=parts.faults, expect=[Silent()])


def test_every_kind_of_fault_is_documented_and_named_once() -> None:
    """Each kind of fault is read by exactly one model, and each of its keys says what it means."""
    for kind, model in {**FAULT_KINDS, **EXPECTATIONS, **TREATMENT_KINDS}.items():
        assert model.__doc__, kind
        assert [n for n, field in model.model_fields.items() if n != "kind" and not field.description] == [], kind


@pytest.mark.parametrize(
    ("treatment", "words"),
    [
        ({"kind": "sampling", "ratio": "10%"}, "sampling 10%"),
        ({"kind": "export_interval", "every": "1500ms"}, "export interval 1.5s"),
        ({"kind": "scrape_interval", "every": "5s"}, "scrape interval 5s"),
        ({"kind": "drop_label", "label": "http.route"}, "drop label http.route"),
        ({"kind": "memory_limit", "mib": 20}, "memory limit 20 MiB"),
        ({"kind": "queue", "spans": 300}, "queue 300 spans"),
        ({"kind": "live_traces", "traces": 40}, "live traces 40"),
    ],
)
def test_a_treatment_says_what_it_is_set_to(treatment: dict[str, Any], words: str) -> None:
    """In reports and in the titles of checks."""
    assert drill(exclusive=True, treatments=[treatment]).treatments[0].words == words


def test_without_a_treatment_all_traces_are_kept() -> None:
    """With one, the share that it says."""
    assert drill().sampling == 1.0
    assert drill(treatments=[{"kind": "sampling", "ratio": "25%"}]).sampling == 0.25


@pytest.mark.parametrize("ratio", [0.0001, 0.1, 1 / 3, 0.5, 0.999, 1.0])
def test_clients_know_what_the_sampler_keeps(ratio: float) -> None:
    """By the trace id alone, as the SDK's own sampler decides it; also at the very edge."""
    sampler = TraceIdRatioBased(ratio)
    edge = round(ratio * 2**64)
    ids = [0xABC << 64 | low % 2**64 for low in (0, edge - 1, edge, edge + 1, *range(7, 2**64, 2**64 // 500))]

    for trace_id in ids:
        is_sampled = sampler.should_sample(None, trace_id, "GET /").decision is Decision.RECORD_AND_SAMPLE
        assert is_kept(f"{trace_id:032x}", ratio) is is_sampled
