"""Schema: what Grafana's provisioning files may hold; Grafana itself drops a key that it does not know without a word."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from stack.config.grafana.durations import seconds


def _duration(text: str) -> str:
    seconds(text)
    return text


Duration = Annotated[str, AfterValidator(_duration)]
"""A duration as Grafana reads it, such as 30s or 1m30s."""

NoData = Literal["NoData", "Alerting", "OK", "KeepLast"]
OnError = Literal["Error", "Alerting", "OK", "KeepLast"]
"""What a rule becomes when its queries find nothing, or fail."""

Operator = Literal["=", "!=", "=~", "!~"]


class Part(BaseModel):
    """A part of a file; a key that is not named here is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Reference(Part):
    """Something to be deleted."""

    orgId: int = 1
    uid: str | None = None
    name: str | None = None


# --- alert rules --------------------------------------------------------------------------------------------------


class TimeRange(Part):
    """Seconds back from now."""

    from_: int | str = Field(0, alias="from")
    to: int | str = 0


class Step(Part):
    """A query, or an expression over others; `model` belongs to the datasource and is passed through."""

    refId: str
    queryType: str | None = None
    relativeTimeRange: TimeRange | None = None
    datasourceUid: str
    model: dict[str, Any]


class NotificationSettings(Part):
    """A rule's own way to people, past the policies."""

    receiver: str
    group_by: list[str] | None = None
    group_wait: Duration | None = None
    group_interval: Duration | None = None
    repeat_interval: Duration | None = None
    mute_time_intervals: list[str] | None = None
    active_time_intervals: list[str] | None = None


class Record(Part):
    """A recording rule's target."""

    metric: str
    from_: str = Field(alias="from")
    targetDatasourceUid: str | None = None


class Rule(Part):
    """One alert rule."""

    uid: str = Field(
        pattern=r"^[A-Za-z0-9_-]{1,40}$", description="1 to 40 letters, digits, '-' and '_': Grafana cuts nothing off"
    )
    title: str = Field(min_length=1, max_length=190)
    condition: str | None = None
    data: list[Step] = Field(min_length=1)
    for_: Duration | None = Field(None, alias="for")
    keepFiringFor: Duration | None = None
    missing_series_evals_to_resolve: int | None = None
    noDataState: NoData = "NoData"
    execErrState: OnError = "Alerting"
    isPaused: bool = False
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    dashboardUid: str | None = None
    panelId: int | None = None
    notification_settings: NotificationSettings | None = None
    record: Record | None = None


class Group(Part):
    """Rules that are evaluated together."""

    orgId: int = 1
    name: str = Field(min_length=1)
    folder: str = Field(min_length=1)
    interval: Duration
    rules: list[Rule]


# --- who is told --------------------------------------------------------------------------------------------------


class Receiver(Part):
    """One integration of a contact point; settings belong to its type."""

    uid: str = Field(pattern=r"^[A-Za-z0-9_-]{1,40}$", description="1 to 40 letters, digits, '-' and '_'")
    type: str
    disableResolveMessage: bool = False
    settings: dict[str, Any]
    secureSettings: dict[str, Any] | None = None


class ContactPoint(Part):
    """Where notifications go."""

    orgId: int = 1
    name: str
    receivers: list[Receiver] = Field(min_length=1)


class Route(Part):
    """A branch of the notification policies."""

    receiver: str | None = None
    group_by: list[str] | None = None
    continue_: bool = Field(False, alias="continue")
    matchers: list[str] | None = None
    object_matchers: list[tuple[str, Operator, str]] | None = None
    mute_time_intervals: list[str] | None = None
    active_time_intervals: list[str] | None = None
    group_wait: Duration | None = None
    group_interval: Duration | None = None
    repeat_interval: Duration | None = None
    routes: list["Route"] = Field(default_factory=list)


class Policy(Route):
    """The root of an organisation's policies."""

    orgId: int = 1
    receiver: str


class AlertingFile(Part):
    """A file below provisioning/alerting."""

    apiVersion: Literal[1]
    groups: list[Group] = Field(default_factory=list)
    deleteRules: list[Reference] = Field(default_factory=list)
    contactPoints: list[ContactPoint] = Field(default_factory=list)
    deleteContactPoints: list[Reference] = Field(default_factory=list)
    policies: list[Policy] = Field(default_factory=list)
    resetPolicies: list[int] = Field(default_factory=list)
    templates: list[dict[str, Any]] = Field(default_factory=list)
    deleteTemplates: list[Reference] = Field(default_factory=list)
    muteTimes: list[dict[str, Any]] = Field(default_factory=list)
    deleteMuteTimes: list[Reference] = Field(default_factory=list)


# --- datasources and dashboards -----------------------------------------------------------------------------------


class Datasource(Part):
    """One datasource; `jsonData` belongs to its type."""

    name: str
    uid: str | None = None
    type: str
    access: Literal["proxy", "direct"] = "proxy"
    orgId: int = 1
    url: str | None = None
    user: str | None = None
    database: str | None = None
    basicAuth: bool = False
    basicAuthUser: str | None = None
    withCredentials: bool = False
    isDefault: bool = False
    jsonData: dict[str, Any] = Field(default_factory=dict)
    secureJsonData: dict[str, Any] = Field(default_factory=dict)
    correlations: list[dict[str, Any]] = Field(default_factory=list)
    version: int | None = None
    editable: bool = False


class DatasourcesFile(Part):
    """A file below provisioning/datasources."""

    apiVersion: Literal[1]
    prune: bool = False
    deleteDatasources: list[Reference] = Field(default_factory=list)
    datasources: list[Datasource] = Field(default_factory=list)


class Provider(Part):
    """Where dashboards come from."""

    name: str
    orgId: int = 1
    folder: str | None = None
    folderUid: str | None = None
    type: Literal["file"] = "file"
    disableDeletion: bool = False
    editable: bool = False
    allowUiUpdates: bool = False
    updateIntervalSeconds: int = 10
    options: dict[str, Any]


class DashboardsFile(Part):
    """A file below provisioning/dashboards."""

    apiVersion: Literal[1]
    providers: list[Provider] = Field(default_factory=list)
