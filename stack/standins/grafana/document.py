"""A provisioning file: its tree, and on which line each part stands."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from stack.standins.grafana.problems import ProvisioningError, Warnings

_VARIABLE = re.compile(r"\$\$|\$\{(\w+)\}|\$(\w+)")

Place = tuple[str | int, ...]


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # the safe loader; in C if there is one
    """YAML as Grafana's parser takes it: `=`, `on`, `22:00` and dates are texts, where YAML 1.1 has other ideas."""


Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(?:0|[1-9]\d*)|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(?:\d+\.\d*|\.\d+|\d+(?=[eE]))(?:[eE][-+]?\d+)?|[-+]?\.inf|\.nan", "-+0123456789."),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", r"<<", "<"),
):
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A mapping in a provisioning file that knows its place, so that each mistake can be named by it."""

    file: str
    place: Place
    tree: Mapping[str, object]
    lines: Mapping[Place, int] = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)
    warnings: Warnings = field(repr=False)

    def entries(self, key: str) -> Sequence["Entry"]:
        """
        The mappings of a list; none when it is left out.
        """
        rows = self.tree.get(key)
        if rows is None:
            return []
        if not isinstance(rows, list):
            raise self.error(f"{key} must be a list, found {rows!r}", key)
        return [self._inner((key, index), row) for index, row in enumerate(rows)]

    def entry(self, key: str) -> "Entry":
        """
        A mapping; empty when it is left out.
        """
        return self._inner((key,), self.tree.get(key) or {})

    def text(self, key: str, default: str = "", *, raw: bool = False) -> str:
        """
        A text with `$NAME` and `${NAME}` from the environment, `$$` for a dollar; as it stands if `raw`.
        """
        value = self.tree.get(key)
        if value is None:
            return default
        if isinstance(value, dict | list):
            raise self.error(f"{key} must be a text, found {value!r}", key)
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return text if raw else self.expanded(text)

    def number(self, key: str, default: int) -> int:
        """
        A whole number.
        """
        text = self.text(key, str(default))
        if not re.fullmatch(r"-?\d+", text):
            raise self.error(f"{key} must be a whole number, found {text!r}", key)
        return int(text)

    def flag(self, key: str, default: bool) -> bool:
        """
        True or false.
        """
        text = self.text(key, str(default)).lower()
        if text not in ("true", "false"):
            raise self.error(f"{key} must be true or false, found {text!r}", key)
        return text == "true"

    def texts(self, key: str) -> Mapping[str, str]:
        """
        A mapping of texts, as it stands.
        """
        inner = self.entry(key)
        return {str(name): inner.text(name, raw=True) for name in inner.tree}

    def expanded(self, text: str) -> str:
        """
        Variables replaced from the environment; an unset one becomes empty, as it does for Grafana.
        """
        return _VARIABLE.sub(
            lambda match: "$" if match[0] == "$$" else self.environment.get(match[1] or match[2], ""), text
        )

    def expanded_tree(self, value: object) -> object:
        """
        A tree with the variables in each of its texts replaced.
        """
        if isinstance(value, dict):
            return {str(key): self.expanded_tree(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.expanded_tree(item) for item in value]
        return self.expanded(value) if isinstance(value, str) else value

    def know(self, what: str, known: Sequence[str]) -> None:
        """
        Warn of each key that Grafana would drop without a word.
        """
        for key in self.tree:
            if key not in known:
                close = difflib.get_close_matches(str(key), known, n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
                self.warn(f"{what}: key {str(key)!r} is unknown, Grafana drops it silently; {hint}", str(key))

    def warn(self, text: str, key: str | int | None = None) -> None:
        """
        Name something that Grafana accepts silently.
        """
        self.warnings.add(f"{self.at(key)}: {text}")

    def error(self, problem: str, key: str | int | None = None) -> ProvisioningError:
        """
        An error that names file and line.
        """
        return ProvisioningError(f"{self.at(key)}: {problem}")

    def at(self, key: str | int | None = None) -> str:
        """
        File and line of the entry, or of one of its keys.
        """
        place = self.place if key is None else (*self.place, key)
        return f"{self.file}:{self.lines.get(place, self.lines.get(self.place, 1))}"

    def _inner(self, below: Place, tree: object) -> "Entry":
        if not isinstance(tree, dict):
            raise self.error(f"{below[0]} must hold mappings, found {tree!r}", below[0])
        return Entry(
            file=self.file,
            place=(*self.place, *below),
            tree=tree,
            lines=self.lines,
            environment=self.environment,
            warnings=self.warnings,
        )


def read_documents(folder: Path, environment: Mapping[str, str], warnings: Warnings) -> Sequence[Entry]:
    """
    The YAML (and JSON) files of a provisioning folder in name order; none when there is no such folder.
    """
    if not folder.is_dir():
        return []
    files = sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml", ".json") and path.is_file())
    return [_read(path, environment, warnings) for path in files]


def _read(path: Path, environment: Mapping[str, str], warnings: Warnings) -> Entry:
    try:
        text = path.read_text("utf-8")
        node = yaml.compose(text, Loader=Loader)
        tree = yaml.load(text, Loader=Loader) or {}  # noqa: S506
    except OSError as error:
        raise ProvisioningError(f"{path}: cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ProvisioningError(f"{path}: failure to parse file: {error}") from error
    if not isinstance(tree, dict):
        raise ProvisioningError(f"{path}:1: expected a mapping, found {type(tree).__name__}")
    lines = dict(_lines(node, ()))
    return Entry(file=str(path), place=(), tree=tree, lines=lines, environment=environment, warnings=warnings)


def _lines(node: yaml.Node | None, place: Place) -> Iterator[tuple[Place, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*place, str(key.value))
            yield inner, key.start_mark.line + 1
            yield from _lines(value, inner)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*place, index), value.start_mark.line + 1
            yield from _lines(value, (*place, index))
