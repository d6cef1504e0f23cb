"""Datasource: Grafana reaches it, and each of its links to another one leads somewhere. Judging is pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from assertions.backend import BackendError
from assertions.check import Check
from assertions.evidence import Evidence, Link, Source
from assertions.grafana import Grafana
from assertions.prometheus import Prometheus
from assertions.wording import listed
from scenarios.model import ENTRY_SERVICE, Datasource
from scenarios.record import Outcome

ALIVE = {"prometheus": "api/v1/status/buildinfo", "tempo": "api/echo", "alertmanager": "api/v2/status"}
"""What each type of datasource answers whenever it is there."""

EXEMPLARS = "http_server_request_duration_seconds_bucket"
SERVICE_MAP = "traces_service_graph_request_total"
TRACE_LABEL = "trace_id"
FOLLOWED = 5
"""So many exemplars are followed at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Whom to ask, about which drill."""

    grafana: Grafana
    prometheus: Prometheus
    namespace: str
    span: tuple[float, float]


def gather(item: Datasource, asking: Asking) -> Source:
    """
    Whether Grafana has the datasource and reaches it, and where its links lead. Raises BackendError when Grafana does not answer.
    """
    raw = asking.grafana.datasource(item.uid)
    if raw is None:
        return Source(problem="there is no such datasource")
    kind, data = str(raw.get("type", "")), raw.get("jsonData") or {}
    return Source(
        problem=_problem(lambda: asking.grafana.proxied(item.uid, ALIVE.get(kind, ""))),
        links=tuple(link for name, follow in _LINKS.items() for link in follow(name, data, asking)),
    )


def _problem(ask: Callable[[], object]) -> str:
    try:
        ask()
    except BackendError as error:
        return str(error)
    return ""


def _exemplars(name: str, data: Mapping[str, Any], asking: Asking) -> Iterator[Link]:
    for one in data.get("exemplarTraceIdDestinations") or []:
        to, label = str(one.get("datasourceUid", "")), str(one.get("name", ""))

        def find(to: str = to) -> dict[str, float]:
            start, end = asking.span
            query = f'{EXEMPLARS}{{service_namespace="{asking.namespace}"}}'
            found = asking.prometheus.exemplars(query, start=start, end=end)[-FOLLOWED:]
            traces = [asking.grafana.proxied(to, f"api/v2/traces/{one.trace_id}") for one in found]
            return {"traces of exemplars": float(sum(1 for trace in traces if trace is not None))}

        if label == TRACE_LABEL:
            yield _tried(name, to, find)
        else:
            yield Link(kind=name, to=to, problem=f"exemplars have no label {label!r}; they have {TRACE_LABEL!r}")


def _service_map(name: str, data: Mapping[str, Any], asking: Asking) -> Iterator[Link]:
    to = str((data.get("serviceMap") or {}).get("datasourceUid", ""))
    query = f'{SERVICE_MAP}{{service_namespace="{asking.namespace}"}}'
    if to:
        yield _tried(name, to, lambda: {"edges": _found(asking, to, query)})


def _trace_to_metrics(name: str, data: Mapping[str, Any], asking: Asking) -> Iterator[Link]:
    link = data.get("tracesToMetrics") or {}
    to = str(link.get("datasourceUid", ""))
    tags = _matchers(link.get("tags") or [], asking.namespace)

    def find() -> dict[str, float]:
        queries = {str(one.get("name", "")): str(one.get("query", "")) for one in link.get("queries") or []}
        return {name: _found(asking, to, query.replace("$__tags", tags)) for name, query in queries.items()}

    if to:
        yield _tried(name, to, find)


def _alertmanager(name: str, data: Mapping[str, Any], asking: Asking) -> Iterator[Link]:
    to = str(data.get("alertmanagerUid") or "")
    if to:
        yield _tried(name, to, lambda: {"status": float(asking.grafana.proxied(to, ALIVE["alertmanager"]) is not None)})


_LINKS: Mapping[str, Callable[[str, Mapping[str, Any], Asking], Iterator[Link]]] = {
    "exemplars": _exemplars,
    "service_map": _service_map,
    "trace_to_metrics": _trace_to_metrics,
    "alertmanager": _alertmanager,
}
"""How each kind of link is followed."""


def _tried(kind: str, to: str, find: Callable[[], Mapping[str, float]]) -> Link:
    try:
        return Link(kind=kind, to=to, found=find())
    except BackendError as error:
        return Link(kind=kind, to=to, problem=str(error))


def _found(asking: Asking, to: str, query: str) -> float:
    return float(len(asking.grafana.query(to, {"expr": query, "range": True}, span=asking.span)))


def _matchers(tags: list[Mapping[str, str]], namespace: str) -> str:
    """The labels of a span of the entry service, as Grafana puts them in for `$__tags`."""
    values = {"service.namespace": namespace, "service.name": ENTRY_SERVICE}
    known = [tag for tag in tags if tag.get("key") in values]
    return ",".join(f'{tag.get("value") or tag["key"]}="{values[tag["key"]]}"' for tag in known)


def judge(item: Datasource, check: Check, evidence: Evidence) -> Outcome:
    """
    FAIL for a datasource that is missing or silent, and for a link that is missing or leads nowhere; UNKNOWN when Grafana was not asked.
    """
    links = f", and its links {listed(item.links)} to lead somewhere" if item.links else ""
    expected = f"datasource {item.uid} to answer grafana{links}"
    source = evidence.datasources.get(check.id)
    if source is None:
        return check.unknown(expected=expected, observed=evidence.problems.get("grafana", "grafana was not asked"))
    facts = {"links": [f"{link.kind} to {link.to}" for link in source.links]}
    flaws = [source.problem] if source.problem else list(_flaws(item, source))
    if not flaws:
        observed = f"it answers; {listed([_words(link) for link in source.links]) or 'it has no links'}"
        return check.passed(expected=expected, observed=observed, facts=facts)
    return check.failed(
        expected=expected,
        observed="; ".join(flaws),
        where=f"datasource {item.uid} in grafana",
        hint="is it provisioned, is its address right, does the other datasource have this uid?",
        facts=facts,
    )


def _flaws(item: Datasource, source: Source) -> Iterator[str]:
    there = {link.kind for link in source.links}
    yield from (f"it has no link {kind}" for kind in item.links if kind not in there)
    queries = {name for link in source.links for name in link.found}
    yield from (f"its link trace_to_metrics has no query {name!r}" for name in item.queries if name not in queries)
    for link in source.links:
        if link.problem:
            yield f"its link {link.kind} to {link.to!r} is broken: {link.problem}"
        elif not link.found:
            yield f"its link {link.kind} to {link.to!r} asks for nothing"
        yield from (f"its link {link.kind} to {link.to!r} finds no {what}" for what, n in link.found.items() if not n)


def _words(link: Link) -> str:
    return f"{link.kind} leads to {link.to} ({listed([f'{what}: {n:g}' for what, n in link.found.items()])})"
