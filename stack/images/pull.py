"""A pull: one image, from the registry that its name says, layer by layer."""

import docker
import docker.errors

from stack.engines.progress import Reporter, Stage
from stack.images.errors import ImageError, words_of
from stack.images.store import failed, id_of

MEGABYTE = 1_000_000


def pull(client: docker.DockerClient, reference: str, report: Reporter) -> str:
    """Let the engine pull the image; its id. Progress is in megabytes. Raises ImageError with the registry's words and what to try."""
    report(Stage.DOWNLOAD, detail=reference)
    layers: dict[str, tuple[int, int]] = {}
    try:
        for line in client.api.pull(reference, stream=True, decode=True):
            if "error" in line:
                raise _refused(reference, line["error"])
            detail = line.get("progressDetail") or {}
            if line.get("status") == "Downloading" and detail.get("total"):
                layers[line["id"]] = (detail["current"], detail["total"])
                done, total = (sum(column) // MEGABYTE for column in zip(*layers.values(), strict=True))
                report(Stage.DOWNLOAD, done=done, total=total, detail=reference)
    except (docker.errors.DockerException, OSError) as error:
        raise _refused(reference, words_of(error)) from error
    report(Stage.READY, detail=reference)
    return id_of(client, reference)


def _refused(reference: str, why: str) -> ImageError:
    return failed(f"{reference} cannot be pulled", why)
