"""POST /api/ds/query: queries of panels, and expressions over them."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stack.standins.grafana.api.answers import answer, body_of, refused
from stack.standins.grafana.api.auth import identify
from stack.standins.grafana.api.tempo import Tempo, TempoError
from stack.standins.grafana.durations import parse_duration
from stack.standins.grafana.exemplars import exemplar_frame
from stack.standins.grafana.expressions.reading import read_command
from stack.standins.grafana.expressions.values import ExpressionError, Values
from stack.standins.grafana.frames import Frame, frames_of, input_frames, values_frames, values_of
from stack.standins.grafana.plan import Span, plan
from stack.standins.grafana.prometheus import QueryFailed, Unreachable
from stack.standins.grafana.provisioning.datasources import PROMETHEUS, TEMPO, Datasource
from stack.standins.grafana.provisioning.rules import Query, ordered
from stack.standins.grafana.standin import Standin

_ROUND = re.compile(r"now(?:-(\w+))?(?:/\w)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The frames of one refId, or what went wrong; `values` is what expressions read."""

    frames: Sequence[Frame] = ()
    values: Values | None = None
    error: str = ""
    status: int = 200

    def json(self) -> dict[str, object]:
        """
        As the answer shows it.
        """
        if self.error:
            return {"error": self.error, "errorSource": "downstream", "status": self.status, "frames": []}
        return {"status": self.status, "frames": list(self.frames)}


class QueryApi:
    """Answers queries through the datasources."""

    def __init__(self, standin: Standin) -> None:
        self._standin = standin
        self._tempo = Tempo(standin.client)

    def routes(self) -> Sequence[Route]:
        """
        Its route.
        """
        return [Route("/api/ds/query", self._query, methods=["POST"])]

    async def _query(self, request: Request) -> Response:
        identify(request, self._standin.settings)
        body = await body_of(request)
        rows = body.get("queries")
        if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
            raise refused(400, "No queries found", messageId="query.noQueries", statusCode=400)
        span = read_span(body, self._standin.clock())
        results = await self.run(rows, span)
        failed = any(result.error for result in results.values())
        return answer({"results": {ref: one.json() for ref, one in results.items()}}, 400 if failed else 200)

    async def run(self, rows: Sequence[Mapping[str, object]], span: Span | None) -> Mapping[str, Result]:
        """
        The result of each query by refId, without the hidden ones; Refused for an unknown datasource.
        """
        queries = [_read(row) for row in rows]
        for query in queries:
            if not query.is_expression:
                self._datasource(query.datasource_uid)
        mixed = any(query.is_expression for query in queries)
        try:
            steps = ordered([_with_command(query) for query in queries])
        except (ValueError, ExpressionError) as error:
            raise refused(500, "Query data error", detail=str(error)) from error
        asked = [query for query in steps if not query.is_expression]
        found = await asyncio.gather(*(self._ask(query, span, mixed) for query in asked))
        results = dict(zip([query.ref for query in asked], found, strict=True))
        for query in steps:
            if query.command is not None:
                results[query.ref] = _computed(query, results)
        return {query.ref: results[query.ref] for query in queries if not query.model.get("hide")}

    async def _ask(self, query: Query, span: Span | None, mixed: bool) -> Result:
        datasource = self._datasource(query.datasource_uid)
        if span is None:
            return Result(
                frames=[{"schema": {"refId": query.ref, "fields": []}, "data": {"values": []}}], values=Values()
            )
        if datasource.type == TEMPO:
            return await self._trace(query, datasource, span)
        if datasource.type != PROMETHEUS:
            return Result(error=f"queries of a {datasource.type} are not supported by the stand-in", status=400)
        try:
            return await self._prometheus(query, datasource, span, mixed)
        except (QueryFailed, ValueError) as error:
            return Result(error=str(error), status=400)
        except Unreachable as error:
            return Result(error=str(error), status=502)

    async def _prometheus(self, query: Query, datasource: Datasource, span: Span, mixed: bool) -> Result:
        planned = plan(query.ref, query.model, datasource, span)
        answers = await self._standin.prometheus.ask(datasource, planned, span)
        if mixed:
            return Result(frames=input_frames(planned, answers), values=values_of(planned, answers))
        frames = [frame for one in answers for frame in frames_of(planned, one)]
        if planned.exemplar:
            rows = await self._standin.prometheus.exemplars(datasource, planned, span)
            frames += exemplar_frame(planned, rows)
        return Result(frames=frames)

    async def _trace(self, query: Query, datasource: Datasource, span: Span) -> Result:
        try:
            return Result(frames=await self._tempo.frames(datasource, query.ref, query.model, span))
        except TempoError as error:
            return Result(error=str(error), status=error.status)

    def _datasource(self, uid: str) -> Datasource:
        for one in self._standin.provisioned.datasources:
            if one.uid == uid:
                return one
        raise refused(404, "Data source not found")


def read_span(body: Mapping[str, object], now_s: float) -> Span | None:
    """
    The time range of a request; None when it has none that can be understood, which then yields no data.
    """
    ends = [_moment(body.get(key), now_s) for key in ("from", "to")]
    if ends[0] is None or ends[1] is None:
        return None
    return Span(from_s=ends[0], to_s=ends[1])


def _moment(text: object, now_s: float) -> float | None:
    if isinstance(text, int | float) or (isinstance(text, str) and text.isdecimal()):
        return float(text) / 1000
    match = _ROUND.fullmatch(str(text))
    if match is None:
        return None
    try:
        return now_s - parse_duration(match[1]) if match[1] else now_s
    except ValueError:
        return None


def _read(row: Mapping[str, object]) -> Query:
    datasource = row.get("datasource")
    uid = str(datasource.get("uid", "")) if isinstance(datasource, dict) else str(datasource or "")
    return Query(ref=str(row.get("refId") or "A"), datasource_uid=uid, from_s=0.0, to_s=0.0, model=row)


def _with_command(query: Query) -> Query:
    if not query.is_expression:
        return query
    command = read_command(query.ref, query.model)
    uid, ref = query.datasource_uid, query.ref
    return Query(ref=ref, datasource_uid=uid, from_s=0.0, to_s=0.0, model=query.model, command=command)


def _computed(query: Query, results: Mapping[str, Result]) -> Result:
    assert query.command is not None
    for ref in query.command.refs:
        if results[ref].error:
            reason = f"did not execute expression [{query.ref}] due to a failure of the dependent expression or query"
            return Result(error=f"[sse.dependencyError] {reason} [{ref}]", status=400)
    inputs = {ref: result.values or Values() for ref, result in results.items()}
    try:
        values = query.command.apply(inputs)
    except ExpressionError as error:
        return Result(error=f"failed to execute expression {query.ref}: {error}", status=400)
    return Result(frames=values_frames(query.ref, values), values=values)
