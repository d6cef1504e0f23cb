"""Durations as Grafana's files and API write them: `10s`, `1m30s`, `1500ms`, `1d`."""

import re

UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}
_SHAPE = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhdwy]))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdwy])")


def parse_duration(text: str) -> float:
    """
    Seconds of a duration such as `1m30s`; a bare `0` is allowed; ValueError in Grafana's own words.
    """
    if not text:
        raise ValueError("empty duration string")
    if text == "0":
        return 0.0
    if not _SHAPE.fullmatch(text):
        raise ValueError(f'not a valid duration string: "{text}"')
    return sum(float(number) * UNITS_S[unit] for number, unit in _PART.findall(text))


def format_duration(seconds: float) -> str:
    """
    The shortest whole-unit form, as Prometheus writes it: `90s` is `1m30s`, `60s` is `1m`.
    """
    rest_ms = round(seconds * 1000)
    if rest_ms == 0:
        return "0s"
    parts = []
    for unit in ("w", "d", "h", "m", "s", "ms"):
        size_ms = round(UNITS_S[unit] * 1000)
        if unit in ("w", "d") and rest_ms % size_ms:
            continue  # as Prometheus: weeks and days only when nothing is left over
        count, rest_ms = divmod(rest_ms, size_ms)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


def format_step(seconds: float) -> str:
    """
    A query step in one unit, as Grafana writes `$__interval`: `1500ms`, `5s`, `1m`, `2h`.
    """
    milliseconds = round(seconds * 1000)
    for unit in ("d", "h", "m", "s"):
        size = round(UNITS_S[unit] * 1000)
        if milliseconds >= size and milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    return f"{milliseconds}ms"
