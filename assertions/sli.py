"""Sli: does Prometheus agree with what the clients saw? Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from assertions.check import Check
from assertions.evidence import Evidence, Service
from assertions.ladder import EXPLANATIONS, rung_of_data, rung_of_spans
from assertions.services import REQUESTS, SPANS
from assertions.sight import blind
from assertions.truth import Window, routes_through, traffic_span, window
from assertions.wording import count, percent, rate, seconds
from scenarios.history import History
from scenarios.model import Sli
from scenarios.record import Outcome, Rung

_ROUNDING = 1e-9
"""What floating-point numbers may err, so that a difference of exactly `within` is within it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What clients saw and what Prometheus has, in words and figures, and whether the two agree."""

    agree: bool
    expected: str
    observed: str
    facts: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What Prometheus holds of a service's requests, by its own metrics or by its spans; `buckets` by seconds."""

    requests: float
    failed: float
    buckets: Mapping[str, float]

    @classmethod
    def of(cls, service: Service, source: str) -> Self:
        """The one or the other."""
        if source == "metrics":
            return cls(requests=service.requests, failed=service.failed, buckets=service.buckets)
        buckets = {str(float(le) / 1000): number for le, number in service.collected_buckets.items()}
        return cls(requests=service.collected, failed=service.collected_failed, buckets=buckets)


def judge(sli: Sli, check: Check, history: History, evidence: Evidence) -> Outcome:
    """
    Compare one indicator of the whole drill, counted from the service's start, which is the clients' start too.

    Spans are compared with the requests of which head sampling keeps the trace; `fidelity` says how much of all it is.
    FAIL with the rung when Prometheus has nothing of the service; UNKNOWN when Prometheus or the clients could not be asked.
    """
    silence = evidence.problems.get("prometheus") or blind(history, "traffic")
    if silence:
        return check.unknown(expected="two answers to compare", observed=silence)
    routes = routes_through(sli.service)
    everything, truth = window(history, routes=routes), window(history, routes=routes, sampled=sli.source == "spans")
    span = traffic_span(history)
    if not truth.answered or span is None:
        return _nothing_to_compare(check, truth, everything)
    held = Held.of(evidence.services.get(sli.service, Service()), sli.source)
    if not held.requests:
        return _no_data(sli, check, history, evidence, span)
    found = _compare(sli, truth, held, span[1] - span[0])
    return _verdict(
        sli, check, _with_fidelity(found, held, truth, everything), f"{seconds(span[1] - span[0])} of traffic"
    )


def _with_fidelity(found: Comparison, held: Held, truth: Window, everything: Window) -> Comparison:
    """With the share of all requests of which the indicator knows; in words, too, where it is not meant to know all."""
    fidelity = held.requests / everything.answered
    traced = f", of the {percent(fidelity)} of all requests that are traced"
    observed = found.observed + (traced if truth.answered < everything.answered else "")
    return replace(found, observed=observed, facts={**found.facts, "fidelity": fidelity})


def _verdict(sli: Sli, check: Check, found: Comparison, when: str) -> Outcome:
    if found.agree:
        return check.passed(expected=found.expected, observed=found.observed, facts=found.facts)
    return check.failed(
        expected=found.expected,
        observed=found.observed,
        where=f"prometheus, {REQUESTS if sli.source == 'metrics' else SPANS}",
        when=f"all {when}",
        hint="compare the ledger: which hop lost or added requests?",
        facts=found.facts,
    )


def _nothing_to_compare(check: Check, truth: Window, everything: Window) -> Outcome:
    dropped = everything.count - truth.count
    kept = f"; head sampling keeps none of {dropped}" if dropped else ""
    return check.failed(
        expected="requests to compare",
        observed=f"{count(truth.count, 'request')}, {truth.lost} of them without an answer{kept}",
        where="the clients' history",
        hint="see the traffic's log and the demo app's logs",
    )


def _compare(sli: Sli, truth: Window, held: Held, length_s: float) -> Comparison:
    if sli.name == "availability":
        return _compare_availability(sli.within, truth, held)
    if sli.name == "request_rate":
        return _compare_rate(sli.within, truth, held, length_s)
    return _compare_quantile(sli, truth, held)


def _compare_availability(within: float, truth: Window, held: Held) -> Comparison:
    # A request without an answer may have been served or not, and well or not.
    clients, backend = 1 - truth.failed_share(), 1 - held.failed / held.requests
    low = 1 - (truth.failed + truth.lost) / truth.count
    high = 1 - truth.failed / truth.count
    return Comparison(
        agree=low - within - _ROUNDING <= backend <= high + within + _ROUNDING,
        expected=f"{percent(clients)} as clients saw, give or take {percent(within)} of all requests",
        observed=percent(backend),
        facts={"clients": clients, "backend": backend},
    )


def _compare_rate(within: float, truth: Window, held: Held, length_s: float) -> Comparison:
    clients, backend = truth.answered / length_s, held.requests / length_s
    most = truth.count / length_s
    return Comparison(
        agree=clients * (1 - within) - _ROUNDING <= backend <= most * (1 + within) + _ROUNDING,
        expected=f"{rate(clients)} as clients saw, give or take {percent(within)} of it",
        observed=rate(backend),
        facts={"clients": clients, "backend": backend},
    )


def _compare_quantile(sli: Sli, truth: Window, held: Held) -> Comparison:
    q = int(sli.name[1:]) / 100
    clients_low, clients_high = truth.quantile_edges_s(q)
    low, high = resolution(held.buckets, q)
    return Comparison(
        agree=clients_low <= high * (1 + sli.within) and clients_high >= low * (1 - sli.within),
        expected=f"{seconds(clients_high)} as clients saw, to the resolution of the buckets",
        observed="no buckets" if math.isnan(low) else f"between {seconds(low)} and {_upper(high)}",
        facts={"clients_s": clients_high, "low_s": low, "high_s": high},
    )


def _upper(edge_s: float) -> str:
    return "any time" if math.isinf(edge_s) else seconds(edge_s)


def resolution(buckets: Mapping[str, float], q: float) -> tuple[float, float]:
    """
    The edges between which a histogram can tell its q-quantile: its bucket and one more on each side, for a client also waits
    for the network and a request near an edge may be counted on either side. NaN for an empty histogram.
    """
    edges = sorted((float(le), number) for le, number in buckets.items())
    if not edges or not edges[-1][1]:
        return math.nan, math.nan
    rank = q * edges[-1][1]
    index = next(i for i, (_, number) in enumerate(edges) if number >= rank)
    low = edges[index - 2][0] if index >= 2 else 0.0
    return low, edges[min(index + 1, len(edges) - 1)][0]


def _no_data(sli: Sli, check: Check, history: History, evidence: Evidence, span: tuple[float, float]) -> Outcome:
    if sli.source == "spans":
        sent = window(history, routes=routes_through(sli.service), sampled=True).answered
        rung: Rung | None = rung_of_spans(sli.service, evidence=evidence, sent=sent, stored=0.0)
    else:
        rung = rung_of_data(
            sli.service, history=history, evidence=evidence, since=span[0], until=span[1], failures=False
        )
    return check.failed(
        expected=f"requests of {sli.service}",
        observed="no series at all: no data is no agreement",
        where="prometheus",
        when=f"all {seconds(span[1] - span[0])} of traffic",
        rung=rung,
        hint=EXPLANATIONS[rung] if rung else "they came and went again: see the collector's log",
    )
