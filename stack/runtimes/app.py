"""App: the demo app of one drill: each role a process of its own, with the drill's service namespace."""

import secrets
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from stack.config import Profile
from stack.errors import StackError
from stack.runtimes.ports import allocate
from stack.runtimes.process import Process, Program
from stack.runtimes.readiness import answers, wait_until
from stack.runtimes.roster import Roster

ROLES = ("frontend", "catalog", "users")
READY_WITHIN_S = 40


def telemetry_environment(profile: Profile) -> dict[str, str]:
    """
    The OpenTelemetry settings that go with a stack's profile: an app exports as often as Prometheus scrapes.
    """
    interval_ms = profile.scrape_interval_s * 1000
    return {
        "OTEL_METRIC_EXPORT_INTERVAL": str(interval_ms),
        "OTEL_BSP_SCHEDULE_DELAY": str(interval_ms // 2),
        "OTEL_BLRP_SCHEDULE_DELAY": str(interval_ms // 2),
        "OTEL_SEMCONV_STABILITY_OPT_IN": "http,database",
    }


class App:
    """
    Three roles, alive from `start` to `stop`; use it as a context manager. `environment` overrides that of each role.
    """

    def __init__(
        self, *, namespace: str, otlp_endpoint: str, directory: Path, roster: Roster, environment: Mapping[str, str]
    ) -> None:
        self.namespace = namespace
        self.addresses = allocate((f"{role}.{port}" for role in ROLES for port in ("http", "faults")), roster=roster)
        self._otlp_endpoint = otlp_endpoint
        self._directory = directory
        self._roster = roster
        self._environment = environment
        self._fault_token = secrets.token_urlsafe(24)
        self._processes: dict[str, Process] = {}

    @property
    def url(self) -> str:
        """Where clients go: the frontend."""
        return f"http://{self.addresses['frontend.http']}"

    def start(self) -> None:
        """
        Start all roles at once and wait until each is ready. Raises StackError with the log of one that is not.
        """
        with ThreadPoolExecutor(len(ROLES)) as pool:
            list(pool.map(self._start_role, ROLES))
        for role in ROLES:
            self._wait_ready(role)

    def stop(self) -> None:
        """End all roles, so that each flushes its telemetry first."""
        with ThreadPoolExecutor(len(ROLES)) as pool:
            list(pool.map(Process.stop, self._processes.values()))

    def process(self, role: str) -> Process:
        """The process of one role. Raises StackError when there is none."""
        if role not in self._processes:
            raise StackError(f"the demo app has no running {role}; it has {', '.join(self._processes) or 'none'}")
        return self._processes[role]

    def restart(self, role: str) -> None:
        """End a role if it still runs, start it again on the same ports, and wait until it is ready."""
        self.process(role).stop()
        self._start_role(role)
        self._wait_ready(role)

    def fault_api(self, role: str) -> tuple[str, str]:
        """Address and token of the role's fault API."""
        return f"http://{self.addresses[f'{role}.faults']}", self._fault_token

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.stop()

    def _start_role(self, role: str) -> None:
        program = Program(
            name=role,
            command=(sys.executable, "-m", "demo_app"),
            environment=self._role_environment(role),
            log=self._directory / f"{role}.log",
        )
        self._processes[role] = Process.start(program, roster=self._roster.id)

    def _wait_ready(self, role: str) -> None:
        process = self._processes[role]
        wait_until(
            lambda: answers(f"http://{self.addresses[f'{role}.http']}/ready"),
            within_s=READY_WITHIN_S,
            alive=lambda: process.alive,
            otherwise=lambda: (
                f"{role} of the demo app is not ready (exit code {process.exit_code}); its log ends:\n{process.log_tail()}"
            ),
        )

    def _role_environment(self, role: str) -> dict[str, str]:
        instance = f"{self.namespace}-{role}"
        host, _, port = self.addresses[f"{role}.http"].rpartition(":")
        return {
            "OTEL_SERVICE_NAME": role,
            "OTEL_RESOURCE_ATTRIBUTES": f"service.namespace={self.namespace},service.instance.id={instance}",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{self._otlp_endpoint}",
            "DEMO_ROLE": role,
            "DEMO_HOST": host,
            "DEMO_PORT": port,
            "DEMO_CATALOG_URL": f"http://{self.addresses['catalog.http']}",
            "DEMO_USERS_URL": f"http://{self.addresses['users.http']}",
            "DEMO_DATABASE": str(self._directory / f"{role}.sqlite"),
            "DEMO_FAULT_PORT": self.addresses[f"{role}.faults"].rpartition(":")[2],
            "DEMO_FAULT_TOKEN": self._fault_token,
            **self._environment,
        }
