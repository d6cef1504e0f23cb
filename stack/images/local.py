"""Local images: engines that were built here, each in an image with nothing else, for where official ones cannot be had."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import docker

from stack import engines
from stack.engines.progress import Reporter, Stage
from stack.images.store import import_archive, made_from, run
from stack.images.table import KEY, STANDS_FOR, Local
from stack.images.tarball import Tarball, digest


def build(client: docker.DockerClient, image: Local, report: Reporter) -> str:
    """Make the image unless the engine has this very one; its id. Raises ImageError, and EngineError when a binary cannot be built."""
    binaries = engines.ensure(image.binaries.values(), find=engines.built)
    files = {inside: binaries[binary] for inside, binary in image.binaries.items()}
    settings = settings_of(image)
    key = digest(*settings, accounts(image), *image.binaries, *files.values())
    made = made_from(client, image.reference, {KEY: key})
    if made is None:
        report(Stage.BUILD, detail=image.reference)
        with tempfile.TemporaryDirectory(prefix="tocsin-") as folder:
            archive = Path(folder) / "image.tar"
            write(archive, image, files)
            made = import_archive(client, archive, image.reference, [*settings, f"LABEL {KEY}={key}"])
        # An engine on another kind of machine takes the image, and cannot run it.
        run(client, image.reference, ["--version"])
    report(Stage.READY, detail=image.reference)
    return made


def settings_of(image: Local) -> Sequence[str]:
    """How the image is run, as lines of a Dockerfile."""
    return (
        f"ENTRYPOINT {json.dumps(['/' + next(iter(image.binaries))])}",
        f"CMD {json.dumps(image.command)}",
        f"USER {image.user}:{image.user}",
        *((f"VOLUME {image.data}", f"WORKDIR {image.data}") if image.data else ()),
        *(f"EXPOSE {port}" for port in image.ports),
        *((f"LABEL {STANDS_FOR}={image.stands_for}",) if image.stands_for else ()),
        f"LABEL org.opencontainers.image.version={image.engine.version}",
        "LABEL org.opencontainers.image.licenses=Apache-2.0",
    )


def accounts(image: Local) -> str:
    """The image's /etc/passwd: some engines look their user up."""
    return f"root:x:0:0:root:/:/none\nengine:x:{image.user}:{image.user}:engine:{image.data or '/'}:/none\n"


def write(archive: Path, image: Local, files: Mapping[str, Path]) -> None:
    """Write all files of the image; only its data and /tmp are writable to its user."""
    with Tarball(archive) as tarball:
        for inside, path in files.items():
            tarball.add_file(path, inside, mode=0o755)
        tarball.add_text(accounts(image), "etc/passwd")
        tarball.add_folder("tmp", mode=0o1777)
        if image.data:
            tarball.add_folder(image.data.removeprefix("/"), owner=image.user)
