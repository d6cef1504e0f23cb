"""The configuration of a stack with Grafana and a detector, as it is rendered for drills."""

from pathlib import Path

from stack.components import COMPONENTS
from stack.config import PROFILES
from stack.runtimes.files import write_files
from stack.runtimes.host import Layout, Places

SECRETS = {"sink_token": "a-token-for-the-sink", "grafana_admin_password": "a-password-of-the-admin"}


def render(root: Path, *, but: tuple[str, ...] = ()) -> Path:
    """All files below the root; `but` names components that the stack has not."""
    table = {name: one for name, one in COMPONENTS.items() if name not in ("toxiproxy", *but)}
    names = [f"{component.name}.{port}" for component in table.values() for port in component.ports]
    address = {name: f"127.0.0.1:{9000 + number}" for number, name in enumerate(names)}
    write_files(
        root,
        table,
        profile=PROFILES["drill"],
        places=Places(outside=address, inside=address, listen=address),
        layout=lambda _: Layout(config=str(root), data=str(root.parent / "data")),
        secrets=SECRETS,
    )
    return root
