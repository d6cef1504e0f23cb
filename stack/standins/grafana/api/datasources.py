"""The datasources API: what there is, whether it answers, and the way through to it."""

from collections.abc import Mapping, Sequence

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stack.standins.grafana.api.answers import Refused, answer, not_here, refused
from stack.standins.grafana.api.auth import identify, need
from stack.standins.grafana.plan import Span, plan
from stack.standins.grafana.prometheus import QueryFailed, Unreachable
from stack.standins.grafana.provisioning.datasources import PROMETHEUS, TEMPO, Datasource
from stack.standins.grafana.standin import Standin

ALLOWED_POSTS = (
    "api/v1/query",
    "api/v1/query_range",
    "api/v1/series",
    "api/v1/labels",
    "api/v1/query_exemplars",
)
KEPT_HEADERS = ("content-type", "accept", "x-scope-orgid")
PASSED_HEADERS = ("content-type", "etag", "last-modified")
WRITES = ["POST", "PUT", "PATCH", "DELETE"]


class DatasourcesApi:
    """The endpoints below /api/datasources."""

    def __init__(self, standin: Standin) -> None:
        self._standin = standin

    def routes(self) -> Sequence[Route]:
        """
        Its routes.
        """
        base = "/api/datasources"
        everything = ["GET", "HEAD", *WRITES]
        return [
            Route(base, self._list),
            Route(base, self._create, methods=["POST"]),
            Route(f"{base}/uid/{{uid}}", self._one),
            Route(f"{base}/uid/{{uid}}", self._change, methods=["PUT", "DELETE"]),
            Route(f"{base}/name/{{name}}", self._named),
            Route(f"{base}/uid/{{uid}}/health", self._health),
            Route(f"{base}/uid/{{uid}}/resources/{{path:path}}", self._through, methods=everything),
            Route(f"{base}/proxy/uid/{{uid}}/{{path:path}}", self._through, methods=everything),
        ]

    async def _list(self, request: Request) -> Response:
        identify(request, self._standin.settings)
        found = sorted(self._standin.provisioned.datasources, key=lambda one: one.name.lower())
        return answer([_short(one) for one in found])

    async def _one(self, request: Request) -> Response:
        identify(request, self._standin.settings)
        return answer(_long(self._find(request.path_params["uid"])))

    async def _named(self, request: Request) -> Response:
        identify(request, self._standin.settings)
        name = request.path_params["name"]
        found = [one for one in self._standin.provisioned.datasources if one.name == name]
        if not found:
            raise refused(404, "Data source not found")
        return answer(_long(found[0]))

    async def _create(self, request: Request) -> Response:
        need(request, self._standin.settings, "Admin", "datasources:create")
        raise not_here("making a datasource by the API")

    async def _change(self, request: Request) -> Response:
        need(request, self._standin.settings, "Admin", "datasources:write")
        self._find(request.path_params["uid"])
        verb = "delete" if request.method == "DELETE" else "update"
        raise Refused(403, {"message": f"Cannot {verb} read-only data source"})

    async def _health(self, request: Request) -> Response:
        identify(request, self._standin.settings)
        found = self._find(request.path_params["uid"])
        check = {PROMETHEUS: self._prometheus_health, TEMPO: self._tempo_health}.get(found.type)
        if check is None:
            raise refused(404, "Not found")
        body = await check(found)
        return answer(body, 200 if body["status"] == "OK" else 400)

    async def _prometheus_health(self, datasource: Datasource) -> Mapping[str, object]:
        span = Span(from_s=0, to_s=self._standin.clock())
        query = plan("__healthcheck__", {"expr": "1+1", "instant": True}, datasource, span)
        try:
            await self._standin.prometheus.ask(datasource, query, span)
        except QueryFailed as error:
            return {"status": "ERROR", "message": f"There was an error returned querying the Prometheus API. {error}"}
        except Unreachable as error:
            return {"status": "ERROR", "message": f"{error} - There was an error returned querying the Prometheus API."}
        details = {"application": "Prometheus", "features": {"rulerApiEnabled": False}}
        return {"details": details, "message": "Successfully queried the Prometheus API.", "status": "OK"}

    async def _tempo_health(self, datasource: Datasource) -> Mapping[str, object]:
        try:
            found = await self._standin.client.get(f"{datasource.url}/api/echo")
        except httpx.HTTPError as error:
            return {"status": "ERROR", "message": f"Failed to connect to Tempo: {error}"}
        if found.status_code != 200:
            return {"status": "ERROR", "message": f"Tempo echo endpoint returned status {found.status_code}"}
        return {"message": "Data source is working", "status": "OK"}

    async def _through(self, request: Request) -> Response:
        who = identify(request, self._standin.settings)
        found = self._find(request.path_params["uid"], "Unable to find datasource")
        path = request.path_params["path"]
        if found.type == PROMETHEUS and request.method in WRITES and path not in ALLOWED_POSTS:
            text = f"non allow-listed {request.method}s not allowed on proxied Prometheus datasource"
            raise Refused(403, {"message": text})
        if request.method in WRITES and not who.at_least("Editor") and found.type != PROMETHEUS:
            raise refused(403, "non allow-listed writes through the proxy need an editor")
        return await self._passed(request, found, path)

    async def _passed(self, request: Request, datasource: Datasource, path: str) -> Response:
        query = f"?{request.url.query}" if request.url.query else ""
        kept = {name: request.headers[name] for name in KEPT_HEADERS if name in request.headers}
        auth = (datasource.user, datasource.password) if datasource.user else httpx.USE_CLIENT_DEFAULT
        content = await request.body()
        try:
            found = await self._standin.client.request(
                request.method, f"{datasource.url}/{path}{query}", content=content, headers=kept, auth=auth
            )
        except httpx.HTTPError:
            return Response(status_code=502)
        headers = {name: found.headers[name] for name in PASSED_HEADERS if name in found.headers}
        return Response(found.content, found.status_code, headers=headers)

    def _find(self, uid: str, text: str = "Data source not found") -> Datasource:
        for one in self._standin.provisioned.datasources:
            if one.uid == uid:
                return one
        raise refused(404, text)


def _short(one: Datasource) -> dict[str, object]:
    return {
        "id": one.id,
        "uid": one.uid,
        "orgId": 1,
        "name": one.name,
        "type": one.type,
        "typeName": one.type.title(),
        "typeLogoUrl": f"public/app/plugins/datasource/{one.type}/img/{one.type}_logo.svg",
        "access": one.access,
        "url": one.url,
        "user": "",
        "database": "",
        "basicAuth": bool(one.user),
        "isDefault": one.is_default,
        "jsonData": dict(one.json_data),
        "readOnly": one.read_only,
    }


def _long(one: Datasource) -> dict[str, object]:
    short = {key: value for key, value in _short(one).items() if key != "typeName"}
    return {
        **short,
        "typeLogoUrl": "",
        "basicAuthUser": one.user,
        "withCredentials": False,
        "secureJsonFields": dict.fromkeys(one.secure_keys, True),
        "version": 1,
    }
