"""Mute timings: recurring spans of time in which (or outside which) a policy keeps quiet."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from stack.standins.grafana.document import Entry

WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
MONTHS = (
    "january february march april may june july august september october november december".split()  # noqa: SIM905
)
KEYS = ("times", "weekdays", "days_of_month", "months", "years", "location")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """One recurring span; an empty part matches always; minutes of the day are end-exclusive."""

    minutes: Sequence[Span] = ()
    weekdays: Sequence[Span] = ()
    days: Sequence[Span] = ()
    months: Sequence[Span] = ()
    years: Sequence[Span] = ()
    zone: str = "UTC"

    def contains(self, epoch_s: float) -> bool:
        """
        Whether the instant is inside.
        """
        now = datetime.fromtimestamp(epoch_s, UTC if self.zone == "UTC" else ZoneInfo(self.zone))
        minute = now.hour * 60 + now.minute
        if self.minutes and not any(first <= minute < last for first, last in self.minutes):
            return False
        parts = ((self.weekdays, now.isoweekday() % 7), (self.months, now.month), (self.years, now.year))
        if not all(not spans or any(first <= value <= last for first, last in spans) for spans, value in parts):
            return False
        return not self.days or any(_day_in(span, now) for span in self.days)


@dataclass(frozen=True, slots=True, kw_only=True)
class MuteTiming:
    """Named intervals; it holds when any of them does."""

    name: str
    intervals: Sequence[Interval]
    written: Sequence[object] = ()

    def contains(self, epoch_s: float) -> bool:
        """
        Whether the instant is in any interval.
        """
        return any(interval.contains(epoch_s) for interval in self.intervals)


def read_mute_timings(documents: Sequence[Entry]) -> Mapping[str, MuteTiming]:
    """
    The mute timings of all files by name.
    """
    found: dict[str, MuteTiming] = {}
    for document in documents:
        for entry in document.entries("muteTimes"):
            entry.know("mute timing", ("orgId", "name", "time_intervals"))
            name = entry.text("name")
            intervals = [_interval(row) for row in entry.entries("time_intervals")]
            written = entry.tree.get("time_intervals") or []
            assert isinstance(written, list)
            found[name] = MuteTiming(name=name, intervals=intervals, written=written)
    return found


def _interval(entry: Entry) -> Interval:
    entry.know("time interval", KEYS)
    zone = entry.text("location", "UTC")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise entry.error(f"location {zone!r} is no known time zone", "location") from error
    return Interval(
        minutes=[(_minute(row, "start_time"), _minute(row, "end_time")) for row in entry.entries("times")],
        weekdays=_spans(entry, "weekdays", WEEKDAYS, 0),
        days=_spans(entry, "days_of_month", (), 0),
        months=_spans(entry, "months", MONTHS, 1),
        years=_spans(entry, "years", (), 0),
        zone=zone,
    )


def _minute(entry: Entry, key: str) -> int:
    text = entry.text(key)
    match = re.fullmatch(r"([01]\d|2[0-4]):([0-5]\d)", text)
    if match is None or int(match[1]) * 60 + int(match[2]) > 1440:
        raise entry.error(f"{key} must be HH:MM up to 24:00, found {text!r}", key)
    return int(match[1]) * 60 + int(match[2])


def _spans(entry: Entry, key: str, names: Sequence[str], first: int) -> Sequence[Span]:
    rows = entry.tree.get(key) or []
    if not isinstance(rows, list):
        raise entry.error(f"{key} must be a list, found {rows!r}", key)
    return [_span(entry, key, str(row), names, first) for row in rows]


def _span(entry: Entry, key: str, text: str, names: Sequence[str], first: int) -> Span:
    low, _, high = text.lower().partition(":")
    numbers = []
    for part in (low, high or low):
        if part.strip() in names:
            numbers.append(list(names).index(part.strip()) + first)
        elif re.fullmatch(r"-?\d+", part.strip()):
            numbers.append(int(part))
        else:
            raise entry.error(f"{key}: {text!r} is not understood", key)
    return numbers[0], numbers[1]


def _day_in(span: Span, now: datetime) -> bool:
    # Negative days count from the end of the month: -1 is its last day.
    following = (now.replace(day=28) + timedelta(days=4)).replace(day=1)
    length = (following - timedelta(days=1)).day
    first, last = (value if value > 0 else length + value + 1 for value in span)
    return first <= now.day <= last
