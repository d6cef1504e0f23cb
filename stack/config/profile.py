"""Profile: every time, size and limit by which a drill's stack differs from a standing one; nothing else may differ."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

MIN_SCRAPES_PER_WINDOW = 4
"""`rate()` wants several samples in its window, and one scrape may be late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """
    The clockwork of one stack; all times are seconds.

    `window_scale` shrinks the windows and holds of all rules; what they say stays the same.
    An app sends metrics each `export_interval_s` and spans after `span_delay_s`; it keeps `trace_ratio` of all traces.
    `dropped_labels` are attributes that the collector removes from all metrics.
    The data of `small_disks`, components by name, are on a small disk of their own each, so that it can be filled.
    `grafana_tick_s` is the clock of Grafana's own rules; 10 is what Grafana has, other ticks need a switch of its own.
    """

    name: str
    window_scale: Fraction
    scrape_interval_s: int
    evaluation_interval_s: int
    retention: str
    sample_limit: int

    export_interval_s: float
    span_delay_s: float
    trace_ratio: float = 1.0
    dropped_labels: tuple[str, ...] = ()

    batch_timeout_s: float
    batch_size: int
    span_metrics_flush_s: int
    span_metrics_expiration_s: int
    metric_expiration_s: int
    memory_limit_mib: int
    queue_size: int
    retry_initial_s: float
    retry_max_s: float
    retry_give_up_s: int

    group_wait_s: int
    group_interval_s: int
    repeat_interval_s: int
    watchdog_repeat_s: int
    webhook_timeout_s: int

    grafana_tick_s: int
    grafana_interval_s: int
    grafana_poll_s: int

    small_disks: tuple[str, ...] = ()

    trace_retention: str
    trace_idle_s: int
    trace_live_s: int
    trace_flush_s: int
    trace_block_s: int
    trace_cutoff_s: int
    trace_metrics_s: int
    trace_live_limit: int

    def delays(self) -> dict[str, float]:
        """How long each hop of a signal may take, in seconds; the bounds of alerts are made of these."""
        return {
            "export_s": float(self.export_interval_s),
            "batch_s": self.batch_timeout_s,
            "scrape_s": float(self.scrape_interval_s),
            "evaluation_s": float(self.evaluation_interval_s),
            "group_wait_s": float(self.group_wait_s),
            "expiration_s": float(self.metric_expiration_s),
        }

    def window_s(self, nominal_s: int) -> int:
        """
        A rule's window in this profile, in whole seconds: the nominal one scaled, but never less than four scrapes.
        """
        floor = MIN_SCRAPES_PER_WINDOW * self.scrape_interval_s
        return max(floor, math.ceil(nominal_s * self.window_scale))

    def hold_s(self, nominal_s: int) -> int:
        """
        A rule's `for` in this profile, in whole seconds: the nominal one scaled.
        """
        return math.ceil(nominal_s * self.window_scale)


PRODUCTION = Profile(
    name="production",
    window_scale=Fraction(1),
    scrape_interval_s=15,
    evaluation_interval_s=15,
    retention="15d",
    sample_limit=200_000,
    export_interval_s=15,
    span_delay_s=7.5,
    batch_timeout_s=1,
    batch_size=8192,
    span_metrics_flush_s=15,
    span_metrics_expiration_s=900,
    metric_expiration_s=300,
    memory_limit_mib=1024,
    queue_size=100_000,
    retry_initial_s=1,
    retry_max_s=30,
    retry_give_up_s=600,
    group_wait_s=30,
    group_interval_s=60,
    repeat_interval_s=4 * 3600,
    watchdog_repeat_s=300,
    webhook_timeout_s=10,
    grafana_tick_s=10,
    grafana_interval_s=20,
    grafana_poll_s=10,
    trace_retention="336h",
    trace_idle_s=5,
    trace_live_s=30,
    trace_flush_s=5,
    trace_block_s=30,
    trace_cutoff_s=30,
    trace_metrics_s=15,
    trace_live_limit=10_000,
)

DRILL = Profile(
    name="drill",
    window_scale=Fraction(1, 60),
    scrape_interval_s=1,
    evaluation_interval_s=1,
    retention="1d",
    sample_limit=200_000,
    export_interval_s=1,
    span_delay_s=0.5,
    batch_timeout_s=0.2,
    batch_size=8192,
    span_metrics_flush_s=1,
    span_metrics_expiration_s=60,
    metric_expiration_s=8,
    memory_limit_mib=256,
    queue_size=100_000,
    retry_initial_s=0.2,
    retry_max_s=2,
    retry_give_up_s=120,
    group_wait_s=0,
    group_interval_s=1,
    repeat_interval_s=3600,
    watchdog_repeat_s=5,
    webhook_timeout_s=5,
    grafana_tick_s=1,
    grafana_interval_s=1,
    grafana_poll_s=1,
    trace_retention="24h",
    trace_idle_s=1,
    trace_live_s=5,
    trace_flush_s=1,
    trace_block_s=10,
    trace_cutoff_s=0,
    trace_metrics_s=1,
    trace_live_limit=10_000,
)

PROFILES: Mapping[str, Profile] = {profile.name: profile for profile in (PRODUCTION, DRILL)}
"""Both profiles by name."""
