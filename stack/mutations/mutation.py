"""Mutation: one thing to delete from a configuration file, as data; and how files are changed by them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

Place = tuple[str | int, ...]
"""The way to a part of a file: keys and indices."""

Kind = Literal[
    "panel",
    "panel query",
    "panel datasource",
    "recording rule",
    "alert rule",
    "rule datasource",
    "policy route",
    "contact point",
    "datasource",
    "datasource link",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """
    What is deleted: the `places` in a file below the configuration folder.

    `source` says who raises or shows what it is about (what Alertmanager tells is Prometheus'), and `subject` by which name
    expectations know it: a dashboard's uid, an alert's or a receiver's name, a datasource's uid. `name` is for people.
    """

    kind: Kind
    source: Literal["prometheus", "grafana"]
    subject: str
    name: str
    file: str
    places: tuple[Place, ...]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def apply(mutations: Sequence[Mutation], root: Path) -> None:
    """
    Delete all that they say from the files below `root`. Raises KeyError or IndexError where there is no such place.
    """
    for file in {mutation.file for mutation in mutations}:
        path = root / file
        data = parsed(path)
        places = [place for mutation in mutations if mutation.file == file for place in mutation.places]
        # The last first, so that the places of the others stay where they are.
        for place in sorted(set(places), key=_order, reverse=True):
            _delete(data, place)
        path.write_text(_text(path, data), encoding="utf-8")


def parsed(path: Path) -> Any:
    """A file of JSON or YAML as data."""
    text = path.read_text(encoding="utf-8")
    return json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)


def _text(path: Path, data: Any) -> str:
    return json.dumps(data, indent=2) if path.suffix == ".json" else yaml.safe_dump(data, sort_keys=False)


def _order(place: Place) -> list[tuple[bool, int, str]]:
    return [(isinstance(step, int), step if isinstance(step, int) else 0, str(step)) for step in place]


def _delete(data: Any, place: Place) -> None:
    for step in place[:-1]:
        data = data[step]
    del data[place[-1]]
