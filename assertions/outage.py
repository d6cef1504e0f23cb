"""Outage: all faults of a drill as one, and what came of a signal: how much was at stake, lost, and when the rest had arrived. Pure."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from assertions.evidence import Evidence, Points, Recovery
from assertions.truth import traffic_span, window
from scenarios.history import History, Traffic
from scenarios.model import ENTRY_SERVICE, Recovered

MARGIN_S = 1.0
"""The clients' seconds and the scrapes do not fall on the same moments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """
    All faults of a drill as one outage, and what came of a signal: `sent` by the clients (`lost_answers` more may have been
    served), `at_stake` of these while the faults were on, `arrived` in the store. `gap_s` is the longest time without a sample
    while there were clients.
    """

    began_t: float
    healed_t: float
    sent: float
    lost_answers: float
    at_stake: float
    arrived: float
    recovery: Recovery
    drained_t: float | None
    gap_s: float

    @property
    def lost(self) -> float:
        """What did not arrive."""
        return max(0.0, self.sent - self.arrived)

    @property
    def lost_share(self) -> float:
        """The same as a share of what was at stake; more than all when nothing was."""
        return self.lost / self.at_stake if self.at_stake else math.inf if self.lost else 0.0

    @property
    def uncounted(self) -> float:
        """What was sent, but never counted on its way."""
        points = self.recovery.counted_by_time
        return max(0.0, self.sent - (points[-1][1] if points else 0.0))

    @property
    def drained_s(self) -> float | None:
        """Seconds from the healing until the backlog was drained."""
        return None if self.drained_t is None else max(0.0, self.drained_t - self.healed_t)


def outage_of(
    item: Recovered, history: History, evidence: Evidence, recovery: Recovery, windows: Sequence[tuple[float, float]]
) -> Outage:
    """
    All faults of a drill, on in these windows, and what came of a signal.
    """
    began_t, healed_t = min(on[0] for on in windows), max(on[1] for on in windows)
    traced = item.signal == "traces"
    truth = window(history, sampled=traced)
    counted = recovery.counted_by_time[-1][1] if recovery.counted_by_time else 0.0
    stored = evidence.stored_spans.get(ENTRY_SERVICE, 0.0)
    caught_up_t = _caught_up(
        [second for second in history.of(Traffic) if second.sampled or not traced],
        recovery.counted_by_time,
        healed_t,
        _lag_s(evidence),
    )
    empty_t = next((t for t, size in recovery.queue_by_time if t >= healed_t and size == 0), None)
    drained = (caught_up_t, empty_t) if traced else (caught_up_t,)
    return Outage(
        began_t=began_t,
        healed_t=healed_t,
        sent=float(truth.answered),
        lost_answers=float(truth.lost),
        at_stake=float(window(history, since=math.floor(began_t), until=math.ceil(healed_t), sampled=traced).answered),
        arrived=stored if traced else counted,
        recovery=recovery,
        drained_t=None if None in drained else max(t for t in drained if t is not None),
        gap_s=_gap_s(history, recovery.samples_t, _lag_s(evidence)),
    )


def _lag_s(evidence: Evidence) -> float:
    """How late a count may be although nothing is held up."""
    delays = evidence.delays
    return delays.export_s + delays.batch_s + delays.scrape_s + MARGIN_S


def _caught_up(seconds: Sequence[Traffic], counted: Points, healed_t: float, lag_s: float) -> float | None:
    """
    The first moment from the healing on at which no more was missing than at the end, which is what was lost for good.
    """
    if not counted:
        return None
    answered = list(accumulate((second.count - second.errors for second in seconds), initial=0))

    def missing(t: float, value: float) -> float:
        return answered[bisect_right(seconds, t - lag_s - 1, key=lambda second: second.t)] - value

    lost = max(0.0, answered[-1] - counted[-1][1])
    return next((t for t, value in counted if t >= healed_t and missing(t, value) <= lost), None)


def _gap_s(history: History, samples_t: Sequence[float], lag_s: float) -> float:
    """From the first request to the last; the first sample may be as late as counts may be."""
    span = traffic_span(history)
    if span is None:
        return math.inf
    times = sorted([span[0] + lag_s, *samples_t, span[1]])
    return max(after - before for before, after in pairwise(t for t in times if t >= span[0]))
