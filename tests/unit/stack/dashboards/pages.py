"""The generated dashboards as data, and ways through them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from stack.dashboards.generate import DASHBOARDS, generate

FILES = generate()
PAGES: dict[str, dict[str, Any]] = {
    page["uid"]: page for name, text in FILES.items() if name.startswith(DASHBOARDS) for page in [json.loads(text)]
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One query and where it stands."""

    page: str
    panel: dict[str, Any]
    query: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.page}: {self.panel['title']}: {self.query['refId']}"


def panels(page: dict[str, Any]) -> list[dict[str, Any]]:
    """The panels of a dashboard without the headings of its rows."""
    return [panel for panel in page["panels"] if panel["type"] != "row"]


def asked() -> Iterator[Asked]:
    """Every query of every panel of every dashboard."""
    for uid, page in PAGES.items():
        for panel in panels(page):
            for query in panel.get("targets", []):
                yield Asked(page=uid, panel=panel, query=query)


def filled(text: str, **values: str) -> str:
    """A query with its variables replaced: those given, and all the others by what matches everything."""
    known = {"__rate_interval": "15s", "namespace": ".*", "service": ".*", **values}
    for name, value in known.items():
        text = text.replace(f"${name}", value)
    return text
