"""Tempo's HTTP API over the store, as a Starlette application."""

import json
import time
from collections.abc import Callable, Mapping, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stack.standins.tempo.byid import read_trace_id, trace_message, trace_v1, trace_v2, trace_v2_protobuf
from stack.standins.tempo.exposition import VERSION, Exposition
from stack.standins.tempo.search import search
from stack.standins.tempo.series import query_instant, query_range
from stack.standins.tempo.settings import Queries
from stack.standins.tempo.store import Store
from stack.standins.tempo.tags import TagReader, scoped_tag_names, scoped_tag_values, tag_names, tag_values
from stack.standins.tempo.traceql import QueryError
from stack.standins.tempo.values import Json
from stack.standins.tempo.windows import BadQuery

PROTOBUF = "application/protobuf"
HEADER = (b"x-tocsin-standin", b"tempo")
BUILD = {
    "version": VERSION,
    "revision": "",
    "branch": "",
    "buildUser": "",
    "buildDate": "",
    "goVersion": "",
}


class Api:
    """The endpoints; those that read the store are plain functions, so Starlette runs them beside the event loop."""

    def __init__(
        self, store: Store, exposition: Exposition, queries: Queries, clock_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self._store = store
        self._exposition = exposition
        self._queries = queries
        self._clock_ns = clock_ns

    def application(self) -> ASGIApp:
        """
        The application, which names itself a stand-in in a header of each answer.
        """
        handlers = {BadQuery: _bad_request, QueryError: _bad_request, HTTPException: _http_error}
        return name_standin(Starlette(routes=self._routes(), exception_handlers=handlers))

    def _routes(self) -> Sequence[Route]:
        return [
            Route("/ready", _text("ready\n")),
            Route("/api/echo", _text("echo\n")),
            Route("/api/status/buildinfo", self._buildinfo),
            Route("/metrics", self._metrics),
            Route("/api/traces/{trace_id}", self._trace_v1),
            Route("/api/v2/traces/{trace_id}", self._trace_v2),
            Route("/api/search", self._search),
            Route("/api/search/tags", self._tags_v1),
            Route("/api/v2/search/tags", self._tags_v2),
            Route("/api/search/tag/{tag:path}/values", self._tag_values_v1),
            Route("/api/v2/search/tag/{tag:path}/values", self._tag_values_v2),
            Route("/api/metrics/query_range", self._query_range),
            Route("/api/metrics/query", self._query_instant),
        ]

    def _buildinfo(self, request: Request) -> Response:
        return _json(BUILD)

    def _metrics(self, request: Request) -> Response:
        body, content_type = self._exposition.render(request.headers.get("accept", ""))
        return Response(body, headers={"content-type": content_type})

    def _trace_v1(self, request: Request) -> Response:
        spans = self._store.trace(read_trace_id(request.path_params["trace_id"]))
        if not spans:
            return Response(status_code=404)
        if _wants_protobuf(request):
            return Response(trace_message(spans).SerializeToString(), media_type=PROTOBUF)
        return _json(trace_v1(spans))

    def _trace_v2(self, request: Request) -> Response:
        spans = self._store.trace(read_trace_id(request.path_params["trace_id"]))
        if _wants_protobuf(request):
            return Response(trace_v2_protobuf(spans), media_type=PROTOBUF)
        return _json(trace_v2(spans))

    def _search(self, request: Request) -> Response:
        try:
            return _json(search(request.query_params, self._store.views, self._queries, self._clock_ns()))
        except QueryError as error:
            raise BadQuery(f"invalid TraceQL query: {error}") from error

    def _query_range(self, request: Request) -> Response:
        return _json(query_range(request.query_params, self._store.views, self._queries, self._clock_ns()))

    def _query_instant(self, request: Request) -> Response:
        return _json(query_instant(request.query_params, self._store.views, self._queries, self._clock_ns()))

    def _tags_v1(self, request: Request) -> Response:
        return _json(tag_names(self._reader(request), request.query_params.get("scope", "")))

    def _tags_v2(self, request: Request) -> Response:
        return _json(scoped_tag_names(self._reader(request), request.query_params.get("scope", "")))

    def _tag_values_v1(self, request: Request) -> Response:
        return _json(tag_values(self._reader(request), request.path_params["tag"]))

    def _tag_values_v2(self, request: Request) -> Response:
        return _json(scoped_tag_values(self._reader(request), request.path_params["tag"]))

    def _reader(self, request: Request) -> TagReader:
        return TagReader(request.query_params, self._store.views, self._queries, self._clock_ns())


def name_standin(application: ASGIApp) -> ASGIApp:
    """
    Put `X-Tocsin-Standin: tempo` on each answer, so that nobody takes it for the real one's.
    """

    async def named(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), HEADER]}
            await send(message)

        await application(scope, receive, send_named)

    return named


def _wants_protobuf(request: Request) -> bool:
    return PROTOBUF in request.headers.get("accept", "")


def _json(body: Json | Mapping[str, object]) -> Response:
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    return Response(text, headers={"content-type": "application/json"})


def _text(body: str) -> Callable[[Request], Response]:
    return lambda request: PlainTextResponse(body)


def _bad_request(request: Request, error: Exception) -> Response:
    return PlainTextResponse(str(error), status_code=400)


def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = error.detail if isinstance(error, HTTPException) else str(error)
    return PlainTextResponse(f"{status} {detail}\n".lower(), status_code=status)
