"""Images: one table of those that are built here: ours, and local ones that stand for official ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from stack.engines import ENGINES, Engine

VERSION = "0.1.0"
ROOT = Path(__file__).parents[2]
"""Where the packages lie side by side: a checkout, or an installation."""

KEY = "org.tocsin.key"
"""The label with a digest of all that an image was built from: one that has the right one need not be built again."""

BASE = "org.tocsin.base"
"""The label that names the base which an image of ours was built on."""

STANDS_FOR = "org.tocsin.stands-for"
"""The label of a local image that names the official repository in whose place it is used."""

OFFICIAL_BASE = "python:3.13-slim"
USER = 10001


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """
    An image of ours. Its Dockerfile is in `deploy/images/<name>`, beside the pins of all that it `requires` (names on the package index);
    `sources` are the packages that it copies.
    """

    name: str
    sources: tuple[str, ...]
    requires: tuple[str, ...]

    @property
    def reference(self) -> str:
        """Its name and tag."""
        return f"tocsin/{self.name}:{VERSION}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """
    An image with nothing but static engines, used where the official one (`stands_for`) cannot be had; or ours, if it stands for none.

    `binaries` maps paths inside to engines' binaries, the first of them is the entry point;
    `user`, `data` (a writable volume), `command` and `ports` are the official image's.
    """

    name: str
    engine: Engine
    binaries: Mapping[str, str]
    user: int
    command: tuple[str, ...]
    ports: tuple[int, ...]
    data: str = ""
    stands_for: str = ""

    @property
    def reference(self) -> str:
        """Its name and tag."""
        return f"{'tocsin-local' if self.stands_for else 'tocsin'}/{self.name}:{self.engine.version}"


DEMO_APP = Ours(
    name="demo-app",
    sources=("demo_app",),
    requires=(
        "flask",
        "opentelemetry-exporter-otlp-proto-http",
        "opentelemetry-instrumentation-flask",
        "opentelemetry-instrumentation-logging",
        "opentelemetry-instrumentation-sqlite3",
        "opentelemetry-instrumentation-urllib3",
        "opentelemetry-sdk",
        "pydantic",
        "urllib3",
        "waitress",
    ),
)

DETECTOR = Ours(
    name="detector",
    sources=("detector",),
    requires=(
        "httpx",
        "jinja2",
        "numpy",
        "prometheus-client",
        "pydantic",
        "pyyaml",
        "rich",
        "starlette",
        "statsmodels",
        "typer",
        "uvicorn",
    ),
)

STANDINS = Ours(
    name="standins",
    sources=("stack/__init__.py", "stack/sink.py", "stack/standins"),
    requires=(
        "googleapis-common-protos",
        "grpcio",
        "httpx",
        "lark",
        "opentelemetry-proto",
        "prometheus-client",
        "protobuf",
        "pydantic",
        "pyyaml",
        "starlette",
        "uvicorn",
    ),
)
"""The sink, and what stands for Tempo and Grafana: `python3 -m` one of their modules."""

OURS: Mapping[str, Ours] = MappingProxyType({image.reference: image for image in (DEMO_APP, DETECTOR, STANDINS)})
"""By reference."""

NOBODY = 65534

PROMETHEUS = Local(
    name="prometheus",
    stands_for="prom/prometheus",
    engine=ENGINES["prometheus"],
    binaries={"bin/prometheus": "prometheus", "bin/promtool": "promtool"},
    user=NOBODY,
    command=("--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"),
    ports=(9090,),
    data="/prometheus",
)

ALERTMANAGER = Local(
    name="alertmanager",
    stands_for="prom/alertmanager",
    engine=ENGINES["alertmanager"],
    binaries={"bin/alertmanager": "alertmanager", "bin/amtool": "amtool"},
    user=NOBODY,
    command=("--config.file=/etc/alertmanager/alertmanager.yml", "--storage.path=/alertmanager"),
    ports=(9093,),
    data="/alertmanager",
)

COLLECTOR = Local(
    name="collector",
    stands_for="otel/opentelemetry-collector-contrib",
    engine=ENGINES["collector"],
    binaries={"otelcol-contrib": "otelcol"},
    user=USER,
    command=("--config", "/etc/otelcol-contrib/config.yaml"),
    ports=(4317, 4318, 55679),
)

TOXIPROXY = Local(
    name="toxiproxy",
    engine=ENGINES["toxiproxy"],
    binaries={"toxiproxy": "toxiproxy"},
    user=USER,
    command=("-host=0.0.0.0",),
    ports=(8474,),
)

LOCAL: Mapping[str, Local] = MappingProxyType(
    {image.stands_for: image for image in (PROMETHEUS, ALERTMANAGER, COLLECTOR)}
)
"""By the official repository."""

MADE_HERE: Mapping[str, "Ours | Local"] = MappingProxyType({**OURS, TOXIPROXY.reference: TOXIPROXY})
"""All that are ours, by reference: they are built where they are needed, and never pulled."""

STOOD_IN: Mapping[str, str] = MappingProxyType(
    {"grafana/tempo": STANDINS.reference, "grafana/grafana": STANDINS.reference}
)
"""Official repositories that a stand-in of ours can take the place of, and its reference."""


def repository(reference: str) -> str:
    """The repository of a reference, without its tag and digest and without Docker Hub's own name."""
    name = reference.partition("@")[0]
    head, slash, tail = name.rpartition("/")
    return f"{head}{slash}{tail.partition(':')[0]}".removeprefix("docker.io/")
