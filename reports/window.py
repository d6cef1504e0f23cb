"""Window: the stretch of time that every picture of one drill shares, and the ticks of axes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from reports.svg import share
from scenarios.history import Blind, Clock, History, Sighted
from scenarios.record import Record

_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """
    From `start` to `end`, in seconds since the epoch; `zero` is the scenario's time nought.
    """

    start: float
    end: float
    zero: float

    @classmethod
    def of(cls, record: Record, history: History) -> "Window":
        """
        From the first request to the last event; of an empty history, from the record's start to its end.
        """
        times = [event.t for event in history.events if not isinstance(event, (Clock, Blind, Sighted))]
        start = history.phase("warm_up") or (times[0] if times else record.started_t)
        end = max([*times, start + 1.0]) if times else max(record.ended_t, start + 1.0)
        zero = history.phase("drive")
        return cls(start=start, end=end, zero=start if zero is None else zero)

    @property
    def length_s(self) -> float:
        """How long it is."""
        return self.end - self.start

    def contains(self, t: float) -> bool:
        """Whether a time lies within."""
        return self.start <= t <= self.end

    def share(self, t: float) -> float:
        """Where a time lies, 0 to 1; times outside lie on the edge."""
        return min(1.0, max(0.0, (t - self.start) / self.length_s))

    def x(self, t: float) -> str:
        """Where a time lies, in per cent of a picture's width."""
        return share(self.share(t))

    def width(self, start: float, end: float) -> str:
        """How wide a stretch of time is, in per cent of a picture's width."""
        return share(max(0.0, self.share(end) - self.share(start)))

    def ticks(self, most: int = 8) -> tuple[tuple[float, str], ...]:
        """
        Round times, counted from `zero`, with their labels.
        """
        step = next((step for step in _STEPS_S if self.length_s / step <= most), None)
        step = step or 3600 * math.ceil(self.length_s / most / 3600)
        first, last = (math.ceil((self.start - self.zero) / step), math.floor((self.end - self.zero) / step))
        return tuple((self.zero + n * step, tick_label(n * step, step)) for n in range(first, last + 1))


def tick_label(offset_s: float, step_s: float) -> str:
    """
    Name an offset from time nought, in the largest unit that the step between ticks allows.
    """
    size, unit = (3600, "h") if step_s % 3600 == 0 else (60, "min") if step_s % 60 == 0 else (1, "s")
    return "0" if offset_s == 0 else f"{offset_s / size:g}\u00a0{unit}".replace("-", "−")


def scale(values: Sequence[float], floor: float) -> tuple[float, ...]:
    """
    Round ticks of an axis from 0 to just above the highest value, or to `floor` at least.
    """
    top = max([*values, floor])
    raw = top / 3
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * magnitude for factor in (1, 2, 2.5, 5, 10) if factor * magnitude >= raw * 0.9999)
    return tuple(step * n for n in range(math.ceil(top / step * 0.9999) + 1))
