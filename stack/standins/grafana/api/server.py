"""Health, metrics, who one is, what the stand-in does not like, and the administrator's reloads."""

import json
from collections.abc import Callable, Mapping, Sequence

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from stack.standins.grafana.alerting.measure import VERSION
from stack.standins.grafana.annotations import ADMIN_AVATAR
from stack.standins.grafana.api.answers import Refused, answer, message, not_found, refused
from stack.standins.grafana.api.auth import identify, need_server_admin
from stack.standins.grafana.durations import format_duration
from stack.standins.grafana.problems import ProvisioningError
from stack.standins.grafana.standin import Standin
from stack.standins.grafana.times import rfc3339

EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"
ADDRESS = dict.fromkeys(("address1", "address2", "city", "zipCode", "state", "country"), "")


class ServerApi:
    """The endpoints of the server itself."""

    def __init__(self, standin: Standin) -> None:
        self._standin = standin
        self._reloads: Mapping[str, Callable[[], None]] = {
            "dashboards": standin.reload_dashboards,
            "datasources": standin.reload_datasources,
            "alerting": standin.reload_alerting,
            "plugins": lambda: None,
        }

    def routes(self) -> Sequence[Route]:
        """
        Its routes.
        """
        return [
            Route("/api/health", self._health),
            Route("/healthz", lambda request: PlainTextResponse("Ok")),
            Route("/metrics", self._metrics),
            Route("/api/login/ping", lambda request: PlainTextResponse("Logged in", media_type="application/json")),
            Route("/api/org", self._org),
            Route("/api/org/users", self._users),
            Route("/api/user", self._user),
            Route("/api/frontend/settings", self._frontend),
            Route("/api/admin/settings", self._settings),
            Route("/api/admin/stats", self._stats),
            Route("/api/admin/provisioning/{kind}/reload", self._reload, methods=["POST"]),
            Route("/api/standin/warnings", self._warnings),
        ]

    async def _health(self, request: Request) -> Response:
        body = {"database": "ok", "version": VERSION, "commit": "standin"}
        return Response(json.dumps(body, indent=2), media_type="application/json")

    async def _metrics(self, request: Request) -> Response:
        if not self._standin.settings.metrics:
            raise not_found()
        return Response(self._standin.measures.text(), headers={"content-type": EXPOSITION})

    async def _org(self, request: Request) -> Response:
        identify(request, self._standin.settings)
        return answer({"id": 1, "name": self._standin.settings.anonymous_org, "address": ADDRESS})

    async def _users(self, request: Request) -> Response:
        need_server_admin(request, self._standin.settings, "org.users:read")
        return answer([{"orgId": 1, "userId": 1, "login": self._standin.settings.admin_user, "role": "Admin"}])

    async def _user(self, request: Request) -> Response:
        who = identify(request, self._standin.settings)
        if not who.login:
            raise Refused(401, {"message": "Unauthorized"})
        made = rfc3339(float(int(self._standin.started_s)))
        fixed = {"isDisabled": False, "isExternal": False, "authLabels": [], "updatedAt": made, "createdAt": made}
        return answer(
            {
                "id": 1,
                "email": "admin@localhost",
                "name": "",
                "login": who.login,
                "theme": "",
                "orgId": 1,
                "isGrafanaAdmin": True,
                **fixed,
                "avatarUrl": ADMIN_AVATAR,
            }
        )

    async def _frontend(self, request: Request) -> Response:
        interval = format_duration(self._standin.settings.min_interval_s)
        build = {"version": VERSION, "commit": "standin", "edition": "Open Source", "env": "production"}
        return answer(
            {
                "buildInfo": {**build, "hasUpdate": False, "hideVersion": False, "latestVersion": ""},
                "unifiedAlerting": {"minInterval": interval},
                "unifiedAlertingEnabled": True,
                "alertingEnabled": False,
            }
        )

    async def _settings(self, request: Request) -> Response:
        need_server_admin(request, self._standin.settings, "settings:read")
        settings = self._standin.settings
        return answer(
            {
                "paths": {"provisioning": str(settings.provisioning), "data": str(settings.data)},
                "security": {"admin_user": settings.admin_user, "admin_password": "*********"},
                "unified_alerting": {"min_interval": format_duration(settings.min_interval_s)},
            }
        )

    async def _stats(self, request: Request) -> Response:
        need_server_admin(request, self._standin.settings, "server:stats:read")
        known = self._standin.provisioned
        tags = {tag for board in known.dashboards for tag in board.tags}
        counts = {"dashboards": len(known.dashboards), "datasources": len(known.datasources), "tags": len(tags)}
        return answer({"orgs": 1, **counts, "alerts": len(known.alerting.rules), "users": 1, "admins": 1})

    async def _reload(self, request: Request) -> Response:
        need_server_admin(request, self._standin.settings, "provisioning:reload")
        kind = request.path_params["kind"]
        if kind not in self._reloads:
            raise not_found()
        try:
            self._reloads[kind]()
        except ProvisioningError as error:
            raise refused(500, str(error)) from error
        return message(f"{kind.title()} config reloaded")

    async def _warnings(self, request: Request) -> Response:
        identify(request, self._standin.settings)
        return answer({"warnings": list(self._standin.warnings)})
