"""One watch at work: the answers of a query into the bank, its series as they come and go, what is to be told."""

from collections.abc import Mapping

import numpy as np

from detector.alarm import End, Tick
from detector.bank import Bank
from detector.config import Watch
from detector.kinds import Floats, Kind
from detector.matrix import Labels, Matrix
from detector.roster import Roster, series_id
from detector.verdict import Verdict, verdict

COUNTER_POINTS = 60
FIRST_ROOM = 8


class Watcher:
    """
    A bank, its roster and the times of its fits, for one watch of the configuration.

    `busy` is set by whoever works on the bank across several turns of the event loop; others then leave it alone.
    """

    def __init__(self, watch: Watch, *, step_s: float, max_series: int, forget_after_s: float) -> None:
        self.watch = watch
        self.step_s = step_s
        self.forget_after = forget_after_s / step_s
        self.bank = Bank(kind=watch.kind, step_s=step_s, settings=watch.settings(step_s), size=FIRST_ROOM)
        self.roster = Roster(max_series)
        self.fitted_s = np.full(FIRST_ROOM, -np.inf)
        self.ends: dict[Labels, str] = {}
        self.busy = False
        self.points = {"ok": 0, "gap": 0, "nan": 0}

    def take(self, at_s: float, values: Mapping[Labels, float], requests: Mapping[Labels, float] | None) -> Tick | None:
        """
        Score the values of one moment.

        Where errors are counted, a series that has requests but no errors has 0 errors: Prometheus knows no series
        for what never happened.
        """
        known = values if requests is None else {labels: values.get(labels, 0.0) for labels in requests}
        slots = {labels: self.place(labels) for labels in known}
        column = self._column({slot: known[labels] for labels, slot in slots.items() if slot is not None})
        counts = None
        if requests is not None:
            counts = self._column({slot: requests[labels] for labels, slot in slots.items() if slot is not None})
        tick = self._after(self.bank.step(at_s, column, counts))
        if tick is not None:
            self._count(len(known), int(np.isfinite(self.bank.state.y).sum()))
        return tick

    def _count(self, answered: int, usable: int) -> None:
        """Keep the tally of samples: good ones, those that are no number, and series that were expected in vain."""
        self.points["ok"] += usable
        self.points["nan"] += max(answered - usable, 0)
        self.points["gap"] += max(len(self.roster.slots) - answered, 0)

    def replay(self, errors: Matrix, requests: Matrix | None) -> None:
        """Score a past range; alerts that ended within it are never told."""
        first = errors if requests is None else requests
        here_last = [bool(there) for there in np.isfinite(first.values[-1:]).ravel()]
        order = sorted(first.labels, key=dict(zip(first.labels, here_last, strict=False)).__getitem__, reverse=True)
        slots = {labels: self.place(labels) for labels in order}
        values, counts = self._table(errors, slots), None
        if requests is not None:
            counts = self._table(requests, slots)
            values = np.where(np.isfinite(counts) & ~np.isfinite(values), 0.0, values)
        for row, moment in enumerate(first.at_s):
            tick = self.bank.step(float(moment), values[row], None if counts is None else counts[row])
            self._after(tick)
        self.refuse_counters()

    def place(self, labels: Labels) -> int | None:
        """The place of a series in the bank, which grows where it must; None if the series is refused."""
        slot = self.roster.place(labels)
        if slot is not None and slot >= self.bank.size:
            size = min(2 * self.bank.size, max(self.roster.limit, slot + 1))
            self.fitted_s = np.concatenate([self.fitted_s, np.full(size - self.bank.size, -np.inf)])
            self.bank.grow(size)
        return slot

    def _column(self, known: Mapping[int, float]) -> Floats:
        column = np.full(self.bank.size, np.nan)
        column[list(known)] = list(known.values())
        return column

    def _table(self, matrix: Matrix, slots: Mapping[Labels, int | None]) -> Floats:
        table = np.full((len(matrix.at_s), self.bank.size), np.nan)
        pairs = [(at, slots.get(labels)) for at, labels in enumerate(matrix.labels)]
        there = [(at, slot) for at, slot in pairs if slot is not None]
        table[:, [slot for _, slot in there]] = matrix.values[:, [at for at, _ in there]]
        return table

    def _after(self, tick: Tick | None) -> Tick | None:
        if tick is not None and (tick.ended or tick.at_s % 60.0 < self.step_s):
            places = {slot: labels for labels, slot in self.roster.slots.items()}
            self.ends.update({places[slot]: str(end) for slot, end in tick.ended if slot in places})
            self._forget()
        return tick

    def _forget(self) -> None:
        """Let go of series that have been away for long; looked at once a minute."""
        for labels, slot in list(self.roster.slots.items()):
            if self.bank.state.gap[slot] > self.forget_after:
                self._drop(labels, None)
                self.ends.setdefault(labels, str(End.STALE))

    def _drop(self, labels: Labels, reason: str | None) -> None:
        slot = self.roster.drop(labels, reason)
        self.bank.clear(slot)
        self.fitted_s[slot] = -np.inf

    def refuse_counters(self) -> list[Labels]:
        """Refuse series that only ever rise: somebody forgot the rate()."""
        if self.watch.kind not in (Kind.TRAFFIC, Kind.ERRORS):
            return []
        raw = [labels for labels, slot in self.roster.slots.items() if is_counter(self.bank.history.last(slot))]
        for labels in raw:
            self._drop(labels, "a raw counter; query its rate()")
        return raw

    def firing(self) -> dict[Labels, Verdict]:
        """The series with an active alert."""
        fired = self.bank.state.fired
        return {labels: verdict(self.bank, slot) for labels, slot in self.roster.slots.items() if fired[slot] > 0}

    def absent(self) -> list[Labels]:
        """The series that were known and have had no value for longer than the watch allows."""
        state, after = self.bank.state, self.watch.absent_after
        if not after:
            return []
        known = state.high > -np.inf
        return [labels for labels, slot in self.roster.slots.items() if known[slot] and state.gap[slot] >= after]

    def find(self, wanted: str) -> tuple[Labels, int] | None:
        """A series by its id."""
        for labels, slot in self.roster.slots.items():
            if series_id(self.watch.name, labels) == wanted:
                return labels, slot
        return None


def is_counter(points: Floats) -> bool:
    """Whether a series only rises, as a raw counter does."""
    steps = np.diff(points[np.isfinite(points)])
    return len(steps) >= COUNTER_POINTS and bool((steps >= 0).all()) and bool((steps > 0).mean() >= 0.9)
