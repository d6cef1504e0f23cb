"""Recovered: after an outage the backlog was drained in time, and what was lost is what was stated. Gather asks, judge is pure."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from assertions.check import Check
from assertions.climb import total
from assertions.evidence import Collector, Evidence, Points, Recovery
from assertions.fault import unproved
from assertions.outage import Outage, outage_of
from assertions.prometheus import Prometheus
from assertions.sight import blind
from assertions.spells import restarts
from assertions.wording import count, listed, percent, seconds
from scenarios.history import History
from scenarios.model import ENTRY_SERVICE, Recovered
from scenarios.record import Outcome, Rung

COUNTERS: Mapping[str, str] = {
    "metrics": "http_server_request_duration_seconds_count{",
    "traces": 'traces_span_metrics_calls_total{span_kind="SPAN_KIND_SERVER",',
}
"""What counts the entry service's requests, as the app itself does, and its server spans, as the collector does."""

QUEUES = "otelcol_exporter_queue_size"


def gather(
    item: Recovered, history: History, prometheus: Prometheus, *, namespace: str, span: tuple[float, float]
) -> Recovery:
    """
    What Prometheus holds of the way back to normal. Raises BackendError.
    """
    selector = f'{COUNTERS[item.signal]}service_namespace="{namespace}",service_name="{ENTRY_SERVICE}"}}'
    series = [tuple(one.points) for one in prometheus.raw(selector, start=span[0], end=span[1])]
    queues = [tuple(one.points) for one in prometheus.raw(QUEUES, start=span[0], end=span[1])]
    # Who counts forgets it in a restart: the app its requests, the collector its spans.
    anew = restarts(history, ENTRY_SERVICE if item.signal == "metrics" else "collector")
    return Recovery(
        counted_by_time=total(series, born_after=-math.inf, restarts=anew),
        queue_by_time=_summed(queues),
        samples_t=tuple(sorted({t for points in series for t, _ in points})),
    )


def _summed(series: Sequence[Points]) -> Points:
    sums: dict[float, float] = defaultdict(float)
    for points in series:
        for t, value in points:
            sums[t] += value
    return tuple(sorted(sums.items()))


def judge(item: Recovered, check: Check, history: History, evidence: Evidence, *, felt: Sequence[Outcome]) -> Outcome:
    """
    FAIL when more, or less, was lost than is stated, when the backlog was drained late, or a gap was too long; UNKNOWN when a
    backend could not be asked.
    """
    windows = [history.fault_window(one.id) for one in felt]
    for one, on in zip(felt, windows, strict=True):
        if (doubt := unproved(check, one, on)) is not None:
            return doubt
    expected, recovery = _expectation(item), evidence.recoveries.get(check.id)
    silence = next(iter(evidence.problems.values()), "") or blind(history, "traffic")
    if silence or recovery is None:
        return check.unknown(expected=expected, observed=silence or "nobody asked how it recovered")
    outage = outage_of(item, history, evidence, recovery, [on for on in windows if on is not None])
    blame = _blame(item, history, evidence.collector, outage)
    facts = _facts(outage, evidence.collector)
    for observed, rung in _wrong(item, outage, evidence.collector):
        return check.failed(
            expected=expected,
            observed=observed,
            where="from the clients to the store",
            when=f"after the healing, {seconds(outage.healed_t - outage.began_t)} after the first fault began",
            rung=rung,
            hint=blame or "what is queued where, and for how long is it tried again?",
            facts=facts,
        )
    return check.passed(expected=expected, observed=_observation(item, outage, blame), facts=facts)


def _wrong(item: Recovered, outage: Outage, collector: Collector) -> Iterator[tuple[str, Rung | None]]:
    """What is not as it must be, in words, and the rung at which the rest died."""
    stake = f"of {count(outage.at_stake, 'request')} at stake"
    if not outage.sent:
        yield "the clients got no answer at all: no data is no recovery", None
    if outage.arrived > outage.sent + outage.lost_answers:
        yield (
            f"{count(outage.arrived - outage.sent, item.signal[:-1])} more than clients sent: something arrived twice",
            None,
        )
    if outage.lost_share > item.lost:
        yield f"{outage.lost:,.0f} lost, {percent(outage.lost_share)} {stake}", _rung(item, outage, collector)
    if outage.lost_share < item.lost_at_least:
        yield f"only {outage.lost:,.0f} lost, {percent(outage.lost_share)} {stake}", None
    if outage.drained_s is None:
        yield "the backlog was never drained", Rung.NOT_STORED
    elif outage.drained_s > item.within:
        yield (
            f"drained after {seconds(outage.drained_s)}, {seconds(outage.drained_s - item.within)} too late",
            Rung.NOT_STORED,
        )
    if item.gap is not None and outage.gap_s > item.gap:
        yield f"no sample for {seconds(outage.gap_s)}, {seconds(outage.gap_s - item.gap)} too long", Rung.NOT_STORED


def _rung(item: Recovered, outage: Outage, collector: Collector) -> Rung:
    if item.signal == "metrics":
        return Rung.NOT_COLLECTED if any(collector.refused.values()) else Rung.NOT_STORED
    if collector.failed.get("spans", 0.0):
        return Rung.NOT_STORED
    return Rung.NOT_COLLECTED if outage.uncounted >= outage.lost / 2 else Rung.NOT_STORED


def _blame(item: Recovered, history: History, collector: Collector, outage: Outage) -> str:
    """Who lost it, as far as counters tell; empty when nothing is lost, or nobody says anything."""
    if not outage.lost:
        return ""
    unit = "spans" if item.signal == "traces" else "metric_points"
    counts = {"refused": collector.refused.get(unit, 0.0), "gave up on": collector.failed.get(unit, 0.0)}
    parts = [
        f"the collector {what} {number:,.0f} {unit.replace('_', ' ')} of all services"
        for what, number in counts.items()
        if number
    ]
    return listed([*parts, *(_blame_of_spans(history, outage) if item.signal == "traces" else ())])


def _blame_of_spans(history: History, outage: Outage) -> Iterator[str]:
    """What got lost before the collector counted it, and after."""
    uncounted = outage.uncounted
    if uncounted:
        anew = ", which was restarted and forgot what it had not yet shown" if restarts(history, "collector") else ""
        yield f"{uncounted:,.0f} were never counted by the collector{anew}"
    if outage.lost > uncounted:
        anew = ", which was restarted" if restarts(history, "tempo") else ""
        yield f"{outage.lost - uncounted:,.0f} were counted by the collector, but are not in tempo{anew}"


def _facts(outage: Outage, collector: Collector) -> dict[str, Any]:
    return {
        "sent": outage.sent,
        "arrived": outage.arrived,
        "lost": outage.lost,
        "at_stake": outage.at_stake,
        "lost_share": outage.lost_share,
        "drained_after_s": outage.drained_s,
        "gap_s": outage.gap_s,
        "refused": sum(collector.refused.values()),
        "failed": sum(collector.failed.values()),
        "uncounted": outage.uncounted,
    }


def _expectation(item: Recovered) -> str:
    lost = f"at most {percent(item.lost)} lost" if item.lost else "nothing lost"
    least = f" and at least {percent(item.lost_at_least)}" if item.lost_at_least else ""
    gap = f", no gap above {seconds(item.gap)}" if item.gap is not None else ""
    return f"the backlog of {item.signal} drained within {seconds(item.within)} of the healing, {lost}{least}{gap}"


def _observation(item: Recovered, outage: Outage, blame: str) -> str:
    lost = f"{outage.lost:,.0f} lost of {count(outage.at_stake, 'request')} at stake" if outage.lost else "nothing lost"
    gap = f", no sample for {seconds(outage.gap_s)} at most" if item.gap is not None else ""
    who = f"; {blame}" if blame else ""
    return f"drained after {seconds(outage.drained_s or 0.0)}, {lost}{gap}{who}"
