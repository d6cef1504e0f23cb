"""Units: durations and ratios, as people write them and as code reckons with them."""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")


def parse_duration_s(value: object) -> float:
    """
    Read `90s`, `2m`, `1m30s` or `250ms` as seconds; a bare number is refused, for nobody knows its unit.

    Raises ValueError that names what was found and what is allowed.
    """
    text = str(value).strip()
    parts = _DURATION.findall(text)
    if not parts or "".join(n + unit for n, unit in parts) != text:
        raise ValueError(f"not a duration: {value!r}; write a number with a unit, such as 250ms, 90s, 2m or 1m30s")
    return float(sum(float(number) * _UNITS[unit] for number, unit in parts))


def parse_ratio(value: object) -> float:
    """
    Read `30%` as 0.3; a bare number is refused, for `1` may mean all or one in a hundred.

    Raises ValueError that names what was found and what is allowed.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", str(value).strip())
    if not match:
        raise ValueError(f"not a ratio: {value!r}; write a percentage, such as 30% or 0.5%")
    return float(match[1]) / 100


def format_duration(seconds: float) -> str:
    """
    Write seconds as the language does: `90s`.
    """
    return f"{seconds:.6g}s"


def format_ratio(ratio: float) -> str:
    """
    Write a ratio as the language does: `30%`.
    """
    return f"{ratio * 100:.6g}%"


# A scenario is stored in the form in which it is written, so one reader serves files and records.
_AS_DURATION = PlainSerializer(format_duration, return_type=str)
_AS_RATIO = PlainSerializer(format_ratio, return_type=str)

Seconds = Annotated[float, BeforeValidator(parse_duration_s), _AS_DURATION]
"""A duration: `90s` in YAML and in records, seconds in Python."""

PositiveSeconds = Annotated[float, BeforeValidator(parse_duration_s), Field(gt=0), _AS_DURATION]
"""A duration that cannot be nought."""

Ratio = Annotated[float, BeforeValidator(parse_ratio), _AS_RATIO]
"""A ratio: `30%` in YAML and in records, 0.3 in Python."""

Share = Annotated[float, BeforeValidator(parse_ratio), Field(gt=0, le=1), _AS_RATIO]
"""A ratio of some whole: more than 0 %, at most 100 %."""

Names = Annotated[tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)]
"""One name or a list of names."""
