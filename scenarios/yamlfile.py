"""YamlFile: YAML read strictly, so that each value knows the line it stands on.

YAML has traps: `no` is a flag, `1:30` a number, a key may be written twice. Here only `true`, `false`, `null` and decimal
numbers mean more than their text, a key stands once, and what scenarios have no use for (anchors, tags) is refused by name.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from scenarios.errors import Problem, ScenarioError

Key = str | int
"""One step into a file: a key of a mapping or an index of a list."""

LARGEST_BYTES = 1_000_000
"""No drill is larger; more is the wrong file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """What to tell people in place of the parser's words; `at_start`: show where the unfinished thing begins."""

    pattern: str
    text: str
    at_start: bool = False


_HALF = re.compile("[\ud800-\udfff]")
"""Surrogates: they can be escaped in YAML, but never be written to a file again."""

DEEPEST = 20
"""No drill is nested deeper; more would only be an attack on the reader."""

_JARGON = (
    _Words(pattern=r"character '\\t'", text="a tab, where YAML allows none; indent with spaces"),
    _Words(
        pattern=r"mapping values are not allowed",
        text="a `:` too many, or a line indented too far; put texts that hold `: ` into quotes",
    ),
    _Words(pattern=r"could not find expected ':'", text="a line without `:`; write `key: value`"),
    _Words(
        pattern=r"but found '[\]}]'",
        text="a closing bracket that nothing opened; remove it, or open it",
    ),
    _Words(
        pattern=r"expected ',' or '\}'",
        text="a `{` that is not closed, or a missing comma; write `{key: value, key: value}`",
        at_start=True,
    ),
    _Words(
        pattern=r"expected ',' or '\]'",
        text="a `[` that is not closed, or a missing comma; write `[one, two]`",
        at_start=True,
    ),
    _Words(
        pattern=r"unexpected end of stream",
        text="a text whose quote is not closed; end it with the same quote",
        at_start=True,
    ),
    _Words(
        pattern=r"unknown escape character",
        text="a backslash in double quotes that escapes nothing; use single quotes",
    ),
    _Words(
        pattern=r"cannot start any token",
        text="a character that cannot begin a text; put the text into quotes",
    ),
    _Words(
        pattern=r"found another document|found '<document start>'", text="a second document; write one drill per file"
    ),
    _Words(pattern=r"expected the node content", text="nothing where a value should be; write it, or `null`"),
    _Words(
        pattern=r"<block end>|block collection",
        text="a line that does not go on with what stands above it; let keys of one mapping begin in one column",
    ),
)


class _Refused(yaml.MarkedYAMLError):
    """YAML that is right, but that scenarios have no use for."""


class _Composer(yaml.SafeLoader):
    """PyYAML's own reader, with the narrow set of meanings above."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's interface
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse what scenarios have no use for, at the line where it stands."""
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            self._refuse(event, f"a reference `*{event.anchor}`; write out what it stands for")
        if getattr(event, "anchor", None):
            self._refuse(event, f"an anchor `&{event.anchor}`; write the value out where it is needed")
        tag = getattr(event, "tag", None)
        if tag is not None and tag != "!":
            self._refuse(event, f"a tag `{tag}`; write the plain value")
        if _HALF.search(getattr(event, "value", "")):
            self._refuse(event, "an escape that stands for half a character; write the character itself")
        if self.depth >= DEEPEST:
            self._refuse(event, f"more than {DEEPEST} levels; a drill has a handful")
        self.depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1

    @staticmethod
    def _refuse(event: Any, text: str) -> None:
        raise _Refused(problem=text, problem_mark=event.start_mark)


for _tag, _pattern, _first in (
    ("null", r"null|~|", ["n", "~", ""]),
    ("bool", r"true|false", ["t", "f"]),
    ("int", r"[-+]?[0-9]{1,18}", list("-+0123456789")),
    ("float", r"[-+]?[0-9]{1,18}\.[0-9]{1,18}", list("-+0123456789")),
):
    _Composer.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first)


class YamlFile:
    """
    One YAML document: its value, and the line of each part of it.

    Raises ScenarioError when the text is no YAML, holds anything but one mapping, or uses what is refused here.
    """

    def __init__(self, text: str, *, source: str) -> None:
        self.source = source
        root = self._compose(text)
        self.root: yaml.MappingNode = self._one_mapping(root)
        self.value: dict[str, Any] = self._value(self.root)

    def line(self, path: Sequence[Key]) -> int:
        """
        The line of the part to which a path leads, or of the nearest part around it.

        Steps that the file does not have are passed over, for validators name more than there is.
        """
        node: yaml.Node = self.root
        line = node.start_mark.line
        for step in path:
            found = _child(node, step)
            if found is not None:
                line, node = found
        return line + 1

    def _compose(self, text: str) -> yaml.Node | None:
        try:
            return yaml.compose(text, Loader=_Composer)
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            raise self.error(line, f"a control character (code {error.character}); remove it") from error
        except _Refused as error:
            raise self.error(_line(error, at_start=False), str(error.problem)) from error
        except yaml.MarkedYAMLError as error:
            problem = error.problem or ""
            words = next((words for words in _JARGON if re.search(words.pattern, problem)), None)
            line = _line(error, at_start=words is not None and words.at_start)
            raise self.error(line, words.text if words else f"no YAML: {problem}") from error

    def _one_mapping(self, root: yaml.Node | None) -> yaml.MappingNode:
        if root is None or (isinstance(root, yaml.ScalarNode) and not root.value):
            raise self.error(1, "nothing in the file; a drill has name, why, load and expect")
        if not isinstance(root, yaml.MappingNode):
            found = "a list" if isinstance(root, yaml.SequenceNode) else "a text"
            raise self.error(
                root.start_mark.line + 1, f"{found} in place of a drill; write keys: name, why, load, expect"
            )
        return root

    def _value(self, node: yaml.Node) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item) for item in node.value]
        return _scalar(node)

    def _mapping(self, node: yaml.MappingNode) -> dict[str, Any]:
        found: dict[str, Any] = {}
        first: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise self.error(line, "a key that is a list or a mapping; a key is one word")
            if key.value in found:
                raise self.error(
                    line,
                    f"the key `{key.value}` for the second time (first on line {first[key.value]}); keep one of them",
                )
            found[key.value] = self._value(value)
            first[key.value] = line
        return found

    def error(self, line: int, text: str) -> ScenarioError:
        """An error at a line of this file."""
        return ScenarioError([Problem(source=self.source, line=line, text=f"found {text}")])


def _child(node: yaml.Node, step: Key) -> tuple[int, yaml.Node] | None:
    """The line at which a part of a node begins, and the part."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                return key.start_mark.line, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        item = node.value[step]
        return item.start_mark.line, item
    return None


def _scalar(node: yaml.Node) -> Any:
    kind = node.tag.rpartition(":")[2]
    text = str(node.value)
    if kind == "null":
        return None
    if kind == "bool":
        return text == "true"
    if kind in ("int", "float"):
        return int(text) if kind == "int" else float(text)
    return text


def _line(error: yaml.MarkedYAMLError, *, at_start: bool) -> int:
    """The line of an error, or that of the unfinished thing in which it was noticed."""
    marks = (error.context_mark, error.problem_mark) if at_start else (error.problem_mark, error.context_mark)
    return next((mark.line + 1 for mark in marks if mark is not None), 1)
