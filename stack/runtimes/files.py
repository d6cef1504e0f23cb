"""Files: what a stack's components read, rendered into one folder."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from stack import config
from stack.components import Component
from stack.config.grafana import render_grafana
from stack.slo.generate import rules_dir

RULES = "rules"


def write_files(
    root: Path,
    table: Mapping[str, Component],
    *,
    profile: str,
    address: Mapping[str, str],
    data: Path,
    secrets: Mapping[str, str],
) -> None:
    """
    Write the rules and every component's configuration under `root`; each component keeps its own data under `data/NAME`.

    Raises stack.config's ConfigError for what is missing.
    """
    shutil.copytree(rules_dir(profile), root / RULES)
    for component in table.values():
        own = data / component.name
        own.mkdir(parents=True)
        for name, text in _texts(component, root, profile=profile, address=address, data=own, secrets=secrets).items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            # Some hold secrets.
            path.touch(mode=0o600)
            path.write_text(text, encoding="utf-8")


def _texts(
    component: Component,
    root: Path,
    *,
    profile: str,
    address: Mapping[str, str],
    data: Path,
    secrets: Mapping[str, str],
) -> Mapping[str, str]:
    """A component's files by their path below the root."""
    if component.config is None:
        return {}
    if component.name == "grafana":
        texts = render_grafana(
            profile=config.PROFILES[profile],
            address=address,
            secrets=secrets,
            data_dir=str(data),
            config_dir=str(root / "grafana"),
        )
        return {f"grafana/{name}": text for name, text in texts.items()}
    return config.render(
        component.name,
        profile=config.PROFILES[profile],
        address=address,
        data_dir=str(data),
        rules_dir=str(root / RULES),
        secrets=secrets,
    )
