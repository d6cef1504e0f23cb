"""The Alertmanager API: alerts, their groups, silences, and how contact points fare."""

import re
from collections.abc import Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stack.standins.grafana.api.answers import answer, body_of, message, refused
from stack.standins.grafana.api.auth import identify, need
from stack.standins.grafana.api.receivers import receiver_json, receivers_json
from stack.standins.grafana.gonumber import shortest
from stack.standins.grafana.labels import Labels
from stack.standins.grafana.notify.alerts import Alert
from stack.standins.grafana.notify.routes import Matcher
from stack.standins.grafana.notify.silences import BadSilence, Silence
from stack.standins.grafana.notify.webhook import generator_url
from stack.standins.grafana.standin import Standin
from stack.standins.grafana.times import rfc3339_ms

CREATE = "any of alert.instances:create, alert.instances:write"
_MATCHER = re.compile(r'\s*"?([\w.:-]+)"?\s*(=~|!~|!=|=)\s*(?:"((?:\\.|[^"\\])*)"|([^"\s,{}]*))\s*')
UNKNOWN_BUILD = dict.fromkeys(("branch", "buildDate", "buildUser", "goVersion", "revision", "version"), "N/A")


class AlertmanagerApi:
    """The endpoints below /api/alertmanager/grafana."""

    def __init__(self, standin: Standin) -> None:
        self._standin = standin

    def routes(self) -> Sequence[Route]:
        """
        Its routes.
        """
        api, config = "/api/alertmanager/grafana/api/v2", "/api/alertmanager/grafana/config/api/v1"
        return [
            Route(f"{api}/status", self._status),
            Route(f"{api}/alerts", self._alerts),
            Route(f"{api}/alerts/groups", self._groups),
            Route(f"{api}/silences", self._silences),
            Route(f"{api}/silences", self._create_silence, methods=["POST"]),
            Route(f"{api}/silence/{{id}}", self._silence),
            Route(f"{api}/silence/{{id}}", self._delete_silence, methods=["DELETE"]),
            Route(f"{config}/alerts", self._config),
            Route(f"{config}/receivers", self._receivers),
            Route("/api/v1/ngalert", self._choice),
            Route("/api/v1/ngalert/alertmanagers", self._alertmanagers),
        ]

    async def _status(self, request: Request) -> Response:
        identify(request, self._standin.settings)
        alerting = self._standin.provisioned.alerting
        receivers = [receiver_json(point, secure=True) for point in alerting.contact_points]
        config = {"route": dict(alerting.route.written), "templates": None, "receivers": receivers}
        cluster = {"peers": [], "status": "disabled"}
        return answer({"cluster": cluster, "config": config, "uptime": None, "versionInfo": UNKNOWN_BUILD})

    async def _config(self, request: Request) -> Response:
        need(request, self._standin.settings, "Admin", "alert.notifications:read")
        alerting = self._standin.provisioned.alerting
        receivers = [receiver_json(point, secure=False) for point in alerting.contact_points]
        route = {**alerting.route.written, "provenance": "file"}
        config = {"route": route, "templates": None, "receivers": receivers}
        return answer({"template_files": dict(alerting.templates) or None, "alertmanager_config": config})

    async def _receivers(self, request: Request) -> Response:
        identify(request, self._standin.settings)
        return answer(receivers_json(self._standin.provisioned.alerting, self._standin.sender.attempts))

    async def _choice(self, request: Request) -> Response:
        need(request, self._standin.settings, "Admin", "alert.notifications:read")
        return answer({"alertmanagersChoice": "internal"})

    async def _alertmanagers(self, request: Request) -> Response:
        need(request, self._standin.settings, "Admin", "alert.notifications:read")
        return answer({"status": "success", "data": {"activeAlertManagers": [], "droppedAlertManagers": []}})

    async def _alerts(self, request: Request) -> Response:
        identify(request, self._standin.settings)
        now_s = self._standin.clock()
        matchers = _filters(request, "unable to retrieve alerts")
        found = [self._alert(alert, now_s) for alert in self._standin.dispatcher.alerts.current(now_s)]
        return answer([one for one in found if _wanted(one, request, matchers)])

    async def _groups(self, request: Request) -> Response:
        identify(request, self._standin.settings)
        now_s = self._standin.clock()
        matchers = _filters(request, "unable to retrieve alert groups")
        found = []
        for group in self._standin.dispatcher.groups():
            alerts = [self._alert(alert, now_s) for alert in group.alerts.values() if not alert.resolved(now_s)]
            alerts = sorted((one for one in alerts if _wanted(one, request, matchers)), key=_fingerprint)
            if alerts:
                found.append({"alerts": alerts, "labels": dict(group.labels), "receiver": _receiver(group.receiver)})
        return answer(found)

    def _alert(self, alert: Alert, now_s: float) -> dict[str, object]:
        silenced = self._standin.silences.muting(alert.labels, now_s)
        values = {"__value_string__": alert.value_string} if alert.values is not None else {}
        if alert.values is not None:
            values["__values__"] = _compact(alert.values)
        return {
            "annotations": dict(sorted({**alert.annotations, "__orgId__": "1", **values}.items())),
            "endsAt": rfc3339_ms(alert.ends_s),
            "fingerprint": alert.fingerprint,
            "receivers": [_receiver(receiver) for _, receiver, _, _ in self._standin.dispatcher.routes(alert)],
            "startsAt": rfc3339_ms(alert.starts_s),
            "status": {
                "inhibitedBy": [],
                "mutedBy": [],
                "silencedBy": list(silenced),
                "state": "suppressed" if silenced else "active",
            },
            "updatedAt": rfc3339_ms(alert.updated_s),
            "generatorURL": generator_url(alert, self._standin.settings.root_url),
            "labels": dict(sorted(alert.labels.items())),
        }

    async def _silences(self, request: Request) -> Response:
        identify(request, self._standin.settings)
        now_s = self._standin.clock()
        matchers = _filters(request, "unable to list silences")
        return answer([one.json(now_s) for one in self._standin.silences if _covers(one, matchers)])

    async def _create_silence(self, request: Request) -> Response:
        need(request, self._standin.settings, "Editor", CREATE)
        try:
            made = self._standin.silences.set(await body_of(request), self._standin.clock())
        except BadSilence as error:
            raise refused(400, str(error)) from error
        self._standin.touch()
        return answer({"silenceID": made.id}, 202)

    async def _silence(self, request: Request) -> Response:
        identify(request, self._standin.settings)
        found = self._standin.silences.get(request.path_params["id"])
        if found is None:
            raise refused(404, "silence not found")
        return answer(found.json(self._standin.clock()))

    async def _delete_silence(self, request: Request) -> Response:
        need(request, self._standin.settings, "Editor", "alert.instances:write")
        if not self._standin.silences.expire(request.path_params["id"], self._standin.clock()):
            raise refused(404, "silence not found")
        self._standin.touch()
        return message("silence deleted")


def parse_matcher(text: str) -> Matcher:
    """
    A matcher as it is written in a filter; ValueError when it is none.
    """
    match = _MATCHER.fullmatch(text)
    if match is None:
        raise ValueError(f"bad matcher format: {text}")
    value = match[3].replace('\\"', '"').replace("\\\\", "\\") if match[3] is not None else match[4]
    return Matcher(name=match[1], operator=match[2], value=value)


def _filters(request: Request, purpose: str) -> Sequence[Matcher]:
    try:
        return [parse_matcher(text) for text in request.query_params.getlist("filter")]
    except ValueError as error:
        raise refused(400, f"{error}: {purpose}") from error


def _wanted(one: Mapping[str, object], request: Request, matchers: Sequence[Matcher]) -> bool:
    labels, status, receivers = one["labels"], one["status"], one["receivers"]
    assert isinstance(labels, dict)
    assert isinstance(status, dict)
    assert isinstance(receivers, list)
    if not all(matcher.matches(labels) for matcher in matchers):
        return False
    asked = request.query_params
    silenced = bool(status["silencedBy"])
    if (silenced and asked.get("silenced") == "false") or (not silenced and asked.get("active") == "false"):
        return False
    receiver = asked.get("receiver")
    return not receiver or any(re.fullmatch(receiver, found["name"]) for found in receivers)


def _covers(silence: Silence, matchers: Sequence[Matcher]) -> bool:
    # A filter asks for silences that have such a matcher, by its name and value.
    labels: Labels = {matcher.name: matcher.value for matcher in silence.matchers}
    return all(matcher.name in labels and matcher.matches(labels) for matcher in matchers)


def _receiver(name: str) -> dict[str, object]:
    return {"active": None, "integrations": None, "name": name}


def _fingerprint(one: Mapping[str, object]) -> str:
    return str(one["fingerprint"])


def _compact(values: Mapping[str, float]) -> str:
    return "{" + ",".join(f'"{name}":{shortest(values[name])}' for name in sorted(values)) + "}"
