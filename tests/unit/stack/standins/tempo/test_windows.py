"""The time range of a query: Tempo's rules, refusals and silent widening."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stack.standins.tempo.settings import Queries
from stack.standins.tempo.windows import BadQuery, Steps, Window, instant_step, positive, range_steps, search_window

SECOND = 1_000_000_000
NOW = 1_800_000_000
NOW_NS = NOW * SECOND
NO_CUTOFF = Queries(end_cutoff_ns=0)
CUTOFF = Queries(end_cutoff_ns=30 * SECOND)


def seconds(window: Window) -> tuple[int, int]:
    """Start and end relative to now."""
    return (window.start_ns - NOW_NS) // SECOND, (window.end_ns - NOW_NS) // SECOND


def test_a_search_without_times_reads_the_last_quarter_of_an_hour() -> None:
    """
    Up to the cutoff.
    """
    assert seconds(search_window({}, CUTOFF, NOW_NS)) == (-900, -30)


@pytest.mark.parametrize("start", [str(NOW - 60), str((NOW - 60) * SECOND), "2027-01-15T07:59:00Z", f"{NOW - 60}.0"])
def test_times_are_seconds_nanoseconds_or_rfc_3339(start: str) -> None:
    """
    All forms of one time are the same.
    """
    assert seconds(search_window({"start": start, "end": str(NOW)}, NO_CUTOFF, NOW_NS)) == (-60, 0)


def test_since_wins_over_start_and_end() -> None:
    """
    `since` counts back from the cutoff.
    """
    assert seconds(search_window({"since": "5m", "start": "1", "end": "2"}, CUTOFF, NOW_NS)) == (-330, -30)


def test_a_start_after_the_cutoff_is_widened_silently() -> None:
    """
    Tempo does so, so that a search for the last ten seconds finds what is fifteen minutes old.
    """
    assert seconds(search_window({"start": str(NOW - 10), "end": str(NOW)}, CUTOFF, NOW_NS)) == (-900, -30)


BAD_SEARCHES = {
    f"start={NOW - 60}": f"http parameter start must be before end. received start={NOW - 60} end=0",
    f"start={NOW}&end={NOW}": "http parameter start must be before end",
    f"end={NOW}": "only one of start and end provided: must provide both or neither",
    f"start=1&end={NOW}": "range specified by start and end exceeds 168h0m0s. received start and end range: 49",
    "start=x&end=2": "invalid start: 'x' is neither a Unix time nor RFC 3339",
    f"start={'9' * 400}&end=2": "invalid start",
    f"start={'9' * 400}.5&end=2": "invalid start",
    "since=soon": "invalid since: 'soon' is not a duration",
}


@pytest.mark.parametrize("query", BAD_SEARCHES)
def test_refuses_bad_times(query: str) -> None:
    """
    Each bad range has its own words.
    """
    with pytest.raises(BadQuery) as caught:
        search_window(dict(part.split("=", 1) for part in query.split("&")), NO_CUTOFF, NOW_NS)

    assert BAD_SEARCHES[query] in str(caught.value)


def test_steps_are_aligned_and_begin_one_before_the_start() -> None:
    """
    Borders are whole steps, whatever the start, and the step that is not over at the cutoff is left out.
    """
    steps = range_steps({"start": str(NOW - 605), "end": str(NOW + 5), "step": "60s"}, NO_CUTOFF, NOW_NS)

    ends = [end // SECOND for end in steps.ends()]
    assert (ends[0], ends[-1], len(ends)) == (NOW - 660, NOW, 12)
    assert steps.after_ns == (NOW - 720) * SECOND


def test_the_last_step_of_a_past_range_holds_its_end() -> None:
    """
    A range that is long over is widened to whole steps on both sides.
    """
    steps = range_steps({"start": str(NOW - 600), "end": str(NOW - 545), "step": "60"}, NO_CUTOFF, NOW_NS)

    assert [end // SECOND - NOW for end in steps.ends()] == [-600, -540]


@settings(deadline=None)
@given(st.integers(1, 10**6), st.integers(1, 1000), st.integers(-5, 10**6))
def test_each_time_falls_into_the_step_that_ends_at_or_after_it(after: int, step: int, at: int) -> None:
    """
    A step holds its end and not its start; a time outside falls into none.
    """
    steps = Steps(after_ns=after, until_ns=after + 7 * step, step_ns=step)

    expected = next((end for end in steps.ends() if end - step < at <= end), None)
    assert steps.end_of(at) == expected


def test_an_instant_query_has_one_step() -> None:
    """
    From start to end, cut at the cutoff; an hour by default.
    """
    (end,) = instant_step({}, CUTOFF, NOW_NS).ends()

    assert end == NOW_NS - 30 * SECOND
    assert instant_step({}, CUTOFF, NOW_NS).after_ns == NOW_NS - 3600 * SECOND


BAD_METRICS = {
    f"start={NOW}&end={NOW}": "end must be greater than start",
    f"start={NOW - 10}&end={NOW}": "query window falls entirely within query_end_cutoff",
    "since=25h": "exceeds the maximum allowed duration of 24h0m0s. received: 24h59m30s",
    "since=24h&step=1s": "step is too small: more than 10000 intervals",
    "step=-1s": "invalid step: must be positive, received '-1s'",
    "step=0": "invalid step: must be positive",
    "step=soon": "invalid step: 'soon' is not a duration",
}


@pytest.mark.parametrize("query", BAD_METRICS)
def test_refuses_bad_metrics_ranges(query: str) -> None:
    """
    Each bad range or step has its own words.
    """
    with pytest.raises(BadQuery) as caught:
        range_steps(dict(part.split("=", 1) for part in query.split("&")), CUTOFF, NOW_NS)

    assert BAD_METRICS[query] in str(caught.value)


@pytest.mark.parametrize(("range_s", "step_s"), [(60, 1), (3600, 15), (86_000, 355), (600, 2)])
def test_the_default_step_gives_about_240_points(range_s: int, step_s: int) -> None:
    """
    In whole multiples of 5 s, or of 1 s below that.
    """
    steps = range_steps({"start": str(NOW - range_s), "end": str(NOW)}, NO_CUTOFF, NOW_NS)

    assert steps.step_ns == step_s * SECOND


@pytest.mark.parametrize("text", ["0", "-1", "x", "1.5", "9" * 30, "٣"])
def test_a_limit_is_a_positive_number(text: str) -> None:
    """
    Anything else is named.
    """
    with pytest.raises(BadQuery, match="invalid limit: must be a positive number, received"):
        positive({"limit": text}, "limit", 20)
