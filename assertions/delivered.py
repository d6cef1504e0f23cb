"""Delivered: the ledger balances from the clients to the backends. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assertions.evidence import Evidence, Service
from assertions.ladder import EXPLANATIONS
from assertions.truth import window
from scenarios.history import History
from scenarios.model import ENTRY_SERVICE, Delivered
from scenarios.record import Outcome, Rung, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One line of the ledger: what was counted where, what it had to be, and the rung at which it is missing."""

    hop: str
    signal: str
    count: float | None
    expected: float | None
    rung: Rung | None = None
    note: str = ""

    def balances(self, within: float, lost: int = 0) -> bool:
        """
        Whether it holds all that was expected. `lost` requests got no answer: a server may or may not have seen those.
        """
        if self.expected is None:
            return True
        if self.count is None:
            return False
        slack = within * self.expected
        return self.expected - slack <= self.count <= self.expected + slack + lost

    def to_json(self) -> dict[str, Any]:
        """As evidence for the report."""
        return {name: getattr(self, name) for name in ("hop", "signal", "count", "expected", "note")}


def ledger(history: History, evidence: Evidence) -> list[Hop]:
    """
    All hops in the order in which a signal passes them: requests of the entry service, each one metric count and one server span.
    """
    truth = window(history)
    sent = float(truth.answered)
    entry = evidence.services.get(ENTRY_SERVICE, Service())
    collector = evidence.collector
    refused, failed = sum(collector.refused.values()), sum(collector.failed.values())
    whole = "all services of the stack together"
    return [
        Hop(hop="clients", signal="requests", count=sent, expected=None, note=_lost_note(truth.lost)),
        Hop(hop="app to prometheus", signal="metrics", count=entry.requests, expected=sent, rung=Rung.NOT_EMITTED),
        Hop(
            hop="failures in prometheus",
            signal="metrics",
            count=entry.failed,
            expected=float(truth.failed),
            rung=Rung.NOT_EMITTED,
        ),
        Hop(hop="app to collector", signal="traces", count=entry.collected, expected=sent, rung=Rung.NOT_EMITTED),
        Hop(hop="collector, refused", signal="all", count=refused, expected=0.0, rung=Rung.NOT_COLLECTED, note=whole),
        Hop(
            hop="collector, failed to send", signal="all", count=failed, expected=0.0, rung=Rung.NOT_STORED, note=whole
        ),
        Hop(
            hop="collector to tempo",
            signal="traces",
            count=evidence.stored_spans.get(ENTRY_SERVICE),
            expected=sent,
            rung=Rung.NOT_STORED,
        ),
    ]


def judge(delivered: Delivered, check_id: str, history: History, evidence: Evidence) -> Outcome:
    """
    FAIL at the first hop that does not balance; UNKNOWN when a backend could not be asked.
    """
    title = "delivered: the ledger balances"
    if evidence.problems:
        name, reason = next(iter(evidence.problems.items()))
        return Outcome(
            id=check_id, title=title, verdict=Verdict.UNKNOWN, expected=f"an answer of {name}", observed=reason
        )
    hops = ledger(history, evidence)
    if not hops[0].count:
        return Outcome(
            id=check_id,
            title=title,
            verdict=Verdict.FAIL,
            expected="requests to count",
            observed="the clients got no answer at all: no data is no balance",
            where="the clients' history",
            hint="see the traffic's log",
        )
    lost = window(history).lost
    wrong = next((hop for hop in hops if not hop.balances(delivered.within, lost)), None)
    facts = {hop.hop.replace(" ", "_"): hop.count for hop in hops}
    if wrong is None:
        observed = f"{hops[0].count:.0f} requests, the same number at every hop"
        return Outcome(
            id=check_id, title=title, verdict=Verdict.PASS, expected="equal counts", observed=observed, facts=facts
        )
    return _unbalanced(check_id, title, wrong, hops, facts)


def _unbalanced(check_id: str, title: str, wrong: Hop, hops: Sequence[Hop], facts: dict[str, Any]) -> Outcome:
    short = wrong.count is None or (wrong.expected or 0) > wrong.count or wrong.expected == 0
    rung = wrong.rung if short else None
    return Outcome(
        id=check_id,
        title=title,
        verdict=Verdict.FAIL,
        expected=f"{wrong.expected:.0f} {wrong.signal}",
        observed="nothing" if wrong.count is None else f"{wrong.count:.0f}",
        where=f"hop '{wrong.hop}', of {len(hops)}",
        when="all drill",
        rung=rung,
        hint=EXPLANATIONS[rung] if rung else "more arrived than clients sent: does anybody else use this app?",
        facts=facts,
    )


def _lost_note(lost: int) -> str:
    return f"{lost} more got no answer, and may or may not have been served" if lost else ""
