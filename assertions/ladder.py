"""Ladder: the rung at which a signal died, from the fault that clients felt to the notification. Pure."""

from collections.abc import Mapping
from itertools import pairwise

from assertions.evidence import Evidence, Points, Service
from assertions.truth import routes_through, window
from scenarios.history import History
from scenarios.record import Rung

ENOUGH = 0.5
"""The share of the clients' requests (or failures) that a hop must have seen to be held for whole: windows cut off their edges."""

MARGIN_S = 1.0
"""The clients' seconds and the backend's points do not fall on the same moments."""

GAP = 3.0
"""Points of one series that are so many of its steps apart have a gap between them."""

EXPLANATIONS: Mapping[Rung, str] = {
    Rung.FAULT_NOT_APPLIED: "the clients never felt the fault",
    Rung.NOT_EMITTED: "the app sent nothing of it",
    Rung.NOT_COLLECTED: "the collector refused it or was down",
    Rung.NOT_STORED: "the collector had it, but the backend does not",
    Rung.NOT_EVALUATED: "the data is there, but the rule did not see it",
    Rung.NOT_NOTIFIED: "the alert fired, but nobody was told",
}
"""What each rung means, in words."""


def rung_of_data(
    service: str, *, history: History, evidence: Evidence, since: float, until: float, failures: bool
) -> Rung | None:
    """
    Where the data of one service in a window of time died on its way to Prometheus; None when it arrived.

    `failures`: follow the failed requests rather than all of them.
    """
    routes = routes_through(service)
    truth = window(history, since=since, until=until, routes=routes)
    traced = window(history, since=since, until=until, routes=routes, sampled=True)
    sent = truth.failed if failures else truth.answered
    found, delays = evidence.services.get(service, Service()), evidence.delays
    until += delays.export_s + delays.batch_s + delays.scrape_s + MARGIN_S
    if rise(found.failed_by_time if failures else found.requests_by_time, since, until) >= ENOUGH * sent:
        return None
    if not evidence.collector.up or any(evidence.collector.refused.values()):
        return Rung.NOT_COLLECTED
    collected = rise(found.collected_by_time, since, until)
    if collected >= ENOUGH * traced.answered > 0 and not failures:
        return Rung.NOT_STORED
    return Rung.NOT_EMITTED if evidence.collector.exporter_up else Rung.NOT_STORED


def rung_of_spans(service: str, *, evidence: Evidence, sent: int, stored: float) -> Rung:
    """
    Where the spans of one service died on their way to Tempo, which has a share `stored` of what was sent.
    """
    collected = evidence.services.get(service, Service()).collected / sent if sent else 0.0
    if collected - stored >= ENOUGH * (1 - stored):
        return Rung.NOT_STORED
    if not evidence.collector.up or any(evidence.collector.refused.values()):
        return Rung.NOT_COLLECTED
    return Rung.NOT_EMITTED


def rise(points: Points, since: float, until: float) -> float:
    """
    How much a counter rose in a window, as far as anybody could see it then.

    Steps down (a restart) and steps over a gap (a series that was stale: what it caught up with later came too late) are left out.
    A series that was born within the window began at nought.
    """
    seen = [(t, value) for t, value in points if since - MARGIN_S <= t <= until]
    if seen and points[0][0] >= since - MARGIN_S:
        seen.insert(0, (seen[0][0], 0.0))
    gap_s = GAP * min((then - t for (t, _), (then, _) in pairwise(points)), default=1.0)
    steps = pairwise(seen)
    return sum(max(0.0, after - before) for (t, before), (then, after) in steps if then - t <= gap_s)
