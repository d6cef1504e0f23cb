"""Traces: the clients' own trace ids are in Tempo, whole and rightly linked."""

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from assertions import torn
from assertions.check import Check, Facts
from assertions.evidence import Evidence, Trace
from assertions.ladder import EXPLANATIONS, rung_of_spans
from assertions.lookup import look_up, meant, select
from assertions.shape import misshapen
from assertions.tempo import Tempo
from assertions.truth import routes_through, window
from assertions.wording import KINDS_OF_REQUEST, count, listed, percent, seconds
from scenarios.history import History
from scenarios.model import ENTRY_SERVICE, ROUTES, Traces
from scenarios.record import Outcome, Rung


def gather(
    traces: Traces, history: History, tempo: Tempo, *, within_s: float, pause_s: float = 0.5
) -> tuple[Trace, ...]:
    """
    Ask Tempo for each of them, again and again until all are whole or the deadline has passed. Raises BackendError.

    Then once for those that should not be there, because the app's sampler does not keep them.
    """
    is_right = partial(_is_right, traces=traces)
    kept = look_up(select(traces, history), tempo, is_right, within_s=within_s, pause_s=pause_s)
    return kept + look_up(select(traces, history, sampled=False), tempo, is_right, within_s=0)


def judge(traces: Traces, check: Check, history: History, evidence: Evidence) -> Outcome:
    """
    FAIL with the rung when too few were found, or when too many of those are broken; UNKNOWN when Tempo could not be asked.
    """
    if check.id not in evidence.traces:
        reason = evidence.problems.get("tempo", "tempo was not asked")
        return check.unknown(expected="an answer of tempo", observed=reason)
    looked_up = [trace for trace in evidence.traces[check.id] if trace.sampled]
    if not looked_up:
        return _nothing_to_look_up(traces, check, history)
    there = [trace for trace in looked_up if trace.spans]
    flaws = {trace.trace_id: flaw for trace in there if (flaw := _flaw(trace, traces))}
    # A share of a whole number, without what floating-point numbers err.
    needed = math.ceil(traces.found * len(looked_up) - 1e-9)
    expected = f"{_at_least(traces.found)} of {len(looked_up)} looked up"
    facts = {"looked_up": len(looked_up), "found": len(there), "broken": len(flaws)}
    if len(there) < needed:
        return _too_few(check, f"{expected} in tempo", looked_up, history, evidence, facts)
    if len(there) - len(flaws) < needed:
        wanted = f"{expected} {'torn' if traces.torn else 'whole and rightly linked'}"
        return _broken(check, wanted, flaws, _reason(traces, there, flaws, history, evidence), facts)
    if traces.torn and not any(evidence.torn_halves.values()):
        return _lost(check, evidence, facts)
    observed = f"{len(there)} found, {len(there) - len(flaws)} of them {'torn' if traces.torn else 'whole'}"
    return _sampled(traces, check, history, evidence, check.passed(expected=expected, observed=observed, facts=facts))


def _sampled(traces: Traces, check: Check, history: History, evidence: Evidence, passed: Outcome) -> Outcome:
    """What passed, but with head sampling: nothing else may be stored, and the share that is kept is told."""
    kept, of_all = meant(traces, history, sampled=True), meant(traces, history)
    facts = {**passed.facts, "kept": kept, "fidelity": kept / of_all if of_all else None}
    if kept == of_all:
        return check.passed(expected=passed.expected, observed=passed.observed, facts=facts)
    others = [trace for trace in evidence.traces[check.id] if not trace.sampled]
    strays = [trace for trace in others if trace.spans]
    if strays:
        return check.failed(
            expected=f"none of {count(len(others), 'trace')} that head sampling does not keep",
            observed=f"{len(strays)} of them stored",
            where=f"tempo, trace {strays[0].trace_id}, for one",
            when="all drill",
            hint="do all SDKs sample by the trace id alone, and at the same ratio?",
            facts=facts,
        )
    share = f"head sampling keeps {kept} of {of_all} {KINDS_OF_REQUEST[traces.where]} ({percent(kept / of_all)})"
    observed = f"{passed.observed}; {share}, and none of {len(others)} others is stored"
    return check.passed(expected=passed.expected, observed=observed, facts=facts)


def _nothing_to_look_up(traces: Traces, check: Check, history: History) -> Outcome:
    dropped = meant(traces, history) - meant(traces, history, sampled=True)
    what = KINDS_OF_REQUEST[traces.where]
    if dropped:
        observed = f"head sampling drops {dropped} of them"
        hint, facts = "keep more of them, or drive more traffic", {"kept": 0, "fidelity": 0.0}
    else:
        observed = "the clients had none: no data is no pass"
        hint, facts = "does the fault make such requests? was the traffic heavy enough?", {}
    return check.failed(
        expected=f"{what} to look up", observed=observed, where="the clients' history", hint=hint, facts=facts
    )


def _at_least(share: float) -> str:
    return "all" if share == 1 else f"at least {percent(share)}"


def _flaw(trace: Trace, traces: Traces) -> str:
    """What keeps a trace from being as it must be, in words; empty when nothing does."""
    heard = sorted({span["service"] for span in trace.spans} & set(traces.without))
    if heard:
        return f"there are spans of {listed(heard)}, which should be silent"
    flaw = torn.flaw_of(trace) if traces.torn else flaw_of(trace, traces.services, traces.without)
    return flaw or misshapen(trace, traces)


def _is_right(trace: Trace, traces: Traces) -> bool:
    return bool(trace.spans) and not _flaw(trace, traces)


def flaw_of(trace: Trace, services: Sequence[str] = (), silent: Sequence[str] = ()) -> str:
    """
    What is wrong with a trace, in words; empty when nothing is.

    One server span of the entry service has the client's own span as its parent, which is not in Tempo; every other
    span's parent is. A failed request has a span that is marked as an error; a good one passed all services of its route
    but those that are `silent`.
    """
    spans = trace.spans
    missing = _missing(trace, services, silent)
    if missing:
        return f"no span of {listed(missing)}"
    ids = {span["span_id"] for span in spans}
    entries = [span for span in spans if span["parent_id"] not in ids]
    if len(entries) != 1:
        names = listed([f"{span['service']} {span['name']}" for span in entries], 3) or "they go round in a circle"
        return f"{len(entries)} spans have no parent in the trace ({names}); only the first server span may"
    if entries[0]["service"] != ENTRY_SERVICE or entries[0]["kind"] != "server":
        return f"it begins in {entries[0]['service']} with a {entries[0]['kind']} span, not in {ENTRY_SERVICE}'s server"
    if trace.status >= 500 and not any(span["error"] for span in spans):
        return f"the request failed with {trace.status}, but no span is marked as an error"
    return ""


def _missing(trace: Trace, services: Sequence[str], silent: Sequence[str] = ()) -> list[str]:
    """Services that the request must have passed, but whose spans are not there."""
    expected = set(services) | (set(ROUTES.get(trace.route, ())) if 0 < trace.status < 400 else set())
    return sorted(expected - set(silent) - {span["service"] for span in trace.spans})


def _too_few(
    check: Check, expected: str, looked_up: Sequence[Trace], history: History, evidence: Evidence, facts: Facts
) -> Outcome:
    rung = _rung(ENTRY_SERVICE, looked_up, history, evidence)
    lost = next(trace.trace_id for trace in looked_up if not trace.spans)
    return check.failed(
        expected=expected,
        observed=f"{facts['found']} found",
        where=f"tempo; it lacks trace {lost}, for one",
        when="all drill",
        rung=rung,
        hint=EXPLANATIONS[rung],
        facts=facts,
    )


def _broken(
    check: Check, expected: str, flaws: Mapping[str, str], reason: tuple[Rung | None, str], facts: Facts
) -> Outcome:
    trace_id, flaw = next(iter(flaws.items()))
    rung, hint = reason
    return check.failed(
        expected=expected,
        observed=f"{len(flaws)} of {facts['found']} found are not: {flaw}",
        where=f"tempo, trace {trace_id}",
        when="all drill",
        rung=rung,
        hint=hint,
        facts={**facts, "trace_id": trace_id},
    )


def _reason(
    traces: Traces, there: Sequence[Trace], flaws: Mapping[str, str], history: History, evidence: Evidence
) -> tuple[Rung | None, str]:
    """Where and why the first trace with a flaw lost something, as far as it can be told."""
    first = next(trace for trace in there if trace.trace_id in flaws)
    missing = [] if traces.torn else _missing(first, traces.services, traces.without)
    hint = torn.explained(first, missing, evidence.torn_halves)
    if missing and not hint:
        rung = _rung(missing[0], there, history, evidence)
        return rung, EXPLANATIONS[rung]
    if not hint and misshapen(first, traces):
        return None, "see the trace in the report; is it the fault that makes such spans, and do they come from there?"
    return None, hint or "see the trace in the report; is context passed on between all services?"


def _lost(check: Check, evidence: Evidence, facts: Facts) -> Outcome:
    """They look torn, but the other halves are nowhere."""
    reason = evidence.problems.get("tempo")
    if reason:
        return check.unknown(expected="the other halves of torn traces", observed=reason, facts=facts)
    return check.failed(
        expected="the other halves of torn traces begin traces of their own",
        observed="no service that clients do not call has begun any",
        where="tempo",
        rung=Rung.NOT_STORED,
        hint="what was called is lost, not torn off: does its service report at all?",
        facts=facts,
    )


def _rung(service: str, looked_up: Sequence[Trace], history: History, evidence: Evidence) -> Rung:
    """Where the spans of a service died, by how many of these traces have any."""
    having = sum(1 for trace in looked_up if any(span["service"] == service for span in trace.spans))
    sent = window(history, routes=routes_through(service), sampled=True).answered
    return rung_of_spans(service, evidence=evidence, sent=sent, stored=having / len(looked_up))


def is_whole(trace: Trace, services: Sequence[str] = ()) -> bool:
    """Whether a trace is there, and nothing is wrong with it."""
    return bool(trace.spans) and not flaw_of(trace, services)


def for_report(evidence: Evidence) -> Mapping[str, Any] | None:
    """
    The trace that tells most: a failed one if there is any, else the slowest; None when none was found.
    """
    there = [trace for found in evidence.traces.values() for trace in found if trace.spans]
    if not there:
        return None
    best = max(there, key=lambda trace: (trace.status >= 500, len(trace.spans), trace.duration_s))
    why = f"{best.route} answered {best.status} after {seconds(best.duration_s)}"
    return {"trace_id": best.trace_id, "why": why, "spans": _in_order(best.spans)}


def _in_order(spans: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(spans, key=lambda span: span["start_t"])
