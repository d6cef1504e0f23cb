"""The alerts that the Alertmanager knows: what was sent to it, merged over time."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from stack.standins.grafana.alerting.states import FIRING, Instance, State
from stack.standins.grafana.labels import Labels, fingerprint, public
from stack.standins.grafana.provisioning.rules import DASHBOARD, PANEL, Direct, Rule

KEPT_S = 1800.0
RULE_UID = "__alert_rule_uid__"
SYNTHETIC: Mapping[State, str] = {State.NO_DATA: "DatasourceNoData", State.ERROR: "DatasourceError"}
STATE_REASON = "grafana_state_reason"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert; times in epoch seconds; it is resolved once `ends_s` has passed."""

    labels: Labels
    annotations: Mapping[str, str]
    starts_s: float
    ends_s: float
    updated_s: float
    rule_uid: str
    values: Mapping[str, float] | None
    value_string: str
    direct: Direct | None = None
    fingerprint: str = ""

    def resolved(self, now_s: float) -> bool:
        """
        Whether it has ended.
        """
        return self.ends_s <= now_s

    @property
    def shown_labels(self) -> dict[str, str]:
        """
        The labels that a notification shows.
        """
        return public(self.labels)

    @property
    def shown_annotations(self) -> dict[str, str]:
        """
        The annotations that a notification shows.
        """
        return public(self.annotations)

    @property
    def dashboard(self) -> str:
        """
        The uid of the dashboard that the rule names, or nothing.
        """
        return self.annotations.get(DASHBOARD, "")

    @property
    def panel(self) -> str:
        """
        The id of the panel that the rule names, or nothing.
        """
        return self.annotations.get(PANEL, "")


def alert_of(rule: Rule, instance: Instance, now_s: float) -> Alert:
    """
    What is told of an instance; no data and errors are alerts of their own names.
    """
    was = instance.outcome.state if instance.state not in SYNTHETIC else instance.state
    labels = {RULE_UID: rule.uid, **instance.labels}
    if instance.state in SYNTHETIC:
        labels = {**labels, "alertname": SYNTHETIC[instance.state], "rulename": rule.title}
    told = was in (State.NORMAL, State.ALERTING)
    annotations = dict(sorted(instance.annotations.items()))
    if instance.reason:
        annotations[STATE_REASON] = instance.reason
    return Alert(
        labels=labels,
        annotations=annotations,
        starts_s=instance.starts_s or now_s,
        ends_s=instance.ends_s,
        updated_s=now_s,
        rule_uid=rule.uid,
        values=dict(instance.outcome.values) if told else None,
        value_string=instance.outcome.value_string if told else "",
        direct=rule.direct,
        fingerprint=fingerprint(labels),
    )


class Alerts:
    """The alerts by fingerprint; those that ended long ago are forgotten."""

    def __init__(self) -> None:
        self._alerts: dict[str, Alert] = {}

    def put(self, alert: Alert) -> Alert:
        """
        Take in an alert; one that overlaps with what is known keeps the earlier start.
        """
        known = self._alerts.get(alert.fingerprint)
        if known is not None and _overlap(known, alert):
            alert = replace(alert, starts_s=min(known.starts_s, alert.starts_s))
        self._alerts[alert.fingerprint] = alert
        return alert

    def get(self, mark: str) -> Alert | None:
        """
        The alert of a fingerprint.
        """
        return self._alerts.get(mark)

    def current(self, now_s: float) -> Sequence[Alert]:
        """
        The alerts that have not ended, sorted by fingerprint.
        """
        return [self._alerts[key] for key in sorted(self._alerts) if not self._alerts[key].resolved(now_s)]

    def forget(self, now_s: float) -> None:
        """
        Drop what ended half an hour ago.
        """
        for key in [key for key, alert in self._alerts.items() if alert.ends_s + KEPT_S < now_s]:
            del self._alerts[key]

    def __iter__(self) -> Iterator[Alert]:
        return iter(list(self._alerts.values()))


def _overlap(known: Alert, alert: Alert) -> bool:
    return known.starts_s < alert.starts_s < known.ends_s or known.starts_s < alert.ends_s <= known.ends_s


def is_told(instance: Instance) -> bool:
    """
    Whether the state of an instance is one that alerts.
    """
    return instance.state in FIRING or instance.state in SYNTHETIC


def in_order(alerts: Sequence[Alert]) -> Sequence[Alert]:
    """
    Alerts as Alertmanager sorts them: by job, by instance, then those with fewer labels, then by label.
    """
    return sorted(alerts, key=functools.cmp_to_key(_compare))


def _compare(one: Alert, two: Alert) -> int:
    for name in ("job", "instance"):
        ours, theirs = one.labels.get(name), two.labels.get(name)
        if ours != theirs:
            return 1 if ours is None else -1 if theirs is None else (ours > theirs) - (ours < theirs)
    if len(one.labels) != len(two.labels):
        return len(one.labels) - len(two.labels)
    for name in sorted({*one.labels, *two.labels}):
        ours, theirs = one.labels.get(name), two.labels.get(name)
        if ours != theirs:
            return -1 if ours is None else 1 if theirs is None else (ours > theirs) - (ours < theirs)
    return 0
