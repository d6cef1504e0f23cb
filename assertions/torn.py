"""Torn: traces that lost what they called, because the context was not passed on; the other halves begin traces of their own."""

from collections.abc import Mapping, Sequence

from assertions.evidence import Trace
from assertions.tempo import Tempo
from assertions.wording import count, listed
from scenarios.model import ENTRY_SERVICE, ROLE_ROUTES

STATUS = {"http.response.status_code", "http.status_code"}
"""A client span with one of these was answered; the latter is of the conventions before they were stable."""


def halves(tempo: Tempo, namespace: str, *, start: float, end: float) -> dict[str, float]:
    """
    For each service that clients do not call, how many of its server spans begin a trace. Raises BackendError.
    """
    own = f'resource.service.namespace = "{namespace}"'
    return {
        role: tempo.count(
            f'{{ {own} && resource.service.name = "{role}" && kind = server && nestedSetParent < 0 }}',
            start=start,
            end=end,
        )
        for role in ROLE_ROUTES
        if role != ENTRY_SERVICE
    }


def flaw_of(trace: Trace) -> str:
    """What keeps a trace from being torn, in words; empty when it is."""
    return "" if tears(trace) else "each call in it leads to its server span"


def tears(trace: Trace) -> list[str]:
    """The calls of the entry service that were answered, though no server span in the trace belongs to them."""
    parents = {span["parent_id"] for span in trace.spans if span["kind"] == "server"}
    return [
        span["name"]
        for span in trace.spans
        if span["kind"] == "client"
        and span["service"] == ENTRY_SERVICE
        and span["span_id"] not in parents
        and STATUS & set(span.get("attributes", {}))
    ]


def explained(trace: Trace, missing: Sequence[str], halves: Mapping[str, float]) -> str:
    """Why services are missing in a trace, when it is because it was torn; empty when it is not."""
    strays = [service for service in missing if halves.get(service)]
    if not tears(trace) or not strays:
        return ""
    began = listed([f"{service} began {count(halves[service], 'trace')} of its own" for service in strays])
    return f"the trace is torn: {began}; is the context passed on to it?"
