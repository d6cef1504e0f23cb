"""The pages: a list of dashboards that says what this is, and each dashboard with its panels' current values."""

import asyncio
import html
from collections.abc import Iterator, Sequence

import httpx
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from stack.standins.grafana.api.auth import identify
from stack.standins.grafana.api.query import QueryApi, read_span
from stack.standins.grafana.api.rules import rule_state
from stack.standins.grafana.gonumber import shortest
from stack.standins.grafana.pages.panels import Shown, panels_of, show
from stack.standins.grafana.pages.plot import plot
from stack.standins.grafana.pages.variables import resolve
from stack.standins.grafana.plan import Span
from stack.standins.grafana.provisioning.dashboards import Dashboard
from stack.standins.grafana.standin import Standin

NOTICE = "This is Tocsin's stand-in for Grafana, not Grafana: it proves queries and alerts, it does not look like it."
STYLE = (
    "body{font:14px/1.4 system-ui,sans-serif;margin:1.5rem;max-width:80rem;color:#222}"
    ".notice{background:#fff3cd;border:1px solid #e0b400;padding:.5rem .8rem}"
    ".panels{display:flex;flex-wrap:wrap;gap:1rem}.panel{border:1px solid #ccc;padding:.6rem;width:24rem}"
    ".panel.bad{border-color:#b00020}.problem{color:#b00020}h2{font-size:1rem;margin:.2rem 0}"
    "ul,table{margin:.3rem 0;padding-left:1.1rem;font-size:12px}svg{background:#fafafa}"
)
SHOWN_SERIES = 8
LAST_15_MINUTES = {"from": "now-15m", "to": "now"}


class Site:
    """The pages for people."""

    def __init__(self, standin: Standin, query: QueryApi) -> None:
        self._standin = standin
        self._query = query

    def routes(self) -> Sequence[Route]:
        """
        Its routes.
        """
        return [
            Route("/", self._index),
            Route("/login", self._index),
            Route("/d/{uid}", self._dashboard),
            Route("/d/{uid}/{slug}", self._dashboard),
        ]

    async def _index(self, request: Request) -> Response:
        identify(request, self._standin.settings)
        known = self._standin.provisioned
        boards = "".join(
            f'<li><a href="{html.escape(board.url)}">{html.escape(board.title)}</a></li>' for board in known.dashboards
        )
        rules = "".join(self._rules())
        warnings = "".join(f"<li>{html.escape(text)}</li>" for text in self._standin.warnings)
        parts = [("Dashboards", boards), ("Alert rules", rules), ("What a real Grafana would not tell", warnings)]
        lists = "".join(f"<h2>{name}</h2><ul>{items or '<li>none</li>'}</ul>" for name, items in parts)
        return _page("Grafana stand-in", lists)

    def _rules(self) -> Iterator[str]:
        for rule in self._standin.provisioned.alerting.rules:
            last = self._standin.manager.evaluated.get(rule.uid)
            state = rule_state(self._standin.manager.instances(rule.uid))
            error = f": {last.error}" if last and last.error else ""
            health = last.health if last else "not evaluated yet"
            yield f"<li>{html.escape(f'{rule.folder} / {rule.title}: {state} ({health}{error})')}</li>"

    async def _dashboard(self, request: Request) -> Response:
        identify(request, self._standin.settings)
        boards = [one for one in self._standin.provisioned.dashboards if one.uid == request.path_params["uid"]]
        if not boards:
            return _page("Dashboard not found", "<p>There is no such dashboard.</p>", 404)
        now_s = self._standin.clock()
        time = {**LAST_15_MINUTES, **_time(boards[0]), **request.query_params}
        span = read_span(time, now_s) or Span(from_s=now_s - 900, to_s=now_s)
        given = {key: request.query_params.getlist(key) for key in request.query_params}
        values = await resolve(boards[0].model, self._standin.provisioned.datasources, given, self._label_values)
        panels = [panel for panel in panels_of(boards[0].model) if panel.get("type") != "row"]
        shown = await asyncio.gather(*(show(panel, values, span, self._query) for panel in panels))
        chosen = ", ".join(f"{name} = {'|'.join(found)}" for name, found in values.items())
        header = f"<p>{html.escape(chosen)}</p>" if chosen else ""
        return _page(boards[0].title, f'{header}<div class="panels">{"".join(map(_panel, shown))}</div>')

    async def _label_values(self, uid: str, label: str, selector: str) -> Sequence[str]:
        for datasource in self._standin.provisioned.datasources:
            if datasource.uid == uid:
                url = f"{datasource.url}/api/v1/label/{label}/values"
                try:
                    found = await self._standin.client.get(url, params={"match[]": selector} if selector else {})
                    return [str(value) for value in found.json().get("data") or ()]
                except (httpx.HTTPError, ValueError):
                    return []
        return []


def _time(board: Dashboard) -> dict[str, object]:
    time = board.model.get("time")
    return dict(time) if isinstance(time, dict) else {}


def _panel(panel: Shown) -> str:
    title = html.escape(panel.title or f"panel {panel.id}")
    lines = sorted(panel.lines, key=lambda line: line.name)[:SHOWN_SERIES]
    unit = f" {html.escape(panel.unit)}" if panel.unit else ""
    items = "".join(
        f"<li>{html.escape(line.name)}: {shortest(float(f'{line.last:.6g}')) if line.last is not None else 'no value'}{unit}</li>"
        for line in lines
    )
    rows = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in panel.rows)
    table = f"<table>{rows}</table>" if rows else ""
    problem = f'<p class="problem">{html.escape(panel.problem)}</p>' if panel.problem else ""
    empty = "" if items or table or problem else "<p>No data</p>"
    kind = "panel bad" if panel.problem else "panel"
    body = f"{plot(panel.lines)}<ul>{items}</ul>{table}{problem}{empty}"
    return f'<section class="{kind}" id="panel-{panel.id}" data-type="{html.escape(panel.kind)}"><h2>{title}</h2>{body}</section>'


def _page(title: str, body: str, status: int = 200) -> Response:
    text = html.escape(title)
    return HTMLResponse(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{text} (Grafana stand-in)</title>'
        f"<style>{STYLE}</style></head><body><p class='notice'>{NOTICE} <a href='/'>All dashboards</a></p>"
        f"<h1>{text}</h1>{body}</body></html>",
        status,
    )
