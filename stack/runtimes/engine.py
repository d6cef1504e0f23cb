"""Engine: a container engine, and what its refusals mean to somebody who only wanted a drill."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Self
from urllib.parse import urlparse

import docker
import docker.errors
import requests
from testcontainers.core.config import testcontainers_config
from testcontainers.core.docker_client import get_docker_host

from stack import images
from stack.errors import StackError
from stack.images.connection import ANSWER_WITHIN_S

LABEL = "org.tocsin.roster"
"""The label of every container, network and volume of ours: the id of the roster that it belongs to."""

LOOPBACK = "127.0.0.1"

ADVICE: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("port is already allocated", "address already in use"),
        "the port was taken by somebody else: free it, or leave the choice to tocsin",
    ),
    (
        ("cannot assign requested address",),
        "its ports are published on the address that DOCKER_HOST names; that must be an address of the engine's own machine",
    ),
    (
        ("no space left on device", "disk quota exceeded"),
        "the engine's disk is full: `docker system df` shows what fills it, `docker system prune` frees some",
    ),
    (
        ("non-overlapping ipv4 address pool", "address pools have been fully subnetted"),
        "it has no free network left: `docker network prune` removes unused ones",
    ),
    (("no such image",), "the image was removed meanwhile; try again"),
    (
        ("range of cpus", "memory limit", "cgroup"),
        "it cannot limit CPU or memory here; is the engine rootless without cgroup v2?",
    ),
    (
        ("connection aborted", "connection refused", "broken pipe", "no such file or directory"),
        "the engine went away; is it still running?",
    ),
    (("timed out", "timeout"), "the engine does not answer any more"),
)


class Engine:
    """
    One engine, by its client. `address` is where ports of its containers are published: loopback, unless it runs on another machine.
    """

    def __init__(self, client: docker.DockerClient, *, place: str) -> None:
        self.client = client
        self.place = place
        self.address = published_at(place)

    @cached_property
    def version(self) -> str:
        """What it calls itself."""
        with telling("the engine cannot be asked"):
            return str(self.client.version()["Version"])

    @cached_property
    def cpus(self) -> int:
        """How many CPUs it has."""
        with telling("the engine cannot be asked"):
            return int(self.client.info()["NCPU"])

    def close(self) -> None:
        """Let go of the connection."""
        self.client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def connected(place: str | None = None, *, within_s: int = ANSWER_WITHIN_S) -> Engine:
    """
    The engine at a place as DOCKER_HOST names one; without one where Testcontainers would find it: by its properties, DOCKER_HOST,
    Docker's context, or else on the local socket. Each of its answers must come within that time.

    Raises StackError when none answers there.
    """
    place = (get_docker_host() or "") if place is None else place
    return Engine(images.connect(environment(place), within_s=within_s), place=place)


def environment(place: str) -> dict[str, str]:
    """The environment in which Docker's client finds the engine at this place, whatever the command's own says."""
    others = {name: text for name, text in os.environ.items() if name != "DOCKER_HOST"}
    return {**others, "DOCKER_HOST": place} if place else others


def published_at(place: str) -> str:
    """
    The address at which an engine's containers are reached from here. Raises StackError when its machine is unknown.

    Only an engine on another machine publishes on that machine's own address; all others on loopback alone.
    """
    if testcontainers_config.tc_host_override:
        host = testcontainers_config.tc_host_override
    else:
        url = urlparse(place)
        host = (url.hostname or "") if url.scheme in ("tcp", "http", "https", "ssh") else ""
    try:
        return socket.gethostbyname(host) if host else LOOPBACK
    except OSError as error:
        raise StackError(
            f"the engine's machine {host!r} is not known here: {error.strerror}; look at DOCKER_HOST"
        ) from error


@contextmanager
def telling(what: str) -> Iterator[None]:
    """Turn the engine's errors into one StackError: what could not be done, what the engine said, and what to try."""
    try:
        yield
    except docker.errors.APIError as error:
        said = str(error.explanation or error).strip()
        raise StackError(f"{what}: {said}{advice(said)}") from error
    except (docker.errors.DockerException, requests.RequestException, OSError) as error:
        raise StackError(f"{what}: {error}{advice(str(error))}") from error


def advice(said: str) -> str:
    """What to try, by the engine's own words; empty when they say it themselves."""
    lower = said.lower()
    found = next((advice for words, advice in ADVICE if any(word in lower for word in words)), "")
    return f"\n  {found}" if found else ""
