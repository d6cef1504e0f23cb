"""Processes: the runtime without containers; real engines as processes on loopback, stand-ins where an engine is not to be had."""

import secrets
import shutil
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, Self

import httpx

from stack import config, engines
from stack.components import COMPONENTS, OPTIONAL, Component
from stack.errors import StackError
from stack.runtimes.app import App, telemetry_environment
from stack.runtimes.files import write_files
from stack.runtimes.ports import allocate
from stack.runtimes.process import Process, Program
from stack.runtimes.readiness import answers, wait_until
from stack.runtimes.roster import Roster
from stack.runtimes.watching import grafana_watches, prometheus_watches

READY_WITHIN_S = 60

GRAFANA_HOME = Path("/usr/share/grafana")
"""Where packages install the files that Grafana itself needs."""

Report = Callable[[str], None]
"""Is told, in a few words, what is going on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A component as it runs: its program and whether it is a stand-in."""

    component: Component
    process: Process
    version: str
    stand_in: bool


class ProcessStack:
    """
    A stack of processes, described by `stack.json` in its roster, so that another command can find and steer it.
    """

    runtime = "processes"

    def __init__(
        self,
        *,
        roster: Roster,
        profile: str,
        addresses: Mapping[str, str],
        secrets: Mapping[str, str],
        table: Mapping[str, Component] = COMPONENTS,
    ) -> None:
        self._table = table
        self.roster = roster
        self.profile = profile
        self.addresses = dict(addresses)
        self.secrets = dict(secrets)
        self._running: dict[str, Running] = {}
        self._engines: Mapping[str, engines.Found] = {}

    # --- coming up and going down ---

    @classmethod
    def create(
        cls,
        *,
        profile: str = "drill",
        standing: bool = False,
        extras: Collection[str] = (),
        fixed_ports: Mapping[str, int] | None = None,
        amend: Callable[[Path], None] | None = None,
        report: Report = lambda _: None,
    ) -> Self:
        """
        Start a stack and wait until it is ready to judge by: all components ready, all targets scraped, all rules evaluated.

        `extras` names optional components that join.
        `amend` may change the rendered configuration files before anything starts (to break something on purpose).
        Raises StackError, after everything has been stopped again.
        """
        table = _table(extras)
        names = [f"{component.name}.{port}" for component in table.values() for port in component.ports]
        roster = Roster.create("stack", standing=standing)
        try:
            addresses = allocate(names, roster=roster, fixed=fixed_ports)
        except StackError:
            roster.disband()
            raise
        stack = cls(roster=roster, profile=profile, addresses=addresses, secrets=_new_secrets(), table=table)
        try:
            stack._engines = _find_engines()
            stack._render(amend)
            stack._start_all(report)
            stack._wait_ready_to_judge()
        except BaseException:
            stack.stop()
            raise
        return stack

    @classmethod
    def standing(cls) -> Self | None:
        """The stack that `tocsin up` left, if there is one."""
        for roster in Roster.all():
            state = roster.read("stack.json")
            if roster.standing and state:
                stack = cls(
                    roster=roster,
                    profile=state["profile"],
                    addresses=state["addresses"],
                    secrets=state["secrets"],
                )
                stack._adopt(state)
                return stack
        return None

    def stop(self) -> None:
        """End all components, those that others need last, and remove every file of the stack."""
        for name in reversed(list(_order(self._table).static_order())):
            if name in self._running:
                self._running[name].process.stop()
        self.roster.disband()

    # --- what is there ---

    @property
    def sink_token(self) -> str:
        """What the sink wants to hear from whoever asks it for arrivals."""
        return self.secrets["sink_token"]

    def url(self, port: str) -> str:
        """The address of `component.port`, such as `prometheus.http`, as a URL."""
        return f"http://{self.addresses[port]}"

    def endpoints(self) -> dict[str, str]:
        """Where backends are asked, by name."""
        asked = ("prometheus", "alertmanager", "tempo", "sink", "detector", "grafana")
        named = {name: self.url(f"{name}.http") for name in asked if f"{name}.http" in self.addresses}
        return named | self.secrets

    def running(self) -> Mapping[str, Running]:
        """All components that were started, by name."""
        return self._running

    def ready(self, name: str) -> bool:
        """Whether a component runs and answers now."""
        running = self._running.get(name)
        return bool(running and running.process.alive and answers(self._ready_url(running.component)))

    def logs(self) -> dict[str, Path]:
        """The log of each component."""
        return {name: running.process.program.log for name, running in self._running.items()}

    # --- breaking things ---

    def process(self, name: str) -> Process:
        """The process of one component. Raises StackError when there is none of this name."""
        if name not in self._running:
            raise StackError(f"the stack has no component {name!r}; it has {', '.join(self._running)}")
        return self._running[name].process

    def restart(self, name: str) -> None:
        """
        End a component if it still runs, start it again on the same ports and files, and wait until it is ready.
        """
        old = self._running.get(name)
        self.process(name).stop()
        if old:
            process = Process.start(old.process.program, roster=self.roster.id)
            self._running[name] = Running(
                component=old.component, process=process, version=old.version, stand_in=old.stand_in
            )
            self._wait_ready(old.component)
            self._save()

    def app(self, *, namespace: str, directory: Path, roster: Roster, environment: Mapping[str, str]) -> App:
        """A demo app of its own for one drill, not started yet; `environment` overrides that of its roles."""
        return App(
            namespace=namespace,
            otlp_endpoint=self.addresses["collector.otlp_http"],
            directory=directory,
            roster=roster,
            environment={**telemetry_environment(config.PROFILES[self.profile]), **environment},
        )

    def delays(self) -> dict[str, float]:
        """How long each hop of a signal may take by the configuration, in seconds; bounds are made of these."""
        profile = config.PROFILES[self.profile]
        return {
            "export_s": float(profile.scrape_interval_s),
            "batch_s": profile.batch_timeout_s,
            "scrape_s": float(profile.scrape_interval_s),
            "evaluation_s": float(profile.evaluation_interval_s),
            "group_wait_s": float(profile.group_wait_s),
            "expiration_s": float(profile.metric_expiration_s),
        }

    # --- inside ---

    def _render(self, amend: Callable[[Path], None] | None) -> None:
        root = self.roster.path / "config"
        write_files(
            root,
            self._table,
            profile=self.profile,
            address=self.addresses,
            data=self.roster.path / "data",
            secrets=self.secrets,
        )
        (self.roster.path / "logs").mkdir()
        if amend:
            amend(root)

    def _start_all(self, report: Report) -> None:
        """Start each component as soon as those that it needs are ready; independent ones at once."""
        order = _order(self._table)
        order.prepare()
        futures: dict[Future[None], str] = {}
        with ThreadPoolExecutor(len(self._table)) as pool:
            while order.is_active():
                for name in order.get_ready():
                    report(f"starting {name}")
                    futures[pool.submit(self._start, self._table[name])] = name
                done, _ = wait(futures, return_when=FIRST_COMPLETED)
                for future in done:
                    future.result()
                    order.done(futures.pop(future))
        self._save()

    def _start(self, component: Component) -> None:
        command, version, stand_in = self._command(component)
        program = Program(
            name=component.name,
            command=command,
            environment={
                **component.environment,
                **({"TOCSIN_SINK_TOKEN": self.secrets["sink_token"]} if component.name == "sink" else {}),
            },
            log=self.roster.path / "logs" / f"{component.name}.log",
        )
        process = Process.start(program, roster=self.roster.id)
        self._running[component.name] = Running(
            component=component, process=process, version=version, stand_in=stand_in
        )
        self._wait_ready(component)

    def _command(self, component: Component) -> tuple[tuple[str, ...], str, bool]:
        """The command that runs a component here, its version, and whether it is a stand-in."""
        found = self._engines.get(component.binary or "")
        head: tuple[str, ...]
        if found:
            head, version, stand_in = (str(found.path),), found.version, False
        elif component.module:
            head, version, stand_in = (sys.executable, "-m", component.module), component.version, component.stand_in
        else:
            raise StackError(f"{component.name}: its engine {component.binary} is not there; `make engines` builds it")
        values = {
            "config": str(self.roster.path / "config" / (component.config or "")),
            "data": str(self._data(component)),
            "home": str(GRAFANA_HOME if GRAFANA_HOME.is_dir() else self._data(component)),
            **{port: self.addresses[f"{component.name}.{port}"] for port in component.ports},
        }
        return (*head, *(argument.format(**values) for argument in component.args)), version, stand_in

    def _data(self, component: Component) -> Path:
        return self.roster.path / "data" / component.name

    def _ready_url(self, component: Component) -> str:
        port, _, path = component.ready.partition("/")
        return f"{self.url(f'{component.name}.{port}')}/{path}"

    def _wait_ready(self, component: Component) -> None:
        process = self._running[component.name].process
        wait_until(
            lambda: answers(self._ready_url(component)),
            within_s=READY_WITHIN_S,
            alive=lambda: process.alive,
            otherwise=lambda: (
                f"{component.name} is not ready"
                + (f", it ended with code {process.exit_code}" if not process.alive else f" after {READY_WITHIN_S} s")
                + f"; its log ends:\n{process.log_tail()}"
            ),
        )

    def _wait_ready_to_judge(self) -> None:
        """All targets were scraped, all rules evaluated, and Prometheus knows its Alertmanager."""
        with httpx.Client(base_url=self.url("prometheus.http"), timeout=5) as prometheus:
            state: dict[str, str] = {}
            wait_until(
                lambda: prometheus_watches(prometheus, state),
                within_s=READY_WITHIN_S,
                alive=lambda: self.process("prometheus").alive,
                otherwise=lambda: f"prometheus does not watch yet: {state.get('waits for', 'it does not answer')}",
            )

        if "grafana" in self._running:
            grafana: dict[str, str] = {}
            wait_until(
                lambda: grafana_watches(self.url("grafana.http"), grafana),
                within_s=READY_WITHIN_S,
                alive=lambda: self.process("grafana").alive,
                otherwise=lambda: f"grafana does not watch yet: {grafana.get('waits for', 'it does not answer')}",
            )

    def _save(self) -> None:
        programs = {
            name: {
                "command": list(running.process.program.command),
                "environment": dict(running.process.program.environment),
                "log": str(running.process.program.log),
                "pid": running.process.pid,
                "started_t": running.process.started_t,
                "version": running.version,
                "stand_in": running.stand_in,
            }
            for name, running in self._running.items()
        }
        state = {"profile": self.profile, "addresses": self.addresses, "secrets": self.secrets}
        self.roster.write("stack.json", {**state, "programs": programs})

    def _adopt(self, state: Mapping[str, Any]) -> None:
        for name, saved in state["programs"].items():
            program = Program(
                name=name, command=saved["command"], environment=saved["environment"], log=Path(saved["log"])
            )
            self._running[name] = Running(
                component=COMPONENTS[name],
                process=Process(program, saved["pid"], saved["started_t"]),
                version=saved["version"],
                stand_in=saved["stand_in"],
            )


@contextmanager
def running_stack(**options: Any) -> Iterator[ProcessStack]:
    """A stack that ends with the block, whatever happens in it; options as for ProcessStack.create."""
    stack = ProcessStack.create(**options)
    try:
        yield stack
    finally:
        stack.stop()


def _find_engines() -> dict[str, engines.Found]:
    """The engine for each component that has one here; those that are not built by us are looked for on PATH alone."""
    found = {one.binary: one for status in engines.status() for one in status.found}
    for component in COMPONENTS.values():
        if component.binary and component.binary not in engines.MAKERS and (path := shutil.which(component.binary)):
            found[component.binary] = engines.Found(
                binary=component.binary, path=Path(path), version=component.version, origin="PATH"
            )
    return found


def _table(extras: Collection[str]) -> dict[str, Component]:
    """The components of a stack: all that are not optional, and the extras. Raises StackError for an unknown extra."""
    unknown = sorted(set(extras) - OPTIONAL)
    if unknown:
        raise StackError(f"no optional component {unknown[0]!r}; there is: {', '.join(sorted(OPTIONAL))}")
    return {name: one for name, one in COMPONENTS.items() if not one.optional or name in extras}


def _order(table: Mapping[str, Component]) -> "TopologicalSorter[str]":
    return TopologicalSorter({component.name: component.needs for component in table.values()})


def _new_secrets() -> dict[str, str]:
    """Made anew for each stack."""
    return {name: secrets.token_urlsafe(24) for name in ("sink_token", "grafana_admin_password")}
