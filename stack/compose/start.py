"""The start: what a service is told when it starts, as arguments and as environment."""

from collections.abc import Mapping

from stack.components import APP, OUR_DATA, Component
from stack.compose.hooks import ADMIN_PASSWORD, GRAFANA, variable
from stack.config import Profile
from stack.runtimes.app import telemetry_environment

CONFIG = "/etc/tocsin"
"""Where a container finds the stack's configuration."""

EVERYWHERE = "0.0.0.0"  # noqa: S104 - of a container's own interfaces, of which none is the machine's

NAMESPACE = "demo"
UNSET = "is not set: copy .env.example to .env and fill it in"


def data_of(component: Component) -> str:
    """The folder inside where a component may write, and which is a volume."""
    return OUR_DATA if is_ours(component) else component.image_data


def is_ours(component: Component) -> bool:
    """Whether it runs in an image of ours, which is started with the name of a module."""
    return component.module is not None and not component.stand_in


def command(component: Component) -> list[str]:
    """The arguments that its image's entry point gets."""
    values = _values(component)
    own = component.args if is_ours(component) or component.image_args is None else component.image_args
    arguments = [argument.format(**values) for argument in own]
    return [component.module or "", *arguments] if is_ours(component) else arguments


def environment(component: Component, profile: Profile) -> dict[str, str]:
    """Its environment; what people have to fill in is named, and asked for."""
    told = {**component.environment, **({} if is_ours(component) else component.image_environment)}
    made = {name: text.format(**_values(component)) for name, text in told.items()}
    if component.name in APP:
        made |= telemetry_environment(profile)
    if component.name == "sink":
        made["TOCSIN_SINK_TOKEN"] = asked("TOCSIN_SINK_TOKEN")
    if component.name == "grafana":
        made |= {name: asked(name) for name in (ADMIN_PASSWORD, *map(variable, GRAFANA))}
        made["GF_SERVER_ROOT_URL"] = f"{reached(component, component.ports['http'])}/"
    return {name: text for name, text in made.items() if text}


def asked(name: str) -> str:
    """A variable without which Compose does nothing, and says so."""
    return f"${{{name}:?{UNSET}}}"


def reached(component: Component, port: int) -> str:
    """Where people reach it: its links lead there."""
    return f"${{TOCSIN_{component.name.upper()}_URL:-http://localhost:{port}}}"


def _values(component: Component) -> Mapping[str, str]:
    """What arguments and environment may name. The demo app has no fault API here: nobody may break what stands."""
    ports = component.ports.items()
    return {
        **{port: f"{EVERYWHERE}:{number}" for port, number in ports},
        **{f"{port}_host": EVERYWHERE for port, _ in ports},
        **{f"{port}_port": str(number) for port, number in ports},
        **{f"{port}_url": reached(component, number) for port, number in ports},
        "config": f"{CONFIG}/{component.config}",
        "config_dir": CONFIG,
        "data": data_of(component),
        "home": OUR_DATA,
        "sink_token": "",
        "fault_token": "",
        "namespace": NAMESPACE,
        "otlp": "collector:4318",
        "catalog": "catalog:8000",
        "users": "users:8000",
    }
