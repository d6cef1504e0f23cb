"""Queries: a panel's queries in the words of their datasources."""

from collections.abc import Sequence

from grafana_foundation_sdk.builders import prometheus, tempo
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import DataSourceRef
from grafana_foundation_sdk.models.prometheus import PromQueryFormat, QueryEditorMode

from stack.dashboards.panel import Metric, Panel, Query, ServiceGraph, Traces
from stack.dashboards.scope import PROMETHEUS, TEMPO

REF_IDS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

_FORMATS = {"heat": PromQueryFormat.HEATMAP, "table": PromQueryFormat.TABLE}


def datasource(query: Query) -> DataSourceRef:
    """Where a query goes, by the dashboard's variable."""
    if isinstance(query, Metric):
        return DataSourceRef(type_val="prometheus", uid=PROMETHEUS)
    return DataSourceRef(type_val="tempo", uid=TEMPO)


def targets(panel: Panel) -> Sequence[Builder[Dataquery]]:
    """All queries of a panel, named A, B, C and so on."""
    return [_target(query, ref_id, panel) for query, ref_id in zip(panel.queries, REF_IDS, strict=False)]


def _target(query: Query, ref_id: str, panel: Panel) -> Builder[Dataquery]:
    match query:
        case Metric():
            return _metric(query, ref_id, panel)
        case Traces():
            search = tempo.TempoQuery().ref_id(ref_id).query_type("traceql").query(query.traceql)
            return search.limit(query.limit).datasource(datasource(query))
        case ServiceGraph():
            graph = tempo.TempoQuery().ref_id(ref_id).query_type("serviceMap")
            return graph.service_map_query(f"{{{query.matchers}}}").datasource(datasource(query))


def _metric(query: Metric, ref_id: str, panel: Panel) -> Builder[Dataquery]:
    built = (
        prometheus.Dataquery()
        .ref_id(ref_id)
        .datasource(datasource(query))
        .expr(query.expr)
        .editor_mode(QueryEditorMode.CODE)
        .format(_FORMATS.get(panel.kind, PromQueryFormat.TIME_SERIES))
        .exemplar(query.exemplars)
    )
    if query.legend and panel.kind != "table":
        built.legend_format(query.legend)
    if panel.kind == "heat":
        built.legend_format("{{le}}")
    return built.instant() if query.now or panel.kind == "table" else built.range()
