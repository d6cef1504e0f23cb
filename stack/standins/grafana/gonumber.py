"""Numbers written as Go writes them, since they end up in labels, annotations and webhooks."""

import math
from decimal import Decimal


def plain(value: float) -> str:
    """
    Shortest decimal form without an exponent: Go's `FormatFloat(v, 'f', -1, 64)`.
    """
    if not math.isfinite(value):
        return _special(value)
    text = format(Decimal(repr(value)), "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def exponent(value: float) -> str:
    """
    Shortest form with an exponent, such as `1e+00`: Go's `FormatFloat(v, 'e', -1, 64)`.
    """
    if not math.isfinite(value):
        return _special(value)
    sign, digits, power = Decimal(repr(value)).as_tuple()
    text = "".join(map(str, digits)).lstrip("0") or "0"
    power = int(power) + len(text) - 1 if value else 0
    text = text.rstrip("0") or "0"
    mantissa = text if len(text) == 1 else f"{text[0]}.{text[1:]}"
    return f"{'-' if sign else ''}{mantissa}e{'-' if power < 0 else '+'}{abs(power):02d}"


def shortest(value: float) -> str:
    """
    What `%v` prints: plain between 1e-4 and 1e21, else with an exponent.
    """
    if value == 0 or not math.isfinite(value) or 1e-4 <= abs(value) < 1e21:
        return plain(value)
    return exponent(value)


def _special(value: float) -> str:
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
