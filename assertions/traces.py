"""Traces: the clients' own trace ids are in Tempo, whole and rightly linked."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from assertions.backend import eventually
from assertions.evidence import Evidence, Trace
from assertions.ladder import EXPLANATIONS, rung_of_spans
from assertions.tempo import Tempo
from assertions.truth import routes_through, window
from scenarios.history import History, Request
from scenarios.model import ENTRY_SERVICE, ROUTES, Traces
from scenarios.record import Outcome, Verdict

SLOWER_THAN = 0.95
"""`slow` requests are those above this quantile of all."""

AT_ONCE = 4
"""How many traces are asked for at the same time."""


def select(traces: Traces, history: History) -> list[Request]:
    """
    The clients' requests to look up: all that were meant, or `sample` of them spread evenly over the drill.
    """
    slow_s = window(history).quantile_edges_s(SLOWER_THAN)[0]
    requests = [request for request in history.of(Request) if _is_meant(traces, request, slow_s)]
    if len(requests) <= traces.sample:
        return requests
    step = len(requests) / traces.sample
    return [requests[int(n * step)] for n in range(traces.sample)]


def gather(traces: Traces, history: History, tempo: Tempo, *, within_s: float) -> tuple[Trace, ...]:
    """
    Ask Tempo for each of them, again and again until all are whole or the deadline has passed. Raises BackendError.
    """
    found: dict[str, Trace] = {}
    requests = select(traces, history)

    def ask() -> int:
        missing = [r for r in requests if r.trace_id not in found or not _is_whole(found[r.trace_id])]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for request, spans in zip(missing, pool.map(lambda r: tempo.trace(r.trace_id), missing), strict=True):
                found[request.trace_id] = Trace(
                    trace_id=request.trace_id,
                    route=request.route,
                    status=request.status,
                    duration_s=request.duration_s,
                    spans=tuple(span.to_json() for span in spans),
                )
        return sum(1 for trace in found.values() if _is_whole(trace))

    eventually(ask, lambda whole: whole == len(requests), within_s=within_s, pause_s=0.5)
    return tuple(found[request.trace_id] for request in requests)


def judge(traces: Traces, check_id: str, history: History, evidence: Evidence) -> Outcome:
    """
    FAIL with the rung when too few were found, or when a found one is broken; UNKNOWN when Tempo could not be asked.
    """
    title = f"traces of {traces.where} requests"
    if check_id not in evidence.traces:
        reason = evidence.problems.get("tempo", "tempo was not asked")
        return Outcome(id=check_id, title=title, verdict=Verdict.UNKNOWN, expected="an answer", observed=reason)
    looked_up = evidence.traces[check_id]
    if not looked_up:
        return Outcome(
            id=check_id,
            title=title,
            verdict=Verdict.FAIL,
            expected=f"requests of the kind {traces.where!r} to look up",
            observed="the clients had none: no data is no pass",
            where="the clients' history",
            hint="does the fault make such requests? was the traffic heavy enough?",
        )
    there = [trace for trace in looked_up if trace.spans]
    if len(there) < traces.found * len(looked_up):
        return _too_few(check_id, title, traces, len(there), looked_up, history, evidence)
    broken = {trace.trace_id: flaw for trace in there if (flaw := flaw_of(trace, traces.services))}
    allowed = len(looked_up) - traces.found * len(looked_up)
    facts = {"looked_up": len(looked_up), "found": len(there), "broken": len(broken)}
    if len(broken) > allowed:
        trace_id, flaw = next(iter(broken.items()))
        return Outcome(
            id=check_id,
            title=title,
            verdict=Verdict.FAIL,
            expected="whole traces, rightly linked",
            observed=f"{len(broken)} of {len(there)} are not: {flaw}",
            where=f"tempo, trace {trace_id}",
            when="all drill",
            hint="see the trace in the report; is context passed on between all services?",
            facts=facts | {"trace_id": trace_id},
        )
    return Outcome(
        id=check_id,
        title=title,
        verdict=Verdict.PASS,
        expected=f"{traces.found:.4g} of {len(looked_up)} looked up",
        observed=f"{len(there)} found, {len(there) - len(broken)} of them whole",
        facts=facts,
    )


def flaw_of(trace: Trace, services: Sequence[str] = ()) -> str:
    """
    What is wrong with a trace, in words; empty when nothing is.

    One server span of the entry service has the client's own span as its parent, which is not in Tempo; every other
    span's parent is. A failed request has a span that is marked as an error; a good one passed all services of its route.
    """
    spans = trace.spans
    ids = {span["span_id"] for span in spans}
    entries = [span for span in spans if span["parent_id"] not in ids]
    if len(entries) != 1:
        names = ", ".join(f"{span['service']} {span['name']}" for span in entries)
        return f"{len(entries)} spans have no parent in the trace ({names}); only the first server span may"
    if entries[0]["service"] != ENTRY_SERVICE or entries[0]["kind"] != "server":
        return f"it begins in {entries[0]['service']} with a {entries[0]['kind']} span, not in {ENTRY_SERVICE}'s server"
    if trace.status >= 500 and not any(span["error"] for span in spans):
        return f"the request failed with {trace.status}, but no span is marked as an error"
    passed = {span["service"] for span in spans}
    expected = set(services) | (set(ROUTES.get(trace.route, ())) if 0 < trace.status < 400 else set())
    missing = sorted(expected - passed)
    return f"no span of {', '.join(missing)}" if missing else ""


def _is_whole(trace: Trace) -> bool:
    return bool(trace.spans) and not flaw_of(trace)


def _too_few(
    check_id: str,
    title: str,
    traces: Traces,
    there: int,
    looked_up: Sequence[Trace],
    history: History,
    evidence: Evidence,
) -> Outcome:
    sent = window(history, routes=routes_through(ENTRY_SERVICE)).answered
    rung = rung_of_spans(ENTRY_SERVICE, evidence=evidence, sent=sent)
    lost = next(trace.trace_id for trace in looked_up if not trace.spans)
    return Outcome(
        id=check_id,
        title=title,
        verdict=Verdict.FAIL,
        expected=f"{traces.found:.4g} of {len(looked_up)} looked up",
        observed=f"{there} found",
        where=f"tempo; it lacks trace {lost}, for one",
        when="all drill",
        rung=rung,
        hint=EXPLANATIONS[rung],
        facts={"looked_up": len(looked_up), "found": there},
    )


def _is_meant(traces: Traces, request: Request, slow_s: float) -> bool:
    if traces.where == "error":
        return request.status >= 500
    if traces.where == "ok":
        return 0 < request.status < 400
    if traces.where == "slow":
        return request.status > 0 and request.duration_s >= slow_s
    return request.status > 0


def for_report(evidence: Evidence) -> Mapping[str, Any] | None:
    """
    The trace that tells most: a failed one if there is any, else the slowest; None when none was found.
    """
    there = [trace for found in evidence.traces.values() for trace in found if trace.spans]
    if not there:
        return None
    best = max(there, key=lambda trace: (trace.status >= 500, len(trace.spans), trace.duration_s))
    why = f"{best.route} answered {best.status} after {best.duration_s * 1000:.0f} ms"
    return {"trace_id": best.trace_id, "why": why, "spans": _in_order(best.spans)}


def _in_order(spans: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(spans, key=lambda span: span["start_t"])
