"""Values as Tempo's JSON writes them: an OTLP AnyValue with its type as the key."""

import math
from collections.abc import Mapping

from stack.standins.tempo.durations import format_duration
from stack.standins.tempo.traceql.syntax import Keyword, Type

Json = Mapping[str, object]
NOT_FINITE = {math.inf: "Infinity", -math.inf: "-Infinity"}


def any_value(value: object, kind: Type = Type.ATTRIBUTE) -> Json:
    """
    A value as `{"stringValue": ...}` and so on; durations as text, and `nil` for what a span lacks.
    """
    if value is None or isinstance(value, str | Keyword) or kind is Type.DURATION:
        return {"stringValue": text(value, kind)}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": number(value)}
    items = value if isinstance(value, tuple) else ()
    return {"arrayValue": {"values": [any_value(item) for item in items]}}


def number(value: float) -> float | str:
    """
    A float; as protobuf's JSON does, text for what JSON has no number for.
    """
    return value if math.isfinite(value) else NOT_FINITE.get(value, "NaN")


def text(value: object, kind: Type = Type.ATTRIBUTE) -> str:
    """
    A value as text: what tag values and label values look like.
    """
    if value is None:
        return "nil"
    if kind is Type.DURATION and isinstance(value, int | float):
        return format_duration(round(value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def key_value(key: str, value: object, kind: Type = Type.ATTRIBUTE) -> Json:
    """
    One attribute or label.
    """
    return {"key": key, "value": any_value(value, kind)}
