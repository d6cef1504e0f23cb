"""The functions of alert-rule templates."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from stack.standins.grafana.gonumber import shortest
from stack.standins.grafana.templates.gofmt import printed, show, sprintf
from stack.standins.grafana.templates.syntax import TemplateError

SI_LARGE = ("", "k", "M", "G", "T", "P", "E", "Z", "Y")
SI_SMALL = ("", "m", "u", "n", "p", "f", "a", "z", "y")
BINARY = ("", "ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi")


def number(value: object) -> float:
    """
    A number of what a template passes: a number, a text of one, or one of `$values`.
    """
    inner = getattr(value, "value", value)
    if isinstance(inner, str):
        try:
            return float(inner)
        except ValueError as error:
            raise TemplateError(f"{inner!r} is no number") from error
    if isinstance(inner, bool) or not isinstance(inner, int | float):
        raise TemplateError(f"expected a number, found {show(value)}")
    return float(inner)


def humanize(value: object) -> str:
    """
    Four significant digits with a metric prefix: `1.234k`.
    """
    amount, power = number(value), 0
    if amount == 0 or not math.isfinite(amount):
        return _four(amount)
    if abs(amount) >= 1:
        while abs(amount) >= 1000 and power < len(SI_LARGE) - 1:
            amount, power = amount / 1000, power + 1
        return _four(amount) + SI_LARGE[power]
    while abs(amount) < 1 and power < len(SI_SMALL) - 1:
        amount, power = amount * 1000, power + 1
    return _four(amount) + SI_SMALL[power]


def humanize1024(value: object) -> str:
    """
    Four significant digits with a binary prefix: `1.5Mi`.
    """
    amount, power = number(value), 0
    while math.isfinite(amount) and abs(amount) >= 1024 and power < len(BINARY) - 1:
        amount, power = amount / 1024, power + 1
    return _four(amount) + BINARY[power]


def humanize_percentage(value: object) -> str:
    """
    A ratio in percent: 0.25 is `25%`.
    """
    return f"{_four(number(value) * 100)}%"


def humanize_duration(value: object) -> str:
    """
    Seconds in words: `1h 2m 3s`, `250ms`.
    """
    seconds = number(value)
    if not math.isfinite(seconds):
        return _four(seconds)
    if seconds == 0:
        return "0s"
    if abs(seconds) >= 1:
        return _long_duration(seconds)
    power = 0
    while abs(seconds) < 1 and power < len(SI_SMALL) - 1:
        seconds, power = seconds * 1000, power + 1
    return f"{_four(seconds)}{SI_SMALL[power]}s"


def humanize_timestamp(value: object) -> str:
    """
    Seconds since the epoch as Go prints a UTC time.
    """
    moment = datetime.fromtimestamp(number(value), UTC)
    fraction = f"{moment.microsecond:06d}".rstrip("0")
    return f"{moment:%Y-%m-%d %H:%M:%S}{'.' + fraction if fraction else ''} +0000 UTC"


def _long_duration(seconds: float) -> str:
    sign = "-" if seconds < 0 else ""
    whole = int(abs(seconds))
    days, hours, minutes = whole // 86400, whole // 3600 % 24, whole // 60 % 60
    if days:
        return f"{sign}{days}d {hours}h {minutes}m {whole % 60}s"
    if hours:
        return f"{sign}{hours}h {minutes}m {whole % 60}s"
    if minutes:
        return f"{sign}{minutes}m {whole % 60}s"
    return f"{_four(seconds)}s"


def _four(value: float) -> str:
    # Go's %.4g, which for these magnitudes differs from Python's in nothing but the special values.
    return format(value, ".4g") if math.isfinite(value) else shortest(value)


def _equal(first: object, *others: object) -> bool:
    if not others:
        raise TemplateError("missing argument for comparison")
    return any(_comparable(first, other) and _bare(first) == _bare(other) for other in others)


def _compare(test: Callable[[float | str, float | str], bool]) -> Callable[[object, object], bool]:
    def compare(first: object, second: object) -> bool:
        _comparable(first, second)
        left, right = _bare(first), _bare(second)
        if not isinstance(left, int | float | str) or not isinstance(right, int | float | str):
            raise TemplateError(f"cannot compare {show(first)} with {show(second)}")
        return test(left, right)

    return compare


def _comparable(first: object, second: object) -> bool:
    if type(_bare(first)) is not type(_bare(second)):
        raise TemplateError(
            f"incompatible types for comparison: {show(first)} and {show(second)} (write 1.0, not 1, beside a value)"
        )
    return True


def _bare(value: object) -> object:
    return value


def _index(value: object, *keys: object) -> object:
    for key in keys:
        if isinstance(value, Mapping):
            value = value.get(key)
        elif isinstance(value, Sequence) and isinstance(key, int) and 0 <= key < len(value):
            value = value[key]
        else:
            raise TemplateError(f"cannot index {show(value)} with {show(key)}")
    return value


def _length(value: object) -> int:
    if not isinstance(value, str | Sequence | Mapping):
        raise TemplateError(f"len of {show(value)}")
    return len(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TemplateError(f"expected a text, found {show(value)}")
    return value


FUNCTIONS: Mapping[str, Callable[..., object]] = {
    "eq": _equal,
    "ne": lambda first, second: not _equal(first, second),
    "lt": _compare(lambda first, second: first < second),  # type: ignore[operator]
    "le": _compare(lambda first, second: first <= second),  # type: ignore[operator]
    "gt": _compare(lambda first, second: first > second),  # type: ignore[operator]
    "ge": _compare(lambda first, second: first >= second),  # type: ignore[operator]
    "index": _index,
    "len": _length,
    "print": lambda *values: "".join(show(value) for value in values),
    "println": lambda *values: " ".join(show(value) for value in values) + "\n",
    "printf": lambda pattern, *values: sprintf(_text(pattern), values),
    "humanize": humanize,
    "humanize1024": humanize1024,
    "humanizeDuration": humanize_duration,
    "humanizePercentage": humanize_percentage,
    "humanizeTimestamp": humanize_timestamp,
    "title": lambda text: _text(text).title(),
    "toUpper": lambda text: _text(text).upper(),
    "toLower": lambda text: _text(text).lower(),
    "match": lambda pattern, text: re.search(_text(pattern), _text(text)) is not None,
    "reReplaceAll": lambda pattern, new, text: re.sub(
        _text(pattern), re.sub(r"\$\{?(\w+)\}?", r"\\g<\1>", _text(new)), _text(text)
    ),
    "join": lambda separator, items: _text(separator).join(printed(item) for item in items),
    "stripPort": lambda text: _text(text).rsplit(":", 1)[0],
    "stripDomain": lambda text: _text(text).split(".", 1)[0],
    "urlquery": lambda *values: quote("".join(show(value) for value in values), safe="").replace("%20", "+"),
    "pathPrefix": lambda: "",
}
