"""Drill: one scenario on one stack: act, record, then judge.

1. make the run's folder and write down what is to be done; 2. start the demo app; 3. watch the alerts; 4. start the traffic and warm up;
5. drive, and inject the faults; 6. cool down, all healed; 7. close the history; 8. gather the evidence; 9. judge; 10. record and report.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from assertions.alertmanager import Alertmanager
from assertions.backend import BackendError
from assertions.gather import gather
from assertions.grafana import Grafana
from assertions.prometheus import Prometheus
from assertions.sink import Sink
from scenarios.history import Event, History, Phase, Traffic, write_json
from scenarios.injection import FaultRunner
from scenarios.model import Fault, Scenario, TrafficFault
from scenarios.record import Part, Record
from scenarios.rolling import Rolling
from scenarios.traffic import TrafficError, TrafficProcess
from stack.config import Profile
from stack.errors import StackError
from stack.runtimes.app import App, telemetry_environment
from stack.runtimes.roster import Roster
from stack.runtimes.stack import Stack
from tocsin import __version__
from tocsin.analysis import analyze, unknown
from tocsin.annotations import Marker
from tocsin.backends import backends_of
from tocsin.choice import Choice
from tocsin.clocks import measure_all
from tocsin.keeping import HistoryFile, full_disk, unforeseen
from tocsin.live import Live
from tocsin.rundir import RunDir
from tocsin.services import DrillServices
from tocsin.sweeping import DUTY
from tocsin.telemetry import ClientTruth, Teller
from tocsin.treatments import treated
from tocsin.vitals import Vitals, patients
from tocsin.watcher import AlertSource, AlertSourceName, Watcher

LOG_LIMIT_BYTES = 1_000_000
"""How much of each log a run keeps: the end of it."""

_STEP_S = 0.1


@dataclass(slots=True, kw_only=True)
class Drill:
    """
    One scenario, to be run once. `live` may be read by others meanwhile; `cancel` ends it early, with everything healed.

    `annotations`: whether the drill and its faults are marked on the dashboards of the stack's Grafana, if it has one, and stay so.
    `app_environment` overrides the environment of the demo app's roles.
    `before_traffic` is called when the demo app is ready; drills that run together wait for each other there.
    """

    scenario: Scenario
    stack: Stack
    runs: Path
    source: str = ""
    app_environment: Mapping[str, str] = field(default_factory=dict)
    annotations: Choice = Choice.KEEP
    cancel: threading.Event = field(default_factory=threading.Event)
    before_traffic: Callable[[], None] = lambda: None
    live: Live = field(init=False)

    def __post_init__(self) -> None:
        self.live = Live(name=self.scenario.name, total_s=self.scenario.load.total_s)

    @property
    def _profile(self) -> Profile:
        """Of the stack and of the drill's own app, treated as the scenario says."""
        return treated(self.stack.profile, self.scenario.treatments)

    def run(self) -> Record:
        """
        All ten steps. Whatever goes wrong once there is a run folder becomes part of the record; the history is never lost.

        Raises OSError when not even the run's folder can be made. KeyboardInterrupt passes, after all is healed and recorded.
        """
        run = RunDir.create(self.runs, self.scenario.name)
        write_json(run.scenario, self.scenario.to_json())
        try:
            problem = self._act(run)
        except KeyboardInterrupt:
            self._judge(run, "interrupted by hand")
            raise
        except Exception as error:  # a bug, of ours or of a library; the run is kept as it is
            problem = unforeseen(run, error)
        return self._judge(run, problem)

    def _act(self, run: RunDir) -> str:
        """Steps 2 to 8. Returns what went wrong, in words, or nothing."""
        roster = Roster.create("drill", duty=DUTY)
        environment = {**telemetry_environment(self._profile), **self.app_environment}
        roster.write("run.json", {"path": str(run.path.absolute())})
        truth = ClientTruth({fault_id: _named(fault) for fault_id, fault in self._faults.items()})
        history = HistoryFile(run.history, (self.live, truth))
        try:
            self.live.enter("starting the app")
            app = self.stack.app(namespace=run.id, directory=run.logs, roster=roster, environment=environment)
            with app:
                self.before_traffic()
                with self._telling(run, truth), self._marking(run, history):
                    self._drive(run, app, roster, history)
                history.close()
                self.live.enter("gathering")
                app.logs()  # a container's are with its engine until somebody asks for them
                self._gather(run)
        except (StackError, TrafficError, BackendError, OSError, ValueError) as error:
            return history.problem or full_disk(run.path) or f"{type(error).__name__}: {error}"
        finally:
            history.close()
            roster.disband()
            self._keep_logs(run)
        return history.problem

    def _drive(self, run: RunDir, app: App, roster: Roster, history: HistoryFile) -> None:
        """Steps 3 to 6; when it returns or raises, every fault is healed and no traffic is left."""
        swings = [fault for fault in self._faults.values() if isinstance(fault, TrafficFault)]
        services = DrillServices(stack=self.stack, app=app, roster=roster)
        vitals = Vitals(patients=patients(self.stack, app), record=history.record)
        with self._watching(run, history), vitals:
            self.live.enter("starting the traffic")
            with TrafficProcess.start(
                self.scenario.load, swings, host=app.url, directory=run.path, sampling=self.scenario.sampling
            ) as traffic:
                try:
                    with FaultRunner(
                        faults=self._faults, services=services, record=history.record, run_dir=run.path
                    ) as runner:
                        runner.start(traffic.drive_t)
                        self._watch_over(traffic, history)
                finally:
                    traffic.stop()
                    traffic.pump(history.record)
                    history.record(Phase(t=time.time(), name="stopped"))

    @property
    def _faults(self) -> Mapping[str, Fault]:
        """Faults and noise by their ids."""
        faults = {f"faults/{number}": fault for number, fault in enumerate(self.scenario.faults, 1)}
        return faults | {f"noise/{number}": fault for number, fault in enumerate(self.scenario.noise, 1)}

    def _telling(self, run: RunDir, truth: ClientTruth) -> Teller:
        url = self.stack.url("collector.otlp_http")
        return Teller(truth, url=url, namespace=run.id, every_s=self._profile.export_interval_s)

    def _watch_over(self, traffic: TrafficProcess, history: HistoryFile) -> None:
        """Let the traffic run its course; end it early when told to, when clients suffer too much, or when nothing can be kept."""
        watches = [Rolling(condition) for condition in self.scenario.abort]

        def record(event: Event) -> None:
            history.record(event)
            if isinstance(event, Traffic):
                for watch in watches:
                    watch.add(event)

        while not traffic.finished:
            traffic.pump(record)
            reason = "cancelled" if self.cancel.is_set() else history.problem
            reason = reason or next((breach for watch in watches if (breach := watch.breach())), "")
            if reason:
                history.record(Phase(t=time.time(), name="aborted", reason=reason))
                return
            time.sleep(_STEP_S)

    @contextmanager
    def _watching(self, run: RunDir, history: HistoryFile) -> Iterator[None]:
        endpoints = self.stack.endpoints()
        with ExitStack() as clients:
            prometheus = clients.enter_context(closing(Prometheus(endpoints["prometheus"])))
            sources: dict[AlertSourceName, AlertSource] = {
                "prometheus": prometheus,
                "alertmanager": clients.enter_context(closing(Alertmanager(endpoints["alertmanager"]))),
            }
            if "grafana" in endpoints:
                sources["grafana"] = clients.enter_context(closing(Grafana(endpoints["grafana"])))
            sink = clients.enter_context(closing(Sink(endpoints["sink"], endpoints["sink_token"])))
            watcher = Watcher(namespace=run.id, sources=sources, sink=sink, record=history.record)
            history.record(*measure_all(prometheus, endpoints))
            try:
                watcher.start()
                yield
            finally:
                watcher.stop()

    @contextmanager
    def _marking(self, run: RunDir, history: HistoryFile) -> Iterator[None]:
        """Mark the drill on Grafana's dashboards, where there is one; that it could not be is no matter of the verdict."""
        endpoints = self.stack.endpoints()
        if self.annotations is Choice.NONE or "grafana" not in endpoints:
            yield
            return
        with closing(Grafana(endpoints["grafana"], admin_password=endpoints["grafana_admin_password"])) as grafana:
            keep = self.annotations is Choice.KEEP
            with Marker(grafana, self.scenario, run_id=run.id, keep=keep) as marker:
                history.observe(marker)
                yield
            if marker.problem:
                (run.logs / "annotations.log").write_text(f"not annotated: {marker.problem}\n", encoding="utf-8")

    def _gather(self, run: RunDir) -> None:
        """Step 8: ask the backends, with the demo app still up, and have the answers on disk."""
        with backends_of(self.stack, run, profile=self._profile) as backends:
            gather(self.scenario, History.read(run.history), backends).save(run.evidence)

    def _judge(self, run: RunDir, problem: str) -> Record:
        """Steps 9 and 10. When the record cannot be written, it is returned all the same, and says so."""
        self.live.enter("judging")
        try:
            write_json(run.setting, self._setting(problem))
            record = analyze(run)
        except OSError as error:
            problem = problem or f"the record cannot be written to {run.path}: {error.strerror or error}"
            record = self._unwritten(run, problem)
        self.live.verdict = record.verdict
        self.live.enter("done")
        return record

    def _unwritten(self, run: RunDir, problem: str) -> Record:
        setting = self._setting(problem)
        return Record.model_validate(
            {
                **setting,
                "run_id": run.id,
                "scenario": self.scenario.to_json(),
                "ended_t": time.time(),
                "outcomes": unknown(self.scenario, problem),
                "tocsin_version": __version__,
            }
        )

    def _setting(self, problem: str) -> dict[str, object]:
        running = self.stack.running()
        parts = [Part(name=name, version=one.version, stand_in=one.stand_in) for name, one in running.items()]
        return {
            "runtime": self.stack.runtime,
            "profile": self.stack.profile.name,
            "parts": [part.model_dump() for part in parts],
            "source": self.source,
            "started_t": time.time(),
            "problem": problem,
        }

    def _keep_logs(self, run: RunDir) -> None:
        """Copy the end of each component's log; the stack's own files go with the stack."""
        for name, path in self.stack.logs().items():
            with suppress(OSError):
                (run.logs / f"{name}.log").write_bytes(path.read_bytes()[-LOG_LIMIT_BYTES:])


def _named(fault: Fault) -> Mapping[str, str]:
    return {"kind": fault.kind, "target": str(getattr(fault, "target", "traffic"))}
