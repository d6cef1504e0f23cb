"""Panels: each with its queries run and what came of them."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stack.standins.grafana.api.answers import Refused
from stack.standins.grafana.api.query import QueryApi
from stack.standins.grafana.frames import Frame
from stack.standins.grafana.pages.plot import Line
from stack.standins.grafana.pages.variables import substitute, substitute_tree
from stack.standins.grafana.plan import Span

SILENT = ("row", "text", "dashlist", "alertlist", "annolist", "news", "welcome", "nodeGraph")
POINTS = 300
MAX_ROWS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One panel with what its queries yielded; `problem` names the query and the backend's own message."""

    id: int
    title: str
    kind: str
    description: str
    unit: str
    lines: Sequence[Line]
    rows: Sequence[Sequence[str]]
    problem: str = ""


def panels_of(model: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """
    The panels of a dashboard, those inside rows too, from top to bottom.
    """
    panels = model.get("panels")
    for panel in panels if isinstance(panels, list) else ():
        yield panel
        yield from panels_of(panel)


async def show(panel: Mapping[str, object], values: Mapping[str, Sequence[str]], span: Span, query: QueryApi) -> Shown:
    """
    A panel with its queries run over a time range.
    """
    lines, rows, problem = [], [], ""
    targets = _targets(panel, values)
    if panel.get("type") not in SILENT and targets:
        try:
            results = await query.run(targets, span)
        except Refused as error:
            problem = str(error.body.get("message")) if error.body else str(error.status)
        else:
            problem = "; ".join(f"{ref}: {one.error}" for ref, one in results.items() if one.error)
            frames = [frame for one in results.values() for frame in one.frames]
            lines = [line for frame in frames for line in _lines(frame)]
            rows = [row for frame in frames for row in _rows(frame)][:MAX_ROWS]
    return Shown(
        id=_number(panel.get("id")),
        title=substitute(str(panel.get("title") or ""), values),
        kind=str(panel.get("type") or ""),
        description=str(panel.get("description") or ""),
        unit=_unit(panel),
        lines=lines,
        rows=rows,
        problem=problem,
    )


def _targets(panel: Mapping[str, object], values: Mapping[str, Sequence[str]]) -> Sequence[Mapping[str, object]]:
    targets = panel.get("targets")
    found = []
    for target in targets if isinstance(targets, list) else ():
        row = substitute_tree(target, values)
        assert isinstance(row, dict)
        holder = row.get("datasource") or substitute_tree(panel.get("datasource"), values)
        uid = holder.get("uid") if isinstance(holder, dict) else holder
        if uid == "-- Mixed --" or not uid:
            continue
        found.append({"maxDataPoints": POINTS, **row, "datasource": {"uid": str(uid)}, "exemplar": False})
    return found


def _lines(frame: Frame) -> Iterator[Line]:
    fields, columns = _parts(frame)
    times = next((columns[index] for index, field in enumerate(fields) if field["type"] == "time"), None)
    for index, field in enumerate(fields):
        if field["type"] == "number" and times is not None:
            name = str((field.get("config") or {}).get("displayNameFromDS") or field.get("name") or "")
            values = [
                value if isinstance(value, int | float) and math.isfinite(value) else None for value in columns[index]
            ]
            yield Line(name=name, times_ms=times, values=values)


def _rows(frame: Frame) -> Iterator[Sequence[str]]:
    fields, columns = _parts(frame)
    if not any(field["type"] == "string" for field in fields):
        return
    for values in zip(*columns, strict=True):
        yield [str(value) for value in values if not isinstance(value, list | dict)]


def _parts(frame: Frame) -> tuple[list[dict[str, Any]], list[list[Any]]]:
    schema, data = frame["schema"], frame["data"]
    assert isinstance(schema, dict)
    assert isinstance(data, dict)
    return schema["fields"], data["values"]


def _unit(panel: Mapping[str, object]) -> str:
    config = panel.get("fieldConfig")
    defaults = config.get("defaults") if isinstance(config, dict) else None
    return str(defaults.get("unit") or "") if isinstance(defaults, dict) else ""


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
