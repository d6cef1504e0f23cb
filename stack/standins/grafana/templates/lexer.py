"""A template's text, cut into literal text and the tokens of its actions."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from stack.standins.grafana.templates.syntax import TemplateError

_ACTION = re.compile(r"\{\{(-(?=\s))?(.*?)((?<=\s)-)?\}\}", re.DOTALL)
_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<string>"(?:\\.|[^"\\])*"|`[^`]*`)
    |(?P<number>[+-]?(?:0x[0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?))
    |(?P<variable>\$\w*(?:\.\w+)*)
    |(?P<field>(?:\.\w+)+|\.)
    |(?P<assign>:=|=)
    |(?P<mark>[|(),])
    |(?P<word>[A-Za-z_]\w*)""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """One token of an action; `glued` when it follows the one before without a space."""

    kind: str
    text: str
    glued: bool


@dataclass(frozen=True, slots=True)
class Action:
    """The tokens between two pairs of braces."""

    tokens: Sequence[Token]
    source: str


def cut(source: str) -> Iterator[str | Action]:
    """
    Text and actions in order; white space is trimmed where `{{-` and `-}}` ask for it, comments are left out.
    """
    position, trim = 0, False
    for match in _ACTION.finditer(source):
        text = source[position : match.start()]
        text = text.lstrip() if trim else text
        text = text.rstrip() if match[1] else text
        if text:
            yield text
        inner = match[2].strip()
        if not (inner.startswith("/*") and inner.endswith("*/")):
            yield Action(tuple(_tokens(inner)), inner)
        position, trim = match.end(), bool(match[3])
    rest = source[position:]
    if "{{" in rest:
        raise TemplateError(f"unclosed action in {source!r}")
    rest = rest.lstrip() if trim else rest
    if rest:
        yield rest


def _tokens(inner: str) -> Iterator[Token]:
    position, glued = 0, False
    while position < len(inner):
        match = _TOKEN.match(inner, position)
        if match is None:
            raise TemplateError(f"unexpected {inner[position : position + 8]!r} in action {{{{ {inner} }}}}")
        if match.lastgroup == "space":
            glued = False
        else:
            yield Token(str(match.lastgroup), match[0], glued)
            glued = True
        position = match.end()
