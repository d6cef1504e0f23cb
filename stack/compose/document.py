"""The document: a whole Compose file, as the objects that YAML is written from."""

from collections.abc import Mapping
from typing import Any

from stack.components import APP, COMPONENTS, Component
from stack.compose.hooks import ALERTMANAGER, secret, variable
from stack.compose.service import STATELESS, service
from stack.compose.start import asked
from stack.config import PROFILES

PROJECT = "tocsin"
NETWORK = "observability"


def table(profile: str) -> dict[str, Component]:
    """The components of a standing stack: all but Toxiproxy, which drills bring along, and the sink, which only a drill's stack has."""
    absent = {"toxiproxy"} | (set() if profile == "drill" else {"sink"})
    return {name: component for name, component in COMPONENTS.items() if name not in absent}


def document(profile: str, *, checkout: str | None = None) -> dict[str, Any]:
    """
    The Compose file of a profile. `checkout` is the way from it to the project's sources; without it our images have to be there.

    The demo app takes part in Compose's own profile `demo` only. Raises KeyError for a profile that is none.
    """
    components = {**table(profile), **APP}
    services = {
        name: service(one, profile=PROFILES[profile], among=components, checkout=checkout)
        for name, one in components.items()
    }
    for name, made in services.items():
        made["networks"] = [NETWORK]
        if name in APP:
            made["profiles"] = ["demo"]
    return {
        "name": PROJECT,
        "services": services,
        "networks": {NETWORK: {}},
        "volumes": {name: {} for name in components if name not in STATELESS},
        "secrets": _secrets(),
        # An empty secret would be found when the first alert is lost.
        "x-needed": [asked(variable(receiver)) for receiver in ALERTMANAGER],
    }


def _secrets() -> Mapping[str, Any]:
    return {secret(receiver): {"environment": variable(receiver)} for receiver in ALERTMANAGER}
