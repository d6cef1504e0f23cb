"""The standing stack for real: Compose starts it from its files, and it is whole. Needs a container engine and Compose."""

import os
import re
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from stack import images
from stack.components import APP, COMPONENTS
from stack.compose import files, write
from stack.compose.document import table
from stack.images import Image, Origin
from stack.images.supply import variable
from stack.runtimes.readiness import wait_until

pytestmark = pytest.mark.e2e

WITHIN_S = 180
STAND_INS: Mapping[str, tuple[str, ...]] = {
    "tempo": ("stack.standins.tempo", "-config.file=/etc/tocsin/tempo.yaml"),
    "grafana": (
        *("stack.standins.grafana", "server", "--homepath", "/var/lib/grafana"),
        *("--config", "/etc/tocsin/grafana/grafana.ini"),
    ),
}
PASSWORD = secrets.token_urlsafe(16)
GRAFANA_IS_WELL = "import urllib.request as web; web.urlopen('http://localhost:3000/api/health', timeout=2)"


@pytest.fixture(scope="module")
def compose() -> list[str]:
    """The words that Compose is called with; the tests are skipped where it is not installed."""
    for words in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(words[0]) and "v1." not in (said := _said(words)) and re.search(r"(?i)compose version", said):
            return words
    pytest.skip("Compose (2 or newer) is not installed: neither `docker compose` nor `docker-compose` answers")


def _said(words: list[str]) -> str:
    return subprocess.run([*words, "version"], capture_output=True, text=True, check=False, timeout=60).stdout


@pytest.fixture(scope="module")
def found() -> dict[str, Image]:
    """What each service runs here; the tests are skipped, with the reason, where images cannot be had."""
    wanted = images.references([*table("production").values(), *APP.values()])
    try:
        client = images.connect()
    except images.EngineMissing as error:
        pytest.skip(str(error))
    try:
        return images.ensure(client, wanted)
    except images.ImageError as error:
        pytest.skip(str(error))
    finally:
        client.close()


@pytest.fixture(scope="module")
def stack(
    compose: list[str], found: dict[str, Image], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """The production stack with its demo app, on free ports; where each `TOCSIN_PORT_` is. All of it goes afterwards."""
    folder = tmp_path_factory.mktemp("stack")
    write(files("production"), folder)
    ports = _free(re.findall(r"TOCSIN_PORT_\w+", (folder / "compose.yaml").read_text()))
    _fill_in(folder, ports, found)
    (folder / "override.yaml").write_text(yaml.safe_dump({"services": _overrides(found)}))
    call = [*compose, "-p", f"tocsin-test-{secrets.token_hex(4)}", "-f", "compose.yaml", "-f", "override.yaml"]
    call += ["--profile", "demo"]
    try:
        wait = ["up", "--detach", "--no-build", "--wait", "--wait-timeout", str(WITHIN_S)]
        result = _run([*call, *wait], folder)
        logs = "" if result.returncode == 0 else _run([*call, "logs", "--tail", "15"], folder).stdout
        assert result.returncode == 0, result.stderr + logs
        yield ports
    finally:
        _run([*call, "down", "--volumes", "--timeout", "5"], folder)


def test_every_part_is_there_and_scraped(stack: dict[str, str]) -> None:
    """Prometheus finds all that it is told to scrape, by the names of the services."""
    place = f"http://127.0.0.1:{stack['TOCSIN_PORT_PROMETHEUS_HTTP']}/api/v1/query"
    last: dict[str, str] = {}

    def all_up() -> bool:
        result: Any = httpx.get(place, params={"query": "up"}, timeout=10).json()["data"]["result"]
        last.update({one["metric"]["job"]: one["value"][1] for one in result})
        return set(last) == jobs and set(last.values()) == {"1"}

    jobs = {"collector-exporter", *(set(COMPONENTS) - {"sink", "toxiproxy"})}
    wait_until(all_up, within_s=WITHIN_S, otherwise=lambda: f"expected {jobs} to be up, found {last}")


def test_requests_reach_the_rules(stack: dict[str, str]) -> None:
    """What clients ask of the demo app becomes metrics, through the collector; so apps on this machine would reach it, too."""
    frontend = f"http://127.0.0.1:{stack['TOCSIN_PORT_FRONTEND_HTTP']}/api/products"
    query = 'http_server_request_duration_seconds_count{service_namespace="demo",service_name="frontend"}'
    place = f"http://127.0.0.1:{stack['TOCSIN_PORT_PROMETHEUS_HTTP']}/api/v1/query"

    def counted() -> bool:
        assert httpx.get(frontend, timeout=10).status_code == 200
        return bool(httpx.get(place, params={"query": query}, timeout=10).json()["data"]["result"])

    wait_until(counted, within_s=WITHIN_S, otherwise=lambda: f"no answer to {query}")


def test_grafana_opens_with_the_password_of_the_settings(stack: dict[str, str]) -> None:
    """And with no other; all dashboards are there."""
    place = f"http://127.0.0.1:{stack['TOCSIN_PORT_GRAFANA_HTTP']}/api/search?type=dash-db"

    assert httpx.get(place, auth=("admin", "admin"), timeout=10).status_code == 401
    found = httpx.get(place, auth=("admin", PASSWORD), timeout=10).json()
    assert {one["uid"] for one in found} == {
        Path(name).stem for name in files("production") if name.startswith("config/grafana/dashboards/")
    }


def _free(names: list[str]) -> dict[str, str]:
    """A free port for each name, all of them different."""
    with ExitStack() as held:
        sockets = {name: held.enter_context(socket.socket()) for name in names}
        for one in sockets.values():
            one.bind(("127.0.0.1", 0))
        return {name: str(one.getsockname()[1]) for name, one in sockets.items()}


def _fill_in(folder: Path, ports: Mapping[str, str], found: Mapping[str, Image]) -> None:
    """Do what a person does with .env.example."""
    text = (folder / ".env.example").read_text()
    text = re.sub(r"^(\w+_WEBHOOK)=$", r"\1=http://127.0.0.1:9/hook", text, flags=re.MULTILINE)
    text = text.replace("GF_SECURITY_ADMIN_PASSWORD=", f"GF_SECURITY_ADMIN_PASSWORD={PASSWORD}")
    own = {variable(name): image.reference for name, image in found.items()}
    lines = [f"{name}={value}" for name, value in {**ports, **own}.items()]
    (folder / ".env").write_text("\n".join([text, *lines]) + "\n")


def _overrides(found: Mapping[str, Image]) -> dict[str, Any]:
    """What stand-ins are told in place of what the real ones are."""
    made: dict[str, Any] = {
        name: {"command": list(command), "pull_policy": "never"}
        for name, command in STAND_INS.items()
        if found[name].origin is Origin.STAND_IN
    }
    if "grafana" in made:
        made["grafana"]["healthcheck"] = {"test": ["CMD", "python3", "-c", GRAFANA_IS_WELL]}
    return made


def _run(command: list[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    # What this environment says of images must not count for more than the file does.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TOCSIN_", "COMPOSE_"))}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=WITHIN_S + 60
    )
