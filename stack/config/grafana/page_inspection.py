"""Page inspection: mistakes in dashboards that Grafana shows as an empty panel, or not at all."""

import re
from collections.abc import Iterator
from typing import Any

from stack.config.grafana.provisioned import Mistake, Provisioned
from stack.slo.reading import suggestion

BUILT_IN = ("-- Grafana --", "-- Mixed --", "-- Dashboard --", "grafana")
REMOVED = {
    "graph": "timeseries",
    "singlestat": "stat",
    "table-old": "table",
    "grafana-piechart-panel": "piechart",
    "grafana-worldmap-panel": "geomap",
    "flant-statusmap-panel": "state-timeline",
    "natel-discrete-panel": "state-timeline",
}
"""Panels written in AngularJS, which Grafana 12 and later do not load, and what replaces them."""


def of_pages(found: Provisioned) -> Iterator[Mistake]:
    """All mistakes of all dashboards; what a folder of files cannot know is not judged."""
    uids: dict[str, str] = {}
    for path, page in found.pages:
        uid = str(page.get("uid") or "")
        if not uid:
            yield _of(path, page, "has no uid, so links and alerts cannot find it")
        elif uids.setdefault(uid, path) != path:
            yield _of(path, page, f"uid {uid!r} is used twice, first in {uids[uid]}: Grafana shows only one of both")
    sources = {one.value.uid for one in found.datasources if one.value.uid}
    for path, page in found.pages:
        yield from _panels(path, page, sources)
        yield from _links(path, page, set(uids))


def _panels(path: str, page: dict[str, Any], sources: set[str]) -> Iterator[Mistake]:
    ids: dict[Any, str] = {}
    variables = {variable.get("name") for variable in page.get("templating", {}).get("list", [])}
    for panel in page["panels"]:
        title = str(panel.get("title"))
        if ids.setdefault(panel.get("id"), title) != title:
            yield _of(path, page, f"panels {ids[panel['id']]!r} and {title!r} have the same id {panel['id']}")
        if panel.get("type") in REMOVED:
            text = f"panel {title!r} is a {panel['type']!r}, which Grafana has removed; use {REMOVED[panel['type']]!r}"
            yield _of(path, page, text)
        for place in (panel, *panel.get("targets", [])):
            yield from _datasource(path, page, title, place.get("datasource"), variables, sources)


def _datasource(
    path: str, page: dict[str, Any], title: str, asked: Any, variables: set[Any], sources: set[str]
) -> Iterator[Mistake]:
    uid = asked.get("uid") if isinstance(asked, dict) else asked
    if not uid or uid in BUILT_IN:
        return
    if variable := re.fullmatch(r"\$\{?(\w+)}?", uid):
        if variable[1] not in variables:
            yield _of(
                path, page, f"panel {title!r} asks the datasource of variable {variable[1]!r}, which is not there"
            )
    elif sources and uid not in sources:
        known = ", ".join(sorted(sources))
        yield _of(path, page, f"panel {title!r} asks datasource {uid!r}; known: {known}{suggestion(uid, sources)}")


def _links(path: str, page: dict[str, Any], uids: set[str]) -> Iterator[Mistake]:
    links = [(f"link {link.get('title')!r}", link) for link in page.get("links", [])]
    for panel in page["panels"]:
        inner = [*panel.get("links", []), *panel.get("fieldConfig", {}).get("defaults", {}).get("links", [])]
        links += [(f"panel {panel.get('title')!r}: link {link.get('title')!r}", link) for link in inner]
    for where, link in links:
        leads = re.match(r"/d/([\w-]+)", link.get("url") or "")
        if leads and leads[1] not in uids:
            known = ", ".join(sorted(uids))
            yield _of(
                path, page, f"{where} leads to dashboard {leads[1]!r}; known: {known}{suggestion(leads[1], uids)}"
            )


def _of(path: str, page: dict[str, Any], text: str) -> Mistake:
    return Mistake(place=path, text=f"dashboard {page.get('title')!r}: {text}")
