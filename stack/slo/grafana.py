"""Grafana: the alerts of service levels as rules that Grafana evaluates itself."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stack.config.profile import Profile
from stack.slo.alerts import alerting
from stack.slo.blocks import dump
from stack.slo.grafana_rule import GrafanaGroup, GrafanaRule, PanelRef
from stack.slo.grafana_values import anomaly, anybody, asked
from stack.slo.levels import SLOW_ROUNDS
from stack.slo.model import Alert, Slo

HEADER = "# Generated from {source} by `python -m stack.dashboards generate`: edit that, not this.\n"
ANOMALY, LOST = "AnomalyDetected", "TelemetryLost"

LOST_HOLD_S = 120
"""As long in production as a single service may be missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """
    How often Grafana evaluates: intervals are multiples of its tick, which is 10 s unless it can be told otherwise.
    """

    tick_s: int
    interval_s: int

    @classmethod
    def of(cls, profile: Profile, tick_s: int | None = None) -> "Clock":
        """The profile's clock, or that of a Grafana whose tick is another."""
        tick_s = tick_s or profile.grafana_tick_s
        return cls(tick_s=tick_s, interval_s=_up(profile.grafana_interval_s, tick_s))

    def hold_s(self, seconds: int, interval_s: int) -> int:
        """A `for` as Grafana keeps it, since it counts evaluations."""
        return _up(seconds, interval_s)


def groups(
    slos: Sequence[Slo], profile: Profile, clock: Clock, panel: Callable[[Slo, Alert], PanelRef]
) -> Sequence[GrafanaGroup]:
    """The groups of all levels whose alerts Grafana evaluates; tickets are looked at less often than the rest."""
    made = []
    for slo in slos:
        alerts = [alert for alert in slo.alerts if "grafana" in slo.alerting]
        for name, rounds in (("fast", 1), ("slow", SLOW_ROUNDS)):
            interval_s = clock.interval_s * rounds
            chosen = [alert for alert in alerts if _is_slow(alert) == (name == "slow")]
            rules = [_rule(slo, alert, profile, clock, interval_s, panel(slo, alert)) for alert in chosen]
            made.append(GrafanaGroup(name=f"slo-{slo.name}-{name}", interval_s=interval_s, rules=rules))
    return [group for group in made if group.rules]


def lost_group(profile: Profile, clock: Clock, panel: PanelRef) -> GrafanaGroup:
    """The rule that has no data when nobody reports any more, which Grafana tells as an alert of its own kind."""
    hold_s = clock.hold_s(profile.hold_s(LOST_HOLD_S), clock.interval_s)
    formula = {"kind": "absent", "expiration_s": profile.metric_expiration_s, "for_s": hold_s}
    rule = GrafanaRule(
        title=LOST,
        queries=[anybody(profile)],
        hold_s=hold_s,
        labels={"severity": "page"},
        annotations={
            "summary": "No service sends metrics any more",
            "description": "All that reported have fallen silent at once: nobody can see what clients suffer.",
            "runbook_url": f"docs/runbooks/{LOST}.md",
            "tocsin_formula": json.dumps({**formula, "interval_s": clock.interval_s}, separators=(",", ":")),
        },
        panel=panel,
        on_no_data="NoData",
    )
    return GrafanaGroup(name="telemetry", interval_s=clock.interval_s, rules=[rule])


def anomaly_group(profile: Profile, clock: Clock, panel: PanelRef) -> GrafanaGroup:
    """The rule about the detector's scores, for stacks that have a detector."""
    formula = {"kind": "anomaly", "for_s": 0, "interval_s": clock.interval_s}
    rule = GrafanaRule(
        title=ANOMALY,
        queries=[anomaly(profile)],
        hold_s=0,
        labels={"severity": "ticket"},
        annotations={
            "summary": "{{ $labels.service_name }} ({{ $labels.service_namespace }}): {{ $labels.signal }} is not as usual",
            "description": "The anomaly detector has not seen the like before. A score above 0.5 is beyond its limit.",
            "runbook_url": f"docs/runbooks/{ANOMALY}.md",
            "tocsin_formula": json.dumps(formula, separators=(",", ":")),
        },
        panel=panel,
    )
    return GrafanaGroup(name="anomaly", interval_s=clock.interval_s, rules=[rule])


def text(groups: Sequence[GrafanaGroup], *, source: str) -> str:
    """A provisioning file's text; `source` is named in its first line."""
    data = {"apiVersion": 1, "groups": [group.data() for group in groups]}
    return HEADER.format(source=source) + dump(data)


def _is_slow(alert: Alert) -> bool:
    return alert.kind == "burn-rate" and alert.severity != "page"


def _rule(slo: Slo, alert: Alert, profile: Profile, clock: Clock, interval_s: int, panel: PanelRef) -> GrafanaRule:
    """The words are those of Prometheus' rule; only how values are named in them differs."""
    hold_s = clock.hold_s(profile.hold_s(alert.hold_s), interval_s)
    words = dict(alerting(slo, alert, profile, interval_s=interval_s).annotations)
    formula = {**json.loads(words["tocsin_formula"]), "for_s": hold_s}
    absent = alert.kind == "absent"
    return GrafanaRule(
        title=alert.name,
        queries=asked(slo, alert, profile),
        hold_s=hold_s,
        labels={"severity": alert.severity, "slo": slo.name},
        annotations={
            **words,
            "summary": _unless_blind(words["summary"])
            if absent
            else words["summary"].replace("$value", "$values.A.Value"),
            "tocsin_formula": json.dumps(formula, separators=(",", ":")),
        },
        panel=panel,
        # One rule tells that Prometheus cannot be asked; a storm of them would tell nothing more.
        on_error="Error" if absent else "KeepLast",
    )


def _unless_blind(summary: str) -> str:
    return f"{{{{ if $labels.service_name }}}}{summary}{{{{ else }}}}Prometheus cannot be asked{{{{ end }}}}"


def _up(seconds: int, step_s: int) -> int:
    return math.ceil(seconds / step_s) * step_s
