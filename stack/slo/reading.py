"""Reading: one YAML document into its OpenSLO model, with errors that a person can act on."""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from stack.slo.errors import SloError
from stack.slo.openslo import KINDS, Object
from stack.slo.source import Document, Location

_Model = TypeVar("_Model", bound=BaseModel)

_SENTENCES = {
    "too_short": "needs at least {min_length}, has {actual_length}",
    "too_long": "takes at most {max_length}, has {actual_length}",
    "string_too_long": "is longer than {max_length} characters",
    "string_type": "must be a text",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "model_type": "must be a mapping",
    "mapping_type": "must be a mapping",
}
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
    return validated(document, KINDS[kind])


def validated(document: Document, model: type[_Model]) -> _Model:
    """
    The document as that model.

    Raises SloError with one line per mistake: where, what was found, what is allowed.
    """
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        details = _mistakes(model, error.errors(include_url=False))
        raise SloError("\n".join(_line(document, model, detail) for detail in details)) from error


def _mistakes(model: type[BaseModel], details: Sequence[ErrorDetails]) -> Sequence[ErrorDetails]:
    """A mistyped key is one mistake, though pydantic also calls the right one missing."""
    meant = {
        (*detail["loc"][:-1], *difflib.get_close_matches(str(detail["loc"][-1]), _keys(model, detail["loc"][:-1]), n=1))
        for detail in details
        if detail["type"] == "extra_forbidden"
    }
    return [detail for detail in details if detail["type"] != "missing" or detail["loc"] not in meant]


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
        known = _keys(model, detail["loc"][:-1])
        return f"unknown key; known: {', '.join(known) or 'none'}{suggestion(str(detail['loc'][-1]), known)}"
    if kind == "literal_error":
        return f"found {detail['input']!r}; allowed: {context['expected']}"
    if kind == "value_error":
        return f"{context['error']}{_found(detail['input'])}"
    if kind in _BOUNDS:
        key, word = _BOUNDS[kind]
        return f"found {float(detail['input']):g}; it must be {word} {float(context[key]):g}"
    if kind == "string_pattern_mismatch":
        return f"found {detail['input']!r}; it must be {_field(model, detail['loc']).description}"
    if kind in _SENTENCES:
        return _SENTENCES[kind].format(**context) + _found(detail["input"])
    return detail["msg"] + _found(detail["input"])


def _found(value: Any) -> str:
    """Short scalars only: a whole mapping or a page of text would bury the message."""
    return f"; found {value!r}" if isinstance(value, str | int | float | bool) and len(str(value)) <= 80 else ""


def _keys(model: type[BaseModel], location: Location) -> Sequence[str]:
    """The keys that the model has at a place."""
    if any(isinstance(step, str) for step in location):
        model = next(iter(_models(_field(model, location).annotation)))
    return [field.alias or name for name, field in model.model_fields.items()]


def _field(model: type[BaseModel], location: Location) -> FieldInfo:
    """The last named field on the way to a place, found by walking the fields' types."""
    names = [step for step in location if isinstance(step, str)]
    for name in names[:-1]:
        model = next(iter(_models(_named(model, name).annotation)))
    return _named(model, names[-1])


def _named(model: type[BaseModel], key: str) -> FieldInfo:
    return next(field for name, field in model.model_fields.items() if key == (field.alias or name))


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models within a type, such as X in `list[X]` or `X | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _models(inner)
