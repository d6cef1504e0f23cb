"""Source: the documents of a YAML file, each value with the line that it stands on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from stack.slo.errors import SloError

Location = Sequence[str | int]
"""The way to a value: keys and indexes from the document's root."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One YAML document: its data, and where each part of it stands."""

    source: str
    data: dict[str, Any]
    root: yaml.Node

    def place(self, location: Location = ()) -> str:
        """
        `file:line` of the value at the location, or of the nearest one around it that exists.
        """
        return f"{self.source}:{_nearest(self.root, location).start_mark.line + 1}"


def documents(path: Path) -> Sequence[Document]:
    """
    All documents of the file.

    Raises SloError if it cannot be read, is no YAML, has no documents, or has one that is no mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SloError(f"{path}: cannot be read: {error}") from error
    return parse(text, source=str(path))


OPENSLO_KEYS = "apiVersion, kind, metadata and spec"


def parse(text: str, *, source: str, keys: str = OPENSLO_KEYS) -> Sequence[Document]:
    """
    All documents of the text; in error messages `source` is its name, and `keys` says what a document has.

    Raises SloError as `documents` does.
    """
    loader = yaml.SafeLoader(text)
    try:
        found = [_document(loader, root, source, keys) for root in _roots(loader)]
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise SloError(f"{source}:{line}: is no YAML: {error.problem}") from error
    finally:
        loader.dispose()
    if not found:
        raise SloError(f"{source}:1: is empty; it must hold documents with {keys}")
    return found


def _roots(loader: yaml.SafeLoader) -> Iterator[yaml.Node]:
    while loader.check_node():
        root = loader.get_node()
        if root is not None:
            yield root


def _document(loader: yaml.SafeLoader, root: yaml.Node, source: str, keys: str) -> Document:
    if not isinstance(root, yaml.MappingNode):
        line = root.start_mark.line + 1
        raise SloError(f"{source}:{line}: a document must be a mapping with {keys}")
    _refuse_duplicates(root, source)
    return Document(source=source, data=loader.construct_document(root), root=root)


def _refuse_duplicates(node: yaml.Node, source: str) -> None:
    """YAML's loader keeps the last of two equal keys without a word; so does nobody who reads the file."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_duplicates(item, source)
    elif isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.value in seen:
                raise SloError(f"{source}:{line}: {key.value!r} is given twice, first on line {seen[key.value]}")
            seen[key.value] = line
            _refuse_duplicates(value, source)


def _nearest(node: yaml.Node, location: Location) -> yaml.Node:
    for step in location:
        inner = _child(node, step)
        if inner is None:
            break
        node = inner
    return node


def _child(node: yaml.Node, step: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == step), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        item: yaml.Node = node.value[step]
        return item
    return None
