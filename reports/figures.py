"""Figures: numbers, durations and times as people read them."""

import math
import re
from datetime import UTC, datetime

NBSP = "\u00a0"
"""Keeps a number and its unit on one line."""

UNKNOWN = "–"
"""What stands where no number is known."""

_SIZES = (("GiB", 1024**3), ("MiB", 1024**2), ("KiB", 1024))

# Escape sequences of terminals, other control characters, what turns the direction of writing, and halves of pairs.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])")
_UNPRINTABLE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def known(value: object) -> float | None:
    """
    The value as a finite number, or None: NaN, infinities and anything that is no number are not known.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) else None


def seconds(value: float | None) -> str:
    """
    Write a duration in the unit that suits its size: `340 ms`, `1.96 s`, `2 min 5 s`, `1 h 3 min`.
    """
    value = known(value)
    if value is None:
        return UNKNOWN
    sign, size = "−" if value < 0 else "", abs(value)
    if size and size < 0.9995:
        return f"{sign}{size * 1000:.3g}{NBSP}ms"
    if size < 99.95:
        return f"{sign}{size:.3g}{NBSP}s"
    whole = round(size)
    if whole < 3600:
        return sign + _pair(whole, ("min", 60), ("s", 1)) if whole >= 120 else f"{sign}{whole}{NBSP}s"
    return sign + _pair(whole, ("h", 3600), ("min", 60))


def _pair(whole: int, large: tuple[str, int], small: tuple[str, int]) -> str:
    count, rest = divmod(whole, large[1])
    text = f"{count}{NBSP}{large[0]}"
    return f"{text} {rest // small[1]}{NBSP}{small[0]}" if rest // small[1] else text


def number(value: float | None) -> str:
    """
    Write a count or a rate: `12,000`, `39.6`.
    """
    value = known(value)
    if value is None:
        return UNKNOWN
    whole = value == round(value) or abs(value) >= 1000
    text = f"{value:,.0f}" if whole and abs(value) < 1e12 else f"{value:.3g}"
    return text.replace("-", "−")


def signed(value: float | None) -> str:
    """
    Write a difference: `+3`, `−12`, `0`.
    """
    value = known(value)
    return f"+{number(value)}" if value is not None and value > 0 else number(value)


def percent(value: float | None) -> str:
    """
    Write a ratio as a percentage: `30.4%`, `99.97%`, `0.012%`.
    """
    value = known(value)
    if value is None:
        return UNKNOWN
    text = (
        f"{value * 100:.4g}"
        if 0.9 < abs(value) < 10
        else f"{value * 100:,.3g}"
        if abs(value) < 10
        else f"{value * 100:,.0f}"
    )
    return f"{text}%".replace("-", "−")


def times(value: float | None) -> str:
    """
    Write how many times one thing is another: `0.62×`.
    """
    value = known(value)
    return UNKNOWN if value is None else f"{value:.2f}×" if value < 99.5 else f"{value:,.0f}×"


def size(size_bytes: float) -> str:
    """
    An amount of memory in the unit that suits it: `87.5 MiB`.
    """
    unit, factor = next(((unit, factor) for unit, factor in _SIZES if size_bytes >= factor), ("B", 1))
    return f"{number(size_bytes / factor)}{NBSP}{unit}"


def moment(t: float | None) -> str:
    """
    Write a time of the Unix epoch as a date and time of day in UTC.
    """
    return _utc(t, f"%Y-%m-%d{NBSP}%H:%M:%S{NBSP}UTC")


def time_of_day(t: float | None) -> str:
    """
    Write a time of the Unix epoch as a time of day in UTC, to the tenth of a second.
    """
    value = known(t)
    return _utc(value, "%H:%M:%S") + (f".{int(value * 10 % 10)}" if value is not None else "")


def _utc(t: float | None, pattern: str) -> str:
    value = known(t)
    try:
        return UNKNOWN if value is None else datetime.fromtimestamp(value, UTC).strftime(pattern)
    except (OverflowError, ValueError, OSError):
        return UNKNOWN


def plural(count: int, one: str, many: str = "") -> str:
    """
    Write a count with its noun: `1 alert`, `3 alerts`.
    """
    return f"{count:,}{NBSP}{one if count == 1 else many or one + 's'}"


def shortened(text: str, limit: int) -> str:
    """
    The text, cut with an ellipsis when it is longer than `limit` characters.
    """
    return text if len(text) <= limit else text[: limit - 1] + "…"


def printable(text: str) -> str:
    """
    The text without what a page must not hold: terminal colours go, control and direction characters show as `�`.
    """
    return _UNPRINTABLE.sub("\ufffd", _ESCAPES.sub("", text.replace("\r\n", "\n")))
