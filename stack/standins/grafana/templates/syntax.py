"""What a template consists of once it is parsed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Union


class TemplateError(ValueError):
    """A template that cannot be rendered; a real Grafana then shows its raw text."""


class UnsupportedTemplate(ValueError):
    """A construct that Grafana has and the stand-in does not; refused at the start."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A text, number, boolean or nil."""

    value: object


@dataclass(frozen=True, slots=True)
class Path:
    """Fields below the dot, a variable or a parenthesised pipeline; the root is '' for the dot."""

    root: "str | Pipeline"
    fields: Sequence[str]


@dataclass(frozen=True, slots=True)
class Function:
    """A function's name."""

    name: str


Operand = Literal | Path | Function


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands, each a list of operands; the result of one is the last argument of the next."""

    commands: Sequence[Sequence[Operand]]


@dataclass(frozen=True, slots=True)
class Text:
    """Literal text."""

    text: str


@dataclass(frozen=True, slots=True)
class Output:
    """`{{ pipeline }}`, or with a variable `{{ $x := pipeline }}`, which prints nothing."""

    pipeline: Pipeline
    variable: str = ""
    declares: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """`if`, `with` or `range` with its body and its `else`; `variables` are those of a range or with."""

    kind: str
    pipeline: Pipeline
    variables: Sequence[str]
    body: Sequence["Node"]
    otherwise: Sequence["Node"]


Node = Union[Text, Output, Block]  # noqa: UP007 - a forward reference in a union of names
