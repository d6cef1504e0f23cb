"""Budget: what was used is what was given, or more."""

from typing import Any

import pytest

from assertions import budget as judge_of
from scenarios.history import Usage
from scenarios.model import Budget
from scenarios.record import Outcome, Verdict
from tests.unit.assertions.builders import CHECK, T0, history

MIB = 1024**2


def used(t: float, cpu_s: float, mib: int = 100, name: str = "tempo") -> Usage:
    """What a component had used."""
    return Usage(t=T0 + t, name=name, cpu_s=cpu_s, memory_bytes=mib * MIB)


ALL = [used(-10, 3), used(0, 4, mib=150), used(10, 8), used(5, 99, 999, name="users")]
"""5 s of CPU in 20 s, and 150 MiB at most; others do not matter."""


def judged(*samples: Usage, **given: Any) -> Outcome:
    """What becomes of a budget of Tempo."""
    return judge_of.judge(Budget.model_validate({"component": "tempo"} | given), CHECK, history(samples))


def test_a_budget_that_is_kept() -> None:
    """To the last bit: of CPU time, of cores and of memory."""
    outcome = judged(*ALL, cpu="5s", cores=0.25, memory="150MiB")

    assert outcome.verdict is Verdict.PASS
    assert outcome.expected == "at most 5 s of CPU, at most 0.25 cores and at most 150 MiB of memory"
    assert outcome.observed == "5 s of CPU, 0.25 cores and 150 MiB of memory"
    assert outcome.facts == {"cpu_s": 5, "cores": 0.25, "memory_bytes": 150 * MIB, "measured_s": 20}


@pytest.mark.parametrize(
    ("given", "observed"),
    [
        ({"cpu": "4.9s"}, "5 s of CPU"),
        ({"cores": 0.2, "cpu": "6s"}, "0.25 cores"),
        ({"memory": "149MiB", "cores": 1}, "150 MiB of memory"),
        ({"memory": "149MiB", "cpu": "1s"}, "5 s of CPU and 150 MiB of memory"),
    ],
)
def test_what_is_over_budget_is_told(given: dict[str, Any], observed: str) -> None:
    """And only that."""
    outcome = judged(*ALL, **given)

    assert (outcome.verdict, outcome.observed) == (Verdict.FAIL, observed)
    assert (outcome.where, outcome.when) == ("all processes of tempo", "20 s of traffic")
    assert outcome.hint == "is something in it busy or leaking, or is the budget too tight for this load?"


def test_a_new_process_begins_at_nought() -> None:
    """What the old one had used stays used."""
    outcome = judged(used(0, 3), used(1, 4), used(2, 0.5), used(3, 1.5), cpu="1h")

    assert outcome.facts["cpu_s"] == 2.5


@pytest.mark.parametrize("samples", [[], [used(0, 3)], [used(0, 3), used(0, 4)], [used(0, 3, name="users")] * 2])
def test_what_nobody_measured_is_unknown(samples: list[Usage]) -> None:
    """A budget is not kept by not looking."""
    outcome = judged(*samples, memory="1GiB")

    assert (outcome.verdict, outcome.expected, outcome.observed) == (
        Verdict.UNKNOWN,
        "at most 1 GiB of memory",
        "nobody measured what tempo used",
    )
