"""A stack or an app that is broken on purpose is noticed, and the rung at which the signal died is named."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from scenarios.loader import load_text
from scenarios.record import Outcome, Record, Rung, Verdict
from stack.runtimes.stack import running_stack
from tocsin.drill import Drill

pytestmark = pytest.mark.e2e

ERRORS = "{kind: errors, target: catalog, route: /api/products, ratio: 60%, at: 2s, for: 9s}"
SILENCE = "{kind: telemetry_silent, target: catalog, at: 1s, for: 14s}"

DRILL = """
name: broken
why: A part of the path is missing, and the drill has to say which one.
load: {users: 4, rate: 20, warm_up: 8s, for: 16s}
faults: [FAULTS]
expect:
  - alert: {name: ErrorRateHigh, labels: {service_name: catalog}, within: 9s}
  - traces: {where: any, found: 99%, sample: 20}
"""


def no_rules(config: Path) -> None:
    """The rule file of the SLOs is not there."""
    (config / "rules" / "slo.rules.yaml").unlink()


def no_tempo_exporter(config: Path) -> None:
    """The collector sends its traces to nobody but its own span metrics."""
    path = config / "collector.yaml"
    collector = yaml.safe_load(path.read_text())
    pipeline = collector["service"]["pipelines"]["traces"]
    pipeline["exporters"] = [name for name in pipeline["exporters"] if "tempo" not in name]
    path.write_text(yaml.safe_dump(collector))


def wrong_receiver(config: Path) -> None:
    """Alertmanager's receivers are at an address where nobody listens."""
    path = config / "alertmanager.yaml"
    text = path.read_text()
    alertmanager = yaml.safe_load(text)
    for receiver in alertmanager["receivers"]:
        for webhook in receiver.get("webhook_configs", []):
            webhook["url"] = "http://127.0.0.1:9/nobody"
    path.write_text(yaml.safe_dump(alertmanager))


@dataclass(frozen=True, kw_only=True)
class Break:
    """One way to break something."""

    amend: Callable[[Path], None] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    faults: str = ERRORS

    def drill(self, runs: Path) -> Record:
        """The record of the same drill on a stack that is broken in this way."""
        scenario = load_text(DRILL.replace("FAULTS", self.faults))
        with running_stack(amend=self.amend) as stack:
            return Drill(scenario=scenario, stack=stack, runs=runs, app_environment=self.environment).run()


BREAKS = {
    "rules removed": Break(amend=no_rules),
    "tempo exporter removed": Break(amend=no_tempo_exporter),
    "receiver wrong": Break(amend=wrong_receiver),
    "fault API off": Break(environment={"DEMO_FAULT_TOKEN": ""}),
    "telemetry silent": Break(faults=f"{ERRORS}, {SILENCE}"),
}


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Record]]:
    """The record of each break; they run at the same time, each on a stack of its own."""
    runs = tmp_path_factory.mktemp("runs")
    with ThreadPoolExecutor(len(BREAKS)) as pool:
        futures = {name: pool.submit(one.drill, runs) for name, one in BREAKS.items()}
        yield {name: future.result() for name, future in futures.items()}


def outcome(record: Record, title: str) -> Outcome:
    """The outcome whose title begins so."""
    return next(one for one in record.outcomes if one.title.startswith(title))


@pytest.mark.parametrize(
    ("broken", "title", "rung"),
    [
        ("rules removed", "alert ErrorRateHigh", Rung.NOT_EVALUATED),
        ("tempo exporter removed", "traces", Rung.NOT_STORED),
        ("receiver wrong", "alert ErrorRateHigh", Rung.NOT_NOTIFIED),
        ("fault API off", "errors on catalog", Rung.FAULT_NOT_APPLIED),
        ("fault API off", "alert ErrorRateHigh", Rung.FAULT_NOT_APPLIED),
        ("telemetry silent", "alert ErrorRateHigh", Rung.NOT_EMITTED),
    ],
)
def test_the_rung_is_named(records: Mapping[str, Record], broken: str, title: str, rung: Rung) -> None:
    """The check that depends on the broken part fails, at the rung where the signal died."""
    found = outcome(records[broken], title)

    assert (Verdict.FAIL, rung) == (found.verdict, found.rung), found.message()


@pytest.mark.parametrize("broken", ["rules removed", "receiver wrong"])
def test_what_is_not_broken_still_passes(records: Mapping[str, Record], broken: str) -> None:
    """A break of the alerting path leaves the traces alone."""
    assert outcome(records[broken], "traces").verdict is Verdict.PASS


def test_a_missing_rule_is_called_missing(records: Mapping[str, Record]) -> None:
    """The failure says that no such rule is loaded, and which ones are."""
    found = outcome(records["rules removed"], "alert ErrorRateHigh")

    assert "no rule of this name is loaded" in found.hint
    assert "Watchdog" in found.hint
