"""Wheels: the packages of an image, fetched here for the Python in its base, so that a build needs no network."""

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from stack.engines import cache_folder
from stack.engines.cache import locked, replacing
from stack.engines.programs import Programs
from stack.engines.progress import Reporter, Stage
from stack.images.base import Base
from stack.images.errors import ImageError
from stack.images.pins import fitting, read_file, text_of
from stack.images.tarball import digest

OLDEST_GLIBC = 5
"""The oldest minor version of glibc 2 that wheels are made for."""


def fetch(requirements: Path, base: Base, report: Reporter) -> Path:
    """
    A folder with one wheel for each package that the requirements ask for in this base; kept in the cache.

    Raises ImageError without pip, and EngineError when the index does not serve one.
    """
    pins = fitting(read_file(requirements), environment_of(base))
    text = text_of(pins)
    folder = cache_folder() / "images" / f"wheels-{digest(text, base.python, base.machine, str(base.glibc))}"
    with locked(folder.name, on_wait=lambda: report(Stage.WAIT), below="images"):
        if not folder.is_dir():
            report(Stage.DOWNLOAD, total=len(pins), detail="wheels")
            _download(text, base, folder)
    return folder


def environment_of(base: Base) -> dict[str, str]:
    """The markers of a base (PEP 508)."""
    return {
        "implementation_name": "cpython",
        "implementation_version": base.python,
        "os_name": "posix",
        "platform_machine": base.machine,
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_full_version": base.python,
        "python_version": ".".join(base.python.split(".")[:2]),
        "sys_platform": "linux",
    }


def platforms_of(base: Base) -> Iterator[str]:
    """The platform tags whose wheels run in a base, newest first."""
    for minor in range(base.glibc, OLDEST_GLIBC - 1, -1):
        yield f"manylinux_2_{minor}_{base.machine}"
    yield f"manylinux2014_{base.machine}"
    yield f"linux_{base.machine}"


def _download(text: str, base: Base, folder: Path) -> None:
    if importlib.util.find_spec("pip") is None:
        raise ImageError(
            f"this Python ({sys.executable}) has no pip, which fetches the packages of images: `python -m ensurepip`"
        )
    with replacing(folder) as part:
        listed = part / "requirements.txt"
        listed.write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "pip", "download", "--no-input", "--progress-bar", "off", "--no-deps"]
        command += ["--only-binary", ":all:", "--require-hashes", "--dest", str(part), "--implementation", "cp"]
        command += ["--python-version", base.python]
        for platform in platforms_of(base):
            command += ["--platform", platform]
        Programs().run(
            f"images: fetching wheels for Python {base.python} on {base.machine}",
            [*command, "-r", listed],
            log=folder.with_suffix(".log"),
            cwd=part,
            environment={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        )
        listed.unlink()
