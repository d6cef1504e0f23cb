"""Panels: what each panel of a dashboard would show of a drill: its queries, with the variables filled in, through its own datasource."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from assertions.backend import BackendError
from assertions.blueprint import Page, lost_queries, panels, source_of, text_of
from assertions.grafana import Grafana

ASKED_BY_THE_BROWSER = frozenset({"serviceMap"})
"""Kinds of queries that Grafana's own server refuses: the page asks for their parts by itself."""

_VARIABLE = re.compile(r"\$\{(\w+)(?::\w+)?\}|\[\[(\w+)\]\]|\$(\w+)")


class Panel(BaseModel):
    """
    What a panel showed: `error` of its first query that failed, else how many `points`; `before` and `during` are the median before
    the first fault and the highest value while it was on, over all of its series.

    `silent` are its queries that found nothing, `lost` those that were generated and are not served; `gone`: the panel is not.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    query: str = ""
    error: str = ""
    points: int = 0
    before: float | None = None
    during: float | None = None
    silent: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    gone: bool = False


def ask_panels(
    grafana: Grafana,
    uid: str,
    values: Mapping[str, str],
    *,
    span: tuple[float, float],
    on: tuple[float, float] | None,
    plan: Page | None = None,
) -> tuple[Panel, ...]:
    """
    Ask for every panel of a dashboard that has queries. `values` fill in variables; those of datasources fill in themselves.

    `span` is the time that the dashboard shows, `on` that of the first fault. What of the `plan` is not served is noted.
    A dashboard that Grafana does not have shows nothing, and a panel's own mistake is part of what it showed.
    Raises BackendError when Grafana does not answer.
    """
    page = grafana.dashboard(uid)
    if page is None:
        return ()
    sources = {str(source["type"]): str(source["uid"]) for source in grafana.datasources()}
    known = {**_of_datasources(page, sources), **values}
    lost = lost_queries(page, plan or {})
    shown = [
        _ask(grafana, panel, known, span, on).model_copy(update={"lost": lost.get(str(panel.get("title", ""))) or ()})
        for panel in panels(page)
        if _is_asked(panel)
    ]
    titles = {panel.title for panel in shown}
    mute = [(title, queries) for title, queries in lost.items() if title not in titles]
    return (*shown, *(Panel(title=title, lost=queries or (), gone=queries is None) for title, queries in mute))


def fill_in(text: str, values: Mapping[str, str]) -> str:
    """
    A query with its variables replaced; what is no variable of the dashboard (`$__rate_interval`) is Grafana's own to replace.
    """

    def value(match: "re.Match[str]") -> str:
        name = match[1] or match[2] or match[3]
        return values.get(name, match[0])

    return _VARIABLE.sub(value, text)


def _of_datasources(page: Mapping[str, Any], sources: Mapping[str, str]) -> dict[str, str]:
    variables = page.get("templating", {}).get("list", [])
    return {one["name"]: sources.get(str(one.get("query")), "") for one in variables if one.get("type") == "datasource"}


def _is_asked(panel: Page) -> bool:
    return any(target.get("queryType") not in ASKED_BY_THE_BROWSER for target in panel.get("targets", []))


def _ask(
    grafana: Grafana,
    panel: Page,
    values: Mapping[str, str],
    span: tuple[float, float],
    on: tuple[float, float] | None,
) -> Panel:
    title = str(panel.get("title", ""))
    points: list[tuple[float, float]] = []
    silent: list[str] = []
    count = 0
    for target in panel["targets"]:
        if target.get("queryType") in ASKED_BY_THE_BROWSER:
            continue
        source, query = fill_in(source_of(panel, target), values), fill_in(text_of(target), values)
        try:
            if target.get("queryType") == "traceql":
                found, size = [], grafana.search_traces(source, query, span=span)
            else:
                found = grafana.query(source, {**target, "expr": query}, span=span)
                size = len(found)
        except BackendError as error:
            return Panel(title=title, query=query, error=str(error))
        points += found
        count += size
        silent += [] if size else [query]
    return Panel(title=title, points=count, silent=tuple(silent), **_moved(points, span, on))


def _moved(
    points: Sequence[tuple[float, float]], span: tuple[float, float], on: tuple[float, float] | None
) -> dict[str, float | None]:
    if on is None:
        return {}
    before = sorted(value for t, value in points if span[0] <= t < on[0])
    during = [value for t, value in points if on[0] <= t <= on[1] + 3]
    return {"before": before[len(before) // 2] if before else None, "during": max(during, default=None)}
