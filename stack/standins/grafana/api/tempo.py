"""Queries of a Tempo datasource: a trace by id, and a search."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence

import httpx

from stack.standins.grafana.frames import Frame
from stack.standins.grafana.plan import Span
from stack.standins.grafana.provisioning.datasources import Datasource

TRACE_FIELDS = (
    ("traceID", "string"),
    ("spanID", "string"),
    ("parentSpanID", "string"),
    ("operationName", "string"),
    ("serviceName", "string"),
    ("kind", "string"),
    ("statusCode", "number"),
    ("startTime", "number"),
    ("duration", "number"),
    ("tags", "other"),
)
SEARCH_FIELDS = (
    ("traceID", "string"),
    ("startTime", "time"),
    ("traceService", "string"),
    ("traceName", "string"),
    ("traceDuration", "number"),
)
KINDS = ("traceId", "traceql", "traceqlSearch")


class TempoError(Exception):
    """A query that Tempo (or the stand-in) refuses."""

    def __init__(self, text: str, status: int = 500) -> None:
        super().__init__(text)
        self.status = status


class Tempo:
    """Asks Tempo and turns its answers into frames."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def frames(
        self, datasource: Datasource, ref: str, model: Mapping[str, object], span: Span
    ) -> Sequence[Frame]:
        """
        The frames of one query; TempoError in Grafana's words.
        """
        kind, query = str(model.get("queryType", "")), str(model.get("query") or "")
        if kind not in KINDS:
            raise TempoError(f"unsupported query type: '{kind}' for query with refID '{ref}'", 400)
        if kind == "traceId":
            return [await self._trace(datasource, ref, query)]
        limit = str(model.get("limit") or 20)
        window = {"q": query or "{}", "limit": limit, "start": f"{span.from_s:.0f}", "end": f"{span.to_s:.0f}"}
        found = await self._get(datasource, "/api/search", window)
        if found.status_code != 200:
            raise TempoError(f"failed to execute TraceQL query: {query} Status: {_line(found)} Body: {found.text}")
        return [_table("Traces", ref, SEARCH_FIELDS, [_found(row) for row in found.json().get("traces") or ()])]

    async def _trace(self, datasource: Datasource, ref: str, trace_id: str) -> Frame:
        found = await self._get(datasource, f"/api/v2/traces/{trace_id}", {})
        if found.status_code == 404:
            found = await self._get(datasource, f"/api/traces/{trace_id}", {})
        if found.status_code != 200:
            raise TempoError(f"failed to get trace with id: {trace_id} Status: {_line(found)} Body: {found.text}")
        body = found.json()
        batches = body.get("batches") or body.get("trace", {}).get("resourceSpans") or []
        rows = [row for batch in batches for row in _spans(batch)]
        if not rows:
            raise TempoError(f"failed to get trace with id: {trace_id} Status: 404 Not Found Body: trace not found")
        return _table("Trace", ref, TRACE_FIELDS, rows)

    async def _get(self, datasource: Datasource, path: str, parameters: Mapping[str, str]) -> httpx.Response:
        try:
            return await self._client.get(f"{datasource.url}{path}", params=dict(parameters))
        except httpx.HTTPError as error:
            raise TempoError(f'failed to do request: Get "{datasource.url}{path}": {error}', 502) from error


def _line(found: httpx.Response) -> str:
    return f"{found.status_code} {found.reason_phrase}"


def _found(row: Mapping[str, object]) -> Sequence[object]:
    return [
        str(row["traceID"]).zfill(32),
        int(str(row.get("startTimeUnixNano", "0"))) // 1_000_000,
        row.get("rootServiceName", ""),
        row.get("rootTraceName", ""),
        row.get("durationMs", 0),
    ]


def _spans(batch: Mapping[str, object]) -> Iterator[Sequence[object]]:
    resource, scopes = batch.get("resource") or {}, batch.get("scopeSpans") or []
    assert isinstance(resource, dict)
    assert isinstance(scopes, list)
    service = _attributes(resource).get("service.name", "")
    for scope in scopes:
        for span in scope.get("spans") or ():
            start, end = int(span.get("startTimeUnixNano", 0)), int(span.get("endTimeUnixNano", 0))
            status = {"STATUS_CODE_OK": 1, "STATUS_CODE_ERROR": 2}.get((span.get("status") or {}).get("code", ""), 0)
            yield [
                _hex(span.get("traceId", "")),
                _hex(span.get("spanId", "")),
                _hex(span.get("parentSpanId", "")),
                span.get("name", ""),
                service,
                str(span.get("kind", "")).removeprefix("SPAN_KIND_").lower(),
                status,
                start / 1_000_000,
                (end - start) / 1_000_000,
                [{"key": key, "value": value} for key, value in _attributes(span).items()],
            ]


def _attributes(holder: Mapping[str, object]) -> Mapping[str, object]:
    rows = holder.get("attributes") or []
    assert isinstance(rows, list)
    return {row["key"]: next(iter((row.get("value") or {"": None}).values()), None) for row in rows}


def _hex(text: str) -> str:
    return base64.b64decode(text).hex()


def _table(name: str, ref: str, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[object]]) -> Frame:
    frames = {"string": "string", "number": "float64", "time": "time.Time", "other": "json.RawMessage"}
    fields = [{"name": column, "type": kind, "typeInfo": {"frame": frames[kind]}} for column, kind in columns]
    preferred = "trace" if name == "Trace" else "table"
    schema = {"name": name, "refId": ref, "meta": {"preferredVisualisationType": preferred}, "fields": fields}
    values = [[json.loads(json.dumps(row[index])) for row in rows] for index in range(len(columns))]
    return {"schema": schema, "data": {"values": values}}
