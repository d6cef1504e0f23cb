"""Reading: one YAML document into its OpenSLO model, with errors that a person can act on."""

import difflib
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from stack.slo.errors import SloError
from stack.slo.openslo import KINDS, Object
from stack.slo.source import Document

_BOUNDS = {"greater_than": ("gt", "above"), "less_than": ("lt", "below")}


def read(document: Document) -> Object:
    """
    The document's model.

    Raises SloError with one line per mistake.
    """
    kind = document.data.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        found = "no kind" if kind is None else f"unknown kind {kind!r}"
        raise SloError(f"{document.place(['kind'])}: {found}; known: {', '.join(KINDS)}{suggestion(str(kind), KINDS)}")
    model = KINDS[kind]
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        details = error.errors(include_url=False)
        raise SloError("\n".join(_line(document, model, detail) for detail in details)) from error


def suggestion(word: str, known: Iterable[str]) -> str:
    """A "did you mean" for a mistyped word, or nothing."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _line(document: Document, model: type[BaseModel], detail: ErrorDetails) -> str:
    location = detail["loc"]
    where = ".".join(str(step) for step in location) or "the document"
    return f"{document.place(location)}: {where}: {_sentence(model, detail)}"


def _sentence(model: type[BaseModel], detail: ErrorDetails) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        known = _known_keys(model, detail["loc"][:-1])
        return f"unknown key; known: {', '.join(known) or 'none'}{suggestion(str(detail['loc'][-1]), known)}"
    if kind == "literal_error":
        return f"found {detail['input']!r}; allowed: {context['expected']}"
    if kind == "value_error":
        return f"{context['error']}{_found(detail['input'])}"
    if kind in _BOUNDS:
        key, word = _BOUNDS[kind]
        return f"found {float(detail['input']):g}; it must be {word} {float(context[key]):g}"
    if kind == "string_pattern_mismatch":
        return f"found {detail['input']!r}; it must match {context['pattern']}"
    message = detail["msg"].removeprefix("Input should ").removeprefix("be ")
    return f"found {detail['input']!r}; it must be {message}"


def _found(value: Any) -> str:
    """Scalars only: a whole mapping would bury the message."""
    return f"; found {value!r}" if isinstance(value, str | int | float | bool) else ""


def _known_keys(model: type[BaseModel], location: tuple[str | int, ...]) -> list[str]:
    """The keys that the model has at a place, by walking its fields' types."""
    for step in location:
        if isinstance(step, int):
            continue
        field = next(field for name, field in model.model_fields.items() if step in (name, field.alias))
        model = next(found for found in _models(field.annotation))
    return [field.alias or name for name, field in model.model_fields.items()]


def _models(annotation: Any) -> Iterable[type[BaseModel]]:
    """The models within a type, such as X in `list[X]` or `X | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _models(inner)
