"""Files: a Compose file with all that it mounts, in one folder that can be copied to where the stack shall stand."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from stack.components import SINK, Component
from stack.compose.document import document, table
from stack.compose.hooks import ADMIN_PASSWORD, ALERTMANAGER, GRAFANA, TOKEN, variable, without_secrets
from stack.compose.start import CONFIG, EVERYWHERE, data_of
from stack.config import PROFILES
from stack.images.table import ROOT
from stack.runtimes.files import texts_of
from stack.runtimes.host import Layout, Places
from stack.slo.generate import rules_dir

COMMITTED = ROOT / "deploy" / "compose"
"""The production profile as it is committed."""

HEAD = """\
# The standing stack, {profile} profile; `python -m stack.compose generate` writes it.
#
#   cp .env.example .env        # and fill it in
#   docker compose up --detach  # with the demo app: docker compose --profile demo up --detach
#
# Every port is one of loopback. No secret is in this file.
"""


def files(profile: str, *, checkout: str | None = None) -> dict[str, str]:
    """The texts of all files of a profile, by their path in the folder. `checkout` is as for `document`."""
    made = {"compose.yaml": text(profile, checkout=checkout), ".env.example": variables(profile)}
    for path in sorted(rules_dir(profile).glob("*.rules.yaml")):
        made[f"config/rules/{path.name}"] = path.read_text(encoding="utf-8")
    for component in table(profile).values():
        for name, content in _texts(component, profile).items():
            made[f"config/{name}"] = without_secrets(name, content)
    return made


def text(profile: str, *, checkout: str | None = None) -> str:
    """The Compose file itself."""
    body = yaml.safe_dump(document(profile, checkout=checkout), sort_keys=False, width=140)
    return HEAD.format(profile=profile) + body


def variables(profile: str) -> str:
    """What has to be filled in, with what it means."""
    drilling = profile == "drill"
    lines = [f"# Settings of the stack, {profile} profile: copy to .env, which git ignores, and fill in.", ""]
    lines += ["# Grafana's user `admin`.", f"{ADMIN_PASSWORD}=", ""]
    if drilling:
        lines += ["# Opens the webhook sink: at least 16 letters, digits, `-` and `_`.", "TOCSIN_SINK_TOKEN=", ""]
    lines += ["# Webhooks that are told of alerts, by Alertmanager and by Grafana."]
    for receiver in (*ALERTMANAGER, *GRAFANA):
        address = f"http://sink:9099/hook/${{TOCSIN_SINK_TOKEN}}/{receiver}" if drilling else ""
        lines.append(f"{variable(receiver)}={address}")
    lines += [
        "",
        "# Where people reach Grafana: its links begin with it.",
        "#TOCSIN_GRAFANA_URL=http://localhost:3000/",
    ]
    lines += ["", "# Another image or port of loopback, such as:"]
    lines += ["#TOCSIN_IMAGE_PROMETHEUS=", "#TOCSIN_PORT_GRAFANA_HTTP=3001"]
    return "\n".join(lines) + "\n"


def write(made: Mapping[str, str], folder: Path) -> None:
    """Write all files, and remove from `config` what is not generated any more."""
    for name, content in made.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    for name in _present(folder) - made.keys():
        (folder / name).unlink()


def stale(made: Mapping[str, str], folder: Path) -> Sequence[str]:
    """The files that differ from what is in the folder: changed, missing, or left over."""
    present = _present(folder)
    changed = {name for name in made.keys() & present if (folder / name).read_text(encoding="utf-8") != made[name]}
    return sorted(changed | (made.keys() ^ present))


def _present(folder: Path) -> set[str]:
    found = [*(folder / "config").rglob("*"), folder / "compose.yaml", folder / ".env.example"]
    return {path.relative_to(folder).as_posix() for path in found if path.is_file()}


def _texts(component: Component, profile: str) -> Mapping[str, str]:
    """What a component reads, by its path below the configuration; TOKEN is where a secret would be."""
    # Whom a stack without a sink tells is filled in later: the address of this one is never written then.
    ports = [(one, port) for one in {"sink": SINK, **table(profile)}.values() for port in one.ports]
    places = Places(
        outside={f"{one.name}.{port}": f"localhost:{one.ports[port]}" for one, port in ports},
        inside={f"{one.name}.{port}": f"{one.name}:{one.ports[port]}" for one, port in ports},
        listen={f"{one.name}.{port}": f"{EVERYWHERE}:{one.ports[port]}" for one, port in ports},
    )
    return texts_of(
        component,
        profile=PROFILES[profile],
        places=places,
        layout=Layout(config=CONFIG, data=data_of(component)),
        secrets={"sink_token": TOKEN, "grafana_admin_password": TOKEN},
    )
