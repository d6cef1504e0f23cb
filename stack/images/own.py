"""Our own images: built by the engine from their Dockerfiles, with all packages in the context."""

import tempfile
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path

import docker
import docker.errors

from stack.engines.cache import locked
from stack.engines.progress import Reporter, Stage
from stack.images.base import examine
from stack.images.errors import ImageError, words_of
from stack.images.store import failed, id_of, made_from
from stack.images.table import BASE, KEY, ROOT, Ours
from stack.images.tarball import Tarball, digest, files_below
from stack.images.wheels import fetch

PLACES = (ROOT / "deploy" / "images", Path(__file__).parent / "deploy")
"""Where the Dockerfiles are: in a checkout, in an installation."""

OFFLINE: Mapping[str, str] = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels"}
WHEELS = "wheels"
TAIL = 15
"""How many lines of a failed build its error shows."""


def place_of(image: Ours) -> Path:
    """The folder with an image's Dockerfile and pins. Raises ImageError when there is none."""
    for place in PLACES:
        if (place / image.name / "Dockerfile").is_file():
            return place / image.name
    raise ImageError(
        f"{image.reference}: no Dockerfile in {PLACES[0] / image.name}: use a checkout of the project, or pull the image"
    )


def key_of(image: Ours) -> str:
    """A digest of all that the image is made from but its base: two with the same one hold the same program."""
    files = context_of(image)
    return digest(*files, *files.values())


def current(client: docker.DockerClient, image: Ours) -> str | None:
    """The id of the image, if the engine has the one that would be built now, on whichever base."""
    return made_from(client, image.reference, {KEY: key_of(image)})


def context_of(image: Ours) -> Mapping[str, Path]:
    """The files that the engine needs to build the image, but for the wheels, by their path in the context."""
    place = place_of(image)
    files = {f"deploy/images/{image.name}/{path.name}": path for path in files_below(place)}
    for source in image.sources:
        files |= {str(path.relative_to(ROOT)): path for path in files_below(ROOT / source)}
    return files


def build(client: docker.DockerClient, image: Ours, base: str, report: Reporter) -> str:
    """
    Make the image on a base that the engine has, unless it has this very one; its id.

    Raises ImageError, and EngineError when packages cannot be fetched.
    """
    with locked(image.name, on_wait=lambda: report(Stage.WAIT), below="images"):
        labels = {KEY: key_of(image), BASE: base}
        made = made_from(client, image.reference, labels)
        if made is None:
            wheels = fetch(place_of(image) / "requirements.txt", examine(client, base), report)
            files = {f"{WHEELS}/{wheel.name}": wheel for wheel in sorted(wheels.glob("*.whl"))}
            report(Stage.BUILD, detail=image.reference)
            _build(client, image, base, {**context_of(image), **files}, labels)
            made = id_of(client, image.reference)
    report(Stage.READY, detail=image.reference)
    return made


def _build(
    client: docker.DockerClient, image: Ours, base: str, files: Mapping[str, Path], labels: Mapping[str, str]
) -> None:
    with tempfile.TemporaryDirectory(prefix="tocsin-") as folder:
        archive = Path(folder) / "context.tar"
        with Tarball(archive) as tarball:
            for name, path in files.items():
                tarball.add_file(path, name)
        with archive.open("rb") as context:
            answer = client.api.build(
                fileobj=context,
                custom_context=True,
                dockerfile=f"deploy/images/{image.name}/Dockerfile",
                tag=image.reference,
                buildargs={"BASE": base, **OFFLINE},
                labels=dict(labels),
                rm=True,
                forcerm=True,
                decode=True,
            )
            _follow(answer, image.reference)


def _follow(answer: Iterable[Mapping[str, str]], reference: str) -> None:
    """Wait for the end of a build; raise ImageError with the end of what it printed."""
    printed: deque[str] = deque(maxlen=TAIL)
    try:
        for line in answer:
            printed.extend(part for part in line.get("stream", "").splitlines() if part.strip())
            if "error" in line:
                raise failed(f"{reference} cannot be built", "\n".join([*printed, line["error"]]))
    except (docker.errors.DockerException, OSError) as error:
        raise failed(f"{reference} cannot be built", words_of(error)) from error
