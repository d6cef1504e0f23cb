"""A parsed TraceQL query: immutable nodes, each of which prints as TraceQL."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from stack.standins.tempo.durations import format_duration


class Type(StrEnum):
    """The types of TraceQL; an attribute's is only known once there is a span."""

    NIL = "nil"
    STRING = "string"
    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    DURATION = "duration"
    STATUS = "status"
    KIND = "kind"
    ATTRIBUTE = "attribute"


@dataclass(frozen=True, slots=True)
class Keyword:
    """A value of the enumerations `status` and `kind`; unequal to any string."""

    type: Type
    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Static:
    """A literal; a duration's value is in nanoseconds."""

    type: Type
    value: str | int | float | bool | Keyword | None

    def __str__(self) -> str:
        if self.type is Type.STRING:
            return f"`{self.value}`"
        if self.type is Type.DURATION and isinstance(self.value, int):
            return format_duration(self.value)
        if self.value is None:
            return "nil"
        return str(self.value).lower() if isinstance(self.value, bool) else str(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """An attribute of a scope; the scope is empty for `.name`, which is looked up in all."""

    scope: str
    name: str

    def __str__(self) -> str:
        plain = not set(self.name) & set(' \t\n"{}()=~!<>&|^,')
        return f"{self.scope}.{self.name if plain else json.dumps(self.name)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intrinsic:
    """A field that every span has, by its canonical name; `text` as the query wrote it."""

    name: str
    type: Type
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Unary:
    """`!x` or `-x`."""

    op: str
    operand: "Field"

    def __str__(self) -> str:
        return f"{self.op}{_wrapped(self.operand)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary:
    """A comparison, a sum, a conjunction."""

    op: str
    left: "Field"
    right: "Field"

    def __str__(self) -> str:
        return f"{_wrapped(self.left)} {self.op} {_wrapped(self.right)}"


Field = Static | Attribute | Intrinsic | Unary | Binary


def _wrapped(field: Field) -> str:
    return f"({field})" if isinstance(field, Binary) else str(field)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """`{ ... }`: the spans for which the condition holds."""

    condition: Field


@dataclass(frozen=True, slots=True, kw_only=True)
class SpansetOperation:
    """Two spansets, joined (`&&`, `||`) or related by structure (`>`, `!>>`, `&~`)."""

    op: str
    left: "Spanset"
    right: "Spanset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """`count()`, or avg, max, min, sum of a field over a spanset."""

    function: str
    field: Field | None

    def __str__(self) -> str:
        return f"{self.function}({self.field or ''})"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalarOperation:
    """Arithmetic between aggregates and numbers."""

    op: str
    left: "Scalar"
    right: "Scalar"

    def __str__(self) -> str:
        return f"({self.left}) {self.op} ({self.right})"


Scalar = Aggregate | ScalarOperation | Static


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalarFilter:
    """`count() > 2`: keeps the spansets for which the comparison holds."""

    op: str
    left: Scalar
    right: Scalar


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """`by(field)`: splits spansets."""

    field: Field


@dataclass(frozen=True, slots=True, kw_only=True)
class Coalesce:
    """`coalesce()`: joins the spansets of a trace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Select:
    """`select(field, ...)`: fields to show beside those of the conditions."""

    fields: Sequence[Field]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """Stages, each fed with the spansets of the one before."""

    stages: "Sequence[Stage]"


Spanset = Filter | SpansetOperation | Pipeline
Stage = Filter | SpansetOperation | Pipeline | ScalarFilter | Group | Coalesce | Select


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """`topk(n)` or `bottomk(n)` over the series of a metrics query."""

    function: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metrics function over the spans of a pipeline."""

    function: str
    field: Field | None
    quantiles: Sequence[float]
    by: Sequence[Field]
    rankings: Sequence[Ranking]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A whole query: a pipeline, perhaps a metric over it, and its hints."""

    pipeline: Pipeline
    metric: Metric | None
    most_recent: bool
    exemplars: int | None
