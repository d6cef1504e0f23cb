"""Mutations of dashboards: a panel, one of its queries, or where they are asked, is gone."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stack.mutations.mutation import Kind, Mutation, Place, parsed

FOLDER = "grafana/dashboards"


def dashboard_mutations(root: Path) -> Iterator[Mutation]:
    """Each panel without queries, each query, and each panel's datasource; a panel with queries is gone with them."""
    for path in sorted((root / FOLDER).glob("*.json")):
        page = parsed(path)
        for index, panel in enumerate(page["panels"]):
            if panel["type"] != "row":
                yield from _of_panel(page["uid"], f"{FOLDER}/{path.name}", ("panels", index), panel)


def _of_panel(uid: str, file: str, at: Place, panel: Mapping[str, Any]) -> Iterator[Mutation]:
    def gone(kind: Kind, detail: str, *places: Place) -> Mutation:
        name = f"{uid}: {panel['title']}{detail}"
        return Mutation(kind=kind, source="grafana", subject=uid, name=name, file=file, places=places)

    targets = panel.get("targets", [])
    if not targets:
        yield gone("panel", "", at)
        return
    for index, target in enumerate(targets):
        yield gone("panel query", f": {target['refId']}", (*at, "targets", index))
    owners: list[tuple[Place, Mapping[str, Any]]] = [(at, panel)]
    owners += [((*at, "targets", index), target) for index, target in enumerate(targets)]
    yield gone("panel datasource", "", *((*place, "datasource") for place, owner in owners if "datasource" in owner))
