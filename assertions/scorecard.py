"""Scorecard: how good the anomaly detector was over many drills, judged by the faults that clients felt. Pure."""

import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from assertions.anomaly import ALERT, sightings
from assertions.truth import traffic_span
from scenarios.history import AlertChange, History
from scenarios.model import Anomaly, Scenario

SIGNALS = ("traffic", "errors", "latency")
SERVICES = 3
"""Every signal is watched for each role of the demo app."""

AFTERMATH_S = 15.0
"""What begins so soon after a fault was healed is still its doing: windows have to drain, and traffic to settle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drilled:
    """One drill on a stack that had the detector."""

    scenario: Scenario
    history: History
    namespace: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """
    What became of one signal. Precision and recall are None where there is nothing to divide by.

    `false_alerts` began while no fault was on nor had just been; `peaceful_series_h` is how long series were watched in such peace.
    """

    signal: str
    expected: int
    found: int
    false_alerts: int
    peaceful_series_h: float
    detect_s: tuple[float, ...] = ()

    @property
    def recall(self) -> float | None:
        """The share of expected anomalies that were found."""
        return self.found / self.expected if self.expected else None

    @property
    def precision(self) -> float | None:
        """The share of alerts that had a reason."""
        return self.found / (self.found + self.false_alerts) if self.found + self.false_alerts else None

    @property
    def median_detect_s(self) -> float | None:
        """The median time from fault to alert, of those found."""
        return statistics.median(self.detect_s) if self.detect_s else None

    @property
    def false_per_series_h(self) -> float | None:
        """False alerts for each hour that a series was watched in peace."""
        return self.false_alerts / self.peaceful_series_h if self.peaceful_series_h else None


def score(drills: Sequence[Drilled]) -> list[Score]:
    """
    One score for each signal, over all drills together.
    """
    return [_score(signal, drills) for signal in SIGNALS]


def _score(signal: str, drills: Sequence[Drilled]) -> Score:
    expected = [(drill, item) for drill in drills for item in drill.scenario.expect if _is_about(item, signal)]
    delays = [delay for drill, item in expected if (delay := _detected_after_s(drill, item)) is not None]
    return Score(
        signal=signal,
        expected=len(expected),
        found=len(delays),
        false_alerts=sum(1 for drill in drills for t in _begun(signal, drill) if _in_peace(drill, t)),
        peaceful_series_h=sum(_peace_s(drill) for drill in drills) * SERVICES / 3600,
        detect_s=tuple(delays),
    )


def _is_about(item: object, signal: str) -> bool:
    return isinstance(item, Anomaly) and item.signal == signal


def _detected_after_s(drill: Drilled, item: object) -> float | None:
    assert isinstance(item, Anomaly)
    on = drill.history.fault_window(f"faults/{item.fault}")
    if on is None:
        return None
    seen = sightings(item.signal, item.service, drill.history, namespace=drill.namespace)
    return min((t - on[0] for t in seen if on[0] <= t <= on[1] + AFTERMATH_S), default=None)


def _begun(signal: str, drill: Drilled) -> Iterator[float]:
    """When each of the detector's alerts for this signal began to fire."""
    for change in drill.history.of(AlertChange):
        fired = (change.source, change.name, change.state) == ("alertmanager", ALERT, "firing")
        if fired and change.labels.get("signal") == signal:
            yield change.t


def _in_peace(drill: Drilled, t: float) -> bool:
    return not any(since <= t <= until for since, until in _disturbed(drill))


def _disturbed(drill: Drilled) -> Iterator[tuple[float, float]]:
    for number in range(1, len(drill.scenario.faults) + 1):
        on = drill.history.fault_window(f"faults/{number}")
        if on is not None:
            yield on[0], on[1] + AFTERMATH_S


def _peace_s(drill: Drilled) -> float:
    """The seconds of traffic in which nothing was broken."""
    span = traffic_span(drill.history)
    if span is None:
        return 0.0
    seconds: Iterable[int] = range(int(span[0]), int(span[1]))
    return float(sum(1 for second in seconds if _in_peace(drill, second + 0.5)))
