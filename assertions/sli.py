"""Sli: does Prometheus agree with what the clients saw? Pure."""

import math
from collections.abc import Mapping

from assertions.evidence import Evidence, Service
from assertions.ladder import EXPLANATIONS, rung_of_data
from assertions.truth import Window, routes_through, traffic_span, window
from scenarios.history import History
from scenarios.model import Sli
from scenarios.record import Outcome, Verdict


def judge(sli: Sli, check_id: str, history: History, evidence: Evidence) -> Outcome:
    """
    Compare one indicator of the whole drill, counted from the service's start, which is the clients' start too.

    FAIL with the rung when Prometheus has nothing of the service; UNKNOWN when Prometheus could not be asked.
    """
    title = f"sli {sli.name} of {sli.service}"
    if "prometheus" in evidence.problems:
        return Outcome(
            id=check_id,
            title=title,
            verdict=Verdict.UNKNOWN,
            expected="an answer",
            observed=evidence.problems["prometheus"],
        )
    truth = window(history, routes=routes_through(sli.service))
    span = traffic_span(history)
    if not truth.answered or span is None:
        return Outcome(
            id=check_id,
            title=title,
            verdict=Verdict.FAIL,
            expected="requests to compare",
            observed=f"{truth.count} requests, {truth.lost} of them without an answer",
            where="the clients' history",
            hint="see the traffic's log and the demo app's logs",
        )
    service = evidence.services.get(sli.service, Service())
    if not service.requests:
        return _no_data(sli, check_id, title, history, evidence, span)
    agreed, expected, observed, facts = _compare(sli, truth, service, span[1] - span[0])
    return Outcome(
        id=check_id,
        title=title,
        verdict=Verdict.PASS if agreed else Verdict.FAIL,
        expected=expected,
        observed=observed,
        where="" if agreed else "prometheus, http_server_request_duration_seconds",
        when="" if agreed else f"all {span[1] - span[0]:.0f} s of traffic",
        hint="" if agreed else "compare the ledger: which hop lost or added requests?",
        facts=facts,
    )


def _compare(sli: Sli, truth: Window, service: Service, length_s: float) -> tuple[bool, str, str, dict[str, float]]:
    if sli.name == "availability":
        clients, backend = 1 - truth.failed_share(), 1 - service.failed / service.requests
        agreed = abs(clients - backend) <= sli.within
        expected = f"{clients:.3%} as clients saw, give or take {sli.within:.3g} of all"
        return agreed, expected, f"{backend:.3%}", {"clients": clients, "backend": backend}
    if sli.name == "request_rate":
        clients, backend = truth.answered / length_s, service.requests / length_s
        agreed = abs(clients - backend) <= sli.within * clients
        expected = f"{clients:.2f}/s as clients saw, within {sli.within:.3g} of it"
        return agreed, expected, f"{backend:.2f}/s", {"clients": clients, "backend": backend}
    return _compare_quantile(sli, truth, service)


def _compare_quantile(sli: Sli, truth: Window, service: Service) -> tuple[bool, str, str, dict[str, float]]:
    q = int(sli.name[1:]) / 100
    clients_low, clients_high = truth.quantile_edges_s(q)
    low, high = resolution(service.buckets, q)
    agreed = clients_low <= high * (1 + sli.within) and clients_high >= low * (1 - sli.within)
    expected = f"{clients_high:.4g} s as clients saw, to the resolution of the buckets"
    facts = {"clients_s": clients_high, "low_s": low, "high_s": high}
    return agreed, expected, f"between {low:.4g} and {high:.4g} s", facts


def resolution(buckets: Mapping[str, float], q: float) -> tuple[float, float]:
    """
    The edges between which a histogram can tell its q-quantile: its bucket and one more on each side, for a client also waits
    for the network and a request near an edge may be counted on either side. NaN for an empty histogram.
    """
    edges = sorted((math.inf if le in ("+Inf", "inf") else float(le), count) for le, count in buckets.items())
    if not edges or not edges[-1][1]:
        return math.nan, math.nan
    rank = q * edges[-1][1]
    index = next(i for i, (_, count) in enumerate(edges) if count >= rank)
    low = edges[index - 2][0] if index >= 2 else 0.0
    return low, edges[min(index + 1, len(edges) - 1)][0]


def _no_data(
    sli: Sli, check_id: str, title: str, history: History, evidence: Evidence, span: tuple[float, float]
) -> Outcome:
    rung = rung_of_data(sli.service, history=history, evidence=evidence, since=span[0], until=span[1], failures=False)
    return Outcome(
        id=check_id,
        title=title,
        verdict=Verdict.FAIL,
        expected=f"requests of {sli.service}",
        observed="no series at all: no data is no agreement",
        where="prometheus",
        when=f"all {span[1] - span[0]:.0f} s of traffic",
        rung=rung,
        hint=EXPLANATIONS[rung] if rung else "",
    )
