"""One series at a time: the detector for people who have a value and want a verdict, or an array and want scores."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.bank import Bank
from detector.kinds import Bools, Floats, Kind
from detector.replay import Trace, replay
from detector.settings import Settings
from detector.verdict import Verdict, verdict


class Detector:
    """
    Watches one series; the very algorithm of the bank, for a bank of one.

    `step_s` is the time between two samples, in seconds. Latencies are in seconds, traffic in requests per second,
    errors are a ratio from 0 to 1, or errors per second with `requests` per second.
    """

    def __init__(self, kind: Kind | str, step_s: float, *, settings: Settings | None = None) -> None:
        self.bank = Bank(kind=Kind(kind), step_s=step_s, settings=settings, size=1)

    def update(self, at_s: float, value: float, requests: float | None = None) -> Verdict:
        """
        Take one sample and say what it means. NaN says that there was none.

        A sample that is not later than the last one changes nothing; the last verdict is given again.
        """
        counts = None if requests is None else np.array([float(requests)])
        self.bank.step(at_s, np.array([float(value)]), counts)
        return verdict(self.bank, 0)

    def refit(self) -> bool:
        """Estimate the speeds and the season again from the history; False while an alert is active."""
        from detector.fit import fit  # statsmodels takes seconds to load; who never refits should not wait for it

        return self.bank.adopt(0, fit(self.bank.job(0)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """What was found at each moment of one series; `score` is 0.5 at the limit, `firing` while an alert is active."""

    score: Floats
    expected: Floats
    lower: Floats
    upper: Floats
    firing: Bools


def detect(
    timestamps: npt.ArrayLike,
    values: npt.ArrayLike,
    *,
    kind: Kind | str = Kind.GAUGE,
    requests: npt.ArrayLike | None = None,
    settings: Settings | None = None,
) -> Scores:
    """
    Score a recorded series as if it had been watched live: no score depends on what came after it.

    `timestamps` are seconds, rising; the step is taken to be their median distance.
    """
    at_s = np.asarray(timestamps, dtype=np.float64)
    step_s = float(np.median(np.diff(at_s))) if len(at_s) > 1 else 1.0
    bank = Bank(kind=Kind(kind), step_s=step_s, settings=settings, size=1)
    counts = None if requests is None else np.asarray(requests, dtype=np.float64)[:, None]
    trace: Trace = replay(bank, at_s, np.asarray(values, dtype=np.float64)[:, None], counts)
    return Scores(
        score=trace.score[:, 0],
        expected=trace.expected[:, 0],
        lower=trace.lower[:, 0],
        upper=trace.upper[:, 0],
        firing=trace.firing[:, 0],
    )
