"""Archives: how files are copied into a container."""

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path


def packed(files: Mapping[str, Path]) -> bytes:
    """Files of ours by their paths inside; every user of the container may read them."""
    return _packed({inside: outside.read_bytes() for inside, outside in files.items()})


def noughts(sizes: Mapping[str, int]) -> bytes:
    """Files full of noughts, by their sizes."""
    return _packed({name: bytes(size) for name, size in sizes.items()})


def _packed(contents: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, content in contents.items():
            entry = tarfile.TarInfo(name.lstrip("/"))
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()
