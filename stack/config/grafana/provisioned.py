"""Provisioned: all that a folder of files gives a Grafana, read strictly, each part with its place."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from stack.config.grafana.schema import (
    AlertingFile,
    ContactPoint,
    DashboardsFile,
    Datasource,
    DatasourcesFile,
    Group,
    Policy,
    Rule,
)
from stack.slo.errors import SloError
from stack.slo.reading import validated
from stack.slo.source import Document, Location, parse

_Value = TypeVar("_Value")

KINDS: Mapping[str, tuple[type[BaseModel], str]] = {
    "alerting": (AlertingFile, "apiVersion and groups, contactPoints or policies"),
    "datasources": (DatasourcesFile, "apiVersion and datasources"),
    "dashboards": (DashboardsFile, "apiVersion and providers"),
}
"""What files hold, by the folder below `provisioning`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """Something that Grafana refuses, or takes without a word and does not do."""

    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(Generic[_Value]):
    """A part of a file and where it stands."""

    value: _Value
    document: Document
    at: Location

    def place(self, *more: str | int) -> str:
        """`file:line` of the part, or of something within it."""
        return self.document.place([*self.at, *more])

    def mistake(self, text: str, *more: str | int) -> Mistake:
        """A mistake of this part, or of something within it."""
        return Mistake(place=self.place(*more), text=text)


@dataclass(slots=True, kw_only=True)
class Provisioned:
    """All parts of all files, and what could not be read."""

    groups: list[Found[Group]] = field(default_factory=list)
    rules: list[tuple[Found[Group], Found[Rule]]] = field(default_factory=list)
    contact_points: list[Found[ContactPoint]] = field(default_factory=list)
    policies: list[Found[Policy]] = field(default_factory=list)
    datasources: list[Found[Datasource]] = field(default_factory=list)
    pages: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)

    @classmethod
    def read(cls, files: Mapping[str, str]) -> "Provisioned":
        """
        The files by their path below Grafana's configuration folder: `provisioning/KIND/*.yaml` and `dashboards/*.json`.
        """
        made = cls()
        for path, text in files.items():
            parts = PurePosixPath(path)
            kind = parts.parts[1] if len(parts.parts) > 2 and parts.parts[0] == "provisioning" else ""
            if kind in KINDS and parts.suffix in (".yaml", ".yml"):
                made._take_document(path, text, kind)
            elif parts.parts[0] == "dashboards" and parts.suffix == ".json":
                made._take_page(path, text)
        return made

    def _take_document(self, path: str, text: str, kind: str) -> None:
        model, keys = KINDS[kind]
        try:
            (document, *_) = parse(text, source=path, keys=keys)
            file = validated(document, model)
        except SloError as error:
            self.mistakes += [_mistake(line) for line in str(error).splitlines()]
            return
        match file:
            case AlertingFile():
                self.groups += _listed(document, "groups", file.groups)
                self.contact_points += _listed(document, "contactPoints", file.contactPoints)
                self.policies += _listed(document, "policies", file.policies)
                for group in _listed(document, "groups", file.groups):
                    self.rules += [(group, rule) for rule in _within(group, "rules", group.value.rules)]
            case DatasourcesFile():
                self.datasources += _listed(document, "datasources", file.datasources)

    def _take_page(self, path: str, text: str) -> None:
        try:
            page = json.loads(text)
        except json.JSONDecodeError as error:
            self.mistakes.append(Mistake(place=f"{path}:{error.lineno}", text=f"is no JSON: {error.msg}"))
            return
        if not isinstance(page, dict) or not isinstance(page.get("panels"), list):
            self.mistakes.append(
                Mistake(place=f"{path}:1", text="is no dashboard in classic JSON: it has no list of panels")
            )
            return
        self.pages.append((path, page))


def _listed(document: Document, key: str, values: Sequence[_Value]) -> Iterator[Found[_Value]]:
    for index, value in enumerate(values):
        yield Found(value=value, document=document, at=[key, index])


def _within(outer: Found[Any], key: str, values: Sequence[_Value]) -> Iterator[Found[_Value]]:
    for index, value in enumerate(values):
        yield Found(value=value, document=outer.document, at=[*outer.at, key, index])


def _mistake(line: str) -> Mistake:
    place, _, text = line.partition(": ")
    return Mistake(place=place, text=text)
