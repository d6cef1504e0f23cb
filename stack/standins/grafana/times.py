"""Instants: seconds since the epoch inside, RFC 3339 text outside."""

from datetime import UTC, datetime

ZERO = "0001-01-01T00:00:00Z"


def rfc3339(epoch_s: float | None) -> str:
    """
    UTC text with as many fractional digits as are needed (at most milliseconds); Go's zero time for None.
    """
    if epoch_s is None:
        return ZERO
    milliseconds = round(epoch_s * 1000)
    text = datetime.fromtimestamp(milliseconds // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f"{milliseconds % 1000:03d}".rstrip("0")
    return f"{text}.{fraction}Z" if fraction else f"{text}Z"


def rfc3339_ms(epoch_s: float | None) -> str:
    """
    UTC text with exactly three fractional digits, as Alertmanager's API writes it.
    """
    if epoch_s is None:
        return "0001-01-01T00:00:00.000Z"
    milliseconds = round(epoch_s * 1000)
    text = datetime.fromtimestamp(milliseconds // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{milliseconds % 1000:03d}Z"


def parse_rfc3339(text: str) -> float:
    """
    Seconds since the epoch; ValueError when the text is no RFC 3339 time with a zone.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment.timestamp()
