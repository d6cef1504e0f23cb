"""One clear sentence for a body that pydantic refuses: what was found, and what is allowed."""

import difflib
from collections.abc import Iterable
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

DEFAULT_ALLOWED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "a text",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
}


def sentence(error: ValidationError, model: type[BaseModel]) -> str:
    """Say what is wrong with a body that should have been a `model`; of several mistakes, the first."""
    mistakes = sorted(error.errors(include_url=False), key=lambda mistake: mistake["type"] != "extra_forbidden")
    mistake = mistakes[0]
    if mistake["type"] == "json_invalid":
        return "the body is not JSON; allowed: one JSON object"
    if not mistake["loc"]:
        return f"the body is {_shown(mistake['input'])}; allowed: one JSON object with {_names(model.model_fields)}"
    return _field_sentence(mistake, model)


def unknown(what: str, found: object, known: Iterable[str]) -> str:
    """Say that a name is not known, which names are, and which of them was perhaps meant."""
    names = list(known)
    near = difflib.get_close_matches(str(found), names, n=1)
    meant = f" (did you mean {near[0]}?)" if near else ""
    return f"unknown {what} {_shown(found)}{meant}; known: {', '.join(names)}"


def _field_sentence(mistake: ErrorDetails, model: type[BaseModel]) -> str:
    owner, path = _owner(mistake["loc"], model)
    name = str(mistake["loc"][-1])
    if mistake["type"] == "extra_forbidden":
        return unknown("field", name, owner.model_fields)
    if mistake["type"] == "missing":
        return f"field {path!r} is missing; allowed: {_allowed(mistake, owner)}"
    return f"field {path!r} is {_shown(mistake['input'])}; allowed: {_allowed(mistake, owner)}"


def _owner(location: tuple[int | str, ...], model: type[BaseModel]) -> tuple[type[BaseModel], str]:
    """The model that the mistake is in, and the path to it as people write it: `items[0].quantity`."""
    owner, path = model, ""
    for depth, step in enumerate(location):
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
        field = owner.model_fields.get(str(step))
        if field is not None and depth + 1 < len(location):
            owner = next((part for part in get_args(field.annotation) if _is_model(part)), owner)
    return owner, path


def _is_model(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _allowed(mistake: ErrorDetails, owner: type[BaseModel]) -> str:
    names = [step for step in mistake["loc"] if isinstance(step, str)]
    field = owner.model_fields.get(names[-1]) if names else None
    if field is not None and field.description:
        return field.description
    return DEFAULT_ALLOWED.get(mistake["type"], mistake["msg"])


def _names(fields: Iterable[str]) -> str:
    return ", ".join(fields)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
