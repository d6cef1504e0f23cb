"""How good the alerts were, against labelled faults: recall, precision, delay."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from detector.replay import Alert

GRACE = 2  # samples after a fault's end in which an alert still counts as its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A labelled fault: in which series, from which moment until before which (indices)."""

    slot: int
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """The count of faults, of those that were found, of alerts, of false and of repeated ones; delays in samples."""

    faults: int
    found: int
    alerts: int
    false: int
    repeated: int
    delays: tuple[int, ...]

    @property
    def recall(self) -> float:
        """Share of the faults that were found; 1 if there were none."""
        return self.found / self.faults if self.faults else 1.0

    @property
    def precision(self) -> float:
        """Share of the alerts that belong to a fault; 1 if there were none."""
        return 1.0 - self.false / self.alerts if self.alerts else 1.0

    def delay(self, percent: float) -> float | None:
        """A percentile of the samples after the first faulty one; None if nothing was found."""
        return float(np.percentile(self.delays, percent)) if self.delays else None

    def as_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "faults": self.faults,
            "found": self.found,
            "recall": round(self.recall, 4),
            "alerts": self.alerts,
            "false": self.false,
            "repeated": self.repeated,
            "precision": round(self.precision, 4),
            "delay_p50": self.delay(50),
            "delay_p95": self.delay(95),
        }


def judge(alerts: Sequence[Alert], windows: Iterable[Window], *, first: int = 0) -> Scorecard:
    """Compare alerts with labelled faults; alerts that began before the moment `first` do not count."""
    by_slot: dict[int, list[Window]] = {}
    for window in windows:
        by_slot.setdefault(window.slot, []).append(window)
    delays: dict[Window, int] = {}
    false = repeated = 0
    counted = [alert for alert in alerts if alert.began >= first]
    for alert in counted:
        own = [w for w in by_slot.get(alert.slot, []) if w.start <= alert.began < w.end + GRACE]
        if not own:
            false += 1
        elif own[0] in delays:
            repeated += 1
        else:
            delays[own[0]] = alert.began - own[0].start
    return Scorecard(
        faults=sum(map(len, by_slot.values())),
        found=len(delays),
        alerts=len(counted),
        false=false,
        repeated=repeated,
        delays=tuple(sorted(delays.values())),
    )


def together(cards: Sequence[Scorecard]) -> Scorecard:
    """Several score cards as one."""
    return Scorecard(
        faults=sum(card.faults for card in cards),
        found=sum(card.found for card in cards),
        alerts=sum(card.alerts for card in cards),
        false=sum(card.false for card in cards),
        repeated=sum(card.repeated for card in cards),
        delays=tuple(sorted(delay for card in cards for delay in card.delays)),
    )
