"""The images for real: who runs in them, what they may write, how large they are, and how they end. Needs a container engine."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import docker
import httpx
import pytest
from docker.models.containers import Container

from stack import images
from stack.engines.search import version_in
from stack.images.store import held
from stack.images.table import BASE, LOCAL, OURS, TOXIPROXY, USER, Local, Ours

pytestmark = pytest.mark.e2e

MOST_ABOVE_BASE = 120_000_000
"""Bytes that the demo app may add to its base."""

LOCKED = {"read_only": True, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges"], "mem_limit": "512m"}
"""What a careful operator allows a container: next to nothing."""

WITHIN_S = 60
MODULES = {"demo-app": ["demo_app"], "detector": ["detector"], "standins": ["stack.standins.grafana"]}


@pytest.fixture(scope="module")
def engine() -> Iterator[docker.DockerClient]:
    """An engine with our images; the tests are skipped, with the reason, where there is none."""
    try:
        client = images.connect()
    except images.EngineMissing as error:
        pytest.skip(str(error))
    try:
        images.ensure(client, {image.name: reference for reference, image in OURS.items()})
    except images.ImageError as error:
        pytest.skip(f"our images cannot be built here: {error}")
    yield client
    client.close()


@contextmanager
def running(engine: docker.DockerClient, image: str, command: list[str], **settings: object) -> Iterator[Container]:
    """A container of an image, removed afterwards whatever happens."""
    container = engine.containers.create(image, command, **{**LOCKED, **settings})
    try:
        container.start()
        yield container
    finally:
        container.remove(force=True, v=True)


def printed(engine: docker.DockerClient, image: str, command: list[str], **settings: object) -> str:
    """What a container prints until it ends well."""
    with running(engine, image, command, network_disabled=True, **settings) as container:
        status = container.wait(timeout=WITHIN_S)["StatusCode"]
        text = str(container.logs().decode())
    assert status == 0, text
    return text


def eventually(look: Callable[[], bool], otherwise: Callable[[], str]) -> None:
    """Ask until it is so, or until the deadline."""
    deadline = time.monotonic() + WITHIN_S
    while not look():
        assert time.monotonic() < deadline, otherwise()
        time.sleep(0.1)


@pytest.mark.parametrize("image", OURS.values(), ids=lambda image: image.name)
def test_runs_as_nobody_in_particular_and_writes_to_its_data_alone(engine: docker.DockerClient, image: Ours) -> None:
    """The user is 10001; with a read-only root file system it can write where its data are, and nowhere else."""
    program = (
        "import os\n"
        "print(os.getuid(), os.getgid())\n"
        "open('/var/lib/tocsin/data', 'w').close()\n"
        "for place in ('/', '/opt/tocsin', '/etc', '/usr/bin'):\n"
        "    assert not os.access(place, os.W_OK), place\n"
    )

    assert printed(engine, image.reference, ["-c", program], entrypoint="python3") == f"{USER} {USER}\n"


@pytest.mark.parametrize("image", OURS.values(), ids=lambda image: image.name)
def test_its_programs_run_without_a_shell_and_without_rights(engine: docker.DockerClient, image: Ours) -> None:
    """What is started is Python itself, and all that the program imports is in the image."""
    configuration = engine.images.get(image.reference).attrs["Config"]

    assert configuration["Entrypoint"] == ["python3", "-m"]
    assert configuration["User"] == f"{USER}:{USER}"
    assert "usage:" in printed(engine, image.reference, [*MODULES[image.name], "--help"]).lower()


def test_demo_app_is_small(engine: docker.DockerClient) -> None:
    """It adds at most 120 MB to its base."""
    image = engine.images.get(images.DEMO_APP.reference)
    base = held(engine, image.labels[BASE])
    if base is None:
        pytest.skip(f"the base {image.labels[BASE]} is no longer there to compare with")

    assert image.attrs["Size"] - base.attrs["Size"] <= MOST_ABOVE_BASE


def test_demo_app_serves_says_that_it_is_well_and_ends_when_told(engine: docker.DockerClient) -> None:
    """A role answers on the port that was published, the engine finds it healthy, and SIGTERM ends it with 0."""
    settings = {"environment": {"DEMO_ROLE": "users"}, "ports": {"8000/tcp": ("127.0.0.1", None)}}
    often = {"test": engine.images.get(images.DEMO_APP.reference).attrs["Config"]["Healthcheck"]["Test"]}
    fast = {**often, "interval": 10**9, "timeout": 5 * 10**9, "start_period": 0, "retries": 30}
    with running(engine, images.DEMO_APP.reference, ["demo_app"], healthcheck=fast, **settings) as container:

        def healthy() -> bool:
            container.reload()
            assert container.status == "running", container.logs().decode()
            return bool(container.attrs["State"]["Health"]["Status"] == "healthy")

        eventually(healthy, lambda: str(container.attrs["State"]["Health"]))
        port = container.attrs["NetworkSettings"]["Ports"]["8000/tcp"][0]["HostPort"]
        assert httpx.get(f"http://127.0.0.1:{port}/ready", timeout=10).status_code == 200
        container.stop(timeout=WITHIN_S)
        assert container.wait(timeout=WITHIN_S)["StatusCode"] == 0, container.logs().decode()


@pytest.mark.parametrize("image", [*LOCAL.values(), TOXIPROXY], ids=lambda image: image.name)
def test_local_image_runs_the_engine_that_it_says(engine: docker.DockerClient, image: Local) -> None:
    """An image that stands for an official one runs that engine, at its pinned version, and not as root."""
    if held(engine, image.reference) is None:
        pytest.skip(f"{image.reference} was not made here: `python -m stack.images build --local`")
    said = version_in(printed(engine, image.reference, ["--version"]).partition("\n")[0])

    assert said == version_in(f"version {image.engine.version}")
    assert engine.images.get(image.reference).attrs["Config"]["User"] == f"{image.user}:{image.user}"
