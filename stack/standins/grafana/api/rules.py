"""The rules API in Prometheus' shape: groups, rules, and the state of their instances."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import httpx
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stack.standins.grafana.alerting.states import Instance, State
from stack.standins.grafana.api.answers import answer, refused
from stack.standins.grafana.api.auth import identify
from stack.standins.grafana.gonumber import exponent
from stack.standins.grafana.notify.routes import Matcher
from stack.standins.grafana.provisioning.datasources import PROMETHEUS
from stack.standins.grafana.provisioning.rules import DASHBOARD, PANEL, Rule
from stack.standins.grafana.standin import Standin
from stack.standins.grafana.times import rfc3339

VALUED = (State.ALERTING, State.PENDING, State.RECOVERING)
RULE_STATES = (
    (State.ALERTING, "firing"),
    (State.RECOVERING, "recovering"),
    (State.PENDING, "pending"),
)
SEVERITY = (State.ALERTING, State.ERROR, State.RECOVERING, State.PENDING, State.NO_DATA, State.NORMAL)


class RulesApi:
    """The endpoints below /api/prometheus."""

    def __init__(self, standin: Standin) -> None:
        self._standin = standin

    def routes(self) -> Sequence[Route]:
        """
        Its routes.
        """
        base = "/api/prometheus"
        return [
            Route(f"{base}/grafana/api/v1/rules", self._rules),
            Route(f"{base}/grafana/api/v1/alerts", self._alerts),
            Route(f"{base}/{{uid}}/api/v1/{{what}}", self._of_datasource),
        ]

    async def _alerts(self, request: Request) -> Response:
        identify(request, self._standin.settings)
        rules = {rule.uid: rule for rule in self._standin.provisioned.alerting.rules}
        found = [alert_json(rules[one.rule_uid], one) for one in self._standin.manager.all() if one.rule_uid in rules]
        return answer({"status": "success", "data": {"alerts": found}})

    async def _rules(self, request: Request) -> Response:
        identify(request, self._standin.settings)
        asked = request.query_params
        if asked.get("panel_id") and not asked.get("dashboard_uid"):
            raise refused(400, "panel_id must be set with dashboard_uid")
        try:
            groups = list(self._groups(asked))
        except ValueError as error:
            return answer({"status": "error", "errorType": "bad_data", "error": str(error)}, 400)
        totals: Counter[str] = Counter()
        for group in groups:
            totals.update(group["totals"])  # type: ignore[call-overload]
        return answer({"status": "success", "data": {"groups": groups, "totals": dict(totals)}})

    async def _of_datasource(self, request: Request) -> Response:
        identify(request, self._standin.settings)
        uid, what = request.path_params["uid"], request.path_params["what"]
        found = [one for one in self._standin.provisioned.datasources if one.uid == uid]
        if not found or found[0].type != PROMETHEUS or what not in ("rules", "alerts"):
            raise refused(404, "data source not found")
        try:
            reply = await self._standin.client.get(f"{found[0].url}/api/v1/{what}", params=request.query_params)
        except httpx.HTTPError as error:
            raise refused(502, f"the datasource does not answer: {error}") from error
        return Response(reply.content, reply.status_code, media_type="application/json")

    def _groups(self, asked: QueryParams) -> Iterator[dict[str, object]]:
        wanted = [rule for rule in self._standin.provisioned.alerting.rules if _is_asked(rule, asked)]
        matchers = [_matcher(text) for text in asked.getlist("matcher")]
        for (folder, group), members in groupby(wanted, key=lambda rule: (rule.folder, rule.group)):
            rules = [self._rule(rule, matchers, asked) for rule in members]
            rules = [one for one in rules if _passes(one, asked)]
            if not rules:
                continue
            rule = next(one for one in wanted if (one.folder, one.group) == (folder, group))
            yield {
                "name": group,
                "file": folder,
                "folderUid": rule.folder_uid,
                "rules": rules,
                "totals": dict(Counter(_counted(one) for one in rules)),
                "interval": rule.interval_s if rule.interval_s % 1 else int(rule.interval_s),
                "lastEvaluation": max(str(one["lastEvaluation"]) for one in rules),
                "evaluationTime": sum(float(str(one["evaluationTime"])) for one in rules),
            }

    def _rule(self, rule: Rule, matchers: Sequence[Matcher], asked: QueryParams) -> dict[str, object]:
        instances = self._standin.manager.instances(rule.uid)
        kept = [one for one in instances if all(matcher.matches(one.labels) for matcher in matchers)]
        kept.sort(key=lambda one: SEVERITY.index(one.state))
        limit = asked.get("limit_alerts", "")
        shown = kept[: int(limit)] if limit.isdecimal() else kept
        last = self._standin.manager.evaluated.get(rule.uid)
        active = [one.starts_s for one in instances if one.state in VALUED and one.starts_s is not None]
        return {
            "state": rule_state(instances),
            "name": rule.title,
            "uid": rule.uid,
            "folderUid": rule.folder_uid,
            "query": rule.shown_query,
            "queriedDatasourceUIDs": sorted({q.datasource_uid for q in rule.queries if not q.is_expression}),
            **({"duration": _whole(rule.for_s)} if rule.for_s else {}),
            **({"keepFiringFor": _whole(rule.keep_firing_s)} if rule.keep_firing_s else {}),
            "annotations": dict(rule.annotations),
            **({"activeAt": rfc3339(min(active))} if active else {}),
            "alerts": [alert_json(rule, one) for one in shown],
            "totals": _totals(instances),
            "totalsFiltered": _totals(kept),
            "labels": dict(rule.labels),
            "health": last.health if last else "ok",
            "isPaused": rule.paused,
            **({"lastError": last.error} if last and last.error else {}),
            "provenance": "file",
            "type": "alerting",
            "lastEvaluation": rfc3339(last.at_s if last else None),
            "evaluationTime": last.took_s if last else 0,
        }


def alert_json(rule: Rule, one: Instance) -> dict[str, object]:
    """
    An instance as the rules and alerts APIs show it.
    """
    value = one.outcome.values.get(rule.condition)
    return {
        "labels": dict(sorted(one.labels.items())),
        "annotations": dict(sorted(one.annotations.items())),
        "state": one.shown,
        "activeAt": rfc3339(one.starts_s),
        "value": exponent(value) if one.state in VALUED and value is not None else "",
    }


def rule_state(instances: Sequence[Instance]) -> str:
    """
    The state of a rule; no data and errors leave it inactive.
    """
    states = {one.state for one in instances}
    return next((name for state, name in RULE_STATES if state in states), "inactive")


def _totals(instances: Sequence[Instance]) -> Mapping[str, int]:
    return dict(Counter(str(one.state).lower() for one in instances))


def _counted(rule: Mapping[str, object]) -> str:
    health = str(rule["health"])
    return health if health in ("error", "nodata") else str(rule["state"])


def _is_asked(rule: Rule, asked: QueryParams) -> bool:
    uids = [query.datasource_uid for query in rule.queries]
    tests = (
        ("dashboard_uid", [rule.annotations.get(DASHBOARD, "")]),
        ("panel_id", [rule.annotations.get(PANEL, "")]),
        ("rule_group", [rule.group]),
        ("rule_name", [rule.title]),
        ("rule_uid", [rule.uid]),
        ("folder_uid", [rule.folder_uid]),
        ("datasource_uid", uids),
        ("receiver_name", [rule.direct.receiver if rule.direct else ""]),
        ("rule_type", ["alerting"]),
    )
    return all(not asked.get(name) or set(asked.getlist(name)) & set(found) for name, found in tests)


def _passes(rule: Mapping[str, object], asked: QueryParams) -> bool:
    states, healths = asked.getlist("state"), asked.getlist("health")
    named = {"normal": "inactive", "alerting": "firing"}
    return (not states or rule["state"] in [named.get(state, state) for state in states]) and (
        not healths or rule["health"] in healths
    )


def _matcher(text: str) -> Matcher:
    try:
        row = json.loads(text)
        operator = ("=" if row.get("isEqual", True) else "!") + (
            "~" if row.get("isRegex") else "" if row.get("isEqual", True) else "="
        )
        return Matcher(name=row["name"], operator=operator, value=row["value"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"invalid matcher {text!r}: {error}") from error


def _whole(seconds: float) -> float | int:
    return seconds if seconds % 1 else int(seconds)
