"""The annotations API."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stack.standins.grafana.annotations import ADMIN_AVATAR, DEFAULT_LIMIT, Annotation, Filter
from stack.standins.grafana.api.answers import Refused, answer, body_of, message, refused
from stack.standins.grafana.api.auth import Identity, identify
from stack.standins.grafana.standin import Standin

SHORT_DENIAL = "Access denied to this dashboard"


class AnnotationsApi:
    """The endpoints below /api/annotations."""

    def __init__(self, standin: Standin) -> None:
        self._standin = standin

    def routes(self) -> Sequence[Route]:
        """
        Its routes.
        """
        base = "/api/annotations"
        return [
            Route(base, self._list),
            Route(base, self._create, methods=["POST"]),
            Route(f"{base}/tags", self._tags),
            Route(f"{base}/{{id:int}}", self._one),
            Route(f"{base}/{{id:int}}", self._change, methods=["PUT", "PATCH"]),
            Route(f"{base}/{{id:int}}", self._delete, methods=["DELETE"]),
        ]

    async def _list(self, request: Request) -> Response:
        identify(request, self._standin.settings)
        try:
            asked = self._asked(request)
        except ValueError as error:
            raise refused(400, f"bad request data: {error}") from error
        return answer([self._json(one) for one in self._standin.annotations.find(asked)])

    async def _one(self, request: Request) -> Response:
        identify(request, self._standin.settings)
        return answer(self._json(self._found(request)))

    async def _tags(self, request: Request) -> Response:
        identify(request, self._standin.settings)
        wanted = request.query_params.get("tag", "")
        counts: dict[str, int] = {}
        for one in self._standin.annotations:
            for tag in one.tags:
                counts[tag] = counts.get(tag, 0) + (wanted in tag)
        tags = [{"tag": tag, "count": count} for tag, count in sorted(counts.items()) if count]
        return answer({"result": {"tags": tags}})

    async def _create(self, request: Request) -> Response:
        who = self._editor(request)
        body = await body_of(request)
        if not body.get("text"):
            raise refused(400, "Failed to save annotation")
        now_ms = round(self._standin.clock() * 1000)
        start_ms = _whole(body, "time") or now_ms
        made = self._standin.annotations.add(
            Annotation(
                id=0,
                text=str(body["text"]),
                time_ms=start_ms,
                end_ms=_whole(body, "timeEnd") or start_ms,
                created_ms=now_ms,
                updated_ms=now_ms,
                tags=_tags(body),
                dashboard_uid=self._dashboard(body),
                panel_id=_whole(body, "panelId"),
                login=who.login,
                data=_mapping(body.get("data")),
            )
        )
        self._standin.touch()
        return message("Annotation added", id=made.id)

    async def _change(self, request: Request) -> Response:
        self._editor(request)
        old, body = self._found(request), await body_of(request)
        partial = request.method == "PATCH"
        start_ms = _whole(body, "time") or old.time_ms
        end_ms = _whole(body, "timeEnd") or (old.end_ms if partial else start_ms)
        low_ms, high_ms = sorted((start_ms, end_ms))
        changed = replace(
            old,
            text=str(body.get("text") or old.text),
            tags=_tags(body) if "tags" in body or not partial else old.tags,
            time_ms=low_ms,
            end_ms=high_ms,
            updated_ms=round(self._standin.clock() * 1000),
            data=_mapping(body["data"]) if "data" in body else old.data,
        )
        self._standin.annotations.put(changed)
        self._standin.touch()
        return message("Annotation patched" if partial else "Annotation updated")

    async def _delete(self, request: Request) -> Response:
        self._editor(request)
        self._standin.annotations.delete(self._found(request).id)
        self._standin.touch()
        return message("Annotation deleted")

    def _editor(self, request: Request) -> Identity:
        who = identify(request, self._standin.settings)
        if not who.at_least("Editor"):
            raise Refused(403, {"message": SHORT_DENIAL})
        return who

    def _found(self, request: Request) -> Annotation:
        found = self._standin.annotations.get(request.path_params["id"])
        if found is None:
            raise Refused(404, {"message": "Annotation not found"})
        return found

    def _asked(self, request: Request) -> Filter:
        given = request.query_params
        return Filter(
            from_ms=int(given["from"]) if given.get("from") else None,
            to_ms=int(given["to"]) if given.get("to") else None,
            kind=given.get("type", ""),
            tags=given.getlist("tags"),
            match_any=given.get("matchAny", "").lower() == "true",
            dashboard_uid=given.get("dashboardUID", ""),
            panel_id=int(given.get("panelId") or 0),
            alert_id=int(given.get("alertId") or 0),
            alert_uid=given.get("alertUID", ""),
            limit=int(given.get("limit") or DEFAULT_LIMIT),
        )

    def _dashboard(self, body: Mapping[str, object]) -> str | None:
        boards = self._standin.provisioned.dashboards
        uid, number = body.get("dashboardUID"), body.get("dashboardId")
        if uid:
            return str(uid)
        ids = self.dashboard_ids()
        return next((board.uid for board in boards if number and ids[board.uid] == number), None)

    def dashboard_ids(self) -> Mapping[str, int]:
        """
        The number of each dashboard by uid.
        """
        return {board.uid: number for number, board in enumerate(self._standin.provisioned.dashboards, 1)}

    def _json(self, one: Annotation) -> dict[str, object]:
        admin = one.login == self._standin.settings.admin_user and bool(one.login)
        return {
            "id": one.id,
            "alertId": one.alert_id,
            "alertName": "",
            "dashboardId": self.dashboard_ids().get(one.dashboard_uid or "", 0),
            "dashboardUID": one.dashboard_uid,
            "panelId": one.panel_id,
            "userId": 0,
            "newState": one.new_state,
            "prevState": one.prev_state,
            "created": one.created_ms,
            "updated": one.updated_ms,
            "time": one.time_ms,
            "timeEnd": one.end_ms,
            "text": one.text,
            "tags": list(one.tags),
            "login": one.login,
            "email": "admin@localhost" if admin else "",
            "avatarUrl": ADMIN_AVATAR if admin else "",
            "data": dict(one.data),
        }


def _whole(body: Mapping[str, object], key: str) -> int:
    value = body.get(key) or 0
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refused(400, "bad request data")
    return int(value)


def _tags(body: Mapping[str, object]) -> Sequence[str]:
    tags = body.get("tags") or []
    if not isinstance(tags, list):
        raise refused(400, "bad request data")
    return tuple(dict.fromkeys(str(tag).strip() for tag in tags))


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}
