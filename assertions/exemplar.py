"""Exemplar: an example in a slow bucket leads to a trace in Tempo that is slow, and one of the drill's."""

import math

from assertions.backend import eventually
from assertions.check import Check
from assertions.evidence import Evidence, Example, Trace
from assertions.prometheus import Prometheus
from assertions.tempo import Tempo
from assertions.traces import flaw_of
from assertions.wording import count, seconds
from scenarios.model import Exemplar
from scenarios.record import Outcome, Rung

METRIC = "http_server_request_duration_seconds_bucket"

MOST = 5
"""How many exemplars are followed: the slowest."""

SHARE = 0.9
"""How much of an exemplar's value its span must have lasted: the metric's clock starts a little before the span's."""


def gather(
    item: Exemplar, clients: tuple[Prometheus, Tempo], *, namespace: str, span: tuple[float, float], within_s: float
) -> tuple[Example, ...]:
    """
    The slowest exemplars of a service with their traces, once one of them leads to a whole trace. Raises BackendError.
    """
    prometheus, tempo = clients
    query = f'{METRIC}{{service_namespace="{namespace}",service_name="{item.service}"}}'

    def ask() -> tuple[Example, ...]:
        found = prometheus.exemplars(query, start=span[0], end=span[1])
        slowest = sorted(found, key=lambda one: one.value, reverse=True)[:MOST]
        return tuple(
            Example(
                value_s=one.value,
                trace_id=one.trace_id,
                spans=tuple(s.to_json() for s in tempo.trace(one.trace_id)) if one.value >= item.slower_than else (),
            )
            for one in slowest
        )

    return eventually(ask, lambda found: any(not flaw_in(one, item) for one in found), within_s=within_s)


def judge(item: Exemplar, check: Check, evidence: Evidence) -> Outcome:
    """
    FAIL with what is wrong with the slowest exemplar when none leads to such a trace; UNKNOWN when nobody could be asked.
    """
    expected = (
        f"an exemplar of {item.service} slower than {seconds(item.slower_than)} that leads to such a trace of ours"
    )
    if check.id not in evidence.examples:
        reasons = [evidence.problems[name] for name in ("prometheus", "tempo") if name in evidence.problems]
        return check.unknown(expected=expected, observed=next(iter(reasons), "nobody was asked"))
    examples = evidence.examples[check.id]
    facts = {"slowest_s": max((one.value_s for one in examples), default=None), "followed": len(examples)}
    if not examples:
        return check.failed(
            expected=expected,
            observed="there is no exemplar at all",
            where=f"prometheus, {METRIC}",
            rung=Rung.NOT_STORED,
            hint="does the app attach them, the collector expose OpenMetrics, and Prometheus store them?",
            facts=facts,
        )
    good = next((one for one in examples if not flaw_in(one, item)), None)
    if good is not None:
        observed = f"{seconds(good.value_s)}, trace {good.trace_id}"
        return check.passed(expected=expected, observed=observed, facts={**facts, "trace_id": good.trace_id})
    return check.failed(
        expected=expected,
        observed=f"{flaw_in(examples[0], item)}; {count(len(examples), 'exemplar')} followed",
        where=f"prometheus and tempo, trace {examples[0].trace_id}",
        hint="was the fault slow enough? are traces sampled, so that an exemplar may point at one that was dropped?",
        facts=facts,
    )


def flaw_in(example: Example, item: Exemplar) -> str:
    """What is wrong with an exemplar, in words; empty when it leads where it must."""
    if not example.value_s >= item.slower_than:
        return f"the slowest exemplar is of {seconds(example.value_s)}"
    if not example.spans:
        return "tempo does not know its trace"
    longest_s = max((s["duration_s"] for s in example.spans if s["service"] == item.service), default=-math.inf)
    if longest_s < SHARE * item.slower_than:
        lasted = f"lasted {seconds(longest_s)} there" if longest_s >= 0 else "does not pass it"
        return f"its value is {seconds(example.value_s)}, but its trace {lasted}"
    flaw = flaw_of(
        Trace(trace_id=example.trace_id, route="", status=0, duration_s=example.value_s, spans=example.spans)
    )
    return f"its trace is not one of the clients', or not whole: {flaw}" if flaw else ""
