"""Grafana: a thin typed client of the parts of its HTTP API that a drill needs; versions 9 to 13 answer it alike."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx

from assertions.backend import Backend, BackendError, understanding
from assertions.prometheus import ActiveAlert, Rule, timestamp, was_evaluated
from scenarios.model import SYNTHETIC

_STATES = {"Pending": "pending", "Alerting": "firing", "Recovering": "firing", "NoData": "nodata", "Error": "error"}
"""Grafana's states of an instance as the states of a history; `Normal` is no alert."""


class Grafana:
    """
    Asks one Grafana, as whoever it lets in without a password, or as its admin with one.

    Every method raises BackendError when there is no good answer.
    """

    def __init__(self, url: str, *, admin_password: str = "", transport: httpx.BaseTransport | None = None) -> None:
        user = "admin" if admin_password else ""
        # An annotation can take Grafana more than 5 s.
        self._backend = Backend("grafana", url, transport=transport, timeout_s=8, secret=admin_password, user=user)

    @property
    def url(self) -> str:
        """Where it is."""
        return self._backend.url

    def close(self) -> None:
        """Give back the connections."""
        self._backend.close()

    def alerts(self) -> list[ActiveAlert]:
        """All instances of its own alert rules that are not normal now."""
        alerts = self._data("/api/prometheus/grafana/api/v1/alerts").get("alerts") or []
        return [alert for raw in alerts if (alert := _alert(raw)) is not None]

    def rules(self) -> list[Rule]:
        """All of its own alert rules."""
        return [
            Rule(
                name=rule["name"],
                query=rule.get("query", ""),
                annotations=rule.get("annotations") or {},
                labels=rule.get("labels") or {},
                health="err" if rule.get("health") == "error" else rule.get("health", "unknown"),
                last_error=rule.get("lastError", ""),
                for_s=float(rule.get("duration", 0)),
                interval_s=float(group["interval"]),
                evaluated=was_evaluated(rule),
                uid=rule.get("uid", ""),
            )
            for group in self._data("/api/prometheus/grafana/api/v1/rules")["groups"]
            for rule in group["rules"]
        ]

    def undecided(self) -> frozenset[str]:
        """Names of its rules that it has not evaluated since it was started; instances that it kept may be out of date."""
        return frozenset(rule.name for rule in self.rules() if not rule.evaluated)

    def dashboard(self, uid: str) -> Mapping[str, Any] | None:
        """A dashboard's model by its uid; None when Grafana does not have it."""
        response = self._backend.ask(f"/api/dashboards/uid/{uid}", accept=(200, 404))
        if response.status_code == 404:
            return None
        with understanding("grafana", f"dashboard {uid}"):
            model: Mapping[str, Any] = response.json()["dashboard"]
        return model

    def datasources(self) -> list[Mapping[str, Any]]:
        """All datasources, with their types and uids."""
        with understanding("grafana", "its datasources"):
            return [
                {"type": source["type"], "uid": source["uid"]} for source in self._backend.ask_json("/api/datasources")
            ]

    def datasource(self, uid: str) -> Mapping[str, Any] | None:
        """A datasource with its settings by its uid; None when Grafana does not have it."""
        response = self._backend.ask(f"/api/datasources/uid/{uid}", accept=(200, 404))
        if response.status_code == 404:
            return None
        with understanding("grafana", f"datasource {uid}"):
            found: Mapping[str, Any] = response.json()
        return found

    def proxied(self, source: str, path: str) -> bytes | None:
        """What a datasource answers at a path, asked through Grafana; None when it does not know it. Raises BackendError."""
        response = self._backend.ask(f"/api/datasources/proxy/uid/{source}/{path}", accept=(200, 404))
        if response.status_code == 404 and b"data source" in response.content.lower():
            raise BackendError(f"grafana has no datasource {source!r}")
        return response.content if response.status_code == 200 else None

    def query(self, source: str, target: Mapping[str, Any], *, span: tuple[float, float]) -> list[tuple[float, float]]:
        """
        What a panel's query gives in a span of time, as (time, value) pairs of all its series together; an instant one is at its end.

        Raises BackendError with the datasource's own message when the query is wrong.
        """
        asked = {**target, "refId": "A", "datasource": {"uid": source}, "intervalMs": 1000, "maxDataPoints": 1000}
        body = {"from": str(int(span[0] * 1000)), "to": str(int(span[1] * 1000)), "queries": [asked]}
        response = self._backend.ask("/api/ds/query", method="POST", body=body, accept=(200, 207, 400, 404, 500))
        with understanding("grafana", "a panel's query"):
            answer = response.json()
            result = answer.get("results", {}).get("A", {})
            error = result.get("error") or (answer.get("message") if response.status_code != 200 else "")
            if error:
                raise BackendError(str(error))
            return [point for frame in result.get("frames", []) for point in _points(frame, span[1])]

    def search_traces(self, source: str, query: str, *, span: tuple[float, float]) -> int:
        """How many traces a TraceQL query finds in a span of time, at most 20; asked of the datasource through Grafana."""
        params = {"q": query, "start": int(span[0]), "end": int(span[1]) + 1, "limit": 20}
        answer = self._backend.ask_json(f"/api/datasources/proxy/uid/{source}/api/search", params)
        with understanding("grafana", "a search for traces"):
            return len(answer.get("traces") or [])

    def annotate(self, text: str, *, tags: Sequence[str], start_t: float, end_t: float | None = None) -> int:
        """
        Mark a region of time on the dashboards, or a moment as long as nobody knows its end; the id by which Grafana knows it.

        Only an admin or an editor may.
        """
        end = {} if end_t is None else {"timeEnd": int(end_t * 1000)}
        body = {"time": int(start_t * 1000), **end, "tags": list(tags), "text": text}
        response = self._backend.ask("/api/annotations", method="POST", body=body)
        with understanding("grafana", "an annotation"):
            return int(response.json()["id"])

    def end_annotation(self, annotation: int, end_t: float) -> None:
        """Let a moment that was marked be a region up to its end."""
        self._backend.ask(f"/api/annotations/{annotation}", method="PATCH", body={"timeEnd": int(end_t * 1000)})

    def remove_annotation(self, annotation: int) -> None:
        """Take a mark away again; one that is gone already is no error."""
        self._backend.ask(f"/api/annotations/{annotation}", method="DELETE", accept=(200, 404))

    def _data(self, path: str) -> Mapping[str, Any]:
        answer = self._backend.ask_json(path)
        try:
            data: Mapping[str, Any] = answer["data"]
        except (KeyError, TypeError) as error:
            raise BackendError(f"grafana answered {path} without data: {str(answer)[:200]}") from error
        return data


def _points(frame: Mapping[str, Any], end_t: float) -> Iterator[tuple[float, float]]:
    """The finite numbers of a frame with their times; those of a frame without a time column are of the end."""
    fields = frame.get("schema", {}).get("fields", [])
    columns = frame.get("data", {}).get("values", [])
    times = next((values for field, values in zip(fields, columns, strict=True) if field["type"] == "time"), None)
    for field, values in zip(fields, columns, strict=True):
        if field["type"] == "number":
            moments = [t / 1000 for t in times] if times is not None else [end_t] * len(values)
            yield from ((t, float(value)) for t, value in zip(moments, values, strict=True) if value is not None)


def _alert(raw: Mapping[str, Any]) -> ActiveAlert | None:
    # A state may have its reason behind it, such as `Alerting (NoData)`.
    state, _, reason = str(raw.get("state", "")).partition(" ")
    if state not in _STATES:
        return None
    labels = {str(key): str(value) for key, value in raw["labels"].items()}
    if name := SYNTHETIC.get(_STATES[state]):
        labels |= {"alertname": name, "rulename": labels.get("alertname", "")}
    return ActiveAlert(
        labels=labels,
        state=_STATES[state],
        active_at=timestamp(raw.get("activeAt")),
        value=f"{raw.get('value', '')} {reason}".strip(),
    )
