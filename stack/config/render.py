"""Rendering: one component's configuration files, from its templates, a profile and the addresses of its neighbours."""

import re
from collections.abc import Callable, Mapping

import jinja2

from stack.config.profile import Profile

COMPONENTS = ("collector", "prometheus", "alertmanager", "tempo", "detector")
"""What has a template here."""

SCRAPED: Mapping[str, str] = {
    "collector": "collector.metrics",
    "prometheus": "prometheus.http",
    "alertmanager": "alertmanager.http",
    "tempo": "tempo.http",
    "detector": "detector.http",
    "grafana": "grafana.http",
}
"""Prometheus' scrape jobs and where each is found; a job without an address is left out."""

OPTIONAL_JOBS = ("detector", "grafana")
"""Components that a stack may lack; the address of any other one must be given."""


_PLACE = re.compile(r"(\[[0-9a-fA-F:]+\]|[A-Za-z0-9_.-]+):[0-9]{1,5}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,}")


class ConfigError(ValueError):
    """A configuration cannot be rendered; the message names what is missing or wrong, and what is allowed."""


def render(
    component: str,
    *,
    profile: Profile,
    address: Mapping[str, str],
    data_dir: str,
    rules_dir: str,
    secrets: Mapping[str, str],
    listen: Mapping[str, str] | None = None,
) -> Mapping[str, str]:
    """
    The component's configuration files, by file name.

    Both `address` and `listen` map "component.port" to "host:port". A process listens where it is reached; a container
    may listen on all interfaces of its own, so `listen` overrides `address` where it has an entry.
    The texts may hold secrets: keep their files private.

    Raises ConfigError for an unknown component, a missing or malformed address, or a missing secret.
    """
    if component not in COMPONENTS:
        raise ConfigError(f"no configuration for component {component!r}; known: {', '.join(COMPONENTS)}")
    name = f"{component}.yaml"
    template = environment().get_template(f"{name}.j2")
    text = template.render(
        profile=profile,
        address=place_of(component, address),
        listen=place_of(component, {**address, **(listen or {})}),
        secret=secret_of(component, secrets),
        jobs=[(job, port) for job, port in SCRAPED.items() if port in address or job not in OPTIONAL_JOBS],
        data_dir=data_dir.rstrip("/"),
        rules_dir=rules_dir.rstrip("/"),
    )
    return {name: text}


def host(place: str) -> str:
    """The host of "host:port"."""
    return place.rpartition(":")[0]


def port(place: str) -> int:
    """The port of "host:port"."""
    return int(place.rpartition(":")[2])


def seconds(value: float) -> str:
    """
    Seconds as a duration that all the engines understand: whole ones as `15s`, others as `200ms`.
    """
    return f"{value:g}s" if float(value).is_integer() else f"{round(value * 1000)}ms"


def environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("stack.config", "."),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - YAML for engines, no HTML for people
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"host": host, "port": port, "seconds": seconds}
    return made


def place_of(component: str, known: Mapping[str, str]) -> Callable[[str], str]:
    """A look-up for templates that says what is missing in words."""

    def place(name: str) -> str:
        if name not in known:
            given = ", ".join(sorted(known)) or "none"
            raise ConfigError(f"{component}: needs the address of {name!r} as 'host:port'; given: {given}")
        found = known[name]
        if not _PLACE.fullmatch(found):
            raise ConfigError(f"{component}: the address of {name!r} is {found!r}; it must be 'host:port'")
        return found

    return place


def secret_of(component: str, known: Mapping[str, str]) -> Callable[[str], str]:
    """A look-up for templates; its errors never show a value."""

    def secret(name: str) -> str:
        if not _TOKEN.fullmatch(known.get(name, "")):
            raise ConfigError(
                f"{component}: needs the secret {name!r}: letters, digits, '-' and '_', at least 16 of them"
            )
        return known[name]

    return secret
