"""Wording: what a validator found, said in the words of the scenario language."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from scenarios.errors import did_you_mean
from scenarios.model import (
    EXPECTATIONS,
    TREATMENT_KINDS,
    Abort,
    DropLabelTreatment,
    Fault,
    HttpFault,
    Load,
    Misfit,
    Scenario,
    SpanShape,
)

FAULT_KINDS: Mapping[str, type[BaseModel]] = {
    kind: model for model in get_args(get_args(Fault)[0]) for kind in get_args(model.model_fields["kind"].annotation)
}
"""Each kind of fault, and the model that reads it."""


def describe(value: object) -> str:
    """
    A value as people call it: `5 (a number)`, `a list`.
    """
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"{str(value).lower()} (a flag)"
    if isinstance(value, int | float):
        return f"{value} (a number)"
    if isinstance(value, str):
        return f"{value!r} (a text)" if len(value) <= 60 else f"{value[:57]!r}... (a text)"
    return "a list" if isinstance(value, list | tuple) else "a mapping"


def keys_of(model: type[BaseModel]) -> list[str]:
    """
    The keys that a part of a scenario may have, as they are written.
    """
    return sorted(str(field.alias or name) for name, field in model.model_fields.items())


def say(error: ErrorDetails) -> str:
    """
    One problem: what was found; what is allowed; what to do.
    """
    path = tuple(error["loc"])
    name = next((f"`{step}`" for step in reversed(path) if isinstance(step, str)), "the drill")
    if path and isinstance(path[-1], int):
        name = f"item {path[-1] + 1} of {name}"
    return _SAY.get(error["type"], _other)(name, error)


def owner(path: Sequence[str | int]) -> tuple[str, type[BaseModel]]:
    """
    What the part is called to which a path of the model leads, and the model that reads it.
    """
    match tuple(path):
        case ("load", *_):
            return "`load`", Load
        case ("faults" | "noise", _, str(kind), "apply" | "heal" as call, *_) if kind == "http":
            return f"`{call}`", HttpFault.Call
        case ("faults" | "noise", _, str(kind), *_):
            return f"a fault of kind {kind}", FAULT_KINDS[kind]
        case ("treatments", _, str(kind), *_):
            return f"a treatment of kind {kind}", TREATMENT_KINDS[kind]
        case ("expect", _, "traces", "spans", int(), *_):
            return "a span", SpanShape
        case ("expect", _, str(key), *_):
            return f"`{key}`", EXPECTATIONS[key]
        case ("abort", *_):
            return "`abort`", Abort
        case _:
            return "a drill", Scenario


def _context(error: ErrorDetails) -> Mapping[str, Any]:
    return error.get("ctx", {})


def _misfit(name: str, error: ErrorDetails) -> str:
    """Our own validators speak the language already; only the key is missing where they do not know it."""
    problem = _context(error)["error"]
    return str(problem) if isinstance(problem, Misfit) else f"{name}: {problem}"


def _missing(name: str, error: ErrorDetails) -> str:
    what, model = owner(error["loc"][:-1])
    field = next((f for n, f in model.model_fields.items() if f"`{f.alias or n}`" == name), None)
    meaning = f" ({field.description})" if field and field.description else ""
    return f"{what} has no {name}; it is required{meaning}; add `{error['loc'][-1]}:`"


def _unknown_key(name: str, error: ErrorDetails) -> str:
    what, model = owner(error["loc"][:-1])
    known = keys_of(model)
    return f"unknown key {name} in {what}; known: {', '.join(known)}{did_you_mean(error['loc'][-1], known)}"


def _unknown_tag(name: str, error: ErrorDetails) -> str:
    """An unknown kind of fault or treatment, or an unknown expectation."""
    tag = _context(error)["tag"]
    if error["loc"][0] == "expect":
        what, known = "expectation", sorted(EXPECTATIONS)
    else:
        thing, known = _kinds(error)
        what = f"kind of {thing}"
        if error["input"]["kind"] is None:
            return _no_tag(name, error)
    return f"unknown {what} {tag!r}; known: {', '.join(known)}{did_you_mean(tag, known)}"


def _kinds(error: ErrorDetails) -> tuple[str, list[str]]:
    """What is told apart by its `kind` at this place, and the kinds that there are."""
    if error["loc"][0] == "treatments":
        return "treatment", sorted(TREATMENT_KINDS)
    return "fault", sorted(FAULT_KINDS)


def _no_tag(name: str, error: ErrorDetails) -> str:
    if error["loc"][0] != "expect":
        thing, known = _kinds(error)
        return f"a {thing} without `kind`; known kinds: {', '.join(known)}; add `kind:`"
    found = error["input"]
    keys = f"has the keys {', '.join(found)}" if isinstance(found, dict) and found else f"is {describe(found)}"
    return f"{name} {keys}; an expectation is one key with its details; write `- silent: {{}}`"


def _literal(name: str, error: ErrorDetails) -> str:
    allowed = str(_context(error)["expected"]).replace("'", "").replace(" or ", ", ")
    return (
        f"{name} is {describe(error['input'])}; allowed: {allowed}{did_you_mean(error['input'], allowed.split(', '))}"
    )


def _type(wanted: str, hint: str) -> Callable[[str, ErrorDetails], str]:
    return lambda name, error: f"{name} is {describe(error['input'])}, not {wanted}; {hint}"


def _bound(words: str, key: str) -> Callable[[str, ErrorDetails], str]:
    def text(name: str, error: ErrorDetails) -> str:
        return f"{name} is {error['input']}; it must be {words} {_limit(error, key)}"

    return text


def _limit(error: ErrorDetails, key: str) -> str:
    """A limit in the unit in which the value was written: a share is held as 0 to 1, but written in per cent."""
    limit = float(_context(error)[key])
    if str(error["input"]).strip().endswith("%"):
        return f"{limit * 100:g}%"
    return f"{limit:g}s" if isinstance(error["input"], str) else f"{limit:g}"


def _too_short(name: str, error: ErrorDetails) -> str:
    least = _context(error)["min_length"]
    if isinstance(error["input"], str):
        return f"{name} is {error['input']!r}; it needs at least {least} characters; say it in a sentence"
    return f"{name} is an empty list; it needs at least {least}; add one"


def _pattern(name: str, error: ErrorDetails) -> str:
    what, model = owner(error["loc"][:-1])
    allowed = {
        Scenario: "small letters, digits and dashes, at most 50, such as `error-burst`",
        HttpFault.Call: "an address such as `http://127.0.0.1:8080/break`",
        DropLabelTreatment: "letters, digits, _ and points, such as `http.route`",
    }[model]
    return f"{name} of {what} is {error['input']!r}; allowed: {allowed}"


def _other(name: str, error: ErrorDetails) -> str:
    return f"{name} is {describe(error['input'])}: {error['msg'][:1].lower()}{error['msg'][1:]}"


_MAPPING = _type("a mapping", "write `{key: value}`")
_SAY: Mapping[str, Callable[[str, ErrorDetails], str]] = {
    "value_error": _misfit,
    "missing": _missing,
    "extra_forbidden": _unknown_key,
    "union_tag_invalid": _unknown_tag,
    "union_tag_not_found": _no_tag,
    "literal_error": _literal,
    "int_type": _type("a whole number", "write digits without quotes, point or unit, such as `8`"),
    "float_type": _type("a number", "write it without quotes or unit, such as `40` or `2.5`"),
    "bool_type": _type("true or false", "write `true` or `false`"),
    "string_type": _type("a text", "put it into quotes"),
    "tuple_type": _type("a list", "write `[one, two]`, or each on a line of its own after `- `"),
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "mapping_type": _MAPPING,
    "dict_type": _MAPPING,
    "greater_than": _bound("more than", "gt"),
    "greater_than_equal": _bound("at least", "ge"),
    "less_than_equal": _bound("at most", "le"),
    "too_short": _too_short,
    "string_too_short": _too_short,
    "string_pattern_mismatch": _pattern,
}
"""How each type of error is said."""
