"""The store: images that the engine keeps; what is there, and what is put there from an archive."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import docker
import docker.errors
import requests

from stack.images.errors import ImageError, advice, words_of

ENDS_WITHIN_S = 60
"""Of a program that only says what it is."""


def held(client: docker.DockerClient, reference: str) -> docker.models.images.Image | None:
    """The image of this reference, if the engine has it."""
    try:
        return client.images.get(reference)
    except docker.errors.ImageNotFound:
        return None


def id_of(client: docker.DockerClient, reference: str) -> str:
    """The id of an image that the engine has. Raises ImageError when it has none."""
    image = held(client, reference)
    if image is None:
        raise ImageError(f"the engine has no image {reference}")
    return str(image.id)


def made_from(client: docker.DockerClient, reference: str, labels: Mapping[str, str]) -> str | None:
    """The id of the image, if the engine has it with these labels."""
    image = held(client, reference)
    return str(image.id) if image is not None and labels.items() <= image.labels.items() else None


def import_archive(client: docker.DockerClient, archive: Path, reference: str, changes: Sequence[str]) -> str:
    """Make an image whose files are the archive's and whose settings are the changes, lines as in a Dockerfile; its id."""
    repository, _, tag = reference.rpartition(":")
    try:
        answer = client.api.import_image_from_file(str(archive), repository=repository, tag=tag, changes=list(changes))
    except (docker.errors.APIError, OSError) as error:
        raise failed(f"{reference} cannot be imported", words_of(error)) from error
    said = [json.loads(line) for line in answer.splitlines() if line.strip()]
    for line in said:
        if "error" in line:
            raise failed(f"{reference} cannot be imported", line["error"])
    return id_of(client, reference)


def run(client: docker.DockerClient, reference: str, command: Sequence[str], *, entrypoint: str | None = None) -> str:
    """What a program prints in a container of the image, without a network, and gone afterwards with its volumes. Raises ImageError."""
    try:
        container = client.containers.create(reference, list(command), entrypoint=entrypoint, network_disabled=True)
        try:
            container.start()
            status = container.wait(timeout=ENDS_WITHIN_S)["StatusCode"]
            printed = container.logs().decode(errors="replace")
        finally:
            container.remove(v=True, force=True)
    except (docker.errors.DockerException, requests.RequestException, OSError) as error:
        raise failed(f"{reference} does not run", words_of(error)) from error
    if status:
        raise failed(f"{reference} does not run", f"exit status {status}\n{printed}")
    return str(printed)


def failed(what: str, why: str) -> ImageError:
    """An error with what the engine said, and what to try."""
    return ImageError(f"{what}: {why.strip()}\n  try: {advice(why)}")
