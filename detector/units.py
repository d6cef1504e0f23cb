"""Units that people write: durations such as `90s`, shares such as `30%`, addresses such as `127.0.0.1:9099`."""

import re
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator

UNIT_S: Mapping[str, float] = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdw])")
_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_ADDRESS = re.compile(r"([^:\s]+|\[[0-9a-fA-F:]+\]):(\d{1,5})")


def seconds(written: Any) -> float:
    """`90s`, `2m`, `1h30m` -> seconds; a bare number has no unit and is refused."""
    if isinstance(written, str) and re.fullmatch(f"(?:{_DURATION.pattern})+", written):
        return sum(float(number) * UNIT_S[unit] for number, unit in _DURATION.findall(written))
    raise ValueError("must be a duration with its unit, such as 500ms, 15s, 2m, 6h or 1d")


def share(written: Any) -> float:
    """`30%` or 0.3 -> 0.3."""
    if isinstance(written, int | float) and not isinstance(written, bool):
        return float(written)
    if isinstance(written, str) and (match := _SHARE.fullmatch(written)):
        return float(match[1]) / 100.0
    raise ValueError("must be a number or a percentage, such as 0.2 or 20%")


def address(written: Any) -> tuple[str, int]:
    """`127.0.0.1:9099` -> host and port; port 0 lets the system choose."""
    if isinstance(written, str) and (match := _ADDRESS.fullmatch(written)) and int(match[2]) <= 65535:
        return match[1].strip("[]"), int(match[2])
    raise ValueError("must be HOST:PORT with a port from 0 to 65535, such as 127.0.0.1:9099")


def web_url(written: Any) -> str:
    """An http or https address without credentials in it; those belong in files."""
    parts = urlsplit(written) if isinstance(written, str) else urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an http:// or https:// address, such as http://127.0.0.1:9090")
    if parts.username or parts.password:
        raise ValueError("must not contain a user or a password; use basic_auth with a password_file")
    return str(written).rstrip("/")


def season(written: Any) -> str | float:
    """`auto`, `none` or a duration in seconds."""
    if written in ("auto", "none"):
        return str(written)
    try:
        return seconds(written)
    except ValueError:
        raise ValueError("must be auto, none or a duration such as 1h or 1d") from None


Seconds = Annotated[float, BeforeValidator(seconds)]
Share = Annotated[float, BeforeValidator(share)]
Address = Annotated[tuple[str, int], BeforeValidator(address)]
WebUrl = Annotated[str, BeforeValidator(web_url)]
SeasonChoice = Annotated[str | float, BeforeValidator(season)]
