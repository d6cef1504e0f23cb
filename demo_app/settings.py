"""What one process is told by its environment: checked at start, with one clear error for a wrong value."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROLES = ("frontend", "catalog", "users")
"""What a process can be: the front door, or one of the two services behind it."""

SAMPLERS = (
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
)

OTEL_DEFAULTS: Mapping[str, str] = {
    "OTEL_SEMCONV_STABILITY_OPT_IN": "http,database",
    "OTEL_METRICS_EXEMPLAR_FILTER": "trace_based",
    # The SDK's 2,048 spans overflow within a second of a stalled collector; a drill would call them "not emitted".
    "OTEL_BSP_MAX_QUEUE_SIZE": "16384",
    # Seconds. Counts are cumulative: the next export, with fresh ones, is worth more than a retry of the last.
    "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT": "2",
}
"""OpenTelemetry's own settings where this app's default differs from the SDK's."""


class SettingsError(ValueError):
    """A variable has a value that cannot be used: which one, what it holds, what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultSettings:
    """Where the fault API listens, and the token that opens it."""

    host: str
    port: int
    token: str

    def __repr__(self) -> str:
        """Hide the token: a value that is logged by accident must not give it away."""
        return f"FaultSettings(host={self.host!r}, port={self.port}, token='...')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that one process needs to know; `faults` is None where the fault API is off."""

    role: str
    host: str = "127.0.0.1"
    port: int = 8000
    threads: int = 8
    upstreams: Mapping[str, str]
    upstream_timeout_s: float = 1.5
    database: Path | None = None
    faults: FaultSettings | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One environment variable: how to read it, what it is by default, and what it means."""

    name: str
    read: Callable[[str], Any]
    default: str = ""
    meaning: str
    secret: bool = False


def _text(value: str) -> str:
    return value


def _number(low: float, high: float, *, unit: str = "", whole: bool = False) -> Callable[[str], float]:
    kind = "a whole number" if whole else "a number"

    def read(value: str) -> float:
        try:
            number = int(value) if whole else float(value)
        except ValueError:
            number = math.nan
        if not low <= number <= high:
            raise SettingsError(f"{kind} from {low:.15g} to {high:.15g}{unit}")
        return number

    return read


def _choice(*allowed: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value.strip().lower() not in allowed:
            raise SettingsError(f"one of {', '.join(allowed)}")
        return value.strip().lower()

    return read


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if value and not usable:
        raise SettingsError("a URL such as http://127.0.0.1:4318")
    return value


def _token(value: str) -> str:
    if value and (len(value) < 8 or not value.isascii() or not value.isprintable() or " " in value):
        raise SettingsError("at least 8 printable ASCII characters without a space")
    return value


def _attributes(value: str) -> str:
    if any("=" not in pair for pair in value.split(",") if pair.strip()):
        raise SettingsError("key=value pairs with a comma between them")
    return value


_PORT = _number(0, 65535, whole=True)
_MILLISECONDS = _number(1, 3_600_000, unit=" milliseconds")

VARIABLES = (
    Variable(
        name="DEMO_ROLE", read=_choice(*ROLES), meaning="what this process is: frontend, catalog or users; needed"
    ),
    Variable(name="DEMO_HOST", read=_text, default="127.0.0.1", meaning="address to listen on"),
    Variable(name="DEMO_PORT", read=_PORT, default="8000", meaning="port to listen on; 0: any free one"),
    Variable(name="DEMO_THREADS", read=_number(1, 256, whole=True), default="8", meaning="requests served at a time"),
    Variable(name="DEMO_CATALOG_URL", read=_url, meaning="where the catalog is; the frontend needs it"),
    Variable(name="DEMO_USERS_URL", read=_url, meaning="where users is; the frontend needs it"),
    Variable(
        name="DEMO_UPSTREAM_TIMEOUT_S",
        read=_number(0.05, 60, unit=" seconds"),
        default="1.5",
        meaning="seconds that the frontend waits for an upstream before it answers 504",
    ),
    Variable(
        name="DEMO_DATABASE",
        read=_text,
        meaning="SQLite file of catalog or users; created and filled if absent; default: a temporary one",
    ),
    Variable(
        name="DEMO_FAULT_TOKEN",
        read=_token,
        meaning="opens the fault API to whoever sends it as a bearer token; without it there is no fault API",
        secret=True,
    ),
    Variable(name="DEMO_FAULT_HOST", read=_text, default="127.0.0.1", meaning="address of the fault API"),
    Variable(name="DEMO_FAULT_PORT", read=_PORT, default="0", meaning="port of the fault API; 0: any free one"),
    Variable(name="OTEL_SERVICE_NAME", read=_text, meaning="service.name; default: the role"),
    Variable(
        name="OTEL_RESOURCE_ATTRIBUTES",
        read=_attributes,
        meaning="such as service.namespace=shop,service.instance.id=catalog-1",
    ),
    Variable(name="OTEL_EXPORTER_OTLP_ENDPOINT", read=_url, meaning="collector, OTLP over HTTP; default port 4318"),
    Variable(
        name="OTEL_EXPORTER_OTLP_PROTOCOL",
        read=_choice("http/protobuf"),
        default="http/protobuf",
        meaning="the only one here",
    ),
    Variable(name="OTEL_METRIC_EXPORT_INTERVAL", read=_MILLISECONDS, default="60000", meaning="milliseconds"),
    Variable(name="OTEL_BSP_SCHEDULE_DELAY", read=_MILLISECONDS, default="5000", meaning="milliseconds, for spans"),
    Variable(name="OTEL_BLRP_SCHEDULE_DELAY", read=_MILLISECONDS, default="1000", meaning="milliseconds, for logs"),
    Variable(
        name="OTEL_TRACES_SAMPLER",
        read=_choice(*SAMPLERS),
        default="parentbased_always_on",
        meaning="which traces are kept",
    ),
    Variable(name="OTEL_TRACES_SAMPLER_ARG", read=_number(0, 1), default="1", meaning="share kept by a ratio sampler"),
    Variable(name="OTEL_SDK_DISABLED", read=_choice("true", "false"), default="false", meaning="true: no telemetry"),
    Variable(
        name="OTEL_SEMCONV_STABILITY_OPT_IN",
        read=_text,
        default=OTEL_DEFAULTS["OTEL_SEMCONV_STABILITY_OPT_IN"],
        meaning="which semantic conventions are used",
    ),
)
"""Every variable that is read, in the order of `--help`; all other OTEL_* variables reach the SDK as they are."""


def from_environment(environ: Mapping[str, str]) -> Settings:
    """Read the settings of one process; a wrong value raises SettingsError, which names it and what is allowed."""
    values = {variable.name: _read(variable, environ) for variable in VARIABLES}
    role = values["DEMO_ROLE"]
    return Settings(
        role=role,
        host=values["DEMO_HOST"],
        port=values["DEMO_PORT"],
        threads=values["DEMO_THREADS"],
        upstreams=_upstreams(values) if role == "frontend" else {},
        upstream_timeout_s=values["DEMO_UPSTREAM_TIMEOUT_S"],
        database=Path(values["DEMO_DATABASE"]) if values["DEMO_DATABASE"] else None,
        faults=_faults(values),
    )


def usage() -> str:
    """The text of `--help`: every variable, its default and its meaning."""
    width = max(len(variable.name) for variable in VARIABLES)
    lines = [f"  {variable.name:<{width}}  {_explained(variable)}" for variable in VARIABLES]
    return "\n".join(
        (
            "usage: python -m demo_app",
            "",
            "One role of the demo shop; all its settings are environment variables:",
            *lines,
        )
    )


def _explained(variable: Variable) -> str:
    return f"{variable.meaning} [{variable.default}]" if variable.default else variable.meaning


def _read(variable: Variable, environ: Mapping[str, str]) -> Any:
    value = environ.get(variable.name) or variable.default
    try:
        return variable.read(value)
    except SettingsError as allowed:
        shown = "it" if variable.secret else repr(value)
        found = f"{shown} cannot be used" if value else "is not set"
        raise SettingsError(f"{variable.name}: {found}; allowed: {allowed}") from None


def _upstreams(values: Mapping[str, Any]) -> dict[str, str]:
    upstreams = {"catalog": values["DEMO_CATALOG_URL"], "users": values["DEMO_USERS_URL"]}
    for name, url in upstreams.items():
        if not url:
            raise SettingsError(
                f"DEMO_{name.upper()}_URL: is not set; the frontend needs it; allowed: a URL such as http://127.0.0.1:8001"
            )
    return upstreams


def _faults(values: Mapping[str, Any]) -> FaultSettings | None:
    token = values["DEMO_FAULT_TOKEN"]
    if not token:
        return None
    return FaultSettings(host=values["DEMO_FAULT_HOST"], port=values["DEMO_FAULT_PORT"], token=token)
