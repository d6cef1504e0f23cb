"""Pins: which packages an image holds, at which versions and with which hashes: a part of the project's own lock."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from stack.images.errors import ImageError

LOCK = "requirements.lock"
_BLOCK = re.compile(r"^(?=[A-Za-z0-9])", re.MULTILINE)
_VIA = re.compile(r"^    #(?: via)? +([A-Za-z0-9][\w.-]*)", re.MULTILINE)
_HASH = re.compile(r"--hash=(\S+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One package at one version; `via` are the packages that need it."""

    requirement: Requirement
    hashes: tuple[str, ...]
    via: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """The package, as the index spells it."""
        return canonicalize_name(self.requirement.name)

    def __str__(self) -> str:
        lines = (str(self.requirement), *(f"    --hash={value}" for value in self.hashes))
        return " \\\n".join(lines) + "\n"


def read(text: str) -> Sequence[Pin]:
    """The pins of a lock file, with the notes of who needs each."""
    return [_pin(block) for block in _BLOCK.split(text) if block.strip() and not block.startswith("#")]


def needed(pins: Sequence[Pin], roots: Iterable[str]) -> Sequence[Pin]:
    """
    The pins of these packages and of all that they need, in the lock's order.

    A package pinned at two versions, for different Pythons, keeps both. Raises ImageError for a root that the lock lacks.
    """
    names: set[str] = {canonicalize_name(root) for root in roots}
    absent = names - {pin.name for pin in pins}
    if absent:
        raise ImageError(f"{LOCK} has no {', '.join(sorted(absent))}; add it to pyproject.toml, then `make lock`")
    grown = True
    while grown:
        more = {pin.name for pin in pins if pin.via & names}
        grown = not more <= names
        names |= more
    return [pin for pin in pins if pin.name in names]


def fitting(pins: Iterable[Pin], environment: Mapping[str, str]) -> Sequence[Pin]:
    """The pins whose markers hold in this environment (PEP 508), now without markers."""
    return [
        Pin(requirement=_plain(pin.requirement), hashes=pin.hashes)
        for pin in pins
        if pin.requirement.marker is None or pin.requirement.marker.evaluate(dict(environment))
    ]


def text_of(pins: Iterable[Pin]) -> str:
    """A requirements file that pip takes with --require-hashes."""
    return "# A part of the project's lock; `python -m stack.images lock` writes it anew.\n" + "".join(map(str, pins))


def read_file(path: Path) -> Sequence[Pin]:
    """The pins of a file. Raises ImageError when it cannot be read."""
    try:
        return read(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ImageError(f"{path}: {error.strerror}; is this a whole checkout of the project?") from error


def _pin(block: str) -> Pin:
    head = block.partition("\n")[0].removesuffix("\\").strip()
    via = frozenset(canonicalize_name(name) for name in _VIA.findall(block) if name != "tocsin")
    return Pin(requirement=Requirement(head), hashes=tuple(_HASH.findall(block)), via=via)


def _plain(requirement: Requirement) -> Requirement:
    plain = Requirement(str(requirement))
    plain.marker = None
    return plain
