"""The time range that a query reads: Tempo's rules for start, end, since, step and the cutoff of recent data."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from stack.standins.tempo.durations import NANOSECONDS, format_duration, parse_duration
from stack.standins.tempo.settings import Queries

SECOND = NANOSECONDS["s"]
HOUR = NANOSECONDS["h"]
LONGEST_TIME = 40
SECONDS_ABOVE = 10**14  # a whole number beyond this is nanoseconds


class BadQuery(ValueError):
    """A request's parameters make no sense; the text is what Tempo would answer with status 400."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What a search reads: traces that overlap the time from start to end, in nanoseconds since the epoch."""

    start_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """
    What a metrics query reads, in steps; each is named by its end, which belongs to it while its start does not.

    The first step begins after `after_ns`, the last one ends at `until_ns`.
    """

    after_ns: int
    until_ns: int
    step_ns: int

    def ends(self) -> range:
        """
        The end of each step.
        """
        return range(self.after_ns + self.step_ns, self.until_ns + 1, self.step_ns)

    def end_of(self, at_ns: int) -> int | None:
        """
        The end of the step that a time falls in; None when it falls in none.
        """
        if not self.after_ns < at_ns <= self.until_ns:
            return None
        return self.after_ns - (self.after_ns - at_ns) // self.step_ns * self.step_ns


def search_window(parameters: Mapping[str, str], queries: Queries, now_ns: int) -> Window:
    """
    What a search or a tag look-up reads: the recent window by default, and never beyond the cutoff.

    A start after the cutoff is moved back by the recent window, silently, as Tempo does.
    """
    cutoff_ns = now_ns - queries.end_cutoff_ns
    since_ns = duration_ns(parameters, "since")
    start_ns, end_ns = (_time(parameters.get(name), name) for name in ("start", "end"))
    if since_ns:
        return Window(start_ns=cutoff_ns - since_ns, end_ns=cutoff_ns)
    if not start_ns and not end_ns:
        return Window(start_ns=now_ns - queries.recent_window_ns, end_ns=cutoff_ns)
    if start_ns >= end_ns:
        raise BadQuery(
            f"http parameter start must be before end. received start={start_ns // SECOND} end={end_ns // SECOND}"
        )
    if not start_ns:
        raise BadQuery("only one of start and end provided: must provide both or neither")
    if queries.max_search_ns and end_ns - start_ns > queries.max_search_ns:
        limit, asked = format_duration(queries.max_search_ns), format_duration(end_ns - start_ns)
        raise BadQuery(f"range specified by start and end exceeds {limit}. received start and end range: {asked}")
    end_ns = min(end_ns, cutoff_ns)
    return Window(start_ns=start_ns if start_ns < end_ns else now_ns - queries.recent_window_ns, end_ns=end_ns)


def range_steps(parameters: Mapping[str, str], queries: Queries, now_ns: int) -> Steps:
    """
    The steps of a range query: aligned to whole steps, one before the start, none that ends after the cutoff.
    """
    start_ns, end_ns = _metrics_range(parameters, queries, now_ns)
    step_ns = _step(parameters.get("step"), end_ns - start_ns)
    if queries.max_intervals and (end_ns - start_ns) // step_ns > queries.max_intervals:
        raise BadQuery(f"step is too small: more than {queries.max_intervals} intervals; use a larger step")
    first_ns = start_ns // step_ns * step_ns
    last_ns = min(-(-end_ns // step_ns), (now_ns - queries.end_cutoff_ns) // step_ns) * step_ns
    return Steps(after_ns=first_ns - step_ns, until_ns=max(first_ns, last_ns), step_ns=step_ns)


def instant_step(parameters: Mapping[str, str], queries: Queries, now_ns: int) -> Steps:
    """
    The one step of an instant query.
    """
    start_ns, end_ns = _metrics_range(parameters, queries, now_ns)
    end_ns = min(end_ns, now_ns - queries.end_cutoff_ns)
    return Steps(after_ns=start_ns, until_ns=end_ns, step_ns=end_ns - start_ns)


def _metrics_range(parameters: Mapping[str, str], queries: Queries, now_ns: int) -> tuple[int, int]:
    cutoff_ns = now_ns - queries.end_cutoff_ns
    end_ns = _time(parameters.get("end"), "end") or now_ns
    start_ns = _time(parameters.get("start"), "start") or end_ns - (duration_ns(parameters, "since") or HOUR)
    if start_ns >= end_ns:
        raise BadQuery("end must be greater than start")
    if start_ns >= cutoff_ns:
        raise BadQuery("query window falls entirely within query_end_cutoff")
    asked_ns = min(end_ns, cutoff_ns) - start_ns
    if 0 < queries.max_metrics_ns < asked_ns:
        limit, asked = format_duration(queries.max_metrics_ns), format_duration(asked_ns)
        raise BadQuery(f"metrics query time range exceeds the maximum allowed duration of {limit}. received: {asked}")
    return start_ns, end_ns


def positive(parameters: Mapping[str, str], name: str, default: int) -> int:
    """
    A whole number above zero; BadQuery otherwise.
    """
    text = parameters.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 19 and int(text)):
        raise BadQuery(f"invalid {name}: must be a positive number, received {text!r}")
    return int(text)


def duration_ns(parameters: Mapping[str, str], name: str) -> int:
    """
    A duration parameter in nanoseconds, 0 when it is absent; BadQuery otherwise.
    """
    text = parameters.get(name, "")
    try:
        return parse_duration(text) if text else 0
    except ValueError as error:
        raise BadQuery(f"invalid {name}: {error}") from error


def _time(text: str | None, name: str) -> int:
    if not text:
        return 0
    try:
        if len(text) > LONGEST_TIME:
            raise ValueError("too long")
        if text.lstrip("-").isdecimal():
            value = int(text)
            return value if value > SECONDS_ABOVE else value * SECOND
        if text.replace(".", "", 1).isdecimal():
            return round(float(text) * SECOND)
        return round(datetime.fromisoformat(text).timestamp() * SECOND)
    except (ValueError, OverflowError) as error:
        raise BadQuery(f"invalid {name}: {text!r} is neither a Unix time nor RFC 3339") from error


def _step(text: str | None, range_ns: int) -> int:
    if not text:
        return _default_step(range_ns)
    try:
        step_ns = round(float(text) * SECOND) if text.replace(".", "", 1).isdecimal() else parse_duration(text)
    except (ValueError, OverflowError) as error:
        raise BadQuery(f"invalid step: {error}") from error
    if step_ns <= 0:
        raise BadQuery(f"invalid step: must be positive, received {text!r}")
    return step_ns


def _default_step(range_ns: int) -> int:
    """A 240th of the range, rounded down to 5 s, or to 1 s when it is shorter."""
    wanted = range_ns // 240
    grain = 5 * SECOND if wanted >= 5 * SECOND else SECOND
    return max(SECOND, wanted // grain * grain)
