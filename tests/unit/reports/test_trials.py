"""Faults are told as they were meant, as they were applied, and as the clients felt them."""

from typing import Any

import pytest

from reports.trials import Trial, shades, trials
from scenarios.history import FaultChange, History
from tests.unit.reports import examples


def only(example: examples.Example) -> Trial:
    """
    The one trial of an example.
    """
    (trial,) = trials(example.record, example.history)
    return trial


def test_a_fault_is_told_with_its_settings_its_times_and_its_proof() -> None:
    """
    The clients' view before and during it shows that it was felt.
    """
    trial = only(examples.passed())

    assert (trial.label, trial.planned) == ("errors on catalog", "at 8s for 12s")
    assert trial.settings == "route /api/products, ratio 30%, status 500"
    assert (trial.start_t, trial.end_t, trial.healed, trial.noise) == (examples.FAULT_T, examples.HEALED_T, True, False)
    assert trial.before.failed == 0
    assert (trial.felt.failed_ratio or 0) > 0.05
    assert trial.proof is not None
    assert trial.proof.id == "faults/1"


def test_a_fault_that_was_never_applied_has_no_shade() -> None:
    """
    The report must not shade what did not happen.
    """
    trial = only(examples.aborted())

    assert (trial.start_t, trial.healed, trial.felt.count) == (None, False, 0)
    assert shades((trial,)) == ()


def test_why_a_fault_failed_is_told() -> None:
    """
    Each reason that was recorded, or that there is none.
    """
    failed = [
        FaultChange(t=1, fault="faults/1", action="failed", detail={"error": "403 Forbidden"}),
        FaultChange(t=2, fault="faults/1", action="failed"),
    ]
    (trial,) = trials(examples.record(), History(failed))

    assert trial.failure == "error: 403 Forbidden; no reason was recorded"


def test_an_unhealed_fault_lasts_to_the_end() -> None:
    """
    It is shaded as long as it may have lasted.
    """
    trial = only(examples.stopped_early())

    assert (trial.healed, trial.end_t) == (False, examples.FAULT_T + 5)


@pytest.mark.parametrize(
    ("fault", "label", "settings"),
    [
        (
            {"kind": "slow_database", "target": "users", "delay": "1s", "jitter": None},
            "slow database on users",
            "delay 1s",
        ),
        (
            {"kind": "command", "apply": ["iptables", "-A"], "heal": ["iptables", "-D"]},
            "command",
            "apply iptables -A, heal iptables -D",
        ),
        (
            {"kind": "http", "apply": {"method": "POST", "url": "http://x/", "body": None}},
            "http",
            "apply POST http://x/",
        ),
        ({}, "fault", ""),
    ],
)
def test_any_kind_of_fault_can_be_told(fault: dict[str, Any], label: str, settings: str) -> None:
    """
    A kind that this report has never heard of is told by its own words.
    """
    scenario = dict(examples.SCENARIO) | {"faults": [fault], "noise": [fault, "nonsense"]}
    found = trials(examples.record(scenario=scenario), History([]))

    assert [(trial.name, trial.noise) for trial in found] == [("faults/1", False), ("noise/1", True)]
    assert (label, settings) == (found[0].label, found[0].settings)
