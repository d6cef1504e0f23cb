"""The configuration file: YAML into a Config; each mistake is named with its line, what is allowed and a suggestion."""

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from detector.config import Config, Peer

MOST_BYTES = 1_000_000
Place = tuple[str | int, ...]


class ConfigError(ValueError):
    """The configuration is wrong. The message has one line for each mistake, `file:line: what, allowed, suggestion`."""


class _Document:
    """A YAML document as plain data, with the line of each key."""

    def __init__(self, path: Path, node: yaml.Node) -> None:
        self.path = path
        self.lines: dict[Place, int] = {}
        self.data = self._value(node, ())

    def _value(self, node: yaml.Node, place: Place) -> Any:
        self.lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*place, index)) for index, item in enumerate(node.value)]
        return yaml.SafeLoader("").construct_object(node, deep=True)

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            if key in found:
                raise ConfigError(f"{self.path}:{line}: {dotted((*place, key))} is written twice; keep one of them")
            self.lines[(*place, key)] = line
            found[key] = self._value(value_node, (*place, key))
        return found

    def line(self, place: Place) -> int:
        """The line of a place, or of the nearest place around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def load(path: Path) -> Config:
    """Read and check a configuration file; nothing is started or asked by it."""
    document = _Document(path, _compose(path))
    if not isinstance(document.data, dict):
        raise ConfigError(f"{path}:1: the file must be a mapping with the keys {', '.join(Config.model_fields)}")
    try:
        config = Config.model_validate(document.data)
    except ValidationError as error:
        problems = dict.fromkeys(_problem(document, dict(entry)) for entry in error.errors())
        raise ConfigError("\n".join(problems)) from None
    for place, file in _files(config):
        if not file.is_file():
            raise ConfigError(f"{path}:{document.line(place)}: {dotted(place)}: there is no file {file}; create it")
    return config


def _compose(path: Path) -> yaml.Node:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}; give the path of a file") from None
    if len(text) > MOST_BYTES:
        raise ConfigError(f"{path}: has {len(text)} bytes; a configuration has at most {MOST_BYTES}")
    try:
        node = yaml.compose(text.decode(), yaml.SafeLoader)
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text; save it as UTF-8") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise ConfigError(f"{path}:{line}: is not YAML: {problem}; check quotes and indentation") from None
    if node is None:
        raise ConfigError(f"{path}:1: is empty; it needs at least prometheus and series")
    return node


def _problem(document: _Document, entry: dict[str, Any]) -> str:
    place: Place = tuple(part for part in entry["loc"] if not str(part).startswith("function-"))
    where = f"{document.path}:{document.line(place)}: "
    match entry["type"]:
        case "extra_forbidden":
            return where + _unknown(place)
        case "missing":
            return where + f"{dotted(place[:-1]) or 'the file'} needs the key {place[-1]!r}; add it"
        case "value_error":
            prefix = f"{dotted(place)}: " if place else ""
            found = entry["input"]
            shown = f", found {found!r}" if isinstance(found, str | int | float) else ""
            return where + f"{prefix}{entry['ctx']['error']}{shown}"
        case "enum":
            return where + _choice(place, str(entry["input"]), entry["ctx"]["expected"])
    message = str(entry["msg"]).removeprefix("Input ").replace("should", "must")
    return where + f"{dotted(place)}: {message}, found {entry['input']!r}; correct the value"


def _unknown(place: Place) -> str:
    known = list(_model_at(place[:-1]).model_fields)
    close = difflib.get_close_matches(str(place[-1]), known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else "; remove it"
    return f"{dotted(place)}: unknown key {place[-1]!r}; known: {', '.join(sorted(known))}{hint}"


def _choice(place: Place, found: str, expected: str) -> str:
    allowed = [part.strip(" '") for part in expected.replace(" or ", ",").split(",")]
    close = difflib.get_close_matches(found, allowed, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else "; choose one of them"
    return f"{dotted(place)}: must be one of {', '.join(allowed)}, found {found!r}{hint}"


def _model_at(place: Place) -> type[BaseModel]:
    """The model that describes a place in the file."""
    model: type[BaseModel] = Config
    for part in place:
        if isinstance(part, str):
            model = next(_models_in(model.model_fields[part].annotation))
    return model


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from _models_in(part)


def _files(config: Config) -> Iterator[tuple[Place, Path]]:
    peers: list[tuple[Place, Peer]] = [(("prometheus",), config.prometheus)]
    peers += [(("sinks", "alertmanager", at), peer) for at, peer in enumerate(config.sinks.alertmanager)]
    peers += [(("sinks", "webhook", at), peer) for at, peer in enumerate(config.sinks.webhook)]
    for place, peer in peers:
        if peer.basic_auth:
            yield (*place, "basic_auth", "password_file"), peer.basic_auth.password_file
        if peer.bearer_token_file:
            yield (*place, "bearer_token_file"), peer.bearer_token_file
        for name in ("ca_file", "cert_file", "key_file"):
            if file := getattr(peer.tls, name):
                yield (*place, "tls", name), file


def dotted(place: Place) -> str:
    """`series[0].query`."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text
