"""Service graph: who calls whom, as Tempo draws it from spans, compared with what the clients asked for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assertions.backend import eventually
from assertions.check import Check
from assertions.evidence import Edge, Evidence
from assertions.ladder import ENOUGH
from assertions.prometheus import Prometheus
from assertions.truth import Window, routes_through, window
from assertions.wording import count, listed, seconds
from scenarios.history import History
from scenarios.model import ENTRY_SERVICE, ROUTES, ServiceGraph
from scenarios.record import Outcome, Rung

_METRIC = "traces_service_graph_request"
_ENDS = "client, server, connection_type"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong with one edge."""

    edge: str
    expected: str
    observed: str
    hint: str


def gather(
    item: ServiceGraph, history: History, prometheus: Prometheus, *, namespace: str, within_s: float
) -> dict[str, Edge]:
    """
    All edges of the drill's services, once those that are expected have seen what the clients asked for. Raises BackendError.
    """

    def settled(edges: Mapping[str, Edge]) -> bool:
        return all(edges.get(name, Edge()).calls >= max(1, _calls(name, history)[0]) for name in item.edges)

    return eventually(lambda: _edges(prometheus, namespace), settled, within_s=within_s)


def _edges(prometheus: Prometheus, namespace: str) -> dict[str, Edge]:
    found: dict[str, dict[str, float]] = {}
    buckets: dict[str, dict[str, float]] = {}
    for field, metric in (("calls", "total"), ("failed", "failed_total")):
        query = f'last_over_time({_METRIC}_{metric}{{service_namespace="{namespace}"}}[1h])'
        for sample in prometheus.instant(f"sum by ({_ENDS}) ({query})"):
            found.setdefault(_name(sample.labels), {})[field] = sample.value
    query = f'last_over_time({_METRIC}_client_seconds_bucket{{service_namespace="{namespace}"}}[1h])'
    for sample in prometheus.instant(f"sum by ({_ENDS}, le) ({query})"):
        buckets.setdefault(_name(sample.labels), {})[sample.labels["le"]] = sample.value
    return {name: Edge(**parts, buckets=buckets.get(name, {})) for name, parts in found.items()}


def _name(labels: Mapping[str, str]) -> str:
    """An edge as drills write it; every database is called so, for its own name is often that of its service."""
    is_database = labels.get("connection_type") == "database"
    return f"{labels.get('client', '')} -> {'database' if is_database else labels.get('server', '')}"


def judge(item: ServiceGraph, check: Check, history: History, evidence: Evidence) -> Outcome:
    """
    FAIL with the edge that is missing, forbidden, or has not the calls, errors and times that it must have.

    UNKNOWN when Prometheus could not be asked.
    """
    expected = f"calls from {listed(item.edges)}, as the clients made them"
    if check.id not in evidence.edges:
        return check.unknown(
            expected=expected, observed=evidence.problems.get("prometheus", "prometheus was not asked")
        )
    edges = evidence.edges[check.id]
    facts = {"edges": {name: {"calls": edge.calls, "failed": edge.failed} for name, edge in sorted(edges.items())}}
    for problem in _problems(item, edges, history):
        return check.failed(
            expected=problem.expected,
            observed=problem.observed,
            where=f"prometheus, {_METRIC}_*, {problem.edge}",
            rung=None if edges else Rung.NOT_STORED,
            hint=problem.hint,
            facts=facts,
        )
    observed = listed([f"{name} {count(edges[name].calls, 'call')}" for name in item.edges])
    return check.passed(expected=expected, observed=observed, facts=facts)


def _problems(item: ServiceGraph, edges: Mapping[str, Edge], history: History) -> Iterator[Problem]:
    for name in item.edges:
        yield from _miscounted(name, item, edges, history)
    for name in item.forbidden:
        if name in edges:
            yield Problem(
                edge=name,
                expected=f"no call from {name}",
                observed=count(edges[name].calls, "call"),
                hint="`user` calls a service when its caller passes no trace context on" if name[:4] == "user" else "",
            )
    if item.errors_on is not None:
        yield from _misplaced_errors(item.errors_on, item, edges, history)
    if item.slow_on is not None:
        yield from _misplaced_time(item.slow_on, item, edges, history)
    if item.busy_on is not None:
        yield from _not_busy(item.busy_on, item, edges, history)


def _miscounted(name: str, item: ServiceGraph, edges: Mapping[str, Edge], history: History) -> Iterator[Problem]:
    least, most = _calls(name, history)
    if name not in edges:
        hint = (
            "does Tempo's metrics generator run, and does Prometheus scrape it?"
            if not edges
            else "are its spans in Tempo?"
        )
        observed = f"none; there are {listed(sorted(edges))}" if edges else "there is no edge at all"
        yield Problem(edge=name, expected=f"calls from {name}", observed=observed, hint=hint)
    elif not least * (1 - item.within) <= edges[name].calls <= most * (1 + item.within) and name != item.busy_on:
        yield Problem(
            edge=name,
            expected=f"{least:,.0f} to {most:,.0f} calls from {name}, as the clients' requests lead to",
            observed=count(edges[name].calls, "call"),
            hint="spans that come too late are not paired; more calls than requests are retries",
        )


def _calls(name: str, history: History) -> tuple[float, float]:
    """At least and at most how many calls the clients' requests lead to: a failed one may have ended before it."""
    client, _, server = name.partition(" -> ")
    if client != ENTRY_SERVICE or server not in ROUTES["/api/checkout"]:
        return 1, float("inf")
    truth = window(history, routes=routes_through(server), sampled=True)
    return truth.answered - truth.failed, truth.count


def _truth(name: str, history: History) -> Window:
    """The clients' requests that an edge may have to do with; the graph is drawn from traces, so those that are kept."""
    client, _, server = name.partition(" -> ")
    return window(history, routes=routes_through(client if server == "database" else server), sampled=True)


def _misplaced_errors(name: str, item: ServiceGraph, edges: Mapping[str, Edge], history: History) -> Iterator[Problem]:
    failed = _truth(name, history).failed
    expected = f"the {count(failed, 'failed request')} of the clients on {name}, and on no other edge"
    seen = edges.get(name, Edge()).failed
    if failed == 0 or not failed * (1 - item.within) <= seen:
        yield Problem(
            edge=name,
            expected=expected,
            observed=count(seen, "failed call"),
            hint=_doubt(failed, "are its spans marked as errors?"),
        )
    for other, edge in _others(name, edges):
        if edge.failed:
            yield Problem(
                edge=other, expected=expected, observed=count(edge.failed, "failed call"), hint="what fails there?"
            )


def _misplaced_time(name: str, item: ServiceGraph, edges: Mapping[str, Edge], history: History) -> Iterator[Problem]:
    slow, limit_s = edges.get(name, Edge()).slower_than(item.slower_than)
    felt = _truth(name, history).above(limit_s)
    expected = f"most of the {count(felt, 'request')} slower than {seconds(limit_s)} on {name}, and on no other edge"
    if felt == 0 or slow < ENOUGH * felt:
        yield Problem(
            edge=name,
            expected=expected,
            observed=count(slow, "slow call"),
            hint=_doubt(felt, "is it slow somewhere else?"),
        )
    for other, edge in _others(name, edges):
        if edge.slower_than(item.slower_than)[0] > ENOUGH * slow:
            observed = count(edge.slower_than(item.slower_than)[0], "slow call")
            yield Problem(edge=other, expected=expected, observed=observed, hint="what is slow there?")


def _not_busy(name: str, item: ServiceGraph, edges: Mapping[str, Edge], history: History) -> Iterator[Problem]:
    sent, calls = _truth(name, history).count, edges.get(name, Edge()).calls
    if not calls >= item.times * sent > 0:
        yield Problem(
            edge=name,
            expected=f"at least {item.times:g} calls on {name} for each of {count(sent, 'request')}",
            observed=count(calls, "call"),
            hint="was the fault on long enough? retries of a call are calls, too",
        )


def _doubt(felt: int, doubt: str) -> str:
    """What to look into when an edge does not show what clients felt; first of all, that they felt it."""
    return doubt if felt else "the clients had none: no data is no pass; does the fault hit what they call?"


def _others(name: str, edges: Mapping[str, Edge]) -> Iterator[tuple[str, Edge]]:
    """All other edges but those that lead to it: they suffer from it, too."""
    client = name.partition(" -> ")[0]
    return ((other, edge) for other, edge in edges.items() if other != name and not other.endswith(f"-> {client}"))
