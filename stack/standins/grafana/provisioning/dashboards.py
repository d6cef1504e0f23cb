"""Dashboards: the JSON files of the provisioned providers, and the folders that they are in."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stack.standins.grafana.document import Entry
from stack.standins.grafana.problems import ProvisioningError

KEYS = (
    "name",
    "orgId",
    "folder",
    "folderUid",
    "type",
    "disableDeletion",
    "editable",
    "allowUiUpdates",
    "updateIntervalSeconds",
    "options",
)
REMOVED_PANELS = {  # Angular panels, gone since Grafana 12
    "graph": "timeseries",
    "singlestat": "stat",
    "table-old": "table",
    "grafana-singlestat-panel": "stat",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder of dashboards or rules."""

    uid: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """A classic (version 1) dashboard as its file has it."""

    uid: str
    title: str
    tags: Sequence[str]
    folder: Folder | None
    file: str
    model: Mapping[str, object] = field(repr=False)

    @property
    def slug(self) -> str:
        """
        The last part of its address.
        """
        return slug(self.title)

    @property
    def url(self) -> str:
        """
        Its path.
        """
        return f"/d/{self.uid}/{self.slug}"


def slug(title: str) -> str:
    """
    A title as a part of an address: `Shop SLO` is `shop-slo`.
    """
    return re.sub(r"[^a-z0-9_]+", "-", title.lower()).strip("-")


def folder_uid(title: str) -> str:
    """
    A uid for a folder that is given by title only; the same at each start.
    """
    return "f" + hashlib.sha256(title.encode()).hexdigest()[:13]


def read_dashboards(documents: Sequence[Entry]) -> Sequence[Dashboard]:
    """
    The dashboards of all providers; ProvisioningError when one cannot be shown by Grafana 13.
    """
    found: dict[str, Dashboard] = {}
    for document in documents:
        document.know("dashboard provider file", ("apiVersion", "providers"))
        for entry in document.entries("providers"):
            for dashboard in _provided(entry):
                if dashboard.uid in found:
                    entry.warn(
                        f"dashboard uid {dashboard.uid!r} is used by {found[dashboard.uid].file} and {dashboard.file}: "
                        "Grafana keeps one of them"
                    )
                found[dashboard.uid] = dashboard
    return list(found.values())


def _provided(entry: Entry) -> Iterator[Dashboard]:
    entry.know("dashboard provider", KEYS)
    kind = entry.text("type", "file")
    if kind != "file":
        raise entry.error(f"provider type {kind!r} is not supported by the stand-in; known: file", "type")
    options = entry.entry("options")
    path = Path(options.text("path"))
    if not path.is_dir():
        entry.warn(f"options.path {str(path)!r} is no folder: Grafana logs it and goes on without", "options")
        return
    title = entry.text("folder")
    for file in sorted(path.rglob("*.json")):
        folder = title
        if options.flag("foldersFromFilesStructure", False) and file.parent != path:
            folder = file.parent.name
        uid = entry.text("folderUid") if folder == title else ""
        yield _dashboard(file, Folder(uid=uid or folder_uid(folder), title=folder) if folder else None)


def _dashboard(file: Path, folder: Folder | None) -> Dashboard:
    try:
        model = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ProvisioningError(f"{file}: not a JSON file: {error}") from error
    if not isinstance(model, dict) or not model.get("title"):
        raise ProvisioningError(f"{file}: a dashboard is a mapping with a title: Dashboard title cannot be empty")
    if "elements" in model or str(model.get("apiVersion", "")).startswith("dashboard.grafana.app/v2"):
        raise ProvisioningError(f"{file}: a dashboard in the v2 schema is not supported by the stand-in: export as v1")
    _check_panels(file, model.get("panels") or [])
    title = str(model["title"])
    return Dashboard(
        uid=str(model.get("uid") or folder_uid(title)),
        title=title,
        tags=tuple(str(tag) for tag in model.get("tags") or ()),
        folder=folder,
        file=file.name,
        model=model,
    )


def _check_panels(file: Path, panels: object) -> None:
    if not isinstance(panels, list):
        raise ProvisioningError(f"{file}: panels must be a list, found {type(panels).__name__}")
    for panel in panels:
        if not isinstance(panel, dict):
            raise ProvisioningError(f"{file}: a panel must be a mapping, found {panel!r}")
        kind = str(panel.get("type", ""))
        if kind in REMOVED_PANELS:
            instead = REMOVED_PANELS[kind]
            raise ProvisioningError(
                f"{file}: panel {panel.get('title')!r} has type {kind!r}, which Grafana 13 does not have: use {instead!r}"
            )
        _check_panels(file, panel.get("panels") or [])
