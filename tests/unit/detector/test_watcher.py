"""A watch at work: series that come, go and come again, limits, counts of errors, raw counters."""

import numpy as np
import pytest

from detector.config import Watch
from detector.kinds import Floats
from detector.matrix import Labels, Matrix
from detector.roster import Roster, series_id
from detector.watcher import Watcher, is_counter


def labels(name: str) -> Labels:
    """A series' labels."""
    return (("service_name", name),)


def watcher(limit: int = 100, forget_s: float = 300.0, **watch: object) -> Watcher:
    """A watcher at 15 seconds."""
    values = {"name": "latency", "query": "q", "kind": "latency", "season": "none", **watch}
    return Watcher(Watch.model_validate(values), step_s=15.0, max_series=limit, forget_after_s=forget_s)


def matrix(names: list[str], values: object, first: int = 0) -> Matrix:
    """A range at 15 seconds."""
    table = np.asarray(values, dtype=np.float64)
    return Matrix(
        at_s=15.0 * (first + np.arange(len(table), dtype=np.float64)), labels=tuple(map(labels, names)), values=table
    )


def test_new_series_find_a_place_and_old_ones_are_forgotten() -> None:
    """A series that has been away for long gives its place to a new one, which starts from nothing."""
    one = watcher(forget_s=150.0)
    for at in range(30):
        one.take(at * 15.0, {labels("a"): 0.1, labels("b"): 0.2}, None)
    place = one.roster.slots[labels("a")]
    for at in range(30, 60):
        one.take(at * 15.0, {labels("b"): 0.2}, None)
    assert labels("a") not in one.roster.slots
    one.take(60 * 15.0, {labels("b"): 0.2, labels("c"): 5.0}, None)
    assert one.roster.slots[labels("c")] == place
    assert one.bank.state.seen[place] == 1
    assert one.bank.state.seen[one.roster.slots[labels("b")]] == 61
    assert one.points == {"ok": 92, "gap": 10, "nan": 0}


def test_the_bank_grows_with_the_series_up_to_the_limit() -> None:
    """Beyond the limit a series is refused, visibly; when there is room again it may come."""
    one = watcher(limit=20, forget_s=150.0)
    many = {labels(f"s{at}"): 0.1 for at in range(25)}
    one.take(0.0, many, None)
    assert len(one.roster.slots) == 20
    assert len(one.roster.refused) == 5
    assert set(one.roster.refused.values()) == {"more than 20 series (max_series)"}
    rest = dict(list(many.items())[10:])
    for at in range(1, 30):
        one.take(at * 15.0, rest, None)
    assert set(one.roster.slots) == set(rest)
    assert one.roster.refused == {}


def test_requests_without_errors_are_no_errors() -> None:
    """Prometheus knows no series for errors that never happened: with requests, absence is zero."""
    one = watcher(name="errors", kind="errors", requests_query="r")
    for at in range(40):
        errors: dict[Labels, float] = {} if at < 30 else {labels("a"): 5.0}
        one.take(at * 15.0, errors, {labels("a"): 50.0})
    slot = one.roster.slots[labels("a")]
    assert one.bank.state.seen[slot] == 40
    assert list(one.firing()) == [labels("a")]
    again = watcher(name="errors", kind="errors", requests_query="r")
    table = np.full((40, 1), np.nan)
    table[30:] = 5.0
    again.replay(matrix(["a"], table), matrix(["a"], np.full((40, 1), 50.0)))
    assert list(again.firing()) == [labels("a")]
    np.testing.assert_array_equal(again.bank.state.level[:1], one.bank.state.level[:1])


def test_a_raw_counter_is_refused_with_a_hint() -> None:
    """Somebody forgot the rate(): the series is refused and stays refused."""
    one = watcher(name="traffic", kind="traffic")
    counter = np.cumsum(np.full((100, 1), 3.0), axis=0)
    rate = np.abs(np.random.default_rng(1).normal(50.0, 3.0, (100, 1)))
    one.replay(matrix(["raw", "rate"], np.hstack([counter, rate])), None)
    assert set(one.roster.slots) == {labels("rate")}
    assert one.roster.refused == {labels("raw"): "a raw counter; query its rate()"}
    one.take(100 * 15.0, {labels("raw"): 303.0, labels("rate"): 50.0}, None)
    assert set(one.roster.slots) == {labels("rate")}
    assert watcher().refuse_counters() == []


@pytest.mark.parametrize(
    ("points", "yes"),
    [(np.arange(100.0), True), (np.arange(40.0), False), (np.zeros(100), False), (np.arange(100.0)[::-1], False)],
)
def test_what_looks_like_a_counter(points: Floats, yes: bool) -> None:
    """Long, and only ever rising."""
    assert is_counter(points) is yes


def test_alerts_that_ended_during_a_replay_are_not_firing_and_those_still_active_are() -> None:
    """History tells only how things stand now."""
    values = 0.1 * np.exp(np.random.default_rng(1).normal(0.0, 0.05, (100, 2)))
    values[50:60, 0] *= 4.0
    values[95:, 1] *= 4.0
    one = watcher()
    one.replay(matrix(["past", "now"], values), None)
    assert list(one.firing()) == [labels("now")]
    assert one.firing()[labels("now")].since_s == 96 * 15.0


def test_series_still_there_come_first_when_history_has_more_than_fit() -> None:
    """The limit is not used up by series that have gone."""
    values = np.full((50, 30), np.nan)
    values[:20, :20] = 0.1
    values[:, 20:] = 0.1
    one = watcher(limit=10)
    one.replay(matrix([f"s{at}" for at in range(30)], values), None)
    assert {name for ((_, name),) in one.roster.slots} == {f"s{at}" for at in range(20, 30)}


def test_absence_is_noticed_where_it_was_asked_for() -> None:
    """After the given number of samples a known series is absent; by default nobody asks."""
    asked, unasked = watcher(absent_after=5), watcher()
    for one in (asked, unasked):
        for at in range(30):
            one.take(at * 15.0, {labels("a"): 0.1}, None)
        for at in range(30, 36):
            one.take(at * 15.0, {}, None)
    assert asked.absent() == [labels("a")]
    assert unasked.absent() == []


def test_a_series_is_found_by_its_id() -> None:
    """The id is made of watch and labels, and stays the same over restarts."""
    one = watcher()
    one.take(0.0, {labels("a"): 0.1}, None)
    assert one.find(series_id("latency", labels("a"))) == (labels("a"), 0)
    assert one.find("nothing") is None
    assert series_id("latency", labels("a")) != series_id("traffic", labels("a"))


def test_values_that_are_no_number_are_counted() -> None:
    """NaN, infinity and a latency of zero are no samples."""
    one = watcher()
    one.take(0.0, {labels("a"): float("nan"), labels("b"): 0.0, labels("c"): 0.1, labels("d"): float("inf")}, None)
    assert one.points == {"ok": 1, "gap": 0, "nan": 3}


def test_a_restored_roster_uses_its_free_places_again() -> None:
    """Places between those of a snapshot are free."""
    roster = Roster(10)
    roster.restore([(labels("a"), 0), (labels("b"), 3)])
    assert sorted(roster.place(labels(name)) or 0 for name in "cde") == [1, 2, 4]
    assert roster.width == 5


def test_the_memory_of_refusals_is_bounded() -> None:
    """A flood of series does not fill the memory with refusals."""
    roster = Roster(3)
    for at in range(100):
        roster.place(labels(f"s{at}"))
    assert len(roster.refused) == 3
