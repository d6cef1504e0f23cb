"""Durations as Go and Prometheus write them, to and from whole nanoseconds."""

import re

NANOSECONDS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
    "w": 604_800_000_000_000,
    "y": 31_536_000_000_000_000,
}
PATTERN = r"(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h|d|w|y))+"
_WHOLE = re.compile(f"-?{PATTERN}")
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h|d|w|y)")


def parse_duration(text: str) -> int:
    """
    Nanoseconds of `1h30m`, `2.5s`, `1d` or a bare `0`; ValueError names the text otherwise.
    """
    if text == "0":
        return 0
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{text!r} is not a duration; write one like 500ms, 5s or 1h30m")
    total = sum(_part_ns(number, unit) for number, unit in _PART.findall(text))
    return -total if text.startswith("-") else total


def _part_ns(number: str, unit: str) -> int:
    whole, _, fraction = number.partition(".")
    scale = NANOSECONDS[unit]
    return int(whole or "0") * scale + round(float(f"0.{fraction or '0'}") * scale)


def format_duration(nanoseconds: int) -> str:
    """
    The text that Go prints for a duration: `520ms`, `1.5s`, `1m0s`, `2h45m0s`.
    """
    if nanoseconds == 0:
        return "0s"
    sign, rest = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    if rest < NANOSECONDS["s"]:
        unit = next(name for name in ("ms", "µs", "ns") if rest >= NANOSECONDS[name])
        return f"{sign}{_decimal(rest, NANOSECONDS[unit])}{unit}"
    minutes, seconds_ns = divmod(rest, NANOSECONDS["m"])
    hours, minutes = divmod(minutes, 60)
    seconds = f"{_decimal(seconds_ns, NANOSECONDS['s'])}s"
    if hours:
        return f"{sign}{hours}h{minutes}m{seconds}"
    return f"{sign}{minutes}m{seconds}" if minutes else f"{sign}{seconds}"


def _decimal(value: int, scale: int) -> str:
    whole, remainder = divmod(value, scale)
    digits = str(remainder).rjust(len(str(scale)) - 1, "0").rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)
