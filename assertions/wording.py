"""Wording: figures, lists and titles as people read them in outcomes. Pure."""

import math
from collections.abc import Mapping, Sequence

from scenarios.model import (
    Alert,
    Anomaly,
    Budget,
    ComponentFault,
    ComponentState,
    Dashboard,
    Datasource,
    Delivered,
    Exemplar,
    Expectation,
    Fault,
    Logs,
    Recovered,
    Rules,
    Semconv,
    ServiceGraph,
    Silent,
    Sli,
    Traces,
    TrafficFault,
    Watchdog,
)

_SIZES: Mapping[str, int] = {"GiB": 1024**3, "MiB": 1024**2, "KiB": 1024}

NOTHING = "nothing"
"""What stands where there is no number."""

KINDS_OF_REQUEST: Mapping[str, str] = {
    "any": "answered requests",
    "error": "failed requests",
    "ok": "good requests",
    "slow": "slow requests",
}
"""What `where` selects among the clients' requests."""


def percent(share: float) -> str:
    """
    Write a share as a percentage: `60.7 %`; near to nought or to all with as many digits as tell it from them: `99.95 %`.
    """
    if not math.isfinite(share):
        return NOTHING
    # Rounded, so that an error of floating-point numbers is not shown as a share of its own.
    figure = round(share * 100, 9)
    room = min(abs(figure), abs(100 - figure)) or 1
    return f"{_plain(figure, digits_after(room))} %"


def seconds(duration_s: float) -> str:
    """
    Write a duration in the unit that suits its size: `172 ms`, `2.71 s`, `2 min 5 s`; a negative one keeps its sign.
    """
    if not math.isfinite(duration_s):
        return "for ever" if duration_s > 0 else NOTHING
    size = abs(duration_s)
    sign = "-" if duration_s < 0 else ""
    if size >= 119.5:
        minutes, rest = divmod(round(size), 60)
        return f"{sign}{minutes} min {rest} s" if rest else f"{sign}{minutes} min"
    if size == 0 or size >= 0.9995:
        return f"{sign}{_plain(size, digits_after(size or 1))} s"
    return f"{sign}{_plain(size * 1000, digits_after(size * 1000))} ms"


def rate(per_s: float) -> str:
    """Write a rate: `19.4/s`."""
    return f"{_plain(per_s, digits_after(abs(per_s) or 1))}/s" if math.isfinite(per_s) else NOTHING


def cores(number: float) -> str:
    """Write a number of busy cores: `0.25 cores`, `1 core`."""
    return f"{_plain(number, digits_after(number or 1))} core{'' if number == 1 else 's'}"


def count(number: float, noun: str) -> str:
    """Write a number with its noun: `1 request`, `1,000 requests`."""
    return f"{number:,.0f} {noun}{'' if number == 1 else 's'}"


def size(size_bytes: float) -> str:
    """Write an amount of memory: `512 KiB`, `87.5 MiB`, `1.2 GiB`."""
    if not math.isfinite(size_bytes):
        return NOTHING
    unit, factor = next(((unit, f) for unit, f in _SIZES.items() if size_bytes >= f), ("B", 1))
    return f"{_plain(size_bytes / factor, digits_after(size_bytes / factor or 1))} {unit}"


def listed(words: Sequence[str], most: int = 12) -> str:
    """Write a list: `a, b and c`; beyond `most` it says how many more there are."""
    if len(words) > most:
        return f"{', '.join(words[:most])} and {len(words) - most} more"
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def digits_after(size: float) -> int:
    """How many digits after the point leave three that count."""
    return max(0, 2 - math.floor(math.log10(size)))


def _plain(figure: float, digits: int) -> str:
    """Without idle noughts after the point, and without the sign of a nought."""
    text = f"{figure:.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def title_of_fault(fault: Fault, *, noise: bool = False) -> str:
    """
    What the proof of a fault is called: `errors on catalog is felt`; where no client can feel it, that it is applied.
    """
    words = ["noise:"] if noise else []
    words.append(fault.kind.replace("_", " "))
    if isinstance(fault, TrafficFault | ComponentFault):
        words += ["of", getattr(fault, "target", "the traffic")]
    elif hasattr(fault, "target"):
        words += ["on", fault.target]
    return " ".join([*words, "is", "felt" if fault.felt_by_client else "applied"])


def title_of(item: Expectation) -> str:
    """What an expectation is called, by its own words alone: it is the same in every run."""
    match item:
        case Sli():
            return f"sli {item.name} of {item.service}{' by spans' if item.source == 'spans' else ''}"
        case Alert():
            service = item.labels.get("service_name")
            state = {"firing": "", "nodata": " without data", "error": " in error"}.get(item.state, f" {item.state}")
            by = "" if item.source == "prometheus" else f" by {' and '.join(item.sources)}"
            return (f"alert {item.name} of {service}" if service else f"alert {item.name}") + state + by
        case Traces():
            during = f" during faults/{item.fault}" if item.fault else ""
            return f"{'torn ' if item.torn else ''}traces of {KINDS_OF_REQUEST[item.where]}{during}"
        case ServiceGraph():
            return f"service graph: {listed(item.edges)}"
        case Exemplar():
            return f"exemplar of {item.service} slower than {seconds(item.slower_than)}"
        case Semconv():
            return "semconv: stable names, units and attributes"
        case Logs():
            return f"logs of {item.service or 'the app'} lead to the traces of failed requests"
        case Delivered():
            return "delivered: the ledger balances"
        case Silent():
            return "silent"
        case Rules():
            return f"rules of {item.source}"
        case Datasource():
            return f"datasource {item.uid}"
        case Dashboard():
            return f"dashboard {item.uid}"
        case Anomaly():
            return f"anomaly of {item.signal} in {item.service}"
        case ComponentState():
            return f"component {item.name} {'goes down and comes back' if item.goes_down else 'stays up'}"
        case Recovered():
            return f"recovered: {item.signal}"
        case Budget():
            return f"budget of {item.component}"
        case Watchdog():
            return "watchdog is missed and comes back"
