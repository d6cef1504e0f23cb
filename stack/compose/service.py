"""A service: one component as a part of a Compose file."""

from collections.abc import Mapping
from typing import Any

from stack.components import Component
from stack.compose.hooks import ALERTMANAGER, secret
from stack.compose.start import CONFIG, command, data_of, environment
from stack.config import Profile
from stack.images.supply import variable
from stack.images.table import OURS

PUBLISHED: Mapping[str, tuple[str, ...]] = {
    "sink": ("http",),
    "tempo": ("http",),
    "collector": ("otlp_grpc", "otlp_http"),
    "alertmanager": ("http",),
    "prometheus": ("http",),
    "detector": ("http",),
    "grafana": ("http",),
    "frontend": ("http",),
}
"""What people and apps on this machine can reach; everything else stays on the stack's own network."""

HEALTH: Mapping[str, tuple[str, ...]] = {
    "prometheus": ("/bin/promtool", "check", "healthy", "--url=http://localhost:9090"),
    "alertmanager": ("/bin/amtool", "--alertmanager.url=http://localhost:9093", "cluster", "show"),
    "grafana": ("wget", "-q", "-O", "/dev/null", "http://localhost:3000/api/health"),
    "sink": ("python3", "-c", "import urllib.request as web; web.urlopen('http://localhost:9099/ready', timeout=2)"),
}
"""How a service is asked whether it is well, with a program that its image has. Collector and Tempo have none; ours bring theirs along."""

STATELESS = ("collector",)
"""What keeps nothing on disk."""

OURS_CHECK_THEMSELVES = ("detector", "frontend", "catalog", "users")

ASKED: Mapping[str, Any] = {"interval": "10s", "timeout": "5s", "retries": 4, "start_period": "60s"}


def service(
    component: Component, *, profile: Profile, among: Mapping[str, Component], checkout: str | None
) -> dict[str, Any]:
    """
    The service of a component. `among` are all components of the file; `checkout` is the way from it to the project's sources,
    for what can be built from them (None: images have to be there).
    """
    made: dict[str, Any] = {
        "image": f"${{{variable(component.name)}:-{component.image}}}",
        **_origin(component, checkout),
        "command": command(component),
        "environment": environment(component, profile),
        "ports": [_port(component, port) for port in PUBLISHED.get(component.name, ())],
        "volumes": [*_configuration(component), *_volume(component)],
        "secrets": [secret(receiver) for receiver in ALERTMANAGER] if component.name == "alertmanager" else [],
        "tmpfs": ["/tmp"],  # noqa: S108 - the container's own
        "healthcheck": _health(component),
        "depends_on": _needs(component, among),
        **_rights(component),
        "deploy": {"resources": {"limits": _limits(component)}},
        "restart": "unless-stopped",
        "stop_grace_period": "30s",
        "logging": {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}},
    }
    return {key: value for key, value in made.items() if value not in ([], {})}


def _origin(component: Component, checkout: str | None) -> dict[str, Any]:
    """Nobody but this project makes images of ours: they are built, or there, and never pulled."""
    if component.image not in OURS:
        return {}
    dockerfile = f"deploy/images/{OURS[component.image].name}/Dockerfile"
    source = {} if checkout is None else {"build": {"context": checkout, "dockerfile": dockerfile}}
    return {**source, "pull_policy": "never"}


def _port(component: Component, port: str) -> str:
    """A port of loopback; another number by a variable."""
    number = component.ports[port]
    return f"127.0.0.1:${{TOCSIN_PORT_{component.name.upper()}_{port.upper()}:-{number}}}:{number}"


def _configuration(component: Component) -> list[dict[str, Any]]:
    """What a component reads, and nothing of the others."""
    return [
        {
            "type": "bind",
            "source": f"./config/{name}",
            "target": f"{CONFIG}/{name}",
            "read_only": True,
            "bind": {"create_host_path": False},
        }
        for name in component.reads
    ]


def _health(component: Component) -> dict[str, Any]:
    test = HEALTH.get(component.name)
    return {"test": ["CMD", *test], **ASKED} if test else {}


def _volume(component: Component) -> list[str]:
    return [] if component.name in STATELESS else [f"{component.name}:{data_of(component)}"]


def _needs(component: Component, among: Mapping[str, Component]) -> dict[str, Any]:
    """What has to be well, or at least to run, before it starts."""
    return {
        name: {"condition": "service_healthy" if name in HEALTH or name in OURS_CHECK_THEMSELVES else "service_started"}
        for name in component.needs
        if name in among
    }


def _rights(component: Component) -> dict[str, Any]:
    """As few as will do. Compose puts secrets into the container's own file system, so that of one who has some can be written to."""
    return {
        "read_only": component.name != "alertmanager",
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
    }


def _limits(component: Component) -> dict[str, Any]:
    return {"cpus": f"{component.cpus:g}", "memory": f"{component.memory_mb}M", "pids": 1024}
