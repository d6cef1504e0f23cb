"""Queries to a Prometheus: instant, range and exemplars."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpx

from stack.standins.grafana.labels import Labels
from stack.standins.grafana.plan import Query, Span
from stack.standins.grafana.provisioning.datasources import Datasource


class QueryFailed(Exception):
    """Prometheus answered with an error; the text is its type and message."""


class Unreachable(Exception):
    """Prometheus did not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """One series of an answer; values as Prometheus writes them."""

    labels: Labels
    points: Sequence[tuple[float, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What Prometheus said to one request."""

    kind: str
    series: Sequence[Sampled]
    notices: Sequence[str] = ()


class Prometheus:
    """Asks the datasources; one client, so connections are kept between the ticks."""

    def __init__(self, client: httpx.AsyncClient, timeout_s: float = 30.0) -> None:
        self._client = client
        self._timeout_s = timeout_s

    async def ask(self, datasource: Datasource, query: Query, span: Span) -> Sequence[Answer]:
        """
        The answers of a query (instant before range); QueryFailed or Unreachable.
        """
        answers = []
        if query.instant:
            at = {"query": query.expr, "time": _time(span.to_s)}
            answers.append(await self._get(datasource, "/api/v1/query", at))
        if query.ranged:
            answers.append(await self._get(datasource, "/api/v1/query_range", _range(query, span)))
        return answers

    async def exemplars(self, datasource: Datasource, query: Query, span: Span) -> Sequence[Mapping[str, object]]:
        """
        The exemplars of a query, as Prometheus writes them.
        """
        parameters = {"query": query.expr, "start": _time(span.from_s), "end": _time(span.to_s)}
        body = await self._body(datasource, "/api/v1/query_exemplars", parameters)
        rows = body.get("data")
        return rows if isinstance(rows, list) else []

    async def _get(self, datasource: Datasource, path: str, parameters: Mapping[str, str]) -> Answer:
        body = await self._body(datasource, path, parameters)
        data = body.get("data")
        assert isinstance(data, dict)
        notices = [str(text) for key in ("warnings", "infos") for text in body.get(key) or ()]  # type: ignore[attr-defined]
        return Answer(kind=str(data["resultType"]), series=_series(data), notices=notices)

    async def _body(self, datasource: Datasource, path: str, parameters: Mapping[str, str]) -> Mapping[str, object]:
        url = datasource.url + path
        try:
            response = await self._send(datasource, url, parameters)
        except (TimeoutError, httpx.HTTPError) as error:
            verb = "Post" if datasource.posts else "Get"
            raise Unreachable(f'failed to query data: {verb} "{url}": {_cause(datasource, error)}') from error
        try:
            body = response.json()
        except ValueError as error:
            raise QueryFailed(f"{response.status_code}: {response.text[:200]}") from error
        if not isinstance(body, dict) or body.get("status") != "success":
            found = body if isinstance(body, dict) else {}
            raise QueryFailed(f"{found.get('errorType', response.status_code)}: {found.get('error', body)}")
        return body

    async def _send(self, datasource: Datasource, url: str, parameters: Mapping[str, str]) -> httpx.Response:
        auth = (datasource.user, datasource.password) if datasource.user else httpx.USE_CLIENT_DEFAULT
        if datasource.posts:
            response = await self._client.post(url, data=dict(parameters), auth=auth, timeout=self._timeout_s)
            if response.status_code != 405:
                return response
        return await self._client.get(url, params=dict(parameters), auth=auth, timeout=self._timeout_s)


def _range(query: Query, span: Span) -> Mapping[str, str]:
    # Grafana aligns both ends to the step, so that the same panel asks for the same points again.
    step = query.step_s
    start, end = span.from_s // step * step, span.to_s // step * step
    return {"query": query.expr, "start": _time(start), "end": _time(end), "step": f"{step:g}"}


def _time(epoch_s: float) -> str:
    return f"{epoch_s:.3f}"


def _series(data: Mapping[str, object]) -> Sequence[Sampled]:
    result = data["result"]
    assert isinstance(result, list)
    if data["resultType"] in ("scalar", "string"):
        return [Sampled(labels={}, points=[(float(result[0]), str(result[1]))])]
    found = []
    for row in result:
        rows = row["values"] if "values" in row else [row["value"]] if "value" in row else []
        found.append(Sampled(labels=row.get("metric", {}), points=[(float(at), text) for at, text in rows]))
    return found


def _cause(datasource: Datasource, error: Exception) -> str:
    if isinstance(error, httpx.ConnectError):
        host = datasource.url.partition("://")[2]
        return f"dial tcp {host}: connect: connection refused"
    return str(error) or type(error).__name__
