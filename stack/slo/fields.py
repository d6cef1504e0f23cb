"""Fields: the value types of OpenSLO documents, read exactly."""

import re
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

_UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 604800}


def _duration_s(value: Any) -> int:
    match = re.fullmatch(r"(\d+)([mhdw])", value) if isinstance(value, str) else None
    if not match:
        raise ValueError("a duration is a whole number with one of m, h, d, w, such as 5m or 30d")
    return int(match[1]) * _UNITS[match[2]]


def _exact(value: Any) -> Fraction:
    """Through its decimal text: 99.9 must mean 999/1000, not the nearest binary number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a number")
    return Fraction(str(value))


Duration = Annotated[int, BeforeValidator(_duration_s)]
"""OpenSLO's duration shorthand, as seconds; months and longer are left out: they have no fixed length."""

Number = Annotated[Fraction, BeforeValidator(_exact)]
"""A decimal number, exactly."""

Name = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
        description="a name: lower-case letters, digits and '-' within, at most 63 of them",
    ),
]
"""An object's name, as RFC 1123 wants it."""

Text = Annotated[str, Field(max_length=1050)]
"""A description; OpenSLO limits its length."""
