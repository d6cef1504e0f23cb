"""Units: durations, ratios, sizes and plain numbers, as people write them and as code reckons with them."""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h)")
_RATIO = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s?%")
_SIZES = {"GiB": 1024**3, "MiB": 1024**2, "KiB": 1024, "B": 1}
_SIZE = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)\s?(GiB|MiB|KiB|B)")

_DURATION_SHAPE = r"([0-9]{1,9}(\.[0-9]{1,9})?(ms|s|m|h))+$"
_RATIO_SHAPE = r"[0-9]{1,9}(\.[0-9]{1,9})?\s?%$"
_SIZE_SHAPE = r"[0-9]{1,12}(\.[0-9]{1,9})?\s?(GiB|MiB|KiB|B)$"
_SHARE_SHAPE = r"(100(\.0{1,9})?|[0-9]{1,2}(\.[0-9]{1,9})?)\s?%$"
_MORE_THAN_NOUGHT = "(?=.*[1-9])"

LONGEST_S = 30 * 86_400.0
"""No duration of a drill is longer than 30 days; more is a slip of the pen."""


def parse_duration_s(value: object) -> float:
    """
    Read `90s`, `2m`, `1m30s` or `250ms` as seconds; a bare number is refused, for nobody knows its unit.

    Raises ValueError that names what was found and what is allowed.
    """
    text = str(value).strip()
    parts = _DURATION.findall(text)
    if not parts or "".join(n + unit for n, unit in parts) != text:
        raise ValueError(f"not a duration: {value!r}; write a number with a unit, such as 250ms, 90s, 2m or 1m30s")
    seconds = round(sum(float(number) * _UNITS[unit] for number, unit in parts), 6)
    if seconds > LONGEST_S:
        raise ValueError(f"too long: {value!r}; a duration is at most {LONGEST_S / 3600:g}h")
    return seconds


def parse_ratio(value: object) -> float:
    """
    Read `30%` as 0.3; a bare number is refused, for `1` may mean all or one in a hundred.

    Raises ValueError that names what was found and what is allowed.
    """
    match = _RATIO.fullmatch(str(value).strip())
    if not match:
        raise ValueError(f"not a ratio: {value!r}; write a percentage, such as 30% or 0.5%")
    return round(float(match[1]) / 100, 11)


def parse_size_bytes(value: object) -> int:
    """
    Read `200MiB` as bytes; a bare number is refused, and so is `MB`, of which nobody knows whether it means 1000 or 1024.

    Raises ValueError that names what was found and what is allowed.
    """
    match = _SIZE.fullmatch(str(value).strip())
    size = round(float(match[1]) * _SIZES[match[2]]) if match else 0
    if size <= 0:
        raise ValueError(
            f"not a size: {value!r}; write a number above 0 with a unit: B, KiB, MiB or GiB, such as 200MiB"
        )
    return size


def format_size(size_bytes: int) -> str:
    """
    Write bytes as the language does: `200MiB`; exact, in the largest unit that says it in a whole number.
    """
    unit, factor = next((unit, factor) for unit, factor in _SIZES.items() if size_bytes % factor == 0)
    return f"{size_bytes // factor}{unit}"


def format_duration(seconds: float) -> str:
    """
    Write seconds as the language does: `90s`; exact to the microsecond.
    """
    return f"{_plain(seconds, 6)}s"


def format_ratio(ratio: float) -> str:
    """
    Write a ratio as the language does: `30%`; exact to nine digits after the point.
    """
    return f"{_plain(ratio * 100, 9)}%"


def _plain(number: float, digits: int) -> str:
    """Digits without an exponent and without idle noughts, so that the language can read them back."""
    text = f"{number:.{digits}f}"
    return text.rstrip("0").rstrip(".")


# A scenario is stored in the form in which it is written, so one reader serves files and records.
_AS_DURATION = PlainSerializer(format_duration, return_type=str)
_AS_SIZE = PlainSerializer(format_size, return_type=str)
_AS_RATIO = PlainSerializer(format_ratio, return_type=str)


def _written(pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern}"})


DURATION_SCHEMA = _written(_DURATION_SHAPE)
"""What a duration looks like to an editor; the last word in an annotation, for JSON schema knows no seconds."""

POSITIVE_DURATION_SCHEMA = _written(_MORE_THAN_NOUGHT + _DURATION_SHAPE)
"""The same, without nought."""

Seconds = Annotated[float, BeforeValidator(parse_duration_s), _AS_DURATION, DURATION_SCHEMA]
"""A duration: `90s` in YAML and in records, seconds in Python."""

PositiveSeconds = Annotated[
    float, BeforeValidator(parse_duration_s), Field(gt=0), _AS_DURATION, POSITIVE_DURATION_SCHEMA
]
"""A duration that cannot be nought."""

Ratio = Annotated[float, BeforeValidator(parse_ratio), _AS_RATIO, _written(_RATIO_SHAPE)]
"""A ratio: `30%` in YAML and in records, 0.3 in Python."""

PositiveRatio = Annotated[
    float, BeforeValidator(parse_ratio), Field(gt=0), _AS_RATIO, _written(_MORE_THAN_NOUGHT + _RATIO_SHAPE)
]
"""A ratio that cannot be nought."""

Share = Annotated[
    float, BeforeValidator(parse_ratio), Field(gt=0, le=1), _AS_RATIO, _written(_MORE_THAN_NOUGHT + _SHARE_SHAPE)
]
"""A ratio of some whole: more than 0 %, at most 100 %."""

Size = Annotated[int, BeforeValidator(parse_size_bytes), _AS_SIZE, _written(_MORE_THAN_NOUGHT + _SIZE_SHAPE)]
"""An amount of memory above nought: `200MiB` in YAML and in records, bytes in Python."""

Names = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda value: (value,) if isinstance(value, str) else value),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
"""One name or a list of names."""

# Strict, because a lenient reader takes the text "no" for a flag and `true` for the number one.
Flag = Annotated[bool, Field(strict=True)]
"""`true` or `false`, and nothing that only looks like it."""

Whole = Annotated[int, Field(strict=True)]
"""A whole number, written as one."""

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
"""A number, whole or not, without a unit."""
