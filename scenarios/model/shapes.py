"""Shapes: what a span of a trace, or an edge of the service graph, must be like."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from scenarios.model.topology import Role
from scenarios.model.value import Misfit, Value
from scenarios.units import Flag, Number, PositiveSeconds, Whole


def _plain(value: Any) -> Any:
    if not isinstance(value, bool | int | float | str):
        raise ValueError(f"{value!r} is not the value of an attribute; write a text, a number or a flag")
    return value


Plain = Annotated[Flag | Whole | Number | str, BeforeValidator(_plain)]
"""The value of an attribute: a text, a number or a flag."""


class SpanShape(Value):
    """A span that a trace must hold; what is left out may be anything."""

    service: Role | None = Field(default=None, description="the service that made it; null: any")
    name: str | None = Field(default=None, min_length=1, description="its name; `*` stands for any letters; null: any")
    kind: Literal["server", "client", "internal"] | None = Field(default=None, description="its kind; null: any")
    error: Flag | None = Field(default=None, description="whether it is marked as an error; null: either")
    event: str | None = Field(default=None, min_length=1, description="an event that it has; null: none is asked for")
    event_attributes: Mapping[str, Plain] = Field(
        default={}, description="attributes of that event; in a text `*` stands for any letters"
    )
    attributes: Mapping[str, Plain] = Field(
        default={}, description="its attributes; in a text `*` stands for any letters"
    )
    min_duration: PositiveSeconds | None = Field(default=None, description="it lasts at least so long; null: any")
    max_duration: PositiveSeconds | None = Field(default=None, description="it lasts at most so long; null: any")
    count: Whole = Field(default=1, ge=1, le=1000, description="at least so many such spans in each trace")

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        if self.event_attributes and self.event is None:
            raise Misfit(
                "attributes of an event that has no name; add `event:`, such as `exception`", "event_attributes"
            )
        if self.min_duration and self.max_duration and self.min_duration > self.max_duration:
            raise Misfit(
                f"no span lasts at least {self.min_duration:g}s and at most {self.max_duration:g}s; exchange the two",
                "min_duration",
            )
        return self


NODES = ("user", *get_args(Role), "database")
"""The nodes of the service graph: `user` calls a service without a trace of its own, `database` is a role's own one."""

_EDGE = re.compile(rf"({'|'.join(NODES)})\s*->\s*({'|'.join(NODES)})")


def _edge(value: Any) -> str:
    match = _EDGE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(
            f"not an edge: {value!r}; write who calls whom, such as `frontend -> catalog`; known: {', '.join(NODES)}"
        )
    return f"{match[1]} -> {match[2]}"


Edge = Annotated[
    str, BeforeValidator(_edge), WithJsonSchema({"type": "string", "pattern": rf"^\s*{_EDGE.pattern}\s*$"})
]
"""Who calls whom: `frontend -> catalog`."""
