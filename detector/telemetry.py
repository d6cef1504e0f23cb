"""The detector's own metrics, and its scores as series; nothing is computed when they are scraped."""

import platform
from collections import Counter as Tally
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from detector.kinds import Bools, Floats
from detector.matrix import Labels
from detector.verdict import Status, View, statuses, view
from detector.watcher import Watcher


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The series of one watch as they were after its last tick."""

    watch: str
    signal: str
    labels: tuple[Labels, ...]
    numbers: View
    firing: Bools
    critical: Bools
    ages_s: Floats
    states: dict[str, int]
    points: dict[str, int]


def publish(watcher: Watcher) -> Published:
    """Copy what the metrics show of a watch; once per tick, for all its series at once."""
    labels = tuple(watcher.roster.slots)
    slots: npt.NDArray[np.int64] = np.fromiter(watcher.roster.slots.values(), dtype=np.int64, count=len(labels))
    state = watcher.bank.state
    tally = Tally(map(str, statuses(watcher.bank, slots)))
    return Published(
        watch=watcher.watch.name,
        signal=str(watcher.watch.kind),
        labels=labels,
        numbers=view(watcher.bank, slots),
        firing=state.fired[slots] > 0,
        critical=state.critical[slots],
        ages_s=watcher.bank.at_s - watcher.fitted_s[slots],
        points={**watcher.points, "late": watcher.bank.late},
        states={str(one): tally[str(one)] for one in Status} | {"refused": len(watcher.roster.refused)},
    )


class SeriesCollector(Collector):
    """The scores and bands of all series, with the labels of each series."""

    def __init__(self) -> None:
        self.published: dict[str, Published] = {}

    def collect(self) -> Iterable[Metric]:
        """What was published last."""
        score = Metric("anomaly_score", "How unusual the last sample is: 0.5 is the limit, 1 infinitely far.", "gauge")
        expected = Metric("anomaly_expected", "The value that was expected.", "gauge")
        lower = Metric("anomaly_lower", "The lower end of the band.", "gauge")
        upper = Metric("anomaly_upper", "The upper end of the band.", "gauge")
        firing = Metric("anomaly_firing", "Whether an alert is active, by severity.", "gauge")
        age = Metric("anomaly_model_age_seconds", "Time since the parameters were estimated.", "gauge")
        count = Metric("anomaly_series", "Series by what is known of them.", "gauge")
        points = Metric("anomaly_points", "Samples by what became of them.", "counter")
        for part in list(self.published.values()):
            for state, number in part.states.items():
                count.add_sample("anomaly_series", {"watch": part.watch, "state": state}, number)
            for result, number in part.points.items():
                points.add_sample("anomaly_points_total", {"watch": part.watch, "result": result}, number)
            for at, labels in enumerate(part.labels):
                tags = {**dict(labels), "watch": part.watch, "signal": part.signal}
                if not part.numbers.known[at]:
                    continue
                score.add_sample(score.name, tags, float(part.numbers.score[at]))
                expected.add_sample(expected.name, tags, float(part.numbers.expected[at]))
                lower.add_sample(lower.name, tags, float(part.numbers.lower[at]))
                upper.add_sample(upper.name, tags, float(part.numbers.upper[at]))
                critical = bool(part.critical[at])
                for severity, yes in (("warning", part.firing[at] and not critical), ("critical", critical)):
                    firing.add_sample(firing.name, {**tags, "grade": severity}, float(yes))
                if np.isfinite(part.ages_s[at]):
                    age.add_sample(age.name, tags, float(part.ages_s[at]))
        return [score, expected, lower, upper, firing, age, count, points]


class Telemetry:
    """All metrics in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.series = SeriesCollector()
        self.registry.register(self.series)
        ProcessCollector(registry=self.registry)
        own: dict[str, Any] = {"registry": self.registry}
        self.fit_seconds = Histogram(
            "anomaly_fit_seconds", "Time of one fit.", buckets=(0.002, 0.004, 0.006, 0.01, 0.02, 0.05, 0.2, 2.0), **own
        )
        self.fits = Counter("anomaly_fit", "Fits by how they ended.", ["result"], **own)
        self.query_seconds = Histogram("anomaly_query_seconds", "Time of one query.", **own)
        self.query_errors = Counter("anomaly_query_errors", "Queries that failed.", ["reason"], **own)
        self.tick_seconds = Histogram("anomaly_tick_seconds", "Time from a tick's start to its last decision.", **own)
        self.tick_lag = Gauge("anomaly_tick_lag_seconds", "How late the last tick began.", **own)
        self.skipped = Counter("anomaly_ticks_skipped", "Ticks left out because the one before took too long.", **own)
        self.alerts = Counter("anomaly_alerts", "Alerts by sink and what became of them.", ["sink", "result"], **own)
        self.queue = Gauge("anomaly_alert_queue", "Alerts waiting to be told.", ["sink"], **own)
        self.last_success = Gauge(
            "anomaly_last_success_timestamp_seconds",
            "When all queries of a tick last succeeded; before the first did, when it was started.",
            **own,
        )
        self.reload = Gauge("anomaly_config_reload_success", "Whether the last configuration was taken over.", **own)
        self.reload.set(1)
        Info("anomaly_build", "The program.", **own).info({"python": platform.python_version()})

    def told(self, sink: str, result: str, number: int) -> None:
        """Count alerts on their way to a sink."""
        self.alerts.labels(sink=sink, result=result).inc(number)
