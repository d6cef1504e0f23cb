"""A recorded past, scored as if it had been watched live, with refits at the times at which they would have been."""

from dataclasses import dataclass, replace

import numpy as np

from detector.alarm import End, Tick
from detector.bank import Bank
from detector.kinds import Bools, Floats
from detector.verdict import view

FIRST_FIT_AFTER = 240
REFIT_EVERY_S = 21_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert of a replay: which series, from which moment (index) to which; None while it was still active."""

    slot: int
    began: int
    ended: int | None = None
    end: End | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What was found at each moment (rows) of each series (columns), and the alerts."""

    at_s: Floats
    expected: Floats
    lower: Floats
    upper: Floats
    score: Floats
    firing: Bools
    alerts: tuple[Alert, ...]


class AlertLog:
    """Begins and ends of alerts, put together."""

    def __init__(self) -> None:
        self.closed: list[Alert] = []
        self.open: dict[int, Alert] = {}

    def add(self, row: int, tick: Tick) -> None:
        """Take what one step changed."""
        for slot in tick.began:
            self.open[slot] = Alert(slot=slot, began=row)
        for slot, end in tick.ended:
            self.closed.append(replace(self.open.pop(slot), ended=row, end=end))

    def all(self) -> tuple[Alert, ...]:
        """All alerts in the order in which they began."""
        return tuple(sorted([*self.closed, *self.open.values()], key=lambda alert: (alert.began, alert.slot)))


class Refits:
    """When a fit is due, counted in seconds of the series' own time: first after 240 steps, then every six hours."""

    def __init__(self, bank: Bank, start_s: float, every_s: float) -> None:
        self.bank = bank
        self.every_s = every_s
        self.due_s = start_s + FIRST_FIT_AFTER * bank.step_s

    def run(self, at_s: float) -> None:
        """Fit all series if it is time."""
        if at_s < self.due_s:
            return
        from detector.fit import fit  # statsmodels takes seconds to load, and short recordings need none of it

        self.due_s = at_s + self.every_s
        for slot in range(self.bank.size):
            self.bank.adopt(slot, fit(self.bank.job(slot)))


def watch(
    bank: Bank, at_s: Floats, values: Floats, requests: Floats | None = None, *, refit_every_s: float = REFIT_EVERY_S
) -> tuple[Alert, ...]:
    """Score a recording and keep only its alerts."""
    log, refits = AlertLog(), Refits(bank, float(at_s[0]), refit_every_s)
    for row, moment in enumerate(at_s):
        tick = bank.step(float(moment), values[row], None if requests is None else requests[row])
        if tick is not None:
            log.add(row, tick)
            refits.run(float(moment))
    return log.all()


def replay(
    bank: Bank, at_s: Floats, values: Floats, requests: Floats | None = None, *, refit_every_s: float = REFIT_EVERY_S
) -> Trace:
    """Score a recording and keep all that was found, moment by moment."""
    shape = (len(at_s), bank.size)
    expected, lower, upper, score = (np.full(shape, np.nan) for _ in range(4))
    firing = np.zeros(shape, dtype=np.bool_)
    log = AlertLog()
    refits = Refits(bank, float(at_s[0]) if len(at_s) else 0.0, refit_every_s)
    for row, moment in enumerate(at_s):
        tick = bank.step(float(moment), values[row], None if requests is None else requests[row])
        if tick is None:
            continue
        log.add(row, tick)
        seen = view(bank)
        expected[row], lower[row], upper[row], score[row] = seen.expected, seen.lower, seen.upper, seen.score
        firing[row] = bank.state.fired > 0
        refits.run(float(moment))
    return Trace(at_s=at_s, expected=expected, lower=lower, upper=upper, score=score, firing=firing, alerts=log.all())
