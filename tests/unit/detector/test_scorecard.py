"""Score cards: what counts as found, false and repeated."""

from detector.replay import Alert
from detector.scorecard import Scorecard, Window, judge, together


def test_alerts_are_matched_with_the_faults_of_their_own_series() -> None:
    """Found in time, repeated, just after the end, in another series, outside of any fault."""
    windows = [Window(slot=0, start=10, end=20), Window(slot=0, start=50, end=60), Window(slot=1, start=10, end=20)]
    began = [(0, 12), (0, 18), (0, 61), (0, 30), (1, 5)]
    card = judge([Alert(slot=slot, began=at) for slot, at in began], windows)
    assert card == Scorecard(faults=3, found=2, alerts=5, false=2, repeated=1, delays=(2, 11))
    assert card.recall == 2 / 3
    assert card.precision == 0.6
    assert card.delay(50) == 6.5


def test_alerts_before_the_first_moment_do_not_count() -> None:
    """The warm-up is nobody's fault."""
    card = judge([Alert(slot=0, began=5)], [], first=6)
    assert (card.alerts, card.precision, card.recall, card.delay(50)) == (0, 1.0, 1.0, None)
    assert card.as_dict()["delay_p50"] is None


def test_cards_add_up() -> None:
    """Several cards as one."""
    one = judge([Alert(slot=0, began=12)], [Window(slot=0, start=10, end=20)])
    two = judge([Alert(slot=0, began=3)], [Window(slot=0, start=10, end=20)])
    assert together([one, two]) == Scorecard(faults=2, found=1, alerts=2, false=1, repeated=0, delays=(2,))
