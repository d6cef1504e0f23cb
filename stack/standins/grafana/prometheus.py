"""Queries to a Prometheus: instant and range, with Grafana's intervals and variables."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpx

from stack.standins.grafana.durations import format_step, parse_duration
from stack.standins.grafana.labels import Labels
from stack.standins.grafana.provisioning.datasources import Datasource

DEFAULT_SCRAPE = "15s"
MAX_POINTS = 11_000
DEFAULT_RESOLUTION = 1500
_VARIABLE = re.compile(
    r"\$(?:\{(__\w+)(?::\w+)?\}|(__rate_interval_ms|__rate_interval|__interval_ms|__interval|__range_ms|__range_s|__range)\b)"
)
# Grafana rounds a step to one of these: up to the first (milliseconds) the second is used.
_STEPS_MS = (
    (10, 1),
    (15, 10),
    (35, 20),
    (75, 50),
    (150, 100),
    (350, 200),
    (750, 500),
    (1_500, 1_000),
    (3_500, 2_000),
    (7_500, 5_000),
    (12_500, 10_000),
    (17_500, 15_000),
    (25_000, 20_000),
    (45_000, 30_000),
    (90_000, 60_000),
    (210_000, 120_000),
    (450_000, 300_000),
    (750_000, 600_000),
    (1_050_000, 900_000),
    (1_500_000, 1_200_000),
    (2_700_000, 1_800_000),
    (5_400_000, 3_600_000),
    (9_000_000, 7_200_000),
    (16_200_000, 10_800_000),
    (32_400_000, 21_600_000),
    (86_400_000, 43_200_000),
    (604_800_000, 86_400_000),
    (1_814_400_000, 604_800_000),
    (3_628_800_000, 2_592_000_000),
)


class QueryFailed(Exception):
    """Prometheus answered with an error; the text is its type and message."""


class Unreachable(Exception):
    """Prometheus did not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A time range in epoch seconds."""

    from_s: float
    to_s: float

    @property
    def length_s(self) -> float:
        """
        Its length.
        """
        return self.to_s - self.from_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One query as a panel or rule has it, with variables replaced and the step computed."""

    ref: str
    expr: str
    step_s: float
    instant: bool
    ranged: bool
    exemplar: bool
    legend: str
    table: bool


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


def plan(ref: str, model: Mapping[str, object], datasource: Datasource, span: Span) -> Query:
    """
    A model with its step and without variables, as Grafana computes them; ValueError for a bad interval.
    """
    step_s = _step(model, datasource, span)
    ranged, instant, exemplar = (bool(model.get(key)) for key in ("range", "instant", "exemplar"))
    table = model.get("format") == "table"
    return Query(
        ref=ref,
        expr=_interpolated(str(model.get("expr") or ""), step_s, _min_step(model, datasource), span),
        step_s=step_s,
        instant=instant,
        ranged=ranged or not (instant or exemplar),
        exemplar=exemplar,
        legend=str(model.get("legendFormat") or ""),
        table=table,
    )


def round_step(seconds: float) -> float:
    """
    A step rounded as Grafana rounds it, in seconds.
    """
    milliseconds = seconds * 1000
    for limit, rounded in _STEPS_MS:
        if milliseconds <= limit if limit == 10 else milliseconds < limit:
            return rounded / 1000
    return 31_536_000.0


def _min_step(model: Mapping[str, object], datasource: Datasource) -> str:
    interval = str(model.get("interval") or "")
    return interval if interval and "$" not in interval else datasource.scrape_interval or DEFAULT_SCRAPE


def _step(model: Mapping[str, object], datasource: Datasource, span: Span) -> float:
    # The query's own interval counts before the panel's, and that before the datasource's.
    own, given_ms, points = str(model.get("interval") or ""), model.get("intervalMs"), model.get("maxDataPoints")
    smallest_s = parse_duration(datasource.scrape_interval or DEFAULT_SCRAPE)
    if own and own != "0s" and "$" not in own:
        smallest_s = parse_duration(own)
    elif isinstance(given_ms, int | float) and given_ms > 0:
        smallest_s = given_ms / 1000
    even_s = span.length_s / (points if isinstance(points, int) and points > 0 else DEFAULT_RESOLUTION)
    step_s = smallest_s if even_s < smallest_s else round_step(even_s)
    factor = model.get("intervalFactor")
    step_s = max(step_s, round_step(span.length_s / MAX_POINTS))
    return step_s * (factor if isinstance(factor, int) and factor > 0 else 1)


def _interpolated(expr: str, step_s: float, min_step: str, span: Span) -> str:
    scrape_s = parse_duration(min_step)
    rate_s = max(step_s + scrape_s, 4 * scrape_s)
    range_s = round(span.length_s)
    texts = {
        "__interval": format_step(step_s),
        "__interval_ms": str(round(step_s * 1000)),
        "__rate_interval": format_step(rate_s),
        "__rate_interval_ms": str(round(rate_s * 1000)),
        "__range": f"{range_s}s",
        "__range_s": str(range_s),
        "__range_ms": str(round(span.length_s * 1000)),
    }
    return _VARIABLE.sub(lambda match: texts.get(match[1] or match[2], match[0]), expr)


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
