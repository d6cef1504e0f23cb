"""Files: what a stack's components read, rendered into one folder."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from stack import config
from stack.components import Component
from stack.config import Profile
from stack.config.grafana import render_grafana
from stack.links import PROXY, proxies_json, seen_by
from stack.runtimes.host import Layout, Places
from stack.slo.generate import rules_dir

RULES = "rules"


def write_files(
    root: Path,
    table: Mapping[str, Component],
    *,
    profile: Profile,
    places: Places,
    layout: Callable[[Component], Layout],
    secrets: Mapping[str, str],
) -> None:
    """
    Write the rules and every component's configuration under `root`, which each component finds where its `layout` says.

    Raises stack.config's ConfigError for what is missing.
    """
    shutil.copytree(rules_dir(profile.name), root / RULES)
    for component in table.values():
        texts = texts_of(component, profile=profile, places=places, layout=layout(component), secrets=secrets)
        for name, text in texts.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            # Some hold secrets.
            path.touch(mode=0o600)
            path.write_text(text, encoding="utf-8")


def texts_of(
    component: Component, *, profile: Profile, places: Places, layout: Layout, secrets: Mapping[str, str]
) -> Mapping[str, str]:
    """A component's own files, by their path below the folder of all. Raises ConfigError as `write_files` does."""
    if component.config is None:
        return {}
    if component.name == PROXY:
        return {component.config: proxies_json(inside=places.inside, listen=places.listen)}
    address = seen_by(component.name, places.inside)
    if component.name == "grafana":
        texts = render_grafana(
            profile=profile,
            # Whoever follows a link of its notifications is outside.
            address={**address, "grafana.http": places.outside["grafana.http"]},
            listen=places.listen,
            secrets=secrets,
            data_dir=layout.data,
            config_dir=f"{layout.config}/grafana",
        )
        return {f"grafana/{name}": text for name, text in texts.items()}
    return config.render(
        component.name,
        profile=profile,
        address=address,
        listen=places.listen,
        data_dir=layout.data,
        rules_dir=f"{layout.config}/{RULES}",
        secrets=secrets,
    )
