"""App: the demo app of one drill: each role a unit of its own, with the drill's service namespace."""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from stack.components import APP
from stack.config import Profile
from stack.runtimes.crew import Crew
from stack.runtimes.host import Host
from stack.runtimes.unit import Unit

ROLES = tuple(APP)

SPANS_PATIENCE_S = 60
"""A batch of spans comes once, so it is tried for long; the exporter's own limit is six tries, half a minute in all."""

METRICS_PATIENCE_S = 10
"""An export of metrics is tried for at most so long, for the next one says all that it said."""


def telemetry_environment(profile: Profile) -> dict[str, str]:
    """
    The OpenTelemetry settings that go with a stack's profile: how often an app exports, and which traces it keeps.

    A collector that is gone for 20 s costs no spans, and one that is back gets new metrics within two exports.
    """
    delay_ms = str(round(profile.span_delay_s * 1000))
    # By the trace id alone: who calls has decided for all of them already.
    sampler = {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": f"{profile.trace_ratio:.12f}"}
    return {
        "OTEL_METRIC_EXPORT_INTERVAL": str(round(profile.export_interval_s * 1000)),
        "OTEL_BSP_SCHEDULE_DELAY": delay_ms,
        "OTEL_BLRP_SCHEDULE_DELAY": delay_ms,
        "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": str(SPANS_PATIENCE_S),
        "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT": f"{min(METRICS_PATIENCE_S, 2 * profile.export_interval_s):g}",
        "OTEL_SEMCONV_STABILITY_OPT_IN": "http,database",
        **(sampler if profile.trace_ratio < 1 else {}),
    }


class App:
    """
    Three roles, alive from `start` to `stop`; use it as a context manager. `environment` overrides that of each role.
    """

    def __init__(self, *, namespace: str, otlp_endpoint: str, host: Host, environment: Mapping[str, str]) -> None:
        self.namespace = namespace
        self._otlp_endpoint = otlp_endpoint
        self._fault_token = secrets.token_urlsafe(24)
        table = {
            role: replace(component, environment={**component.environment, **_literally(environment)})
            for role, component in APP.items()
        }
        self._crew = Crew(table, host=host, places=host.reserve(table), of="the demo app")

    @property
    def url(self) -> str:
        """Where clients go: the frontend."""
        return f"http://{self._crew.places.outside['frontend.http']}"

    def start(self) -> None:
        """
        Start all roles at once and wait until each is ready. Raises StackError with the log of one that is not.
        """
        inside = self._crew.places.inside
        self._crew.start(
            {
                "namespace": self.namespace,
                "otlp": self._otlp_endpoint,
                "catalog": inside["catalog.http"],
                "users": inside["users.http"],
                "fault_token": self._fault_token,
            }
        )

    def stop(self) -> None:
        """End all roles, so that each flushes its telemetry first."""
        self._crew.stop()

    def unit(self, role: str) -> Unit:
        """What runs one role. Raises StackError when there is none."""
        return self._crew.unit(role)

    def ready(self, role: str) -> bool:
        """Whether a role runs and answers now."""
        return self._crew.ready(role)

    def restart(self, role: str) -> None:
        """End a role if it still runs, start it again on the same ports, and wait until it is ready."""
        self._crew.restart(role)

    def logs(self) -> dict[str, Path]:
        """The log of each role, as a file with all until now."""
        return self._crew.logs()

    def fault_api(self, role: str) -> tuple[str, str]:
        """Address and token of the role's fault API."""
        return f"http://{self._crew.places.outside[f'{role}.faults']}", self._fault_token

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.stop()


def _literally(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment that is taken as it is: nothing in it stands for anything else."""
    return {name: text.replace("{", "{{").replace("}", "}}") for name, text in environment.items()}
