"""All endpoints as one application, which names itself a stand-in in a header of each answer."""

import logging

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stack.standins.grafana.api.alertmanager import AlertmanagerApi
from stack.standins.grafana.api.annotations import AnnotationsApi
from stack.standins.grafana.api.answers import Refused, answer
from stack.standins.grafana.api.dashboards import DashboardsApi
from stack.standins.grafana.api.datasources import DatasourcesApi
from stack.standins.grafana.api.provisioning import ProvisioningApi
from stack.standins.grafana.api.query import QueryApi
from stack.standins.grafana.api.rules import RulesApi
from stack.standins.grafana.api.server import ServerApi
from stack.standins.grafana.api.trial import TrialApi
from stack.standins.grafana.pages.site import Site
from stack.standins.grafana.standin import Standin

HEADER = (b"x-tocsin-standin", b"grafana")

log = logging.getLogger("grafana.api")


def application(standin: Standin) -> ASGIApp:
    """
    The application over a stand-in that is (or will be) started.
    """
    query = QueryApi(standin)
    parts = (
        ServerApi(standin),
        DatasourcesApi(standin),
        query,
        DashboardsApi(standin),
        RulesApi(standin),
        AlertmanagerApi(standin),
        AnnotationsApi(standin),
        ProvisioningApi(standin),
        TrialApi(standin),
        Site(standin, query),
    )
    handlers = {Refused: _refused, HTTPException: _http_error, Exception: _failed}
    routes = [route for part in parts for route in part.routes()]
    return name_standin(Starlette(routes=routes, exception_handlers=handlers), standin)


def name_standin(inner: ASGIApp, standin: Standin) -> ASGIApp:
    """
    Put `X-Tocsin-Standin: grafana` on each answer, so that nobody takes it for the real one's; count the answers.
    """

    async def named(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), HEADER]}
                standin.measures.responses.labels(scope["method"], str(message["status"])).inc()
            await send(message)

        await inner(scope, receive, send_named)

    return named


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return answer(error.body, error.status)


def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if not request.url.path.startswith("/api"):
        return HTMLResponse("<p>Not found. This is Tocsin's stand-in for Grafana.</p>", status)
    return answer({"message": "Not found" if status in (404, 405) else str(error)}, 404 if status == 405 else status)


def _failed(request: Request, error: Exception) -> Response:
    log.error('msg="a request failed" path=%s', request.url.path, exc_info=error)
    return answer({"message": f"the stand-in failed: {type(error).__name__}: {error}", "traceID": ""}, 500)
