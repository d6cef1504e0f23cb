"""Engines: one table of the real programs that the processes runtime runs, and of what each is built from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

Version = tuple[int, int, int]


def spelled(version: Version) -> str:
    """A version as people write it."""
    return ".".join(map(str, version))


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """
    One Go module, and the binaries that come out of it.

    `packages` maps each binary to its Go package; `version` is what these binaries print (not always the module's own number).
    `sources` are the files, relative to this folder, that pin the build; `generator` names the tools module of a program
    that writes the Go sources first. An installed binary on PATH serves as well if its version is at least `at_least`, below `below`,
    and if it lists all of `parts`; `also_named` are other names that it may have there.
    """

    name: str
    module: str
    version: str
    packages: Mapping[str, str]
    sources: tuple[str, ...]
    at_least: Version
    below: Version
    version_symbol: str = ""
    tags: tuple[str, ...] = ()
    generator: str = ""
    parts: frozenset[str] = frozenset()
    also_named: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def pinned_by(*tools: str) -> tuple[str, ...]:
    """The two files of each tools module that pin its dependencies, with their checksums."""
    return tuple(f"tools/{tool}/{file}" for tool in tools for file in ("go.mod", "go.sum"))


PROMETHEUS = Engine(
    name="prometheus",
    module="github.com/prometheus/prometheus@v0.316.0",
    version="3.16.0",
    packages={
        "prometheus": "github.com/prometheus/prometheus/cmd/prometheus",
        "promtool": "github.com/prometheus/prometheus/cmd/promtool",
    },
    sources=pinned_by("prometheus"),
    version_symbol="github.com/prometheus/common/version.Version",
    tags=("remove_all_sd",),
    at_least=(3, 5, 0),
    below=(4, 0, 0),
)

COLLECTOR = Engine(
    name="collector",
    module="go.opentelemetry.io/collector@v0.155.0",
    version="0.155.0",
    packages={"otelcol": "."},
    sources=("collector/builder.yaml", *pinned_by("builder", "collector")),
    generator="builder",
    at_least=(0, 155, 0),
    below=(1, 0, 0),
    parts=frozenset(
        {"otlp", "batch", "filter", "memory_limiter", "probabilistic_sampler", "transform"}
        | {"debug", "otlp_grpc", "otlp_http", "prometheus", "span_metrics", "health_check"}
    ),
    also_named={"otelcol": ("otelcol-contrib",)},
)

# From 0.32 on the module lacks its embedded user interface, and does not compile.
ALERTMANAGER = Engine(
    name="alertmanager",
    module="github.com/prometheus/alertmanager@v0.31.1",
    version="0.31.1",
    packages={
        "alertmanager": "github.com/prometheus/alertmanager/cmd/alertmanager",
        "amtool": "github.com/prometheus/alertmanager/cmd/amtool",
    },
    sources=pinned_by("alertmanager"),
    version_symbol="github.com/prometheus/common/version.Version",
    at_least=(0, 28, 0),
    below=(1, 0, 0),
)

TOXIPROXY = Engine(
    name="toxiproxy",
    module="github.com/Shopify/toxiproxy/v2@v2.12.0",
    version="2.12.0",
    packages={"toxiproxy": "github.com/Shopify/toxiproxy/v2/cmd/server"},
    sources=pinned_by("toxiproxy"),
    version_symbol="github.com/Shopify/toxiproxy/v2.Version",
    at_least=(2, 9, 0),
    below=(3, 0, 0),
    also_named={"toxiproxy": ("toxiproxy-server",)},
)

# The longest build first, so that the short ones fill the gaps.
ENGINES: Mapping[str, Engine] = MappingProxyType(
    {engine.name: engine for engine in (PROMETHEUS, COLLECTOR, ALERTMANAGER, TOXIPROXY)}
)

MAKERS: Mapping[str, Engine] = MappingProxyType(
    {binary: engine for engine in ENGINES.values() for binary in engine.packages}
)
"""Which engine each binary belongs to."""
