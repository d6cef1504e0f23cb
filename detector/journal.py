"""The alerts on disk: which are active, and what each sink has still to be told; written at each change."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from detector.alerts import Alert
from detector.snapshot import replace_file

FILE = "detector-alerts.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """What a restart must know so that no alert is lost, and none is told twice."""

    active: Mapping[str, Alert] = field(default_factory=dict)
    scopes: Mapping[str, str] = field(default_factory=dict)
    waiting: Mapping[str, Mapping[str, Alert]] = field(default_factory=dict)


def write(folder: Path, journal: Journal) -> None:
    """Write the journal; it is small."""
    body = {
        "active": [_plain(alert) for alert in journal.active.values()],
        "scopes": dict(journal.scopes),
        "waiting": {sink: [_plain(alert) for alert in alerts.values()] for sink, alerts in journal.waiting.items()},
    }
    replace_file(folder / FILE, json.dumps(body).encode())


def read(folder: Path) -> Journal:
    """The journal on disk, empty if there is none. A damaged one raises ValueError."""
    try:
        body = json.loads((folder / FILE).read_text())
        return Journal(
            active=_by_fingerprint(body["active"]),
            scopes=body["scopes"],
            waiting={sink: _by_fingerprint(alerts) for sink, alerts in body["waiting"].items()},
        )
    except FileNotFoundError:
        return Journal()
    except (KeyError, TypeError, AttributeError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{folder / FILE} is damaged ({error}); active alerts are found again from history") from error


def _plain(alert: Alert) -> dict[str, Any]:
    plain = alert.as_dict()
    del plain["fingerprint"]
    return plain


def _by_fingerprint(alerts: list[dict[str, Any]]) -> dict[str, Alert]:
    found = (Alert(**alert) for alert in alerts)
    return {alert.fingerprint: alert for alert in found}
