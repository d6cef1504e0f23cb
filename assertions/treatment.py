"""Treatment proved: the configuration must be seen to differ, else a drill says of the usual one what it asked of another."""

import statistics
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from assertions.check import Check
from assertions.evidence import Evidence, Service
from assertions.services import REQUESTS
from assertions.truth import traffic_span, window
from assertions.wording import percent, seconds
from scenarios.history import History
from scenarios.model import (
    ENTRY_SERVICE,
    DropLabelTreatment,
    ExportIntervalTreatment,
    LiveTracesTreatment,
    MemoryLimitTreatment,
    QueueTreatment,
    SamplingTreatment,
    ScrapeIntervalTreatment,
    Treatment,
)
from scenarios.record import Outcome, Rung

if TYPE_CHECKING:
    from assertions.gather import Backends

CAPACITY = "otelcol_exporter_queue_capacity"
TURNED_AWAY = 'tempo_discarded_spans_total{reason="live_traces_exceeded"}'

NEAR = 0.2
"""How far a measured interval may be from the one that was set: a scrape is a little late now and then."""


def gather(treatment: Treatment, history: History, backends: "Backends") -> float | None:
    """
    What is measured of a treatment beside what every drill gathers: an interval in seconds, or a number of series or spans.

    None when there was nothing to measure. Raises BackendError.
    """
    own = f'service_namespace="{backends.namespace}"'
    start, end = traffic_span(history) or (0.0, 0.0)
    match treatment:
        case ScrapeIntervalTreatment():
            samples = backends.prometheus.raw('up{job="collector-exporter"}', start=start, end=end)
            return _median_s([t for one in samples for t, _ in one.points])
        case ExportIntervalTreatment():
            selector = f'{REQUESTS}{{{own},service_name="{ENTRY_SERVICE}"}}'
            series = backends.prometheus.raw(selector, start=start, end=end)
            return _median_s(sorted({t for one in series for t in _changes(one.points)}))
        case DropLabelTreatment():
            label = treatment.label.replace(".", "_")
            having = backends.prometheus.value(f'count(last_over_time({{{own},{label}!=""}}[1h]))')
            return having or 0.0
        case QueueTreatment():
            return backends.prometheus.value(f"max(last_over_time({CAPACITY}[1h]))")
        case LiveTracesTreatment():
            return backends.prometheus.value(f"sum(last_over_time({TURNED_AWAY}[1h]))") or 0.0
        case _:
            return None


def _changes(points: Sequence[tuple[float, float]]) -> list[float]:
    """When a series had another value than before."""
    return [then for (_, before), (then, after) in pairwise(points) if after != before]


def _median_s(times: Sequence[float]) -> float | None:
    gaps = [after - before for before, after in pairwise(times)]
    return statistics.median(gaps) if gaps else None


def judge(treatment: Treatment, check: Check, history: History, evidence: Evidence) -> Outcome:
    """
    FAIL, at FAULT_NOT_APPLIED, when what was measured is not what was set; UNKNOWN when nothing could be measured.
    """
    match treatment:
        case SamplingTreatment():
            return _sampled(treatment, check, history, evidence)
        case MemoryLimitTreatment():
            return _refused(treatment, check, evidence)
    measured = evidence.treated.get(check.id)
    if measured is None:
        reason = evidence.problems.get("prometheus", "there was nothing to measure")
        return check.unknown(expected=f"{treatment.words} to be seen", observed=reason)
    if isinstance(treatment, DropLabelTreatment):
        expected, observed = f"no series with {treatment.label}", f"{measured:,.0f} series with it"
        return _outcome(check, expected, observed, applied=measured == 0)
    if isinstance(treatment, QueueTreatment):
        expected, observed = f"a queue of {treatment.spans:,} spans", f"one of {measured:,.0f}"
        return _outcome(check, expected, observed, applied=measured == treatment.spans)
    if isinstance(treatment, LiveTracesTreatment):
        expected, observed = f"spans turned away above {treatment.traces:,} traces", f"{measured:,.0f} turned away"
        return _outcome(check, expected, observed, applied=measured > 0)
    return _paced(treatment, check, measured, evidence.delays.scrape_s)


def _paced(
    treatment: ScrapeIntervalTreatment | ExportIntervalTreatment, check: Check, measured_s: float, scrape_s: float
) -> Outcome:
    what, every_s, near_s = "a scrape", treatment.every, NEAR * treatment.every
    if isinstance(treatment, ExportIntervalTreatment):
        # An export is seen with the next scrape, and several between two scrapes are seen as one.
        what, every_s, near_s = "an export", max(every_s, scrape_s), max(near_s, scrape_s)
    applied = abs(measured_s - every_s) <= near_s
    return _outcome(check, f"{what} every {seconds(every_s)}", f"one every {seconds(measured_s)}", applied=applied)


def _sampled(treatment: SamplingTreatment, check: Check, history: History, evidence: Evidence) -> Outcome:
    """More spans than the sampler keeps, to the last one, are the proof that it is not there."""
    expected = f"spans of {percent(treatment.ratio)} of all requests at most"
    kept, everything = window(history, sampled=True), window(history)
    collected = evidence.services.get(ENTRY_SERVICE, Service()).collected
    if not collected or not everything.answered:
        reason = evidence.problems.get("prometheus", "there were no spans at all")
        return check.unknown(expected=expected, observed=reason)
    observed = f"{collected:,.0f} spans of {everything.answered:,} requests; the sampler keeps {kept.answered:,}"
    return _outcome(check, expected, observed, applied=collected <= kept.count)


def _refused(treatment: MemoryLimitTreatment, check: Check, evidence: Evidence) -> Outcome:
    expected = f"data that is refused above {treatment.mib} MiB"
    if "prometheus" in evidence.problems:
        return check.unknown(expected=expected, observed=evidence.problems["prometheus"])
    refused = sum(evidence.collector.refused.values())
    return _outcome(check, expected, f"{refused:,.0f} spans, points and lines refused", applied=refused > 0)


def _outcome(check: Check, expected: str, observed: str, *, applied: bool) -> Outcome:
    if applied:
        return check.passed(expected=expected, observed=observed)
    return check.failed(
        expected=expected,
        observed=observed,
        where="prometheus",
        when="all drill",
        rung=Rung.FAULT_NOT_APPLIED,
        hint="did the stack and the app start with the treated configuration? see their logs",
    )
