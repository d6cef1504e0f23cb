"""Trying expressions and rules without keeping them: /api/v1/eval and /api/v1/rule/test/grafana."""

from collections.abc import Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stack.standins.grafana.alerting.evaluation import EvaluationFailed, outcomes
from stack.standins.grafana.alerting.states import Outcome
from stack.standins.grafana.api.answers import answer, body_of, refused
from stack.standins.grafana.api.auth import need
from stack.standins.grafana.expressions.reading import EXPRESSION_UIDS, read_command
from stack.standins.grafana.expressions.values import ExpressionError, Values
from stack.standins.grafana.frames import Frame, values_frames
from stack.standins.grafana.provisioning.rules import Query, Rule, ordered
from stack.standins.grafana.standin import Standin
from stack.standins.grafana.times import parse_rfc3339


class TrialApi:
    """The endpoints that evaluate what they are given."""

    def __init__(self, standin: Standin) -> None:
        self._standin = standin

    def routes(self) -> Sequence[Route]:
        """
        Its routes.
        """
        return [
            Route("/api/v1/eval", self._eval, methods=["POST"]),
            Route("/api/v1/rule/test/grafana", self._test, methods=["POST"]),
        ]

    async def _eval(self, request: Request) -> Response:
        need(request, self._standin.settings, "Editor", "alert.rules:read")
        body = await body_of(request)
        queries = read_queries(body)
        try:
            results = await self._standin.evaluator().results(ordered(queries), self._now(body))
        except EvaluationFailed as error:
            raise refused(500, f"Failed to evaluate queries and expressions: {error}") from error
        shown = {query.ref: {"status": 200, "frames": _frames(query, results[query.ref])} for query in queries}
        return answer({"results": shown})

    async def _test(self, request: Request) -> Response:
        need(request, self._standin.settings, "Editor", "alert.rules:read")
        condition = (await body_of(request)).get("grafana_condition")
        if not isinstance(condition, dict):
            raise refused(400, "bad request data")
        queries = read_queries(condition)
        rule = Rule(
            id=0,
            uid="test",
            title="test",
            group="",
            folder="",
            folder_uid="",
            interval_s=self._standin.settings.tick_s,
            condition=str(condition.get("condition", "")),
            queries=queries,
        )
        try:
            results = await self._standin.evaluator().results(rule.order, self._now(condition))
            found = outcomes(rule, results)
        except EvaluationFailed as error:
            raise refused(500, f"Failed to evaluate the rule: {error}") from error
        return answer({"instances": [_instances_frame(found)]})

    def _now(self, body: Mapping[str, object]) -> float:
        text = body.get("now")
        try:
            return parse_rfc3339(str(text)) if text else self._standin.clock()
        except ValueError as error:
            raise refused(400, f"bad request data: now: {error}") from error


def read_queries(body: Mapping[str, object]) -> Sequence[Query]:
    """
    The queries and expressions of a request; 400 that names what is wrong.
    """
    rows = body.get("data")
    if not isinstance(rows, list) or not rows:
        raise refused(400, "bad request data: data must be a list of queries")
    try:
        queries = [_query(row) for row in rows]
        ordered(queries)
    except (ExpressionError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise refused(400, f"invalid queries or expressions: {error}") from error
    return queries


def _query(row: Mapping[str, object]) -> Query:
    model, span = row["model"], row.get("relativeTimeRange") or {}
    assert isinstance(model, dict)
    assert isinstance(span, dict)
    ref, uid = str(row["refId"]), str(row["datasourceUid"])
    command = read_command(ref, model) if uid in EXPRESSION_UIDS else None
    ends = float(span.get("from", 0)), float(span.get("to", 0))
    return Query(ref=ref, datasource_uid=uid, from_s=ends[0], to_s=ends[1], model=model, command=command)


def _frames(query: Query, values: Values) -> Sequence[Frame]:
    return values_frames(query.ref, values)


def _instances_frame(found: Sequence[Outcome]) -> Frame:
    names = sorted({name for one in found for name in one.labels}, key=lambda name: (name.startswith("__"), name))
    fields = [{"name": name, "type": "string", "typeInfo": {"frame": "string"}} for name in (*names, "State", "Info")]
    columns = [[one.labels.get(name, "") for one in found] for name in names]
    columns += [[str(one.state) for one in found], [one.value_string for one in found]]
    return {"schema": {"name": "evaluation results", "fields": fields}, "data": {"values": columns}}
