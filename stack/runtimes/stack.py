"""Stack: the system under test, on whichever host runs it; no drill knows which one that is."""

import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Self

import httpx

from stack.components import COMPONENTS, OPTIONAL, Component
from stack.config import DRILL, PROFILES, Profile
from stack.errors import StackError
from stack.links import PROXY, proxies_of, seen_by
from stack.runtimes.app import App, telemetry_environment
from stack.runtimes.crew import READY_WITHIN_S, Crew, Report
from stack.runtimes.files import write_files
from stack.runtimes.host import Places, Running
from stack.runtimes.hosts import host_again, open_host
from stack.runtimes.readiness import wait_until
from stack.runtimes.roster import Roster
from stack.runtimes.unit import Unit
from stack.runtimes.watching import grafana_watches, prometheus_watches

ASKED = ("prometheus", "alertmanager", "tempo", "sink", "detector", "grafana")
"""Components that a drill asks for evidence."""


SMALL_DISK_MB = 192
"""Room for a drill's data, and for the 128 MB that Prometheus sets aside for a file of chunks; all of it may be memory."""


class Stack:
    """
    Components on a host, described by `stack.json` in their roster, so that another command can find and steer them.
    """

    def __init__(self, *, roster: Roster, profile: Profile, secrets: Mapping[str, str], crew: Crew) -> None:
        self.roster = roster
        self.profile = profile
        self.secrets = dict(secrets)
        self._crew = crew

    # --- coming up and going down ---

    @classmethod
    def create(
        cls,
        *,
        runtime: str = "processes",
        profile: Profile = DRILL,
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
        table = with_small_disks(table_of(extras), profile.small_disks)
        roster = Roster.create("stack")
        with ExitStack() as undo:
            undo.callback(roster.disband)
            host = open_host(runtime, roster, table=table, standing=standing, report=report)
            undo.callback(host.close)
            crew = Crew(table, host=host, places=host.reserve(table, fixed=fixed_ports), of="the stack")
            undo.pop_all()
        stack = cls(roster=roster, profile=profile, secrets=_new_secrets(), crew=crew)
        try:
            stack._render(table, amend)
            crew.start(stack.secrets, report=report)
            stack._save()
            stack._wait_ready_to_judge()
            if standing:
                roster.release()
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
                host = host_again(state["runtime"], roster)
                table = {name: COMPONENTS[name] for name in state["running"]}
                crew = Crew(table, host=host, places=Places(**state["places"]), of="the stack")
                crew.adopt(state["running"])
                return cls(roster=roster, profile=PROFILES[state["profile"]], secrets=state["secrets"], crew=crew)
        return None

    def stop(self) -> None:
        """End all components, those that others need last, and remove every file of the stack."""
        try:
            self._crew.stop()
        finally:
            self._crew.host.close()
            self.roster.disband()

    def close(self) -> None:
        """Let go of what holds it here; the stack itself stays as it is."""
        self._crew.host.close()

    # --- what is there ---

    @property
    def runtime(self) -> str:
        """Which host runs it: `processes` or `containers`."""
        return self._crew.host.runtime

    @property
    def sink_token(self) -> str:
        """What the sink wants to hear from whoever asks it for arrivals."""
        return self.secrets["sink_token"]

    def url(self, port: str) -> str:
        """The address of `component.port`, such as `prometheus.http`, as a URL."""
        return f"http://{self._crew.places.outside[port]}"

    def endpoints(self) -> dict[str, str]:
        """Where backends are asked, by name."""
        return {name: self.url(f"{name}.http") for name in ASKED if name in self.running()} | self.secrets

    def running(self) -> Mapping[str, Running]:
        """All components that were started, by name."""
        return self._crew.running

    def ready(self, name: str) -> bool:
        """Whether a component runs and answers now."""
        return self._crew.ready(name)

    def logs(self) -> dict[str, Path]:
        """The log of each component."""
        return self._crew.logs()

    # --- breaking things ---

    def unit(self, name: str) -> Unit:
        """What runs one component. Raises StackError when there is none of this name."""
        return self._crew.unit(name)

    def restart(self, name: str) -> None:
        """
        End a component if it still runs, start it again on the same addresses and files, and wait until it is ready.
        """
        self._crew.restart(name)
        self._save()

    def proxies(self, link: str) -> Mapping[str, str]:
        """The proxies of a link, such as `collector -> tempo`, and where we reach each; none where Toxiproxy is not there."""
        return proxies_of(link, self._crew.places.outside)

    def app(self, *, namespace: str, directory: Path, roster: Roster, environment: Mapping[str, str]) -> App:
        """
        A demo app of its own for one drill, not started yet; `environment` overrides that of its roles.

        It logs into `directory` and belongs to the drill's own roster.
        """
        return App(
            namespace=namespace,
            otlp_endpoint=seen_by("app", self._crew.places.inside)["collector.otlp_http"],
            host=self._crew.host.beside(roster, logs=directory),
            environment={**telemetry_environment(self.profile), **environment},
        )

    # --- inside ---

    def _render(self, table: Mapping[str, Component], amend: Callable[[Path], None] | None) -> None:
        root = self.roster.path / "config"
        write_files(
            root,
            table,
            profile=self.profile,
            places=self._crew.places,
            layout=self._crew.host.layout,
            secrets=self.secrets,
        )
        if amend:
            amend(root)

    def _wait_ready_to_judge(self) -> None:
        """All targets were scraped, all rules evaluated, and Prometheus knows its Alertmanager."""
        with httpx.Client(base_url=self.url("prometheus.http"), timeout=5) as prometheus:
            self._wait_watching("prometheus", lambda state: prometheus_watches(prometheus, state))
        if "grafana" in self.running():
            self._wait_watching("grafana", lambda state: grafana_watches(self.url("grafana.http"), state))

    def _wait_watching(self, name: str, watches: Callable[[dict[str, str]], bool]) -> None:
        state: dict[str, str] = {}
        wait_until(
            lambda: watches(state),
            within_s=READY_WITHIN_S,
            alive=lambda: self.unit(name).alive,
            otherwise=lambda: f"{name} does not watch yet: {state.get('waits for', 'it does not answer')}",
        )

    def _save(self) -> None:
        self.roster.write(
            "stack.json",
            {
                "runtime": self.runtime,
                "profile": self.profile.name,
                "secrets": self.secrets,
                "places": asdict(self._crew.places),
                "running": {name: running.state() for name, running in self.running().items()},
            },
        )


@contextmanager
def running_stack(**options: Any) -> Iterator[Stack]:
    """A stack that ends with the block, whatever happens in it; options as for Stack.create."""
    stack = Stack.create(**options)
    try:
        yield stack
    finally:
        stack.stop()


def table_of(extras: Collection[str]) -> dict[str, Component]:
    """The components of a stack: all that are not optional, and the extras. Raises StackError for an unknown extra."""
    unknown = sorted(set(extras) - OPTIONAL)
    if unknown:
        raise StackError(f"no optional component {unknown[0]!r}; there is: {', '.join(sorted(OPTIONAL))}")
    table = {name: one for name, one in COMPONENTS.items() if not one.optional or name in extras}
    if PROXY not in table:
        return table
    # Whoever calls a neighbour may do so through it.
    return {name: one if name == PROXY else replace(one, needs=(*one.needs, PROXY)) for name, one in table.items()}


def with_small_disks(table: Mapping[str, Component], names: Collection[str]) -> dict[str, Component]:
    """The table, with a disk of its own for each of these components. Raises StackError for one that the table lacks."""
    unknown = sorted(set(names) - set(table))
    if unknown:
        raise StackError(f"no component {unknown[0]!r} that could have a small disk; there is: {', '.join(table)}")
    return {name: replace(one, disk_mb=SMALL_DISK_MB) if name in names else one for name, one in table.items()}


def _new_secrets() -> dict[str, str]:
    """Made anew for each stack."""
    return {name: secrets.token_urlsafe(24) for name in ("sink_token", "grafana_admin_password")}
