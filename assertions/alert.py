"""Alert: one alert was silent before, fired for the right service in time, was notified, and resolved. Pure."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from assertions.bound import Bound, bound_of
from assertions.check import Check
from assertions.course import DID, DOES, STEPS
from assertions.evidence import Evidence
from assertions.fault import unproved
from assertions.life import Life, life_of
from assertions.ordeal import Ordeal, Problem
from assertions.sight import blind
from assertions.wording import listed, percent, seconds
from scenarios.history import History
from scenarios.model import Alert, AlertSource, Fault
from scenarios.record import Outcome, Verdict


def judge(
    alert: Alert, check: Check, history: History, evidence: Evidence, *, namespace: str, fault: Fault, felt: Outcome
) -> Outcome:
    """
    Attribute an alert to its fault: only one with the expected name and labels, of this drill's services, silent before the
    fault, that started after it, counts. Where two sources must raise it, each is judged for itself.

    FAIL with the rung at which the signal died; UNKNOWN when whoever should have seen it was blind.
    """
    on = history.fault_window(f"faults/{alert.fault}")
    if (doubt := unproved(check, felt, on)) is not None:
        return doubt
    assert on is not None, "a fault that was felt was on"
    outcomes = {}
    for source in alert.sources:
        life = life_of(alert, history, source=source, namespace=namespace, since=on[0])
        ordeal = Ordeal(
            alert=alert,
            source=source,
            fault=fault,
            on_t=on[0],
            healing_t=min(on[1], (history.phase("drive") or on[0]) + fault.end_s),
            healed_t=on[1],
            life=life,
            bound=_bound(alert, source, life, history, evidence, on[0]),
            leads=_leads(evidence, check, source),
            history=history,
            evidence=evidence,
        )
        outcomes[source] = _verdict(check, ordeal)
    return together(outcomes)


def together(outcomes: Mapping[AlertSource, Outcome]) -> Outcome:
    """
    One outcome of all paths: the worst of them, and of equals the slowest, with what became of each, and the figures of each under
    `paths`.
    """
    if len(outcomes) == 1:
        return next(iter(outcomes.values()))
    verdict = Verdict.worst([outcome.verdict for outcome in outcomes.values()])
    worst = max((one for one in outcomes.values() if one.verdict is verdict), key=_slowness)
    paths = [dict(outcome.facts) for outcome in outcomes.values()]
    return worst.model_copy(
        update={
            "expected": f"by {listed(list(outcomes))}: {worst.expected}",
            "observed": "; ".join(f"{source}: {outcome.observed}" for source, outcome in outcomes.items()),
            "facts": {**worst.facts, "source": "both", "paths": paths},
        }
    )


def _slowness(outcome: Outcome) -> float:
    detect_s = outcome.facts["time_to_detect_s"]
    return math.inf if detect_s is None else float(detect_s)


def paths_of(facts: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The figures of each path of an alert, out of those of its outcome; none where an outcome is of something else."""
    if "time_to_detect_s" not in facts:
        return ()
    paths: Sequence[Mapping[str, Any]] = facts.get("paths") or (facts,)
    return paths


def _bound(
    alert: Alert, source: AlertSource, life: Life, history: History, evidence: Evidence, fault_t: float
) -> Bound:
    if alert.state == "error":
        return Bound(why="a rule's formula says nothing about its errors")
    rule = evidence.rules_of(source).get(alert.name)
    if rule and alert.state == "pending":
        rule = rule.model_copy(update={"for_s": 0.0})
    return bound_of(rule, service=life.service, history=history, fault_t=fault_t, delays=evidence.delays)


def _leads(evidence: Evidence, check: Check, source: AlertSource) -> Any:
    found = evidence.leads.get(check.id)
    return None if found is None else tuple(link for link in found if link.source == source)


def _verdict(check: Check, ordeal: Ordeal) -> Outcome:
    facts, expected = ordeal.facts(), _expectation(ordeal.alert)
    for step in STEPS:
        for problem in step(ordeal):
            return _outcome(check, ordeal, problem, facts)
    sightless = blind(ordeal.history, ordeal.source, until=ordeal.on_t)
    if sightless:
        observed = f"{_observation(ordeal)}; but it may have fired before, too, for {sightless}"
        return check.unknown(expected=expected, observed=observed, facts=facts)
    if ordeal.alert.within_bound is not None and ordeal.bound.seconds is None:
        observed = f"{_observation(ordeal)}; but there is no bound to compare with: {ordeal.bound.why}"
        hint = "leave `within_bound` out, or give the rule a formula that the clients' truth can meet"
        return check.unknown(expected=expected, observed=observed, hint=hint, facts=facts)
    return check.passed(expected=expected, observed=_observation(ordeal), facts=facts)


def _outcome(check: Check, ordeal: Ordeal, problem: Problem, facts: dict[str, Any]) -> Outcome:
    sightless = blind(ordeal.history, *problem.unless_blind, since=ordeal.on_t)
    if sightless or not problem.known:
        observed = f"{problem.observed}; but {sightless}" if sightless else problem.observed
        return check.unknown(expected=problem.expected, observed=observed, facts=facts)
    fault = ordeal.fault
    return check.failed(
        expected=problem.expected,
        observed=problem.observed,
        where=problem.where,
        when=f"after the fault at {seconds(fault.at)}, healed at {seconds(fault.end_s)}",
        hint=problem.hint,
        rung=problem.rung,
        facts=facts,
    )


def _expectation(alert: Alert) -> str:
    told = " and is notified" if alert.notified else ""
    told += f" to {alert.receiver!r}" if alert.receiver else ""
    bound = f" and {percent(alert.within_bound)} of its bound" if alert.within_bound is not None else ""
    says = f", says its {listed(list(alert.annotations))}" if alert.annotations else ""
    leads = f", leads to its {listed(alert.links)}" if alert.links else ""
    over = f", resolves within {seconds(alert.resolves_within)}" if alert.resolves_within else ""
    within = f"within {seconds(alert.within)}{bound}"
    return f"silence before, then {DOES[alert.state]}{told} {within}{says}{leads}{over}"


def _observation(ordeal: Ordeal) -> str:
    life, detect_s, bound_s = ordeal.life, ordeal.detect_s or 0.0, ordeal.bound.seconds
    parts = [f"{DID[ordeal.alert.state]} after {seconds(detect_s)}"]
    if bound_s:
        parts[0] += f" ({percent(detect_s / bound_s)} of its bound of {seconds(bound_s)})"
    if life.notified_t is not None:
        parts.append(f"notified after {seconds(life.notified_t - ordeal.on_t)}")
    if life.resolved_t is not None:
        after_s = life.resolved_t - ordeal.healed_t
        parts.append(
            f"resolved {seconds(after_s)} after the healing" if after_s >= 0 else "resolved during the healing"
        )
    return ", ".join(parts)
