"""The bank: what it alerts on, what it forgives, and that one series or many give the same."""

from collections.abc import Iterator

import numpy as np
import pytest

from detector import Bank, Detector, Direction, Kind, Settings, Severity, Status
from detector.alarm import End, Tick
from detector.kinds import Floats

STEP_S = 15.0
ALERTS = list[tuple[int, str]]


def noisy(count: int, base: float = 0.1, spread: float = 0.05, seed: int = 1) -> Floats:
    """A latency that wobbles."""
    return np.asarray(base * np.exp(np.random.default_rng(seed).normal(0.0, spread, count)))


def feed(bank: Bank, values: Floats, requests: Floats | None = None, first: int = 0) -> Iterator[tuple[int, Tick]]:
    """Step a bank of one through values, one per step."""
    for at, value in enumerate(values):
        counts = None if requests is None else np.array([requests[at]])
        tick = bank.step((first + at) * STEP_S, np.array([value]), counts)
        assert tick is not None
        yield first + at, tick


def changes(bank: Bank, values: Floats, requests: Floats | None = None) -> ALERTS:
    """The begins and ends of alerts with their moments."""
    found: ALERTS = []
    for at, tick in feed(bank, values, requests):
        found += [(at, "began") for _ in tick.began] + [(at, str(end)) for _, end in tick.ended]
    return found


def bank(kind: Kind = Kind.LATENCY, **settings: object) -> Bank:
    """A bank of one at 15 seconds."""
    return Bank(kind=kind, step_s=STEP_S, settings=Settings(seasons_s=(), **settings))  # type: ignore[arg-type]


def test_a_fault_is_told_with_its_second_sample_and_forgiven_after_four_good_ones() -> None:
    """Two of three samples over the limit begin an alert; four samples back to normal end it."""
    values = noisy(200)
    values[100:120] *= 3.0
    assert changes(bank(), values) == [(101, "began"), (123, "cleared")]


def test_a_lone_spike_is_never_an_alert() -> None:
    """One sample alone, however high, is not told."""
    values = noisy(200)
    values[[100, 140]] *= 50.0
    assert changes(bank(), values) == []


def test_two_spikes_with_a_good_sample_between_them_are_not_an_alert() -> None:
    """A sample back to normal wipes out what came before it."""
    values = noisy(200)
    values[[100, 102]] *= 5.0
    assert changes(bank(), values) == []


def test_where_lone_spikes_are_common_one_sample_more_is_needed() -> None:
    """A series that spikes all the time no longer alerts on two spikes in a row, but still on a fault."""
    values = noisy(1500)
    values[100:1300:20] *= 5.0
    values[[1310, 1311]] *= 5.0
    values[1400:1410] *= 5.0
    found = changes(bank(), values)
    assert [at for at, what in found if what == "began"] == [1402]
    rare = noisy(1500)
    rare[[1310, 1311]] *= 5.0
    assert changes(bank(), rare)[0] == (1311, "began")


def test_more_confirmation_takes_more_samples() -> None:
    """With confirm 3 the third faulty sample begins the alert."""
    values = noisy(200)
    values[100:120] *= 3.0
    assert changes(bank(confirm=3), values)[0] == (102, "began")


def test_a_weak_fault_that_lasts_is_found_by_the_slow_rule() -> None:
    """A rise whose single samples stay below the limit is told after some samples, and ends when it is over."""
    values = noisy(400, spread=0.06)
    values[300:340] *= 1.27
    found = changes(bank(limit_z=6.0), values)
    assert [what for _, what in found] == ["began", "cleared"]
    assert 302 < found[0][0] < 325
    assert 340 < found[1][0] < 370


def test_latency_that_falls_is_no_alert_unless_asked_for() -> None:
    """Only the bad direction counts, and it can be chosen."""
    values = noisy(200)
    values[100:120] /= 3.0
    assert changes(bank(), values) == []
    assert changes(bank(direction=Direction.BOTH), values)[0] == (101, "began")
    assert changes(bank(direction=Direction.DOWN), values)[0] == (101, "began")


def test_traffic_that_stops_is_found() -> None:
    """Zero is a value: traffic that falls to nothing is told with the second sample."""
    values = noisy(200, base=50.0)
    values[100:] = 0.0
    assert changes(bank(Kind.TRAFFIC), values)[0] == (101, "began")


def test_a_change_below_the_minimum_effect_is_no_alert() -> None:
    """A tenth more latency, however many deviations that is, wakes nobody; a smaller minimum effect lets it through."""
    values = noisy(300, spread=0.001)
    values[200:240] *= 1.15
    assert changes(bank(), values) == []
    sensitive = bank(min_effect=0.05, sensitivity=3.0)
    assert changes(sensitive, values)[0][1] == "began"


def test_errors_are_judged_by_their_counts() -> None:
    """The same ratio is an alert when many requests stand behind it, and none when they are few."""
    ratio = np.full(200, 0.002)
    ratio[100:110] = 0.05
    many, few = np.full(200, 100.0), np.full(200, 0.2)
    assert changes(bank(Kind.ERRORS), ratio * many, many)[0] == (101, "began")
    assert changes(bank(Kind.ERRORS), ratio * few, few) == []


def test_a_rate_over_a_longer_window_counts_more_requests() -> None:
    """The same few errors per second are told sooner when they were counted over a minute than over one step."""
    requests = np.full(200, 1.0)
    errors = np.full(200, 0.01)
    errors[100:110] = 0.25
    assert changes(bank(Kind.ERRORS), errors, requests)[0][0] > 101
    assert changes(bank(Kind.ERRORS, counted_over_s=60.0), errors, requests)[0] == (101, "began")


def test_error_ratios_without_counts_are_averaged() -> None:
    """A lone bad ratio is diluted; one that lasts is found."""
    spike, lasting = np.full(300, 0.002), np.full(300, 0.002)
    spike[200] = 0.03
    lasting[200:230] = 0.2
    assert changes(bank(Kind.ERRORS), spike) == []
    assert changes(bank(Kind.ERRORS), lasting)[0][1] == "began"


def test_a_gauge_alerts_in_both_directions() -> None:
    """A gauge has no bad direction of its own."""
    rng = np.random.default_rng(2)
    for jump in (-30.0, 30.0):
        values = rng.normal(100.0, 1.0, 200)
        values[150:] += jump
        assert changes(bank(Kind.GAUGE), values)[0] == (151, "began")


def test_a_lasting_shift_becomes_the_new_normal() -> None:
    """After 240 samples the alert ends as rebaselined, nothing is told again, and a new fault is found."""
    values = noisy(700)
    values[100:] *= 2.0
    values[600:620] *= 2.0
    found = changes(bank(), values)
    assert [what for _, what in found] == ["began", "rebaselined", "began", "cleared"]
    assert found[0][0] == 101
    assert found[1][0] == 101 + 240
    assert found[2][0] == 601


def test_missing_samples_hold_an_alert_and_then_end_it_as_stale() -> None:
    """A series that goes away while it is bad stays an alert for a while, and then ends as stale."""
    values = noisy(200)
    values[100:105] *= 4.0
    values[105:] = np.nan
    one = bank()
    found = changes(one, values)
    assert found == [(101, "began"), (105 + 60, "stale")]


def test_a_series_back_after_long_absence_learns_its_level_again() -> None:
    """What it was hours ago says little: no alert for the new level, but for a fault after the warm-up."""
    one = bank()
    assert changes(one, noisy(100)) == []
    later = noisy(200, base=0.4)
    later[100:110] *= 3.0
    found = [(at, tick) for at, tick in feed(one, later, first=1000)]
    began = [at for at, tick in found if tick.began]
    assert began == [1101]


def test_it_is_usable_after_twenty_samples() -> None:
    """A strong fault right after the warm-up is found; during it nothing is ever told."""
    values = noisy(60)
    values[25:] *= 4.0
    assert changes(bank(), values)[0] == (26, "began")
    early = noisy(60)
    early[5:12] *= 4.0
    assert all(at > 20 for at, _ in changes(bank(), early))


def test_late_and_doubled_moments_change_nothing() -> None:
    """A moment that is not later than the last is counted and leaves the state as it is."""
    one = bank()
    list(feed(one, noisy(50)))
    before = {name: array.copy() for name, array in one.state.arrays().items()}
    for at_s in (49 * STEP_S, 10.0, float("nan"), float("inf"), float("-inf")):
        assert one.step(at_s, np.array([99.0])) is None
    assert one.late == 5
    for name, array in one.state.arrays().items():
        np.testing.assert_array_equal(array, before[name])


def test_severity_rises_and_does_not_fall_while_the_alert_lasts() -> None:
    """Ten deviations are critical; milder samples later do not make the alert mild again."""
    detector = Detector("latency", STEP_S, settings=Settings(seasons_s=()))
    values = noisy(140, spread=0.06)
    values[60] *= 3.0  # seen before, so that what follows is no record
    values[100:103] *= 1.5
    values[103:106] *= 6.0
    values[106:110] *= 1.5
    verdicts = [detector.update(at * STEP_S, value) for at, value in enumerate(values)]
    assert verdicts[102].severity is Severity.WARNING
    assert verdicts[104].severity is Severity.CRITICAL
    assert verdicts[109].severity is Severity.CRITICAL
    assert verdicts[130].severity is None


@pytest.mark.parametrize(
    ("kind", "base", "factor", "objective"), [("latency", 0.1, 1.5, 0.12), ("traffic", 50.0, 0.6, 40.0)]
)
def test_an_objective_makes_an_alert_critical(kind: str, base: float, factor: float, objective: float) -> None:
    """Past the objective, in the bad direction, an alert is critical however small its z."""
    values = noisy(140, base=base, spread=0.06)
    values[60] *= factor**3  # seen before, so that what follows is no record
    values[100:] *= factor
    for bound, severity in ((None, Severity.WARNING), (objective, Severity.CRITICAL)):
        detector = Detector(kind, STEP_S, settings=Settings(seasons_s=(), objective=bound))
        verdicts = [detector.update(at * STEP_S, value) for at, value in enumerate(values)]
        assert verdicts[110].severity is severity


def test_many_series_give_what_each_gives_alone() -> None:
    """The vectorised bank and the scalar detector are one algorithm: the same numbers to the last bit."""
    rng = np.random.default_rng(5)
    values = 0.1 * np.exp(rng.normal(0.0, 0.1, (260, 7)))
    values[rng.random(values.shape) < 0.03] = np.nan
    values[150:170, 2] *= 4.0
    values[200:, 4] *= 3.0
    values[:100, 5] = np.nan
    together = Bank(kind=Kind.LATENCY, step_s=STEP_S, size=7)
    alone = [Bank(kind=Kind.LATENCY, step_s=STEP_S, size=1) for _ in range(7)]
    for at, row in enumerate(values):
        together.step(at * STEP_S, row)
        for column, one in enumerate(alone):
            one.step(at * STEP_S, row[column : column + 1])
    for name, array in together.state.arrays().items():
        np.testing.assert_array_equal(array, np.concatenate([one.state.arrays()[name] for one in alone]), err_msg=name)


def test_growing_and_clearing_leave_the_others_alone() -> None:
    """A place that is used again starts from nothing; its neighbours do not notice."""
    one = Bank(kind=Kind.LATENCY, step_s=STEP_S, size=2)
    for at in range(30):
        one.step(at * STEP_S, np.array([0.1, 0.2]))
    one.grow(5)
    level = one.state.level[1]
    one.clear(0)
    tick = one.step(31 * STEP_S, np.array([5.0, 0.2, np.nan, np.nan, 1.0]))
    assert one.size == 5
    assert one.state.seen.tolist() == [1.0, 31.0, 0.0, 0.0, 1.0]
    assert one.state.level[1] == pytest.approx(level)
    assert tick is not None
    assert tick.began == ()


def test_bulk_is_the_same_as_step_by_step() -> None:
    """Many moments at once give the same ticks, and late ones give none."""
    values = noisy(150)[:, None]
    values[100:110] *= 4.0
    at_s = STEP_S * np.arange(150, dtype=np.float64)
    at_s[50] = at_s[49]
    ticks = list(bank().bulk(at_s, values))
    assert len(ticks) == 149
    assert [tick.at_s / STEP_S for tick in ticks if tick.began] == [101]
    assert [end for tick in ticks for _, end in tick.ended] == [End.CLEARED]


def test_states_go_from_no_data_to_level() -> None:
    """The status says how much is known."""
    detector = Detector("latency", STEP_S, settings=Settings(seasons_s=()))
    assert detector.update(0.0, float("nan")).status is Status.NO_DATA
    values = noisy(60)
    verdicts = [detector.update((at + 1) * STEP_S, value) for at, value in enumerate(values)]
    assert verdicts[0].status is Status.LEARNING
    assert verdicts[18].status is Status.LEARNING
    assert verdicts[20].status is Status.LEVEL
    stale = [detector.update((100 + at) * STEP_S, float("nan")) for at in range(3)]
    assert stale[-1].status is Status.STALE


@pytest.mark.parametrize(
    "wrong", [{"sensitivity": 0.0}, {"sensitivity": 11.0}, {"confirm": 0}, {"confirm": 5}, {"warm_up": 2}]
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    """A dial beyond its range is an error that names it."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Settings(**wrong)  # type: ignore[arg-type]
