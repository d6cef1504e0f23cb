"""Saturation: rules about what services use up, which is gone before any client feels it."""

import json
from collections.abc import Sequence

from stack.config.profile import Profile
from stack.slo.promql import BY, duration
from stack.slo.rule import Alerting, Group

MEMORY = "process_memory_usage_bytes"
"""OpenTelemetry's conventions for processes, as Prometheus spells them: resident memory of each instance."""

GROWTH = 2
"""So many times its least within the window is more than caches and warm-up explain."""

WINDOW_S, HOLD_S = 3600, 120
"""In nominal seconds, as in production."""


def groups(profile: Profile) -> Sequence[Group]:
    """All of them, in one group."""
    return [
        Group(name="saturation", interval=duration(profile.evaluation_interval_s), rules=[_memory_growing(profile)])
    ]


def _memory_growing(profile: Profile) -> Alerting:
    """An instance is compared with itself, so that a large one is not taken for one that grows."""
    window_s, hold_s = profile.window_s(WINDOW_S), profile.hold_s(HOLD_S)
    window = duration(window_s)
    formula = {"kind": "memory_growth", "times": GROWTH, "window_s": window_s}
    formula |= {"for_s": hold_s, "interval_s": profile.evaluation_interval_s}
    return Alerting(
        alert="MemoryGrowing",
        expr=f"max {BY} ({MEMORY} > {GROWTH} * min_over_time({MEMORY}[{window}]))",
        hold=duration(hold_s),
        labels={"severity": "ticket", "component": "{{ $labels.service_name }}"},
        annotations={
            "summary": "{{ $labels.service_name }} ({{ $labels.service_namespace }}): "
            "memory has doubled to {{ $value | humanize1024 }}B",
            "description": "An instance uses more than twice the memory that it used at some time within the last "
            f"{window}. If it goes on, it will be ended in the middle of its requests.",
            "runbook_url": "docs/runbooks/MemoryGrowing.md",
            "tocsin_formula": json.dumps(formula, separators=(",", ":")),
        },
    )
