"""The notification log: what each group last told each integration, so that nothing is told twice or forgotten."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was told last, as fingerprints."""

    at_s: float
    firing: Sequence[str]
    resolved: Sequence[str]


class NotificationLog:
    """The last notification by group and integration."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str], Told] = {}

    def needs(self, key: tuple[str, str], now: Told, *, repeat_s: float, sends_resolved: bool) -> bool:
        """
        Whether the group has something to tell: something new fires, something has ended, or it is time to repeat.
        """
        last = self._told.get(key)
        if last is None:
            return bool(now.firing)
        if not set(now.firing) <= set(last.firing):
            return True
        if not now.firing:
            # All have ended. Also without sends_resolved, so that the next firing is told.
            return bool(last.firing)
        if sends_resolved and not set(now.resolved) <= set(last.resolved):
            return True
        return last.at_s < now.at_s - repeat_s

    def knows(self, group: str) -> bool:
        """
        Whether anybody was told that something in a group fires.
        """
        return any(key == group and told.firing for (key, _), told in self._told.items())

    def put(self, key: tuple[str, str], told: Told) -> None:
        """
        Remember what was told.
        """
        self._told[key] = told

    def items(self) -> Iterator[tuple[tuple[str, str], Told]]:
        """
        All entries.
        """
        return iter(list(self._told.items()))

    def restore(self, told: Mapping[tuple[str, str], Told]) -> None:
        """
        Take back the log of an earlier run.
        """
        self._told.update(told)

    def forget(self, before_s: float) -> None:
        """
        Drop what was told long ago.
        """
        self._told = {key: told for key, told in self._told.items() if told.at_s >= before_s}
