"""Look-up: which of the clients' traces are asked for, and the asking."""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from assertions.backend import eventually
from assertions.evidence import Trace
from assertions.tempo import Tempo
from assertions.truth import window
from scenarios.history import History, Request
from scenarios.model import Traces

SLOWER_THAN = 0.95
"""`slow` requests are those above this quantile of all."""

EDGE_S = 0.5
"""A fault is on a moment after its beginning is written down, and healed a moment before its end is."""

AT_ONCE = 4
"""How many traces are asked for at the same time."""


def select(traces: Traces, history: History, *, sampled: bool = True) -> list[Request]:
    """
    The clients' requests to look up: all that were meant, or `sample` of them spread evenly over the drill.

    Those whose traces the app keeps, or only the others.
    """
    slow_s = _slow_s(history)
    since, until = _during(traces, history)
    requests = [
        request
        for request in history.of(Request)
        if request.sampled is sampled
        and since <= request.t
        and request.t + request.duration_s <= until
        and _is_meant(traces, request, slow_s)
    ]
    if len(requests) <= traces.sample:
        return requests
    step = len(requests) / traces.sample
    return [requests[int(n * step)] for n in range(traces.sample)]


def _during(traces: Traces, history: History) -> tuple[float, float]:
    """The time of the requests that are meant: no time at all when their fault was never on."""
    if traces.fault is None:
        return -math.inf, math.inf
    on = history.fault_window(f"faults/{traces.fault}")
    return (on[0] + EDGE_S, on[1] - EDGE_S) if on else (math.inf, -math.inf)


def meant(traces: Traces, history: History, *, sampled: bool = False) -> int:
    """
    How many of the clients' requests were meant, by their seconds; `sampled`: only those whose traces the app keeps.
    """
    since, until = _during(traces, history)
    seconds = window(history, since=since, until=until, sampled=sampled)
    match traces.where:
        case "error":
            return seconds.failed
        case "ok":
            return sum(n for status, n in seconds.status.items() if int(status) < 400)
        case "slow":
            return seconds.above(_slow_s(history))
        case _:
            return seconds.answered


def _slow_s(history: History) -> float:
    return window(history).quantile_edges_s(SLOWER_THAN)[0]


def _is_meant(traces: Traces, request: Request, slow_s: float) -> bool:
    if traces.where == "error":
        return request.status >= 500
    if traces.where == "ok":
        return 0 < request.status < 400
    if traces.where == "slow":
        return request.status > 0 and request.duration_s >= slow_s
    return request.status > 0


def look_up(
    requests: Sequence[Request],
    tempo: Tempo,
    is_right: Callable[[Trace], bool],
    *,
    within_s: float,
    pause_s: float = 0.5,
) -> tuple[Trace, ...]:
    """
    Ask Tempo for the traces of requests until all are right or the deadline has passed. Raises BackendError.
    """
    found: dict[str, Trace] = {}

    def ask() -> int:
        missing = [r for r in requests if r.trace_id not in found or not is_right(found[r.trace_id])]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for request, spans in zip(missing, pool.map(lambda r: tempo.trace(r.trace_id), missing), strict=True):
                found[request.trace_id] = Trace(
                    trace_id=request.trace_id,
                    route=request.route,
                    status=request.status,
                    duration_s=request.duration_s,
                    sampled=request.sampled,
                    spans=tuple(span.to_json() for span in spans),
                )
        return sum(1 for trace in found.values() if is_right(trace))

    eventually(ask, lambda right: right == len(requests), within_s=within_s, pause_s=pause_s)
    return tuple(found[request.trace_id] for request in requests)
