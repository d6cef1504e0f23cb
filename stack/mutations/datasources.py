"""Mutations of Grafana's datasources: one of them, or a link from one to another, is gone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stack.mutations.mutation import Kind, Mutation, Place, parsed

FILE = "grafana/provisioning/datasources/tocsin.yaml"
LINK_KEYS = ("datasourceUid", "alertmanagerUid")
"""How settings name another datasource."""


def datasource_mutations(root: Path) -> Iterator[Mutation]:
    """Each datasource, each setting that leads to another one, and each query by which traces lead to metrics."""
    if not (root / FILE).exists():
        return
    for index, source in enumerate(parsed(root / FILE)["datasources"]):
        at: Place = ("datasources", index)
        yield _gone("datasource", source["uid"], source["uid"], at)
        for place in _links(source.get("jsonData", {}), ()):
            yield _gone("datasource link", source["uid"], _named(source["uid"], place), (*at, "jsonData", *place))
        for number, query in enumerate(source.get("jsonData", {}).get("tracesToMetrics", {}).get("queries", [])):
            place = ("jsonData", "tracesToMetrics", "queries", number)
            yield _gone("datasource link", source["uid"], f"{source['uid']}: {query['name']}", (*at, *place))


def _links(data: Any, at: Place) -> Iterator[Place]:
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        if key in LINK_KEYS:
            yield (*at, key)
        yield from _links(value, (*at, key))


def _named(uid: str, place: Place) -> str:
    return f"{uid}: {'.'.join(map(str, place))}"


def _gone(kind: Kind, uid: str, name: str, place: Place) -> Mutation:
    return Mutation(kind=kind, source="grafana", subject=uid, name=name, file=FILE, places=(place,))
