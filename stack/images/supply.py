"""The supply of images: what a stack wants is found, pulled or built, and what stands for the rest is named."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import docker

from stack.components import Component
from stack.engines.progress import Report, Reporter, silent
from stack.errors import StackError
from stack.images import local, own
from stack.images.base import LOCAL_BASE
from stack.images.errors import ImageError
from stack.images.image import Image, Origin
from stack.images.pull import pull
from stack.images.store import held
from stack.images.table import LOCAL, MADE_HERE, OFFICIAL_BASE, STOOD_IN, Local, Ours, repository

PULLS = 8
"""At a time."""


def references(components: Iterable[Component], environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """What each component should run, by name: TOCSIN_IMAGE_<COMPONENT> if it is set, else the table's."""
    environ = os.environ if environ is None else environ
    return {component.name: environ.get(variable(component.name)) or component.image for component in components}


def variable(name: str) -> str:
    """The environment variable that names another image for a component."""
    return f"TOCSIN_IMAGE_{name.upper().replace('-', '_')}"


def look(client: docker.DockerClient, wanted: Mapping[str, str]) -> dict[str, Image | None]:
    """What the engine has of the wanted images, by name, or what stands for them there; None where there is neither. Nothing is fetched."""
    return {name: _found(client, name, reference) for name, reference in wanted.items()}


def ensure(client: docker.DockerClient, wanted: Mapping[str, str], *, report: Report = silent) -> dict[str, Image]:
    """
    An image for each name: pulled if it is not there, built if it is ours; else what stands for it.

    A machine that has local images is taken for one without a registry: nothing is pulled there.
    Our own images are built anew when what they are made from has changed, and never pulled. `report` is called from several threads.
    Raises ImageError that tells of every image that cannot be had.
    """
    trouble: dict[str, str] = {}
    present = look(client, wanted)
    if not any(image and image.origin is Origin.LOCAL for image in present.values()):
        absent = {reference for name, reference in wanted.items() if not _as_named(present[name])}
        trouble |= _pull(client, sorted(absent - MADE_HERE.keys()), report)
        present = look(client, wanted)
    needed = {_stand_in(wanted[name]) for name, image in present.items() if not _as_named(image)} | set(wanted.values())
    trouble |= _build(client, [image for reference, image in MADE_HERE.items() if reference in needed], report)
    return _whole(look(client, wanted), trouble, wanted)


def _found(client: docker.DockerClient, name: str, wanted: str) -> Image | None:
    official = repository(wanted)
    candidates = [(wanted, Origin.OURS if wanted in MADE_HERE else Origin.AS_NAMED)]
    if official in LOCAL:
        candidates.append((LOCAL[official].reference, Origin.LOCAL))
    if official in STOOD_IN:
        candidates.append((STOOD_IN[official], Origin.STAND_IN))
    for reference, origin in candidates:
        image = held(client, reference)
        if image is not None:
            digests = [known.partition("@")[2] for known in image.attrs.get("RepoDigests") or ()]
            digest = digests[0] if digests else ""
            return Image(name=name, wanted=wanted, reference=reference, id=str(image.id), origin=origin, digest=digest)
    return None


def _as_named(image: Image | None) -> bool:
    return image is not None and image.reference == image.wanted


def _stand_in(wanted: str) -> str:
    """The reference of what can stand in for a wanted image; empty if nothing can."""
    return STOOD_IN.get(repository(wanted), "")


def _pull(client: docker.DockerClient, wanted: Sequence[str], report: Report) -> dict[str, str]:
    """Pull all at once; what went wrong, by reference."""
    if not wanted:
        return {}
    with ThreadPoolExecutor(min(PULLS, len(wanted)), thread_name_prefix="pull") as pool:
        acts = [partial(pull, client, reference, _reporter(reference, report)) for reference in wanted]
        told = zip(wanted, pool.map(_trouble, acts), strict=True)
        return {reference: words for reference, words in told if words}


def _build(client: docker.DockerClient, wanted: Iterable[Ours | Local], report: Report) -> dict[str, str]:
    """Build those of ours that are not there as they should be; what went wrong, by reference."""
    told = {image.reference: _trouble(partial(_build_one, client, image, report)) for image in wanted}
    return {reference: words for reference, words in told.items() if words}


def _build_one(client: docker.DockerClient, image: Ours | Local, report: Report) -> None:
    if isinstance(image, Local):
        if held(client, image.reference) is None:
            local.build(client, image, Reporter(image.name, report))
    elif own.current(client, image) is None:
        own.build(client, image, _base(client, report), Reporter(image.name, report))


def _base(client: docker.DockerClient, report: Report) -> str:
    """The base to build on: the official one, else a local one; pulled if there is neither."""
    for reference in (OFFICIAL_BASE, LOCAL_BASE):
        if held(client, reference) is not None:
            return reference
    pull(client, OFFICIAL_BASE, _reporter(OFFICIAL_BASE, report))
    return OFFICIAL_BASE


def _reporter(reference: str, report: Report) -> Reporter:
    return Reporter(repository(reference).rpartition("/")[2], report)


def _trouble(act: Callable[[], object]) -> str:
    """What went wrong, in words; empty if nothing did."""
    try:
        act()
    except StackError as error:
        return str(error)
    return ""


def _whole(
    found: Mapping[str, Image | None], trouble: Mapping[str, str], wanted: Mapping[str, str]
) -> dict[str, Image]:
    """All that was found; raise ImageError with all reasons if that is not all, or if one of ours is not as it should be."""
    absent = [wanted[name] for name, image in found.items() if image is None]
    stale = [image.reference for image in found.values() if image and image.reference in MADE_HERE]
    reasons = [
        trouble.get(reference) or f"{reference} is not there"
        for reference in dict.fromkeys([*absent, *map(_stand_in, absent), *stale])
        if reference in absent or reference in trouble
    ]
    if reasons:
        raise ImageError("\n".join(reasons))
    return {name: image for name, image in found.items() if image}
