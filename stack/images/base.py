"""The base of our images: the official Python, or a local one made from Debian's packages where no registry can be reached."""

import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import docker

from stack.engines import cache_folder
from stack.engines.cache import locked
from stack.engines.programs import Programs
from stack.engines.progress import Reporter, Stage
from stack.images.errors import ImageError
from stack.images.store import id_of, import_archive, made_from, run
from stack.images.table import KEY, OFFICIAL_BASE, STANDS_FOR
from stack.images.tarball import digest

LOCAL_BASE = "tocsin-local/python:3.11-bookworm"
RECIPE = (
    "mmdebstrap",
    "--variant=minbase",
    "--include=python3,python3-pip,ca-certificates",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    "--format=tar",
    "bookworm",
)
SETTINGS = (
    "ENV LANG=C.UTF-8",
    'CMD ["python3"]',
    f"LABEL {STANDS_FOR}={OFFICIAL_BASE.partition(':')[0]}",
)

ASK = """
import json, platform, sys
print(json.dumps({"python": platform.python_version(), "machine": platform.machine(), "libc": platform.libc_ver()}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The Python in a base image: its version, the machine it is for, and the minor version of its glibc 2."""

    python: str
    machine: str
    glibc: int


def examine(client: docker.DockerClient, reference: str) -> Base:
    """Ask the Python of a base image what it is. Raises ImageError when it is not there, or wheels for glibc do not fit it."""
    id_of(client, reference)
    said = json.loads(run(client, reference, ["-c", ASK], entrypoint="python3"))
    libc, version = said["libc"]
    if libc != "glibc" or not version.startswith("2."):
        raise ImageError(
            f"{reference}: its Python is not built on glibc 2 ({libc or 'another C library'}); "
            f"a base must be one such as {OFFICIAL_BASE}, not Alpine's"
        )
    return Base(python=said["python"], machine=said["machine"], glibc=int(version.split(".")[1]))


def build_local(client: docker.DockerClient, report: Reporter) -> str:
    """Make the local base unless the engine has it; its id. The archive is kept in the cache. Raises ImageError and EngineError."""
    key = digest(*RECIPE, *SETTINGS)
    made = made_from(client, LOCAL_BASE, {KEY: key})
    if made is None:
        archive = cache_folder() / "images" / f"base-{key}.tar"
        with locked(archive.name, on_wait=lambda: report(Stage.WAIT), below="images"):
            if not archive.is_file():
                report(Stage.INSTALL, detail="Debian's packages")
                _bootstrap(archive)
        report(Stage.BUILD, detail=LOCAL_BASE)
        made = import_archive(client, archive, LOCAL_BASE, [*SETTINGS, f"LABEL {KEY}={key}"])
    report(Stage.READY, detail=LOCAL_BASE)
    return made


def _bootstrap(archive: Path) -> None:
    """Let mmdebstrap write the archive; it is there whole, or not at all."""
    if shutil.which(RECIPE[0]) is None:
        raise ImageError(
            "mmdebstrap is not installed, and it makes the local base: `sudo apt-get install mmdebstrap` on Debian or Ubuntu; "
            f"or give a base that the engine has: `python -m stack.images build --base {OFFICIAL_BASE}`"
        )
    log = archive.with_suffix(".log")
    with tempfile.TemporaryDirectory(prefix="base-", dir=archive.parent) as folder:
        part = Path(folder) / "base.tar"
        Programs().run(
            "base: making a Debian with Python", [*RECIPE, part], log=log, cwd=Path(folder), environment=os.environ
        )
        part.rename(archive)
