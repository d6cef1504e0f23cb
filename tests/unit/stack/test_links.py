"""Links: with Toxiproxy in the middle a caller is told its proxy's place, and nobody else is."""

import json
from pathlib import Path
from typing import get_args

import pytest

from scenarios.model import Link as Written
from stack.components import COMPONENTS, TOXIPROXY
from stack.config import PROFILES
from stack.links import LINKS, Link, proxies_json, proxies_of, seen_by
from stack.runtimes.files import write_files
from stack.runtimes.host import Layout, Places

SECRETS = {"sink_token": "s" * 24, "grafana_admin_password": "p" * 24}


def places(*, proxy: bool) -> Places:
    """Every port of every component, as containers have them."""
    names = [
        f"{component.name}.{port}"
        for component in COMPONENTS.values()
        for port in component.ports
        if proxy or component is not TOXIPROXY
    ]
    return Places(
        outside={name: f"127.0.0.1:{number}" for number, name in enumerate(names, 1)},
        inside={name: f"{name.partition('.')[0]}:{number}" for number, name in enumerate(names, 1)},
        listen={name: f"0.0.0.0:{number}" for number, name in enumerate(names, 1)},
    )


def test_the_language_knows_the_links_of_the_stack() -> None:
    """A link that a drill may name is one that there is, and the other way round."""
    assert set(get_args(Written)) == {link.name for link in LINKS}


def test_both_ends_of_every_link_exist() -> None:
    """A component that was renamed leaves no dead link behind."""
    ports = {f"{component.name}.{port}" for component in COMPONENTS.values() for port in component.ports}

    assert {link.called for link in LINKS} <= ports
    assert {link.caller for link in LINKS} <= {*COMPONENTS, "app"}


def test_without_toxiproxy_everybody_calls_everybody() -> None:
    """No detour, and no proxies to break."""
    inside = places(proxy=False).inside

    assert seen_by("collector", inside) == inside
    assert proxies_of("collector -> tempo", inside) == {}


def test_a_caller_finds_its_neighbour_behind_the_proxy_and_nobody_else_does() -> None:
    """Tempo itself still listens where it did, and Grafana asks it directly."""
    inside = places(proxy=True).inside

    assert seen_by("collector", inside) == {
        **inside,
        "tempo.otlp_grpc": inside["toxiproxy.collector:tempo.otlp_grpc"],
    }
    assert seen_by("detector", inside) == inside


def test_a_link_may_go_through_several_proxies() -> None:
    """Prometheus scrapes two ports of the collector."""
    outside = places(proxy=True).outside

    assert proxies_of("prometheus -> collector", outside) == {
        "prometheus:collector.prometheus": outside["toxiproxy.prometheus:collector.prometheus"],
        "prometheus:collector.metrics": outside["toxiproxy.prometheus:collector.metrics"],
    }


def test_toxiproxy_is_told_where_to_listen_and_whom_to_call() -> None:
    """It listens for others and calls by the names that others have; the last proxy is the one whose being there means ready."""
    there = places(proxy=True)

    proxies = json.loads(proxies_json(inside=there.inside, listen=there.listen))

    assert proxies[1] == {
        "name": "collector:tempo.otlp_grpc",
        "listen": there.listen["toxiproxy.collector:tempo.otlp_grpc"],
        "upstream": there.inside["tempo.otlp_grpc"],
        "enabled": True,
    }
    assert TOXIPROXY.ready.endswith(f"/{proxies[-1]['name']}")


def rendered(root: Path, component: str, there: Places) -> str:
    """All files of one component but the rules, which name nobody."""
    write_files(
        root,
        {component: COMPONENTS[component]},
        profile=PROFILES["drill"],
        places=there,
        layout=lambda _: Layout(config=str(root), data="/data"),
        secrets=SECRETS,
    )
    files = (path for path in sorted(root.rglob("*")) if path.is_file() and "rules" not in path.parts)
    return "\n".join(path.read_text() for path in files)


@pytest.mark.parametrize("link", [link for link in LINKS if link.caller != "app"], ids=lambda link: link.proxy)
def test_the_configuration_of_every_caller_names_its_proxy(link: Link, tmp_path: Path) -> None:
    """Its files hold the proxy's place in place of the neighbour's."""
    without, with_proxy = places(proxy=False), places(proxy=True)

    assert f"{without.inside[link.called]}" in rendered(tmp_path / "without", link.caller, without)
    assert with_proxy.inside[link.place] in rendered(tmp_path / "with", link.caller, with_proxy)
