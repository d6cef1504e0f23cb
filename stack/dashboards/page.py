"""Page: a whole dashboard as Grafana's classic JSON: panels, variables, annotations and links to the others."""

import json
from collections.abc import Sequence

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as model

from stack.dashboards.layout import COLUMNS, Placed, placed
from stack.dashboards.panel import Board, Panel
from stack.dashboards.scope import NAMESPACE, PROMETHEUS, variables
from stack.dashboards.style import styled

TAG = "tocsin"
"""The tag of all dashboards, and of the annotations that drills leave."""


def page(board: Board, others: Sequence[Board]) -> str:
    """
    The dashboard's JSON text, the same on each call; `others` are linked to.
    """
    built = (
        build.Dashboard(board.title)
        .uid(board.uid)
        .description(board.description)
        .tags([TAG])
        .readonly()
        .timezone("browser")
        .time(f"now-{board.span}", "now")
        .refresh(board.refresh)
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .variables(list(variables()))
        .annotations([_drills(), _alerts()])
        .links([_link(other) for other in others if other.uid != board.uid])
        .build()
    )
    built.panels = [_item(one) for one in placed(board)]
    return json.dumps(built, cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _item(one: Placed) -> model.Panel | model.RowPanel:
    if isinstance(one.item, Panel):
        return styled(one.item, panel_id=one.id, x=one.x, y=one.y)
    place = model.GridPos(x=one.x, y=one.y, w=COLUMNS, h=1)
    return model.RowPanel(title=one.item.title, id_val=one.id, grid_pos=place, collapsed=False, panels=[])


def _drills() -> build.AnnotationQuery:
    """Regions that drills leave in Grafana: each drill and each of its faults."""
    target = build.AnnotationTarget().type("tags").tags([TAG]).match_any(False).limit(100)
    grafana = model.DataSourceRef(type_val="grafana", uid="-- Grafana --")
    return build.AnnotationQuery().name("Drills and faults").datasource(grafana).target(target).icon_color("purple")


def _alerts() -> build.AnnotationQuery:
    """When Prometheus' alerts fired; the watchdog always does, which would colour everything."""
    prometheus = model.DataSourceRef(type_val="prometheus", uid=PROMETHEUS)
    firing = f'ALERTS{{alertstate="firing",alertname!="Watchdog",{NAMESPACE}}}'
    return build.AnnotationQuery().name("Firing alerts").datasource(prometheus).expr(firing).icon_color("red")


def _link(other: Board) -> build.DashboardLink:
    return (
        build.DashboardLink(other.title)
        .type(model.DashboardLinkType.LINK)
        .url(f"/d/{other.uid}")
        .icon("dashboard")
        .tooltip(other.description)
        .include_vars(True)
        .keep_time(True)
    )
