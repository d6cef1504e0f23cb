"""Trials: the faults of a drill as they were meant, as they were applied, and how the clients felt them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reports.charts import Shade
from reports.truth import Bin, during
from scenarios.history import FaultChange, History
from scenarios.record import Outcome, Record

_BEFORE_S = 10.0
"""How much of the time before a fault it is compared with."""

_SAID = ("kind", "target", "at", "for")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """
    One fault. `start_t` is None if it was never applied; `failure` says why something went wrong with it.
    """

    name: str
    label: str
    settings: str
    planned: str
    start_t: float | None
    end_t: float | None
    healed: bool
    failure: str
    before: Bin
    felt: Bin
    proof: Outcome | None

    @property
    def noise(self) -> bool:
        """Whether it is disturbance that must not raise an alert."""
        return self.name.startswith("noise/")


def trials(record: Record, history: History) -> tuple[Trial, ...]:
    """
    The faults and the noise, in the scenario's order.
    """
    return tuple(_trial(name, fault, record, history) for name, fault in _planned(record))


def shades(found: tuple[Trial, ...]) -> tuple[Shade, ...]:
    """
    Where to shade the pictures.
    """
    return tuple(
        Shade(start=each.start_t, end=each.end_t, label=each.label, noise=each.noise)
        for each in found
        if each.start_t is not None and each.end_t is not None
    )


def _planned(record: Record) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for part in ("faults", "noise"):
        for number, fault in enumerate(record.scenario.get(part) or (), 1):
            if isinstance(fault, Mapping):
                yield f"{part}/{number}", fault


def _trial(name: str, fault: Mapping[str, Any], record: Record, history: History) -> Trial:
    changes = [change for change in history.of(FaultChange) if change.fault == name]
    start, end = history.fault_window(name) or (None, None)
    idle = during(history, 0.0, 0.0)
    return Trial(
        name=name,
        label=_label(fault),
        settings=_settings(fault),
        planned=f"at {fault.get('at', '?')} for {fault.get('for', '?')}",
        start_t=start,
        end_t=end,
        healed=any(change.action == "healed" for change in changes),
        failure="; ".join(_reason(change) for change in changes if change.action == "failed"),
        # The second of the change itself belongs to neither side.
        before=idle if start is None else during(history, start - 1 - _BEFORE_S, start - 1),
        felt=idle if start is None or end is None else during(history, start, end),
        proof=next((outcome for outcome in record.outcomes if outcome.id == name), None),
    )


def _label(fault: Mapping[str, Any]) -> str:
    kind = str(fault.get("kind", "fault")).replace("_", " ")
    return f"{kind} on {fault['target']}" if fault.get("target") else kind


def _settings(fault: Mapping[str, Any]) -> str:
    said = [
        f"{key} {_value(value)}" for key, value in fault.items() if key not in _SAID and value not in (None, (), [], {})
    ]
    return ", ".join(said)


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return " ".join(str(item) for item in value.values() if item is not None)
    return " ".join(str(item) for item in value) if isinstance(value, (list, tuple)) else str(value)


def _reason(change: FaultChange) -> str:
    return ", ".join(f"{key}: {value}" for key, value in change.detail.items()) or "no reason was recorded"
