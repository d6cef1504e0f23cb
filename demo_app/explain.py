"""One clear sentence for a body that pydantic refuses: what was found, and what is allowed.

What is allowed is the description of the field, so every field of a body needs one.
"""

import difflib
from collections.abc import Iterable
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails


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
    owner, path, allowed = _locate(mistake["loc"], model)
    if mistake["type"] == "extra_forbidden":
        return unknown("field", mistake["loc"][-1], owner.model_fields)
    found = "missing" if mistake["type"] == "missing" else _shown(mistake["input"])
    return f"field {path!r} is {found}; allowed: {allowed}"


def _locate(location: tuple[int | str, ...], model: type[BaseModel]) -> tuple[type[BaseModel], str, str]:
    """The model that the mistake is in, the path to it as people write it (`items[0].quantity`), and what is allowed."""
    owner, path, allowed = model, "", ""
    for step in location:
        if isinstance(step, int):
            path += f"[{step}]"
            allowed = f"an object with {_names(owner.model_fields)}" if owner is not model else allowed
        else:
            path += f".{step}" if path else step
            field = owner.model_fields.get(step)
            allowed = field.description or allowed if field else allowed
            owner = next((part for part in get_args(field.annotation) if _is_model(part)), owner) if field else owner
    return owner, path, allowed


def _is_model(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _names(fields: Iterable[str]) -> str:
    return ", ".join(fields)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
