"""Scope: the variables by which people choose what a dashboard shows, and the matchers that queries take them from."""

from collections.abc import Sequence

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as model

PROMETHEUS, TEMPO = "${datasource}", "${tempo}"
"""Datasources by their variables, so that a dashboard can be pointed at another stack."""

NAMESPACE = 'service_namespace=~"$namespace"'
WHO = f'{NAMESPACE},service_name=~"$service"'
"""Matchers for series of the chosen namespaces, and of the chosen services within them."""

BASE_WINDOW = 'window=~"5m|5s"'
"""The window of what is shown by default: five minutes in production, five seconds in drills."""

_SEEN = "http_server_request_duration_seconds_count"
_ALL = "$__all"


def variables() -> Sequence[Builder[model.VariableModel]]:
    """The variables of every dashboard: datasource, tempo, namespace, service."""
    return [
        _datasource("datasource", "Metrics", "prometheus", "Prometheus"),
        _datasource("tempo", "Traces", "tempo", "Tempo"),
        _labels("namespace", "Namespace", f"label_values({_SEEN}, service_namespace)"),
        _labels("service", "Service", f"label_values({_SEEN}{{{NAMESPACE}}}, service_name)"),
    ]


def _datasource(name: str, label: str, kind: str, text: str) -> Builder[model.VariableModel]:
    current = model.VariableOption(selected=False, text=text, value=kind)
    return build.DatasourceVariable(name).label(label).type(kind).current(current)


def _labels(name: str, label: str, query: str) -> Builder[model.VariableModel]:
    return (
        build.QueryVariable(name)
        .label(label)
        .datasource(model.DataSourceRef(type_val="prometheus", uid=PROMETHEUS))
        .query(query)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(model.VariableOption(selected=True, text="All", value=_ALL))
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
    )
