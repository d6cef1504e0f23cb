"""The provisioning API: what the files say, to be read; everything is from files, so nothing can be changed."""

from collections.abc import Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stack.standins.grafana.api.answers import answer, body_of, not_here, refused
from stack.standins.grafana.api.auth import identify, need
from stack.standins.grafana.api.receivers import contact_points_json
from stack.standins.grafana.durations import format_duration
from stack.standins.grafana.provisioning.rules import Query, Rule
from stack.standins.grafana.standin import Standin
from stack.standins.grafana.times import rfc3339

READ, WRITE = "alert.provisioning:read", "alert.provisioning:write"
CHANGES = ["POST", "PUT", "DELETE"]


class ProvisioningApi:
    """The endpoints below /api/v1/provisioning and /api/ruler."""

    def __init__(self, standin: Standin) -> None:
        self._standin = standin

    def routes(self) -> Sequence[Route]:
        """
        Its routes.
        """
        base, ruler = "/api/v1/provisioning", "/api/ruler/grafana/api/v1/rules"
        group = f"{base}/folder/{{folder}}/rule-groups/{{group}}"
        return [
            Route(f"{base}/alert-rules", self._rules),
            Route(f"{base}/alert-rules/{{uid}}", self._rule),
            Route(f"{base}/alert-rules/{{uid}}", self._change_rule, methods=["PUT", "DELETE"]),
            Route(group, self._group),
            Route(f"{base}/contact-points", self._contact_points),
            Route(f"{base}/policies", self._policies),
            Route(f"{base}/policies", self._change_policies, methods=["PUT"]),
            Route(f"{base}/mute-timings", self._mute_timings),
            Route(f"{base}/templates", self._templates),
            Route(f"{base}/{{path:path}}", self._change, methods=CHANGES),
            Route(ruler, self._ruler),
            Route(f"{ruler}/{{folder}}", self._ruler),
            Route(f"{ruler}/{{folder}}/{{group}}", self._ruler_group),
            Route(f"{ruler}/{{path:path}}", self._change_ruler, methods=CHANGES),
        ]

    async def _rules(self, request: Request) -> Response:
        need(request, self._standin.settings, "Admin", READ)
        return answer([rule_json(rule) for rule in self._all()])

    async def _rule(self, request: Request) -> Response:
        need(request, self._standin.settings, "Admin", READ)
        found = self._standin.rule(request.path_params["uid"])
        if found is None:
            raise refused(404, "could not find alert rule")
        return answer(rule_json(found))

    async def _group(self, request: Request) -> Response:
        need(request, self._standin.settings, "Admin", READ)
        folder, name = request.path_params["folder"], request.path_params["group"]
        found = [rule for rule in self._all() if (rule.folder_uid, rule.group) == (folder, name)]
        if not found:
            raise refused(404, "rulegroup not found")
        interval = int(found[0].interval_s)
        rules = [rule_json(rule) for rule in found]
        return answer({"title": name, "folderUid": folder, "interval": interval, "rules": rules})

    async def _contact_points(self, request: Request) -> Response:
        need(request, self._standin.settings, "Admin", READ)
        found = contact_points_json(self._standin.provisioned.alerting.contact_points)
        name = request.query_params.get("name")
        return answer([one for one in found if not name or one["name"] == name])

    async def _policies(self, request: Request) -> Response:
        need(request, self._standin.settings, "Admin", READ)
        return answer({**self._standin.provisioned.alerting.route.written, "provenance": "file"})

    async def _mute_timings(self, request: Request) -> Response:
        need(request, self._standin.settings, "Admin", READ)
        timings = self._standin.provisioned.alerting.mute_timings.values()
        return answer(
            [{"name": one.name, "time_intervals": list(one.written), "provenance": "file"} for one in timings]
        )

    async def _templates(self, request: Request) -> Response:
        need(request, self._standin.settings, "Admin", READ)
        found = self._standin.provisioned.alerting.templates
        return answer([{"name": name, "template": text, "provenance": "file"} for name, text in found.items()])

    async def _change_rule(self, request: Request) -> Response:
        need(request, self._standin.settings, "Admin", WRITE)
        if self._standin.rule(request.path_params["uid"]) is None:
            return (
                Response(status_code=204, media_type="application/json")
                if request.method == "DELETE"
                else await self._change(request)
            )
        raise refused(500, "cannot changed provenance from 'file' to 'api'")

    async def _change_policies(self, request: Request) -> Response:
        need(request, self._standin.settings, "Admin", WRITE)
        receiver = (await body_of(request)).get("receiver")
        known = [point.name for point in self._standin.provisioned.alerting.contact_points]
        if receiver not in known:
            raise refused(400, f"invalid object specification: receiver '{receiver}' does not exist")
        raise not_here("changing the policies by the API")

    async def _change(self, request: Request) -> Response:
        need(request, self._standin.settings, "Admin", WRITE)
        raise not_here("changing the alerting by the API")

    async def _change_ruler(self, request: Request) -> Response:
        need(request, self._standin.settings, "Editor", "alert.rules:write")
        folder, _, group = request.path_params["path"].partition("/")
        if any(folder in (rule.folder, rule.folder_uid) and group in ("", rule.group) for rule in self._all()):
            raise refused(400, "failed to delete rule group: request affects resources created via provisioning API")
        raise not_here("changing the alerting by the API")

    async def _ruler(self, request: Request) -> Response:
        identify(request, self._standin.settings)
        wanted = request.path_params.get("folder")
        found: dict[str, list[dict[str, object]]] = {}
        for rule in self._all():
            if wanted not in (None, rule.folder, rule.folder_uid):
                continue
            groups = found.setdefault(rule.folder, [])
            if not any(group["name"] == rule.group for group in groups):
                groups.append(self._ruler_json(rule))
        return answer(found, 202 if wanted else 200)

    async def _ruler_group(self, request: Request) -> Response:
        identify(request, self._standin.settings)
        folder, group = request.path_params["folder"], request.path_params["group"]
        for rule in self._all():
            if folder in (rule.folder, rule.folder_uid) and rule.group == group:
                return answer(self._ruler_json(rule), 202)
        raise refused(404, "rule group does not exist")

    def _ruler_json(self, first: Rule) -> dict[str, object]:
        members = [rule for rule in self._all() if (rule.folder, rule.group) == (first.folder, first.group)]
        rules = [_ruler_rule(rule) for rule in members]
        return {"name": first.group, "interval": format_duration(first.interval_s), "rules": rules}

    def _all(self) -> Sequence[Rule]:
        return self._standin.provisioned.alerting.rules


def rule_json(rule: Rule) -> dict[str, object]:
    """
    A rule as the provisioning API shows it.
    """
    return {
        "id": rule.id,
        "uid": rule.uid,
        "orgID": 1,
        "folderUID": rule.folder_uid,
        "ruleGroup": rule.group,
        "title": rule.title,
        "condition": rule.condition,
        "data": [_query_json(query) for query in rule.queries],
        "updated": rfc3339(float(int(rule.updated_s))),
        "noDataState": rule.no_data_state,
        "execErrState": rule.error_state,
        "for": format_duration(rule.for_s),
        **({"keep_firing_for": format_duration(rule.keep_firing_s)} if rule.keep_firing_s else {}),
        "annotations": dict(rule.annotations),
        "labels": dict(rule.labels),
        "provenance": "file",
        "isPaused": rule.paused,
        "notification_settings": {"receiver": rule.direct.receiver} if rule.direct else None,
        "record": None,
    }


def _query_json(query: Query) -> dict[str, object]:
    return {
        "refId": query.ref,
        "queryType": "",
        "relativeTimeRange": {"from": int(query.from_s), "to": int(query.to_s)},
        "datasourceUid": query.datasource_uid,
        "model": dict(query.model),
    }


def _ruler_rule(rule: Rule) -> Mapping[str, object]:
    alert = {
        "id": rule.id,
        "orgId": 1,
        "title": rule.title,
        "condition": rule.condition,
        "data": [_query_json(query) for query in rule.queries],
        "updated": rfc3339(float(int(rule.updated_s))),
        "intervalSeconds": int(rule.interval_s),
        "version": 1,
        "uid": rule.uid,
        "namespace_uid": rule.folder_uid,
        "rule_group": rule.group,
        "no_data_state": rule.no_data_state,
        "exec_err_state": rule.error_state,
        "provenance": "file",
        "is_paused": rule.paused,
    }
    return {
        "expr": "",
        "for": format_duration(rule.for_s),
        "labels": dict(rule.labels),
        "annotations": dict(rule.annotations),
        "grafana_alert": alert,
    }
