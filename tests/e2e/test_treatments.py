"""Treatments on real engines: they are seen where they were made, and missed where they were not."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from scenarios.loader import load_text
from scenarios.record import Record, Rung, Verdict
from stack.config import DRILL
from stack.runtimes.stack import running_stack
from tocsin.drill import Drill
from tocsin.treatments import treated

pytestmark = pytest.mark.e2e

SCENARIO = load_text("""
name: treated
why: What is saved on the signals is seen in what is left of them, and nothing else is lost.
exclusive: true
treatments:
  - {kind: sampling, ratio: 50%}
  - {kind: export_interval, every: 4s}
  - {kind: scrape_interval, every: 2s}
  - {kind: drop_label, label: http.route}
load: {users: 4, rate: 20, warm_up: 5s, for: 15s}
expect:
  - sli: {name: availability, within: 0%}
  - sli: {name: request_rate, source: spans, within: 0%}
  - sli: {name: p95, source: spans, within: 10%}
  - traces: {where: any, found: 100%}
  - delivered: {within: 0%}
""")

UNTREATED = {"OTEL_TRACES_SAMPLER": "always_on", "OTEL_METRIC_EXPORT_INTERVAL": "1000"}
"""What the app is told when somebody forgets the treatments."""


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Record]]:
    """The record of the drill as it should be, and on a stack and an app that nobody treated."""
    runs = tmp_path_factory.mktemp("runs")
    with ThreadPoolExecutor(2) as pool:
        futures = {name: pool.submit(_record, runs, name) for name in ("treated", "untreated")}
        yield {name: future.result() for name, future in futures.items()}


def _record(runs: Path, name: str) -> Record:
    is_treated = name == "treated"
    profile = treated(DRILL, SCENARIO.treatments) if is_treated else DRILL
    with running_stack(profile=profile) as stack:
        return Drill(scenario=SCENARIO, stack=stack, runs=runs, app_environment={} if is_treated else UNTREATED).run()


def test_a_treated_stack_loses_what_it_should_and_nothing_else(records: Mapping[str, Record]) -> None:
    """Half of the traces are gone, a label, and some freshness; every count is exact."""
    record = records["treated"]

    assert record.verdict is Verdict.PASS, [one.message() for one in record.outcomes if one.verdict != Verdict.PASS]


@pytest.mark.parametrize("number", range(1, len(SCENARIO.treatments) + 1))
def test_a_treatment_that_was_not_made_is_missed(records: Mapping[str, Record], number: int) -> None:
    """Else the drill would say of the usual configuration what it asked of another."""
    found = next(one for one in records["untreated"].outcomes if one.id == f"treatments/{number}")

    assert (found.verdict, found.rung) == (Verdict.FAIL, Rung.FAULT_NOT_APPLIED), found.message()


def test_traces_that_should_have_been_dropped_are_found(records: Mapping[str, Record]) -> None:
    """By the clients' own ids."""
    found = next(one for one in records["untreated"].outcomes if one.title == "traces of answered requests")

    assert found.verdict is Verdict.FAIL
    assert found.expected.endswith("that head sampling does not keep")
