"""Printing as Go does: `%v`, and printf with the verbs that templates use."""

import re
from collections.abc import Iterator, Mapping, Sequence

from stack.standins.grafana.gonumber import plain, shortest

_VERB = re.compile(r"%([-+# 0]*)(\d*)(?:\.(\d+))?([a-zA-Z%])")
NO_VALUE = "[no value]"


def printed(value: object) -> str:
    """
    A value as an action prints it; nil is Grafana's `[no value]`.
    """
    return NO_VALUE if value is None else show(value)


def show(value: object) -> str:
    """
    A value as `%v` prints it.
    """
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return shortest(value)
    if isinstance(value, Mapping):
        return "map[" + " ".join(f"{key}:{show(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + " ".join(map(show, value)) + "]"
    return str(value)


def sprintf(pattern: str, arguments: Sequence[object]) -> str:
    """
    Go's Sprintf for %v %s %d %f %e %g %q %t %x %%, with flags, width and precision; mistakes print as Go prints them.
    """
    rest = iter(arguments)
    text = _VERB.sub(lambda match: _one(match, rest), pattern)
    extra = [f"{_type(value)}={show(value)}" for value in rest]
    return text + (f"%!(EXTRA {', '.join(extra)})" if extra else "")


def _one(match: re.Match[str], rest: Iterator[object]) -> str:
    flags, width, precision, verb = match.groups()
    if verb == "%":
        return "%"
    missing = object()
    value = next(rest, missing)
    if value is missing:
        return f"%!{verb}(MISSING)"
    body = _formatted(verb, value, precision, flags)
    if body is None:
        return f"%!{verb}(<nil>)" if value is None else f"%!{verb}({_type(value)}={show(value)})"
    if not width:
        return body
    size = int(width)
    if "-" in flags:
        return body.ljust(size)
    return body.zfill(size) if "0" in flags and verb in "dfeg" else body.rjust(size)


def _formatted(verb: str, value: object, precision: str | None, flags: str) -> str | None:
    if verb == "v":
        return show(value)
    if verb in ("s", "q") and not isinstance(value, bool | int | float) and value is not None:
        text = show(value)[: int(precision) if precision else None]
        return text if verb == "s" else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if verb == "t" and isinstance(value, bool):
        return show(value)
    if isinstance(value, bool) or value is None:
        return None
    sign = "+" if "+" in flags else ""
    if verb in ("d", "x") and isinstance(value, int):
        return format(value, sign + verb)
    if verb in ("f", "e", "g") and isinstance(value, float):
        if verb == "g":
            return shortest(value) if precision is None else format(value, f"{sign}.{precision}g")
        if value in (float("inf"), float("-inf")) or value != value:
            return plain(value)
        digits = 6 if precision is None else int(precision)
        return format(value, f"{sign}.{digits}{verb}")
    return None


def _type(value: object) -> str:
    names = {bool: "bool", int: "int", float: "float64", str: "string"}
    return names.get(type(value), type(value).__name__)
