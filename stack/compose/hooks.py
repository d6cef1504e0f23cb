"""Hooks: whom a standing stack tells of its alerts. Their addresses are secrets, so its files only say where they are found."""

import re

from stack.config import ConfigError

TOKEN = "a-place-for-a-secret"  # noqa: S105 - the very opposite of one
"""Rendered where a secret would be, and gone from every file that is written."""

SECRETS = "/run/secrets"
ALERTMANAGER = ("page", "ticket", "watchdog")
GRAFANA = ("grafana-page", "grafana-ticket")
"""Whom each of the two tells: one webhook each."""

ADMIN_PASSWORD = "GF_SECURITY_ADMIN_PASSWORD"  # noqa: S105 - the name of a variable
_HOOK = re.compile(rf'url: "http://[^/"]+/hook/{TOKEN}/([\w-]+)"')


def variable(receiver: str) -> str:
    """The variable that holds a receiver's address."""
    return f"TOCSIN_{receiver.replace('-', '_').upper()}_WEBHOOK"


def secret(receiver: str) -> str:
    """The name of the secret, and of the file in the container, with a receiver's address."""
    return f"{receiver.replace('-', '_')}_webhook"


def without_secrets(path: str, text: str) -> str:
    """
    A component's file as it may be committed: Alertmanager reads addresses from files, Grafana secrets from its environment.

    Raises ConfigError for a file with a secret in another place.
    """
    if path == "alertmanager.yaml":
        text = _HOOK.sub(lambda match: f'url_file: "{SECRETS}/{secret(match[1])}"', text)
    elif path.startswith("grafana/"):
        text = _HOOK.sub(lambda match: f'url: "${{{variable(match[1])}}}"', text)
        text = text.replace(f"admin_password = {TOKEN}", f"admin_password = $__env{{{ADMIN_PASSWORD}}}")
    if TOKEN in text:
        line = next(number for number, words in enumerate(text.splitlines(), 1) if TOKEN in words)
        raise ConfigError(f"{path}:{line}: a secret that a Compose file has no place for")
    return text
