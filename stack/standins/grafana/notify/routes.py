"""The notification policy tree: which receiver gets an alert, grouped by what, and when."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from stack.standins.grafana.document import Entry
from stack.standins.grafana.durations import format_duration, parse_duration
from stack.standins.grafana.labels import Labels

OPERATORS = ("=", "!=", "=~", "!~")
ALL = "..."


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """A test of one label; an absent label is empty."""

    name: str
    operator: str
    value: str

    def __post_init__(self) -> None:
        if self.operator not in OPERATORS:
            raise ValueError(f'unsupported match type "{self.operator}" in matcher; known: {", ".join(OPERATORS)}')
        if "~" in self.operator:
            try:
                re.compile(self.value)
            except re.error as error:
                raise ValueError(f"matcher {self}: not a regular expression: {error}") from error

    def __str__(self) -> str:
        return f'{self.name}{self.operator}"{self.value}"'

    def matches(self, labels: Labels) -> bool:
        """
        Whether the labels pass.
        """
        found = labels.get(self.name, "")
        same = re.fullmatch(self.value, found) is not None if "~" in self.operator else found == self.value
        return same is not self.operator.startswith("!")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How alerts are grouped and when groups are sent; seconds; None is inherited or Grafana's default."""

    group_by: Sequence[str] | None = None
    group_wait_s: float | None = None
    group_interval_s: float | None = None
    repeat_interval_s: float | None = None
    mute_times: Sequence[str] = ()
    active_times: Sequence[str] = ()

    @staticmethod
    def read(entry: Entry, inherited: "Timing") -> "Timing":
        """
        The timing of a policy (or of a rule's own settings), below what it inherits.
        """
        by = entry.tree.get("group_by")
        if by is not None and not isinstance(by, list):
            raise entry.error(f"group_by must be a list, found {by!r}", "group_by")
        own = Timing(
            group_by=tuple(str(name) for name in by) if by else None,
            group_wait_s=_seconds(entry, "group_wait"),
            group_interval_s=_seconds(entry, "group_interval"),
            repeat_interval_s=_seconds(entry, "repeat_interval"),
            mute_times=_names(entry, "mute_time_intervals"),
            active_times=_names(entry, "active_time_intervals"),
        )
        for key, value in (("group_interval", own.group_interval_s), ("repeat_interval", own.repeat_interval_s)):
            if value == 0:
                raise entry.error(f"invalid object specification: {key} cannot be zero", key)
        return own.below(inherited)

    def below(self, inherited: "Timing") -> "Timing":
        """
        The same, with what is left out taken from the policy above; mute timings are not inherited.
        """
        return replace(
            self,
            group_by=self.group_by if self.group_by is not None else inherited.group_by,
            group_wait_s=self.group_wait_s if self.group_wait_s is not None else inherited.group_wait_s,
            group_interval_s=self.group_interval_s if self.group_interval_s is not None else inherited.group_interval_s,
            repeat_interval_s=self.repeat_interval_s or inherited.repeat_interval_s,
        )


DEFAULT_TIMING = Timing(group_by=(), group_wait_s=30.0, group_interval_s=300.0, repeat_interval_s=4 * 3600.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One policy; `written` is what the API shows of it."""

    receiver: str
    timing: Timing
    matchers: Sequence[Matcher] = ()
    goes_on: bool = False
    routes: Sequence["Route"] = ()
    key: str = "{}"
    written: Mapping[str, object]

    def matching(self, labels: Labels) -> Iterator["Route"]:
        """
        The policies that handle an alert: the deepest that match, and the later siblings of those that `continue`.
        """
        if not all(matcher.matches(labels) for matcher in self.matchers):
            return
        found = False
        for route in self.routes:
            inner = list(route.matching(labels))
            yield from inner
            if inner:
                found = True
                if not route.goes_on:
                    break
        if not found:
            yield self

    def group_labels(self, labels: Labels) -> dict[str, str]:
        """
        The labels that name the alert's group.
        """
        by = self.timing.group_by or ()
        names = labels if ALL in by else [name for name in sorted(by) if name in labels]
        return {name: labels[name] for name in names}

    def walk(self) -> Iterator["Route"]:
        """
        This policy and all below it.
        """
        yield self
        for route in self.routes:
            yield from route.walk()


def timing_json(timing: Timing) -> dict[str, object]:
    """
    The times of a policy as the API shows them.
    """
    named = {
        "group_wait": timing.group_wait_s,
        "group_interval": timing.group_interval_s,
        "repeat_interval": timing.repeat_interval_s,
    }
    return {name: format_duration(seconds) for name, seconds in named.items() if seconds is not None}


def _names(entry: Entry, key: str) -> Sequence[str]:
    names = entry.tree.get(key) or []
    if not isinstance(names, list):
        raise entry.error(f"{key} must be a list, found {names!r}", key)
    return tuple(str(name) for name in names)


def _seconds(entry: Entry, key: str) -> float | None:
    text = entry.text(key)
    try:
        return parse_duration(text) if text else None
    except ValueError as error:
        raise entry.error(f"{key}: {error}", key) from error
