"""What the replay does not compare, and why: each recording by name, nothing is left out silently."""

from collections.abc import Callable, Mapping
from typing import Any

BY_FILES = "the stand-in is configured by files only: what would be made by the API is refused with 501"
GONE = "Grafana 13 no longer has it"
USERS = "the stand-in has one user, the administrator, and no service accounts, tokens or login cookies"

NOT_REPLAYED: Mapping[str, str] = {
    "am-receivers-test": GONE,
    "admin-reload-notifications": GONE,
    "legacy-alerts": GONE,
    "resources-prometheus-numeric-proxy": GONE + ": numeric ids of datasources are off since 13.0",
    "admin-stats": "most counts are of things that the stand-in does not have",
    "auth-admin-create-user": USERS,
    "auth-login-form": USERS,
    "auth-serviceaccount-annotation": USERS,
    "auth-serviceaccount-token": USERS,
    "auth-serviceaccount-use": USERS,
    "plugins-prometheus-settings": "the stand-in has no plugins",
    "am-status": "recorded in the minute after a first start, in which that Grafana used its default policy; the stand-in"
    " uses the provisioned one at once",
    "dashboard-create": BY_FILES,
    "dashboard-create-conflict": BY_FILES,
    "datasource-create": BY_FILES,
    "datasource-create-conflict": BY_FILES,
    "datasource-delete": BY_FILES,
    "folder-create": BY_FILES,
    "folder-create-conflict": BY_FILES,
    "folder-delete": BY_FILES,
    "provisioning-alert-rule-create": BY_FILES,
    "provisioning-alert-rule-create-bad-folder": BY_FILES,
    "provisioning-alert-rule-create-conflict": BY_FILES,
    "provisioning-alert-rule-create-no-condition": BY_FILES,
    "provisioning-alert-rule-create-no-title": BY_FILES,
    "provisioning-alert-rule-update": BY_FILES,
    "provisioning-contact-point-create": BY_FILES,
    "provisioning-contact-point-create-bad": BY_FILES,
    "provisioning-contact-point-delete": BY_FILES,
    "provisioning-contact-point-put": BY_FILES,
    "provisioning-policies-put-file": BY_FILES,
    "provisioning-rule-group-put": BY_FILES,
    "provisioning-rule-group-put-bad-interval": BY_FILES,
    "ruler-delete-group": BY_FILES,
    "ruler-get-group": BY_FILES,
    "ruler-post": BY_FILES,
    "ruler-rules": "recorded with groups that were made by the API; ruler-rules-anonymous shows those of the files",
    "ruler-rules-namespace": "recorded with groups that were made by the API",
}

CONFIG_ADMIN = "Grafana 13 shows the Alertmanager's configuration to administrators only"
UNREACHABLE = "Grafana 13 answers 400 with an error per refId, where 9.4 answered 500 without results"
PER_REF = "Grafana 13 tells each refId's error, its source and status, where 9.4 failed the whole request"
HEALTH = "Grafana 13 has the datasource's health by uid"
TRACEQL = "Grafana 13 searches, where 9.4 took the query for a trace id; both fail where Tempo answers 404"
NOT_FOUND = "Grafana 13 answers 404, where 9.4 answered 500"

# Status and body as Grafana 13 has them, in place of the recorded; `...` takes what the recording has.
FOLLOWS_13: Mapping[str, tuple[str, int, object]] = {
    "am-config-anonymous": (CONFIG_ADMIN, 403, "alert.notifications:read"),
    "datasource-promdown-health": (HEALTH, 400, "ERROR"),
    "datasource-prometheus-health-anonymous-viewer": (HEALTH, 200, "Successfully queried the Prometheus API."),
    "datasource-prometheus-health": (HEALTH, 200, "Successfully queried the Prometheus API."),
    "datasource-tempo-health": (HEALTH, 400, "ERROR"),
    "datasource-tempo-echo-health": (HEALTH, 200, "Data source is working"),
    "query-datasource-down": (UNREACHABLE, 400, "connection refused"),
    "fast-query-prometheus-stopped": (UNREACHABLE, 400, "connection refused"),
    "query-expression-on-bad-input": (PER_REF, 400, "sse.dependencyError"),
    "query-tempo-traceql": (TRACEQL, 400, "404 Not Found"),
    "provisioning-alert-rule-unknown": (NOT_FOUND, 404, "could not find alert rule"),
    "provisioning-alert-rules-export": (NOT_FOUND, 404, "could not find alert rule"),
}

# Keys that only Grafana 13 has, by what they are in. The annotation `Error` it has after each evaluation, 9.4 after the
# first only, so that is not compared either.
ONLY_IN_13 = {
    "rule": (
        "uid",
        "folderUid",
        "totals",
        "totalsFiltered",
        "isPaused",
        "provenance",
        "queriedDatasourceUIDs",
        "activeAt",
    ),
    "group": ("folderUid", "totals"),
    "webhook alert": ("ruleUID", "orgId"),
    "alert status": ("mutedBy",),
    "search hit": ("orgId", "isDeleted"),
    "meta": ("apiVersion",),
    "provisioned rule": ("isPaused", "notification_settings", "record", "provenance"),
    "ruler rule": ("is_paused", "provenance", "version", "namespace_id", "updated"),
    "frame": ("typeVersion",),
}

Edit = Callable[[Any], Any]


def without(*dotted: str) -> Edit:
    """
    A body without what stands at dotted paths; `*` is each item of a list.
    """

    def edit(body: Any) -> Any:
        for path in dotted:
            _drop(body, path.split("."))
        return body

    return edit


def _drop(body: Any, path: list[str]) -> None:
    head, *rest = path
    if head == "*":
        for item in body:
            _drop(item, rest)
    elif isinstance(body, dict) and head in body:
        if rest:
            _drop(body[head], rest)
        else:
            del body[head]


def _only_files(body: Any) -> Any:
    return {**body, "Drills": [group for group in body["Drills"] if group["name"] == "drill"]}


BY_API = "recorded after the policies had been put by the API, which the stand-in does not take"
PUBLIC = "public dashboards are no part of the stand-in"
NO_SUCH = "settings of parts that the stand-in does not have"
PUBLIC_KEYS = ("hasPublicDashboard", "publicDashboardAccessToken", "publicDashboardEnabled", "publicDashboardUid")

LAST_ERROR = "Grafana 13 tells the latest error of a rule, 9.4 the first of its present series"


def _without_old_errors(body: Any) -> Any:
    for group in body["data"]["groups"]:
        for rule in group["rules"]:
            if rule["name"] in ("BrokenQuery", "RangeUnreduced"):
                del rule["lastError"]
    return body


IDS = "ids follow the order of evaluation, which is random within a tick"
CYCLES = "recorded after two cycles of the alert at other times, replayed with one"


def _last_cycle(body: Any) -> Any:
    return without("*.id", "*.time", "*.timeEnd")(body[:3])


# What is taken out of both bodies before they are compared.
EDITED: Mapping[str, tuple[str, Edit]] = {
    "am-config": (BY_API, without("alertmanager_config.route.provenance")),
    "annotations-alert-history-dashboard": (CYCLES, _last_cycle),
    "fast-annotations-alert-history": (IDS, without("*.id")),
    "dashboard-shop": (PUBLIC, without(*(f"meta.{key}" for key in PUBLIC_KEYS))),
    "dashboard-shop-anonymous-viewer": (PUBLIC, without(*(f"meta.{key}" for key in PUBLIC_KEYS))),
    "fast-rules-datasource-down": (LAST_ERROR, _without_old_errors),
    "frontend-settings": (
        NO_SUCH,
        without("alertingMinInterval", "buildInfo.buildstamp", "featureToggles", "minRefreshInterval"),
    ),
    "query-expression-unknown-ref": ("the stand-in says what is wrong beside Grafana's message", without("detail")),
    "ruler-rules-anonymous": ("recorded with a group that was made by the API", _only_files),
    "search-all": ("Grafana 13 tells the organisation", without("*.orgId")),
    "search-dash-db": ("Grafana 13 tells the organisation", without("*.orgId")),
    "search-query-tag": ("Grafana 13 tells the organisation", without("*.orgId")),
}
