"""Components: one table of all that the stack is made of; every runtime starts from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from stack.links import LINKS, PROXY

OUR_DATA = "/var/lib/tocsin"
"""Where our own images let their programs write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """
    One part of the stack.

    `args` and values of `environment` may hold `{config}` (its configuration file), `{config_dir}` (the folder with those of all),
    `{data}` (a folder of its own), `{home}` (where an engine is installed, if that matters to it), `{PORT}`, a host:port to listen on,
    its parts `{PORT_host}` and `{PORT_port}`, `{PORT_url}`, where people reach it, and what whoever starts it adds, such as `{sink_token}`.
    `binary` is a real engine; `module` is Python code of ours: the component itself or, if `stand_in`, what serves in its place.

    In a container an image's own entry point gets `args`, or `image_args` where the official image wants others, and `image_environment`
    beside `environment`; images of ours get `module` first. `image_data` is where the official image lets it write. It `reads` what is
    below the stack's configuration under these names. Of memory and CPUs it may take `memory_mb` and `cpus`.
    With `disk_mb` its data are on a disk of its own of that size, where one can be had.
    """

    name: str
    image: str
    ports: Mapping[str, int]
    ready: str
    args: tuple[str, ...] = ()
    binary: str | None = None
    module: str | None = None
    stand_in: bool = False
    image_args: tuple[str, ...] | None = None
    image_environment: Mapping[str, str] = field(default_factory=dict)
    image_data: str = OUR_DATA
    config: str | None = None
    reads: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    optional: bool = False
    memory_mb: int = 512
    disk_mb: int | None = None
    cpus: float = 1

    @property
    def version(self) -> str:
        """The pinned version: the image's tag."""
        return self.image.rpartition(":")[2].removeprefix("v")


SINK = Component(
    name="sink",
    image="tocsin/standins:0.1.0",
    module="stack.sink",
    args=("--listen", "{http}", "--arrivals", "{data}/arrivals.jsonl"),
    environment={"TOCSIN_SINK_TOKEN": "{sink_token}"},
    ports={"http": 9099},
    ready="http/ready",
)

TEMPO = Component(
    name="tempo",
    image="grafana/tempo:3.1.0",
    binary="tempo",
    module="stack.standins.tempo",
    stand_in=True,
    args=("-config.file={config}",),
    image_data="/var/tempo",
    config="tempo.yaml",
    reads=("tempo.yaml",),
    memory_mb=2048,
    cpus=2,
    ports={"http": 3200, "otlp_grpc": 4317, "otlp_http": 4318, "grpc": 9095},
    ready="http/ready",
)

COLLECTOR = Component(
    name="collector",
    image="otel/opentelemetry-collector-contrib:0.155.0",
    binary="otelcol",
    args=("--config={config}",),
    config="collector.yaml",
    reads=("collector.yaml",),
    # Above the limit of the memory_limiter in both profiles: it has to refuse before the engine kills.
    memory_mb=1536,
    cpus=2,
    ports={"otlp_grpc": 4317, "otlp_http": 4318, "prometheus": 8889, "metrics": 8888, "health": 13133},
    ready="health/",
    needs=("tempo",),
)

ALERTMANAGER = Component(
    name="alertmanager",
    image="prom/alertmanager:v0.31.1",
    binary="alertmanager",
    args=(
        "--config.file={config}",
        "--storage.path={data}",
        "--web.listen-address={http}",
        "--web.external-url={http_url}/",
        "--cluster.listen-address=",
        "--log.level=info",
    ),
    image_data="/alertmanager",
    config="alertmanager.yaml",
    reads=("alertmanager.yaml",),
    ports={"http": 9093},
    ready="http/-/ready",
    needs=("sink",),
)

PROMETHEUS = Component(
    name="prometheus",
    image="prom/prometheus:v3.15.0",
    binary="prometheus",
    args=(
        "--config.file={config}",
        "--storage.tsdb.path={data}",
        "--web.listen-address={http}",
        "--web.external-url={http_url}/",
        "--web.enable-lifecycle",
        "--enable-feature=exemplar-storage",
        "--web.enable-remote-write-receiver",
        "--rules.alert.resend-delay=5s",
        # Up to 3.15, alerts that wait less than this wait anew after a restart, and people hear that they are over.
        "--rules.alert.for-grace-period=0s",
        "--scrape.discovery-reload-interval=100ms",
    ),
    image_data="/prometheus",
    config="prometheus.yaml",
    reads=("prometheus.yaml", "rules"),
    memory_mb=2048,
    cpus=2,
    ports={"http": 9090},
    ready="http/-/ready",
    needs=("collector", "alertmanager"),
)

DETECTOR = Component(
    name="detector",
    image="tocsin/detector:0.1.0",
    module="detector",
    args=("run", "--config", "{config}"),
    config="detector.yaml",
    reads=("detector.yaml",),
    memory_mb=1024,
    # One thread of linear algebra is plenty for it, and more would take the cores from all others.
    environment={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    ports={"http": 9098},
    ready="http/readyz",
    needs=("prometheus", "alertmanager"),
    optional=True,
)
"""Joins a stack when a drill expects an anomaly, or when `tocsin up --with detector` asks for it."""

GRAFANA = Component(
    name="grafana",
    image="grafana/grafana:13.2.3",
    binary="grafana",
    module="stack.standins.grafana",
    stand_in=True,
    args=("server", "--homepath", "{home}", "--config", "{config}"),
    # Its image takes these from its environment, which counts for more than the file does.
    image_args=(),
    image_environment={
        "GF_PATHS_CONFIG": "{config}",
        "GF_PATHS_PROVISIONING": "{config_dir}/grafana/provisioning",
    },
    image_data="/var/lib/grafana",
    config="grafana/grafana.ini",
    reads=("grafana",),
    memory_mb=1024,
    cpus=2,
    ports={"http": 3000},
    ready="http/api/health",
    needs=("prometheus", "tempo", "sink"),
    optional=True,
)
"""Joins a stack when a drill expects something of it, or when `tocsin up --with grafana` asks for it."""

TOXIPROXY = Component(
    name=PROXY,
    image="tocsin/toxiproxy:2.12.0",
    binary="toxiproxy",
    args=("-host", "{api_host}", "-port", "{api_port}", "-config", "{config}"),
    config="toxiproxy.json",
    reads=("toxiproxy.json",),
    memory_mb=128,
    # It traces every connection unless told otherwise.
    environment={"LOG_LEVEL": "info"},
    ports={"api": 8474, **{link.proxy: port for port, link in enumerate(LINKS, 8475)}},
    # It opens its proxies in their order, and only logs what goes wrong: if the last one is there, all are.
    ready=f"api/proxies/{LINKS[-1].proxy}",
    optional=True,
)
"""Joins a stack when a drill breaks a link; stands then in the middle of all links, and starts before everybody."""

COMPONENTS: Mapping[str, Component] = {
    component.name: component
    for component in (SINK, TEMPO, COLLECTOR, ALERTMANAGER, PROMETHEUS, DETECTOR, GRAFANA, TOXIPROXY)
}
"""What stacks run, by name; optional ones only where they are asked for."""

OPTIONAL = frozenset(name for name, component in COMPONENTS.items() if component.optional)
"""Names of the optional ones."""


def _role(name: str) -> Component:
    """One role of the demo app; what differs from drill to drill is in `values`."""
    return Component(
        name=name,
        image="tocsin/demo-app:0.1.0",
        module="demo_app",
        environment={
            "OTEL_SERVICE_NAME": name,
            "OTEL_RESOURCE_ATTRIBUTES": f"service.namespace={{namespace}},service.instance.id={{namespace}}-{name}",
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://{otlp}",
            "DEMO_ROLE": name,
            "DEMO_HOST": "{http_host}",
            "DEMO_PORT": "{http_port}",
            "DEMO_CATALOG_URL": "http://{catalog}",
            "DEMO_USERS_URL": "http://{users}",
            "DEMO_DATABASE": f"{{data}}/{name}.sqlite",
            "DEMO_FAULT_HOST": "{faults_host}",
            "DEMO_FAULT_PORT": "{faults_port}",
            "DEMO_FAULT_TOKEN": "{fault_token}",
        },
        ports={"http": 8000, "faults": 8001},
        ready="http/ready",
    )


APP: Mapping[str, Component] = {name: _role(name) for name in ("frontend", "catalog", "users")}
"""The roles of the demo app, by name; each drill has its own."""
