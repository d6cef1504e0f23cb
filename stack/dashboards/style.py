"""Style: how each kind of panel looks, the same on all dashboards."""

from collections.abc import Callable, Mapping
from typing import Any

from grafana_foundation_sdk.builders import common as part
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders import heatmap, nodegraph, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.models import common, dashboard
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode

from stack.dashboards.panel import Metric, Panel
from stack.dashboards.queries import REF_IDS, datasource, targets

_TRACES_LINK = (
    "/d/traces?${datasource:queryparam}&${tempo:queryparam}"
    "&var-namespace=${__field.labels.service_namespace}&var-service=${__field.labels.service_name}"
    "&from=${__from}&to=${__to}"
)


def styled(panel: Panel, *, panel_id: int, x: int, y: int) -> dashboard.Panel:
    """A panel in Grafana's words, with its id and its place on the grid."""
    built: dashboard.Panel = _KINDS[panel.kind](panel).build()
    built.id_val = panel_id
    built.title, built.description = panel.title, panel.description
    built.grid_pos = dashboard.GridPos(x=x, y=y, w=panel.width, h=panel.height)
    if panel.queries:
        built.datasource = datasource(panel.queries[0])
        built.targets = [target.build() for target in targets(panel)]
    if panel.empty and built.field_config:
        built.field_config.defaults.no_value = panel.empty
    return built


def _thresholds(panel: Panel) -> build.ThresholdsConfig:
    steps = [dashboard.Threshold(value=None, color=panel.base)]
    steps += [dashboard.Threshold(value=limit.value, color=limit.colour) for limit in panel.limits]
    return build.ThresholdsConfig().mode(dashboard.ThresholdsMode.ABSOLUTE).steps(steps)


def _measured(builder: Any, panel: Panel) -> Any:
    """What all panels of numbers have: unit, limits, range and decimals."""
    builder.unit(panel.unit).thresholds(_thresholds(panel))
    if panel.least is not None:
        builder.min(panel.least)
    if panel.most is not None:
        builder.max(panel.most)
    if panel.decimals is not None:
        builder.decimals(panel.decimals)
    return builder


def _lines(panel: Panel) -> Any:
    legend = (
        part.VizLegendOptions()
        .show_legend(True)
        .display_mode(common.LegendDisplayMode.TABLE)
        .placement(common.LegendPlacement.BOTTOM)
        .calcs(["lastNotNull", "max"])
    )
    tooltip = part.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI).sort(common.SortOrder.DESCENDING)
    built = (
        timeseries.Panel()
        .legend(legend)
        .tooltip(tooltip)
        .line_width(2)
        .fill_opacity(40 if panel.stacked else 8)
        .show_points(common.VisibilityMode.NEVER)
        .color_scheme(build.FieldColor().mode(dashboard.FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
    )
    if any("service_name" in query.legend for query in panel.queries if isinstance(query, Metric)):
        built.data_links([build.DashboardLink("Traces of ${__field.labels.service_name}").url(_TRACES_LINK)])
    if panel.stacked:
        built.stacking(part.StackingConfig().mode(common.StackingMode.NORMAL))
    if panel.limits:
        built.thresholds_style(part.GraphThresholdsStyleConfig().mode(common.GraphTresholdsStyleMode.DASHED))
    return _measured(built, panel)


def _number(panel: Panel) -> Any:
    built = (
        stat.Panel()
        .reduce_options(part.ReduceDataOptions().calcs(["lastNotNull"]))
        .graph_mode(common.BigValueGraphMode.AREA)
        .color_mode(common.BigValueColorMode.VALUE)
        .color_scheme(build.FieldColor().mode(dashboard.FieldColorModeId.THRESHOLDS))
    )
    return _measured(built, panel)


def _heat(panel: Panel) -> Any:
    axis = heatmap.YAxisConfig().unit(panel.unit)
    colours = heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Spectral").steps(64).reverse(True)
    return (
        heatmap.Panel()
        .calculate(False)
        .y_axis(axis)
        .cell_values(heatmap.CellValues().unit("short"))
        .scale_distribution(part.ScaleDistributionConfig().type(common.ScaleDistribution.LINEAR))
        .color(colours)
        .exemplars_color("rgba(255,0,255,0.7)")
        .show_legend()
        .show_tooltip()
        .unit(panel.unit)
    )


def _states(panel: Panel) -> Any:
    shown = {
        str(state.value): dashboard.ValueMappingResult(text=state.text, color=state.colour, index=index)
        for index, state in enumerate(panel.states)
    }
    built = (
        statetimeline.Panel()
        .mappings([dashboard.ValueMap(options=shown)])
        .show_value(common.VisibilityMode.NEVER)
        .row_height(0.8)
        .merge_values(True)
        .fill_opacity(80)
        .legend(part.VizLegendOptions().show_legend(False).display_mode(common.LegendDisplayMode.LIST))
        .tooltip(part.VizTooltipOptions().mode(common.TooltipDisplayMode.SINGLE))
        .color_scheme(build.FieldColor().mode(dashboard.FieldColorModeId.THRESHOLDS))
    )
    return _measured(built, panel)


def _table(panel: Panel) -> Any:
    """One line per set of labels, one column per query."""
    columns = {
        f"Value #{ref_id}": query.legend
        for query, ref_id in zip(panel.queries, REF_IDS, strict=False)
        if isinstance(query, Metric)
    }
    names = {**columns, "Value": next(iter(columns.values()))}
    tidy = {"excludeByName": {"Time": True}, "renameByName": names, "indexByName": {}}
    built = (
        table.Panel()
        .show_header(True)
        .with_transformation(dashboard.DataTransformerConfig(id_val="merge", options={}))
        .with_transformation(dashboard.DataTransformerConfig(id_val="organize", options=tidy))
    )
    for query in panel.queries:
        if isinstance(query, Metric) and query.unit:
            built.override_by_name(query.legend, [dashboard.DynamicConfigValue(id_val="unit", value=query.unit)])
    return _measured(built, panel)


def _traces(panel: Panel) -> Any:
    return table.Panel().show_header(True).unit(panel.unit)


def _graph(_: Panel) -> Any:
    return nodegraph.Panel().nodes(nodegraph.NodeOptions())


def _alerts(_: Panel) -> Any:
    """Grafana's own rules; the kit has no builder for this panel."""
    states = {"firing": True, "pending": True, "noData": True, "error": True, "normal": False}
    return (
        build.Panel()
        .type("alertlist")
        .options({"viewMode": "list", "groupMode": "default", "maxItems": 50, "sortOrder": 3, "stateFilter": states})
    )


_KINDS: Mapping[str, Callable[[Panel], Any]] = {
    "lines": _lines,
    "number": _number,
    "heat": _heat,
    "states": _states,
    "table": _table,
    "graph": _graph,
    "traces": _traces,
    "alerts": _alerts,
}
