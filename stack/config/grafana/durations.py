"""Durations as Grafana's provisioning files write them."""

import re

_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}
_PART = re.compile(r"(\d+)(ms|[smhdwy])")


def seconds(text: str) -> float:
    """
    The seconds of `90s`, `1m30s` or `0s`. Raises ValueError for anything else.
    """
    if not re.fullmatch(f"(?:{_PART.pattern})+", text):
        raise ValueError("a duration is whole numbers, each with one of ms, s, m, h, d, w, y, such as 30s or 1m30s")
    return sum(int(number) * _UNITS_S[unit] for number, unit in _PART.findall(text))
