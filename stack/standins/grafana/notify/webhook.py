"""The body of Grafana's webhook, version 1."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote_plus

from stack.standins.grafana.gonumber import shortest
from stack.standins.grafana.labels import Labels, quoted
from stack.standins.grafana.notify.alerts import Alert
from stack.standins.grafana.provisioning.contact_points import ContactPoint, Integration
from stack.standins.grafana.times import rfc3339

ORG = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """What one flush of a group tells one contact point; the alerts firing first."""

    route_key: str
    group_labels: Labels
    alerts: Sequence[Alert]
    now_s: float

    @property
    def firing(self) -> Sequence[Alert]:
        """
        The alerts that have not ended.
        """
        return [alert for alert in self.alerts if not alert.resolved(self.now_s)]

    @property
    def resolved(self) -> Sequence[Alert]:
        """
        The alerts that have ended.
        """
        return [alert for alert in self.alerts if alert.resolved(self.now_s)]

    @property
    def group_key(self) -> str:
        """
        Route and group, as Alertmanager writes it.
        """
        return f"{self.route_key}:{quoted(self.group_labels)}"


def body(told: Notification, point: ContactPoint, integration: Integration, root_url: str) -> dict[str, object]:
    """
    The JSON that is sent.
    """
    limit = integration.max_alerts or len(told.alerts)
    kept = told.alerts[:limit]
    shown = [_alert(alert, told.now_s, root_url) for alert in kept]
    state = "firing" if told.firing else "resolved"
    labels = _common([alert.shown_labels for alert in kept])
    firing = [one for one in shown if one["status"] == "firing"]
    resolved = [one for one in shown if one["status"] == "resolved"]
    return {
        "receiver": point.name,
        "status": state,
        "alerts": shown,
        "groupLabels": dict(told.group_labels),
        "commonLabels": labels,
        "commonAnnotations": _common([alert.shown_annotations for alert in kept]),
        "externalURL": root_url,
        "version": "1",
        "groupKey": told.group_key,
        "truncatedAlerts": len(told.alerts) - len(kept),
        "orgId": ORG,
        "title": _title(len(firing), len(resolved), told.group_labels, labels),
        "state": "alerting" if told.firing else "ok",
        "message": _message(firing, resolved),
    }


def _alert(alert: Alert, now_s: float, root_url: str) -> dict[str, object]:
    ended = alert.resolved(now_s)
    labels = alert.shown_labels
    matchers = "".join(f"&matcher={quote_plus(f'{name}={value}')}" for name, value in labels.items())
    dashboard = f"{root_url}d/{alert.dashboard}?orgId={ORG}" if alert.dashboard else ""
    return {
        "status": "resolved" if ended else "firing",
        "labels": labels,
        "annotations": alert.shown_annotations,
        "startsAt": rfc3339(alert.starts_s),
        "endsAt": rfc3339(alert.ends_s if ended else None),
        "generatorURL": generator_url(alert, root_url),
        "fingerprint": alert.fingerprint,
        "silenceURL": f"{root_url}alerting/silence/new?alertmanager=grafana{matchers}&orgId={ORG}",
        "dashboardURL": dashboard,
        "panelURL": f"{dashboard}&viewPanel={alert.panel}" if dashboard and alert.panel else "",
        "values": _finite(alert.values),
        "valueString": alert.value_string,
        "orgId": ORG,
        "ruleUID": alert.rule_uid,
    }


def generator_url(alert: Alert, root_url: str) -> str:
    """
    The address of the rule behind an alert.
    """
    return f"{root_url}alerting/grafana/{alert.rule_uid}/view?orgId={ORG}"


def _finite(values: Mapping[str, float] | None) -> dict[str, object] | None:
    # JSON has no NaN; a value that is none is left out, so that the rest still arrives.
    if values is None:
        return None
    return {
        name: int(value) if value.is_integer() else value
        for name, value in sorted(values.items())
        if math.isfinite(value)
    }


def _common(maps: Sequence[Mapping[str, str]]) -> dict[str, str]:
    if not maps:
        return {}
    first, *others = maps
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in others)}


def _title(firing: int, resolved: int, group: Labels, common: Labels) -> str:
    ended = f", RESOLVED:{resolved}" if resolved else ""
    status = f"FIRING:{firing}{ended}" if firing else "RESOLVED"
    rest = " ".join(value for name, value in common.items() if name not in group)
    named = " ".join(group[name] for name in sorted(group))
    return f"[{status}] {named} ({rest})" if rest else f"[{status}] {named} "


def _message(firing: Sequence[Mapping[str, object]], resolved: Sequence[Mapping[str, object]]) -> str:
    parts = []
    if firing:
        parts.append("**Firing**\n" + "".join(map(_paragraph, firing)))
    if resolved:
        parts.append("**Resolved**\n" + "".join(map(_paragraph, resolved)))
    return "\n\n".join(parts)


def _paragraph(alert: Mapping[str, object]) -> str:
    values = alert["values"]
    named = ", ".join(f"{name}={_go(value)}" for name, value in values.items()) if isinstance(values, dict) else ""
    lines = [f"\nValue: {named or '[no value]'}", "Labels:", *_rows(alert["labels"]), "Annotations:"]
    lines += [*_rows(alert["annotations"]), f"Source: {alert['generatorURL']}", f"Silence: {alert['silenceURL']}"]
    lines += [f"Dashboard: {alert['dashboardURL']}"] if alert["dashboardURL"] else []
    lines += [f"Panel: {alert['panelURL']}"] if alert["panelURL"] else []
    return "\n".join(lines) + "\n"


def _rows(texts: object) -> Sequence[str]:
    assert isinstance(texts, dict)
    return [f" - {name} = {value}" for name, value in texts.items()]


def _go(value: object) -> str:
    return shortest(float(value)) if isinstance(value, int | float) else str(value)
