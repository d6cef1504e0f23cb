"""The connection to a Docker engine: one that answers, or an error that says why none does."""

import os
import socket
from collections.abc import Mapping

import docker
import docker.errors

from stack.errors import StackError

ANSWER_WITHIN_S = 60
"""Of one request; a pull or a build answers piece by piece, and may take longer as a whole."""

KNOCK_S = 5.0
SOCKET = "unix:///var/run/docker.sock"


class EngineMissing(StackError):
    """No container engine can be used from here; the message says where it was sought, why not, and what to try."""


REASONS: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("permission denied",),
        "this user may not use it: join the group `docker` (`sudo usermod -aG docker $USER`, then log in again), "
        "or use a rootless engine and set DOCKER_HOST to its socket",
    ),
    (
        ("no such file or directory", "connection refused"),
        "no engine runs there: start one (`sudo systemctl start docker`, `podman system service -t 0`), "
        "or set DOCKER_HOST to where one is",
    ),
    (("paramiko",), "to reach it by ssh takes one package more: `pip install 'docker[ssh]'`"),
    (("timed out", "timeout"), "it does not answer: is the address right, and the engine alive?"),
    (
        ("name or service not known", "name resolution", "no address associated", "nodename nor servname"),
        "there is no such host: look at DOCKER_HOST",
    ),
    (
        ("certificate", "ssl", "tls"),
        "it speaks TLS, and was not trusted: look at DOCKER_TLS_VERIFY and DOCKER_CERT_PATH",
    ),
)


def connect(environ: Mapping[str, str] | None = None, *, within_s: int = ANSWER_WITHIN_S) -> docker.DockerClient:
    """
    A client of the engine that DOCKER_HOST names, else of the local socket; each of its answers must come within that time.

    Podman's socket serves as well. Raises EngineMissing when none answers.
    """
    environ = os.environ if environ is None else environ
    place = environ.get("DOCKER_HOST") or SOCKET
    try:
        _knock(place)
        # Without paramiko; the ssh program knows the user's keys, agent and configuration.
        by_ssh = environ.get("DOCKER_HOST", "").startswith("ssh://")
        client = docker.from_env(environment=dict(environ), timeout=within_s, use_ssh_client=by_ssh)
        client.ping()
    except (docker.errors.DockerException, OSError) as error:
        raise EngineMissing(_explained(place, str(error))) from error
    return client


def _knock(place: str) -> None:
    """Open a local socket once: an error comes at once then, and as what it is. Raises OSError."""
    if place.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as door:
            door.settimeout(KNOCK_S)
            door.connect(place.removeprefix("unix://"))


def _explained(place: str, error: str) -> str:
    lower = error.lower()
    told = next((told for words, told in REASONS if any(word in lower for word in words)), error)
    return f"no container engine can be used at {place}: {told}"
