"""Drill: whatever goes wrong is healed, recorded and told; the parts that would start processes are faked."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, cast

import pytest

from assertions.backend import BackendError
from assertions.evidence import Evidence
from assertions.gather import Backends
from scenarios.history import Event, History, HistoryWriter, Phase, Traffic
from scenarios.model import Scenario
from scenarios.record import Record, Verdict
from scenarios.traffic import TrafficError
from stack.config import DRILL, Profile
from stack.errors import StackError
from stack.runtimes.roster import Roster
from stack.runtimes.stack import Stack
from tests.unit.tocsin.saved import events, evidence, scenario
from tocsin import drill as module
from tocsin import keeping
from tocsin.drill import Drill
from tocsin.rundir import RunDir


class FakeApp:
    """A demo app that is up at once."""

    url = "http://127.0.0.1:1"

    def __init__(self, calls: list[str]) -> None:
        self._calls = calls

    def __enter__(self) -> Self:
        self._calls.append("app up")
        return self

    def __exit__(self, *_: object) -> None:
        self._calls.append("app down")

    def logs(self) -> Mapping[str, Path]:
        """None here."""
        return {}


@dataclass
class FakeStack:
    """A stack that is there; `app_error` is raised by whoever wants a demo app on it."""

    log: Path
    calls: list[str] = field(default_factory=list)
    app_error: BaseException | None = None
    runtime: str = "processes"
    profile: Profile = DRILL
    environment: Mapping[str, str] = field(default_factory=dict)

    def app(self, *, environment: Mapping[str, str], **_: object) -> FakeApp:
        """A demo app."""
        self.environment = environment
        if self.app_error:
            raise self.app_error
        return FakeApp(self.calls)

    def endpoints(self) -> Mapping[str, str]:
        """Addresses that nobody asks here."""
        return dict.fromkeys(("prometheus", "alertmanager", "tempo", "sink", "sink_token"), "http://127.0.0.1:1")

    def url(self, port: str) -> str:
        """A collector that does not answer, which must be no matter of the drill's."""
        return "http://127.0.0.1:1"

    def running(self) -> Mapping[str, Any]:
        """No components, so no parts of the record."""
        return {}

    def logs(self) -> Mapping[str, Path]:
        """One component's log, and one that is missing."""
        return {"prometheus": self.log, "tempo": self.log.with_name("missing")}


class FakeTraffic:
    """Clients whose seconds come at once, one with each pump; in a `bad` one half of the requests fail."""

    drive_t = 0.0

    def __init__(self, calls: list[str], happened: Sequence[Event], *, endless: bool = False) -> None:
        self._calls = calls
        self._left = list(happened)
        self._endless = endless
        self.sampling = 0.0

    def start(self, *_: object, sampling: float, **__: object) -> Self:
        """Begin."""
        self.sampling = sampling
        return self

    def __enter__(self) -> Self:
        self._calls.append("traffic up")
        return self

    def __exit__(self, *_: object) -> None:
        self._calls.append("traffic down")

    @property
    def finished(self) -> bool:
        """Once all is told."""
        return not self._left and not self._endless

    def pump(self, record: Callable[[Event], None]) -> None:
        """Tell all there is."""
        for event in self._left:
            record(event)
        self._left.clear()

    def stop(self) -> None:
        """Note it."""
        self._calls.append("traffic stopped")


class Stage:
    """A drill on fakes."""

    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.runs = tmp_path / "runs"
        self.log = tmp_path / "prometheus.log"
        self.log.write_text("the last words of prometheus\n")
        self.stack = FakeStack(log=self.log)
        self._monkeypatch = monkeypatch
        self.asked: dict[str, Any] = {}
        """What clients and evidence were asked for."""
        self.clients(events())
        monkeypatch.setattr(module, "gather", self._gather)
        monkeypatch.setattr(module, "_STEP_S", 0.01)

    def clients(self, happened: Sequence[Event], *, endless: bool = False) -> None:
        """What the clients see."""
        self.traffic = FakeTraffic(self.stack.calls, happened, endless=endless)
        self._monkeypatch.setattr(module, "TrafficProcess", self.traffic)

    def _gather(self, _scenario: Scenario, _history: History, backends: Backends) -> Evidence:
        self.asked["delays"] = backends.delays
        return evidence()

    def instead(self, name: str, error: BaseException) -> None:
        """Let one of the drill's steps fail."""

        def fail(*_: object, **__: object) -> None:
            raise error

        self._monkeypatch.setattr(module, name, fail)

    def drill(self, *, of: Scenario | None = None, **options: Any) -> Drill:
        """A drill that may be run."""
        return Drill(scenario=of or scenario(), stack=cast("Stack", self.stack), runs=self.runs, **options)

    def run(self) -> RunDir:
        """The only run that there is."""
        (run,) = RunDir.all(self.runs)
        return run


class FakeWatcher:
    """Nothing to see."""

    def __init__(self, **_: object) -> None:
        pass

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End."""


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """All that a drill needs, faked; at the end nothing of it may be left."""
    monkeypatch.setenv("TOCSIN_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(module, "Watcher", FakeWatcher)
    monkeypatch.setattr(module, "patients", lambda *_: {})
    monkeypatch.setattr(module, "measure_all", lambda *_: [])
    yield Stage(tmp_path, monkeypatch)
    assert list(Roster.all()) == []


def test_a_drill_leaves_everything_on_disk(stage: Stage) -> None:
    """What was to be done, what happened, what the backends said, on what it ran, how it was judged."""
    record = stage.drill(source="small.drill.yaml").run()

    run = stage.run()
    assert Verdict.PASS is record.verdict
    assert record.source == "small.drill.yaml"
    assert record == Record.read(run.record)
    assert scenario() == Scenario.model_validate(record.scenario)
    for path in (run.scenario, run.history, run.evidence, run.setting, run.report):
        assert path.is_file()
    assert [path.name for path in run.logs.iterdir()] == ["prometheus.log"]


def test_a_treated_drill_treats_its_app_its_clients_and_its_bounds(stage: Stage) -> None:
    """The app samples, the clients know which traces that leaves, and a bound allows for the slower export."""
    treatments = [{"kind": "sampling", "ratio": "10%"}, {"kind": "export_interval", "every": "2500ms"}]

    stage.drill(of=scenario(treatments=treatments)).run()

    assert stage.stack.environment["OTEL_TRACES_SAMPLER"] == "traceidratio"
    assert float(stage.stack.environment["OTEL_TRACES_SAMPLER_ARG"]) == 0.1
    assert stage.stack.environment["OTEL_METRIC_EXPORT_INTERVAL"] == "2500"
    assert stage.traffic.sampling == 0.1
    assert stage.asked["delays"].export_s == 2.5


def test_a_drill_without_treatments_keeps_all_traces(stage: Stage) -> None:
    """As the profile says; one's own environment comes on top."""
    stage.drill(app_environment={"OTEL_METRIC_EXPORT_INTERVAL": "7"}).run()

    assert "OTEL_TRACES_SAMPLER" not in stage.stack.environment
    assert stage.stack.environment["OTEL_METRIC_EXPORT_INTERVAL"] == "7"
    assert stage.traffic.sampling == 1.0
    assert stage.asked["delays"].export_s == 1.0


def test_what_was_started_first_is_ended_last(stage: Stage) -> None:
    """The app outlives the traffic, or clients would see failures that are nobody's."""
    stage.drill().run()

    assert stage.stack.calls == ["app up", "traffic up", "traffic stopped", "traffic down", "app down"]


def test_the_app_still_runs_while_evidence_is_gathered(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the traffic does not: nothing changes any more. By then the history is closed and whole."""
    seen: list[str] = []

    def gather(_: object, history: History, *__: object) -> Any:
        seen.extend([*stage.stack.calls, f"{history.count()} requests"])
        return evidence()

    monkeypatch.setattr(module, "gather", gather)
    stage.drill().run()

    assert seen == ["app up", "traffic up", "traffic stopped", "traffic down", "150 requests"]


def test_drills_that_run_together_meet_before_their_traffic(stage: Stage) -> None:
    """When their apps are up."""
    calls = stage.stack.calls
    stage.drill(before_traffic=lambda: calls.append("met")).run()

    assert calls[:3] == ["app up", "met", "traffic up"]


@pytest.mark.parametrize("error", [StackError("frontend is not ready"), OSError(28, "No space left on device")])
def test_an_app_that_does_not_start_makes_the_drill_unknown(stage: Stage, error: Exception) -> None:
    """With the reason; there is a record and a report all the same."""
    stage.stack.app_error = error

    record = stage.drill().run()

    assert f"{type(error).__name__}: {error}" == record.problem
    assert {Verdict.UNKNOWN} == {outcome.verdict for outcome in record.outcomes}
    assert record == Record.read(stage.run().record)


@pytest.mark.parametrize("error", [TrafficError("no traffic"), BackendError("prometheus did not answer")])
def test_traffic_that_does_not_start_ends_the_app(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """And the drill is unknown."""

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(FakeTraffic, "start", fail)

    assert f"{type(error).__name__}: {error}" == stage.drill().run().problem
    assert stage.stack.calls == ["app up", "app down"]


def test_an_error_that_nobody_thought_of_is_recorded_with_its_traceback(stage: Stage) -> None:
    """It is our bug, and it must not cost the run: what was recorded until then is kept."""
    stage.instead("gather", KeyError("data"))

    record = stage.drill().run()

    assert record.problem == "KeyError: 'data'; see logs/tocsin.log"
    assert Verdict.UNKNOWN is record.verdict
    assert "Traceback" in (stage.run().logs / "tocsin.log").read_text()
    assert stage.stack.calls[-1] == "app down"
    assert History.read(stage.run().history).count() == 150


def test_a_state_folder_that_cannot_be_written_is_a_problem_too(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run's folder is there, so it gets its record."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("TOCSIN_STATE", str(tmp_path / "file"))

    record = stage.drill().run()
    monkeypatch.setenv("TOCSIN_STATE", str(tmp_path / "state"))

    assert Verdict.UNKNOWN is record.verdict
    assert "NotADirectoryError" in record.problem


def test_a_runs_folder_that_cannot_be_made_is_an_error(stage: Stage) -> None:
    """There is no place for a record of it."""
    stage.runs.touch()

    with pytest.raises(OSError, match="runs"):
        stage.drill().run()


def test_ctrl_c_heals_records_and_goes_on(stage: Stage) -> None:
    """Whoever pressed it wants to see the command end; the record says what happened."""
    stage.instead("gather", KeyboardInterrupt())

    with pytest.raises(KeyboardInterrupt):
        stage.drill().run()

    record = Record.read(stage.run().record)
    assert (record.problem, record.verdict) == ("interrupted by hand", Verdict.UNKNOWN)
    assert stage.stack.calls[-1] == "app down"


def test_a_cancelled_drill_ends_early_and_proves_nothing(stage: Stage) -> None:
    """Traffic that would never end is stopped."""
    stage.clients(events(), endless=True)
    drill = stage.drill()
    threading.Timer(0.1, drill.cancel.set).start()

    record = drill.run()

    assert record.problem == "aborted: cancelled"
    assert Verdict.UNKNOWN is record.verdict
    assert "traffic stopped" in stage.stack.calls


def test_a_drill_is_stopped_when_clients_suffer_too_much(stage: Stage) -> None:
    """As its `abort` says."""
    now = time.time()
    bad = [Traffic(t=now + n, route="/api/products", count=10, failed=9, status={"500": 9}) for n in range(6)]
    stage.clients([Phase(t=now, name="warm_up"), Phase(t=now, name="drive"), *bad], endless=True)

    record = stage.drill(of=scenario(abort=[{"failed": "50%", "for": "5s"}])).run()

    assert record.problem.startswith("aborted: 90% of requests failed in the last 5s")


def test_a_history_that_cannot_be_written_ends_the_drill(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that would happen from then on could be proved; everything is healed, and the reason is told."""
    monkeypatch.setattr(keeping, "HistoryWriter", lambda _: HistoryWriter(Path("/dev/full")))
    stage.clients(events(), endless=True)

    record = stage.drill().run()

    assert record.problem.startswith("the history cannot be written: ")
    assert Verdict.UNKNOWN is record.verdict
    assert stage.stack.calls[-1] == "app down"


def test_a_record_that_cannot_be_written_is_returned(stage: Stage) -> None:
    """With what kept it from being written."""
    stage.instead("analyze", OSError(28, "No space left on device"))

    record = stage.drill().run()

    assert Verdict.UNKNOWN is record.verdict
    assert f"the record cannot be written to {stage.run().path}: No space left on device" == record.problem
    assert {record.problem} == {outcome.observed for outcome in record.outcomes}


def test_only_the_end_of_a_log_is_kept(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A component that shouts must not fill the disk twice."""
    monkeypatch.setattr(module, "LOG_LIMIT_BYTES", 10)
    stage.drill().run()

    assert (stage.run().logs / "prometheus.log").read_bytes() == b"rometheus\n"
