"""Delivered: the ledger balances from the clients to the backends. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from assertions.check import Check
from assertions.evidence import Collector, Evidence, Service
from assertions.ladder import EXPLANATIONS
from assertions.sight import blind
from assertions.spells import restarts
from assertions.truth import Window, window
from assertions.wording import count, percent
from scenarios.history import History
from scenarios.model import ENTRY_SERVICE, Delivered
from scenarios.record import Outcome, Rung


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """
    One line of the ledger: what was counted where, what it had to be, and the rung at which it is missing.

    `more` is what may come on top: requests that got no answer, for a server may or may not have seen those.
    """

    hop: str
    signal: str
    count: float | None
    expected: float | None
    more: int = 0
    rung: Rung | None = None
    note: str = ""

    @property
    def key(self) -> str:
        """Its name as that of a figure."""
        return self.hop.replace(",", "").replace(" ", "_")

    def balances(self, within: float) -> bool:
        """Whether it holds all that was expected, give or take a share of it; a count that is not known never does."""
        if self.expected is None:
            return True
        if self.count is None:
            return False
        slack = within * self.expected
        return self.expected - slack <= self.count <= self.expected + slack + self.more

    def to_json(self) -> dict[str, Any]:
        """As evidence for the report."""
        return {name: getattr(self, name) for name in ("hop", "signal", "count", "expected", "note")}


def ledger(history: History, evidence: Evidence) -> list[Hop]:
    """
    All hops in the order in which a signal passes them: requests of the entry service, each one metric count and one server span.

    With head sampling those spans, and no others, must be there of which the sampler keeps the trace.
    """
    truth, traced = window(history), window(history, sampled=True)
    sent, failed, kept = float(truth.answered), float(truth.failed), float(traced.answered)
    entry = evidence.services.get(ENTRY_SERVICE, Service())
    collector, stored = evidence.collector, evidence.stored_spans.get(ENTRY_SERVICE)

    def seen(hop: str, signal: str, count: float | None, expected: float, rung: Rung) -> Hop:
        more = traced.lost if signal == "traces" else truth.lost
        return Hop(hop=hop, signal=signal, count=count, expected=expected, more=more, rung=rung)

    def none(hop: str, counts: Mapping[str, float], rung: Rung) -> Hop:
        total = sum(counts.values())
        return Hop(
            hop=hop, signal="all", count=total, expected=0.0, rung=rung, note="all services of the stack together"
        )

    return [
        Hop(hop="clients", signal="requests", count=sent, expected=None, note=_note(truth, traced)),
        seen("app to prometheus", "metrics", entry.requests, sent, Rung.NOT_EMITTED),
        seen("failures in prometheus", "metrics", entry.failed, failed, Rung.NOT_EMITTED),
        _forgetful(history, seen("app to collector", "traces", entry.collected, kept, Rung.NOT_EMITTED)),
        none("collector, refused", collector.refused, Rung.NOT_COLLECTED),
        none("collector, failed to send", collector.failed, Rung.NOT_STORED),
        seen("collector to tempo", "traces", stored, kept, Rung.NOT_STORED),
    ]


def _forgetful(history: History, hop: Hop) -> Hop:
    """A collector that was started again does not know what it had counted since it was last scraped, so it cannot be asked for it."""
    if not restarts(history, "collector"):
        return hop
    return replace(hop, expected=None, note="the collector was restarted, and forgot what it had not yet shown")


def judge(delivered: Delivered, check: Check, history: History, evidence: Evidence) -> Outcome:
    """
    FAIL at the first hop that does not balance; UNKNOWN when a backend or the clients could not be asked.
    """
    within = f", give or take {percent(delivered.within)}" if delivered.within else ""
    expected = f"the same count at every hop{within}"
    silence = next(iter(evidence.problems.values()), "") or blind(history, "traffic")
    if silence:
        return check.unknown(expected=expected, observed=silence)
    hops = ledger(history, evidence)
    sent = hops[0].count
    if not sent:
        return check.failed(
            expected="requests to count",
            observed="the clients got no answer at all: no data is no balance",
            where="the clients' history",
            hint="see the traffic's log",
        )
    facts = {hop.key: hop.count for hop in hops}
    for place, hop in enumerate(hops, 1):
        if not hop.balances(delivered.within):
            return _unbalanced(check, hop, f"hop {place} of {len(hops)}: {hop.hop}", evidence.collector, facts)
    how = "about the same" if delivered.within else "the same"
    observed = f"{count(sent, 'request')}, {how} at every hop{_of_spans(history)}"
    return check.passed(expected=expected, observed=observed, facts=facts)


def _of_spans(history: History) -> str:
    """How many of them must be there, where it is not all."""
    truth, traced = window(history), window(history, sampled=True)
    if traced.answered == truth.answered:
        return ""
    share = percent(traced.answered / truth.answered)
    return f"; of spans the {traced.answered:,} that head sampling keeps ({share})"


def _unbalanced(check: Check, wrong: Hop, where: str, collector: Collector, facts: dict[str, Any]) -> Outcome:
    expected = wrong.expected or 0.0
    rung = _rung(wrong, collector)
    return check.failed(
        expected=f"{expected:,.0f} {wrong.signal}",
        observed="nothing" if wrong.count is None else f"{wrong.count:,.0f}",
        where=where,
        when="all drill",
        rung=rung,
        hint=EXPLANATIONS[rung] if rung else "more arrived than clients sent: does anybody else use this app?",
        facts=facts,
    )


def _rung(wrong: Hop, collector: Collector) -> Rung | None:
    """Where what is missing died; None when nothing is missing, but too much arrived."""
    # What was refused or failed is missing further on.
    if wrong.signal != "all" and wrong.count is not None and wrong.count > (wrong.expected or 0.0):
        return None
    if wrong.rung is not Rung.NOT_EMITTED:
        return wrong.rung
    if not collector.up or any(collector.refused.values()):
        return Rung.NOT_COLLECTED
    if wrong.signal == "metrics" and not collector.exporter_up:
        return Rung.NOT_STORED
    return Rung.NOT_EMITTED


def _note(truth: Window, traced: Window) -> str:
    notes = [f"{truth.lost} more got no answer, and may or may not have been served"] if truth.lost else []
    if traced.count < truth.count:
        notes.append(f"of {traced.answered:,} of them head sampling keeps the trace")
    return "; ".join(notes)
