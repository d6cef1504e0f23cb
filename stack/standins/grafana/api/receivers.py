"""Contact points as the APIs show them; secrets never."""

from collections.abc import Mapping, Sequence

from stack.standins.grafana.notify.sender import Attempt
from stack.standins.grafana.provisioning.contact_points import SECRETS, ContactPoint, Integration
from stack.standins.grafana.provisioning.world import Alerting
from stack.standins.grafana.times import rfc3339_ms


def receiver_json(point: ContactPoint, *, secure: bool) -> dict[str, object]:
    """
    A contact point in the Alertmanager's configuration; `secure` for its status, which shows that secrets are hidden.
    """
    return {
        "name": point.name,
        "grafana_managed_receiver_configs": [_config(point, one, secure) for one in point.integrations],
    }


def contact_points_json(points: Sequence[ContactPoint]) -> Sequence[dict[str, object]]:
    """
    The contact points of the provisioning API, one entry per integration, sorted by name.
    """
    rows = [(one.label or point.name, point, one) for point in points for one in point.integrations]
    return [
        {
            "uid": one.uid,
            "name": label,
            "type": one.kind,
            "settings": dict(sorted(one.settings.items())),
            "disableResolveMessage": not one.sends_resolved,
            **({"provenance": point.provenance} if point.provenance else {}),
        }
        for label, point, one in sorted(rows, key=lambda row: row[0])
    ]


def receivers_json(alerting: Alerting, attempts: Mapping[str, Attempt]) -> Sequence[dict[str, object]]:
    """
    How each contact point has fared; active ones are those that a policy names.
    """
    used = {route.receiver for route in alerting.route.walk()}
    used |= {rule.direct.receiver for rule in alerting.rules if rule.direct}
    return [
        {
            "active": point.name in used,
            "integrations": [_fared(one, attempts.get(one.uid)) for one in point.integrations],
            "name": point.name,
        }
        for point in alerting.contact_points
    ]


def _fared(one: Integration, attempt: Attempt | None) -> dict[str, object]:
    took = f"{round(attempt.took_s * 1000)}ms" if attempt else "0s"
    return {
        "lastNotifyAttempt": rfc3339_ms(attempt.at_s if attempt else None),
        "lastNotifyAttemptDuration": took,
        **({"lastNotifyAttemptError": attempt.error} if attempt and attempt.error else {}),
        "name": one.kind,
        "sendResolved": one.sends_resolved,
    }


def _config(point: ContactPoint, one: Integration, secure: bool) -> dict[str, object]:
    base = {
        "uid": one.uid,
        "name": one.label or point.name,
        "type": one.kind,
        "disableResolveMessage": not one.sends_resolved,
        "settings": {key: value for key, value in sorted(one.settings.items()) if key not in SECRETS},
    }
    if secure:
        hidden = dict.fromkeys(SECRETS[::-1], "<encrypted>") if one.kind == "webhook" else None
        return {**base, "secureSettings": hidden}
    shown = {**base, "secureFields": {key: True for key in SECRETS if key in one.settings}}
    return {**shown, "provenance": point.provenance} if point.provenance else shown
