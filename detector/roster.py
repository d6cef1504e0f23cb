"""Which series has which place in its bank: series come and go, places are used again, and there is a limit."""

import hashlib
from collections.abc import Iterable

from detector.matrix import Labels


def series_id(watch: str, labels: Labels) -> str:
    """A short name for a series that stays the same over restarts."""
    text = "\0".join([watch, *(f"{name}={value}" for name, value in labels)])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Roster:
    """
    The places of a bank by the labels of the series.

    A series beyond the limit is refused, and remembered as refused so that it can be seen; so is one that is not fit
    to be watched, with the reason.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.slots: dict[Labels, int] = {}
        self.refused: dict[Labels, str] = {}
        self._free: list[int] = []
        self._next = 0

    def place(self, labels: Labels) -> int | None:
        """The place of a series, a new one if it is new; None if it is refused."""
        slot = self.slots.get(labels)
        if slot is not None:
            return slot
        if labels in self.refused:
            return None
        if len(self.slots) >= self.limit:
            if len(self.refused) < self.limit:
                self.refused[labels] = f"more than {self.limit} series (max_series)"
            return None
        slot = self._free.pop() if self._free else self._next
        self._next = max(self._next, slot + 1)
        self.slots[labels] = slot
        return slot

    def drop(self, labels: Labels, reason: str | None = None) -> int:
        """Take a series off; with a reason it will not be let in again. Returns the place that became free."""
        slot = self.slots.pop(labels)
        self._free.append(slot)
        if reason is not None:
            self.refused[labels] = reason
        else:
            self._readmit()
        return slot

    def _readmit(self) -> None:
        """Once there is room, those who were refused for want of it may come."""
        full = [labels for labels, reason in self.refused.items() if reason.endswith("(max_series)")]
        for labels in full:
            del self.refused[labels]

    @property
    def width(self) -> int:
        """How many places have ever been used: the bank needs at least so many."""
        return self._next

    def restore(self, slots: Iterable[tuple[Labels, int]]) -> None:
        """Take over the places of a snapshot."""
        self.slots = dict(slots)
        self._next = max(self.slots.values(), default=-1) + 1
        self._free = sorted(set(range(self._next)) - set(self.slots.values()), reverse=True)
