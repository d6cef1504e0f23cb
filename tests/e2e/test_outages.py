"""Drills in which the stack breaks turn red when what should save the day is not there, and say what was lost."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from scenarios.loader import catalog, load
from scenarios.record import Outcome, Record, Rung, Verdict
from stack.runtimes.stack import Stack
from tocsin.drill import Drill

pytestmark = pytest.mark.e2e


class Forgetful(Stack):
    """A stack whose components lose their data when they are started again, as without a volume."""

    def restart(self, name: str) -> None:
        """Stop it, remove what it kept, start it."""
        self.unit(name).stop()
        data = self.roster.path / "data" / name
        shutil.rmtree(data)
        data.mkdir()
        super().restart(name)


def no_queue(config: Path) -> None:
    """The collector neither keeps what it cannot send to Tempo, nor tries again."""
    path = config / "collector.yaml"
    collector = yaml.safe_load(path.read_text())
    for part in ("sending_queue", "retry_on_failure"):
        collector["exporters"]["otlp_grpc/tempo"][part] = {"enabled": False}
    path.write_text(yaml.safe_dump(collector))


@dataclass(frozen=True, kw_only=True)
class Break:
    """One drill of the catalogue, and what is missing from the stack or the app that it runs on."""

    drill: str
    kind: type[Stack] = Stack
    amend: Callable[[Path], None] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, runs: Path) -> Record:
        """The record of the drill."""
        (path,) = [path for path in catalog() if path.name == f"{self.drill}.drill.yaml"]
        scenario = load(path)
        stack = self.kind.create(amend=self.amend, extras=scenario.needs)
        try:
            return Drill(scenario=scenario, stack=stack, runs=runs, app_environment=self.environment).run()
        finally:
            stack.stop()


BREAKS = {
    "no queue": Break(drill="tempo-down", amend=no_queue),
    "impatient apps": Break(drill="collector-killed", environment={"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "1"}),
    "no volume": Break(drill="prometheus-restarted", kind=Forgetful),
}


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Record]]:
    """The record of each break; they run at the same time, each on a stack of its own."""
    runs = tmp_path_factory.mktemp("runs")
    with ThreadPoolExecutor(len(BREAKS)) as pool:
        futures = {name: pool.submit(one.run, runs) for name, one in BREAKS.items()}
        yield {name: future.result() for name, future in futures.items()}


def outcomes(record: Record, title: str) -> list[Outcome]:
    """The outcomes whose title begins so."""
    return [one for one in record.outcomes if one.title.startswith(title)]


@pytest.mark.parametrize(
    ("broken", "title", "rung"),
    [
        ("no queue", "traces", Rung.NOT_STORED),
        ("no queue", "recovered: traces", Rung.NOT_STORED),
        ("impatient apps", "recovered: traces", Rung.NOT_COLLECTED),
        ("no volume", "alert ErrorBudgetBurnFast", None),
    ],
)
def test_what_does_not_survive_is_noticed(
    records: Mapping[str, Record], broken: str, title: str, rung: Rung | None
) -> None:
    """
    The check that it is about fails, at the rung at which the signal died.
    """
    (failed,) = outcomes(records[broken], title)

    assert (failed.verdict, failed.rung) == (Verdict.FAIL, rung), failed


@pytest.mark.parametrize("broken", BREAKS)
def test_the_outage_itself_is_as_it_should_be(records: Mapping[str, Record], broken: str) -> None:
    """
    Its component went down and came back, nobody screamed who should not, and clients were served as ever.
    """
    found = [one for title in ("component", "silent", "sli") for one in outcomes(records[broken], title)]

    assert len(found) == 3
    assert {one.verdict for one in found} == {Verdict.PASS}, found
