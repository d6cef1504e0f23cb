"""The stand-in's own metrics, under Grafana's names."""

from collections import Counter as Count
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

VERSION = "13.0.0-standin"
ORG = ("org",)


class Measures:
    """Counters and gauges; `states` is asked for the instances' states at each scrape."""

    def __init__(self, states: Callable[[], Iterable[str]]) -> None:
        self.registry = CollectorRegistry()
        self._states = states
        self._evaluations = self._counter("grafana_alerting_rule_evaluations", "Rule evaluations.", ORG)
        self._failures = self._counter("grafana_alerting_rule_evaluation_failures", "Failed rule evaluations.", ORG)
        self.missed = self._counter("grafana_alerting_schedule_rule_evaluations_missed", "Ticks that were dropped.")
        self.notified = self._counter("grafana_alerting_notifications", "Notifications sent.", ("org", "integration"))
        self.failed = self._counter("grafana_alerting_notifications_failed", "Failed.", ("org", "integration"))
        self.received = self._counter("grafana_alerting_alerts_received", "Alerts sent to the Alertmanager.", ORG)
        self._duration = Histogram(
            "grafana_alerting_rule_evaluation_duration_seconds", "How long they took.", ORG, registry=self.registry
        )
        self._rules = self._gauge("grafana_alerting_schedule_alert_rules", "Rules that are scheduled.")
        self._group_rules = Gauge("grafana_alerting_rule_group_rules", "Rules.", ORG, registry=self.registry)
        self._interval = self._gauge("grafana_alerting_ticker_interval_seconds", "The scheduler's tick.")
        self._last = self._gauge("grafana_alerting_ticker_last_consumed_tick_timestamp_seconds", "The last tick.")
        self._behind = self._gauge("grafana_alerting_scheduler_behind_seconds", "How late the scheduler is.")
        self.responses = self._counter("grafana_http_request", "HTTP requests.", ("method", "status_code"))
        Info("grafana_build", "The stand-in's version.", registry=self.registry).info({"version": VERSION})
        self.registry.register(self)
        for counter in (self._evaluations, self._failures, self.received):
            counter.labels("1")

    def set_interval(self, tick_s: float) -> None:
        """
        Tell the tick's length.
        """
        self._interval.set(tick_s)

    def tick(self, at_s: float, rules: int) -> None:
        """
        A tick was consumed.
        """
        self._last.set(at_s)
        self._rules.set(rules)
        self._group_rules.labels("1").set(rules)

    def behind(self, seconds: float) -> None:
        """
        How late the scheduler is.
        """
        self._behind.set(seconds)

    def evaluated(self, took_s: float, *, failed: bool) -> None:
        """
        A rule was evaluated.
        """
        self._evaluations.labels("1").inc()
        self._duration.labels("1").observe(took_s)
        if failed:
            self._failures.labels("1").inc()

    def collect(self) -> Iterable[Metric]:
        """
        How many instances are in each state now.
        """
        counts = Count(self._states())
        family = GaugeMetricFamily("grafana_alerting_alerts", "How many alerts by state.", labels=["state"])
        for state in ("alerting", "error", "nodata", "normal", "pending", "recovering"):
            family.add_metric([state], counts[state])
        yield family

    def text(self) -> bytes:
        """
        The exposition.
        """
        return generate_latest(self.registry)

    def _counter(self, name: str, text: str, labels: Iterable[str] = ()) -> Counter:
        return Counter(name, text, tuple(labels), registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, registry=self.registry)
