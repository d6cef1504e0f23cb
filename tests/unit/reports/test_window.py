"""All pictures of one drill share a time axis, and axes have round ticks."""

import pytest

from reports.window import Window, scale, tick_label
from scenarios.history import Clock, History, Phase
from tests.unit.reports import examples


def test_a_window_spans_from_the_first_request_to_the_last_event() -> None:
    """
    What was measured of the clocks before the traffic is no part of it.
    """
    example = examples.passed()
    window = Window.of(example.record, example.history)

    assert (window.start, window.end, window.zero) == (examples.START_T, examples.END_T, examples.DRIVE_T)


def test_a_drill_that_never_drove_counts_from_its_first_event() -> None:
    """
    There is always a time nought.
    """
    history = History([Clock(t=90.0, backend="tempo", offset_s=0, round_trip_s=0), Phase(t=100.0, name="stopped")])
    window = Window.of(examples.record(), history)

    assert (window.zero, window.start, window.end) == (100.0, 100.0, 101.0)


def test_an_empty_history_spans_the_record() -> None:
    """
    Nothing happened, but the drill still took its time.
    """
    record = examples.record()
    window = Window.of(record, History([]))

    assert (record.started_t, record.ended_t) == (window.start, window.end)


def test_times_outside_lie_on_the_edge() -> None:
    """
    A notification after the end never draws outside of its picture.
    """
    window = Window(start=100, end=200, zero=110)

    assert [window.x(t) for t in (0, 125, 900)] == ["0%", "25%", "100%"]
    assert (window.width(150, 900), window.width(900, 950)) == ("50%", "0%")
    assert (window.contains(200), window.contains(200.1)) == (True, False)


@pytest.mark.parametrize("length_s", [1, 3, 55, 600, 7200, 30 * 24 * 3600])
def test_there_are_always_a_few_ticks(length_s: float) -> None:
    """
    From a second to a month.
    """
    ticks = Window(start=1000, end=1000 + length_s, zero=1000).ticks()

    assert 2 <= len(ticks) <= 9
    assert ticks[0] == (1000, "0")


@pytest.mark.parametrize(
    ("offset_s", "step_s", "label"),
    [(0, 5, "0"), (-10, 5, "−10 s"), (90, 30, "90 s"), (120, 60, "2 min"), (7200, 3600, "2 h")],
)
def test_a_tick_is_named_in_the_unit_of_its_step(offset_s: float, step_s: float, label: str) -> None:
    """
    All ticks of one axis have one unit.
    """
    assert label == tick_label(offset_s, step_s).replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("values", "floor", "ticks"),
    [
        ([41.0], 3, [0, 20, 40, 60]),
        ([], 0.03, [0, 0.01, 0.02, 0.03]),
        ([0.0], 3, [0, 1, 2, 3]),
        ([100.0], 3, [0, 50, 100]),
        ([0.31], 0.03, [0, 0.2, 0.4]),
    ],
)
def test_a_scale_has_round_ticks_from_nought(values: list[float], floor: float, ticks: list[float]) -> None:
    """
    An axis starts at 0 and ends at or above the highest value, also where all values are 0.
    """
    assert pytest.approx(ticks) == list(scale(values, floor))
