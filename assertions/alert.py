"""Alert: one alert was silent before, fired for the right service in time, was notified, and resolved. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from assertions.bound import Bound, bound_of
from assertions.check import Check, blind
from assertions.evidence import Evidence
from assertions.fault import unproved
from assertions.life import Life, life_of
from assertions.trail import why_not_evaluated, why_not_told
from assertions.wording import listed, percent, seconds
from scenarios.history import History
from scenarios.model import Alert, Fault
from scenarios.record import Outcome, Rung


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordeal:
    """
    An alert and all that happened to it: its fault, on from `on_t` until `healed_t`, and its life.

    Healing began at `healing_t`; until then the alert has every reason to fire.
    """

    alert: Alert
    fault: Fault
    on_t: float
    healing_t: float
    healed_t: float
    life: Life
    bound: Bound
    history: History
    evidence: Evidence

    @property
    def detect_s(self) -> float | None:
        """Seconds from the fault to the alert."""
        return None if self.life.fired_t is None else self.life.fired_t - self.on_t

    def facts(self) -> dict[str, Any]:
        """The figures for the record; `_s` count from the fault, `resolved_after_s` from its healing."""
        bound_s, detect_s, life = self.bound.seconds, self.detect_s, self.life
        return {
            **life.facts(),
            "name": self.alert.name,
            "source": self.alert.source,
            "severity": life.labels.get("severity", ""),
            "fault_t": self.on_t,
            "healed_t": self.healed_t,
            "within_s": self.alert.within,
            "resolves_within_s": self.alert.resolves_within,
            "time_to_detect_s": detect_s,
            "bound_s": bound_s,
            "bound_t": None if bound_s is None else self.on_t + bound_s,
            "detect_to_bound": detect_s / bound_s if detect_s is not None and bound_s else None,
            "notified_after_s": None if life.notified_t is None else life.notified_t - self.on_t,
            "resolved_after_s": None if life.resolved_t is None else life.resolved_t - self.healed_t,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """
    What is wrong with an alert. `unless_blind` names the watchers without whom this would not have been seen right.
    """

    expected: str
    observed: str
    where: str
    hint: str
    rung: Rung | None = None
    unless_blind: tuple[str, ...] = ()


def judge(
    alert: Alert, check: Check, history: History, evidence: Evidence, *, namespace: str, fault: Fault, felt: Outcome
) -> Outcome:
    """
    Attribute an alert to its fault: only one with the expected name and labels, of this drill's services, silent before the
    fault, that started after it, counts.

    FAIL with the rung at which the signal died; UNKNOWN when whoever should have seen it was blind.
    """
    on = history.fault_window(f"faults/{alert.fault}")
    if (doubt := unproved(check, felt, on)) is not None:
        return doubt
    assert on is not None, "a fault that was felt was on"
    life = life_of(alert, history, namespace=namespace, since=on[0])
    ordeal = Ordeal(
        alert=alert,
        fault=fault,
        on_t=on[0],
        healing_t=min(on[1], (history.phase("drive") or on[0]) + fault.end_s),
        healed_t=on[1],
        life=life,
        bound=bound_of(
            evidence.rules_of(alert.source).get(alert.name),
            service=life.service,
            history=history,
            fault_t=on[0],
            delays=evidence.delays,
        ),
        history=history,
        evidence=evidence,
    )
    return _verdict(check, ordeal)


def _verdict(check: Check, ordeal: Ordeal) -> Outcome:
    facts, expected = ordeal.facts(), _expectation(ordeal.alert)
    for step in _STEPS:
        for problem in step(ordeal):
            return _outcome(check, ordeal, problem, facts)
    sightless = blind(ordeal.history, ordeal.alert.source, before=ordeal.on_t)
    if sightless:
        observed = f"{_observation(ordeal)}; but it may have fired before, too, for {sightless}"
        return check.unknown(expected=expected, observed=observed, facts=facts)
    if ordeal.alert.within_bound is not None and ordeal.bound.seconds is None:
        observed = f"{_observation(ordeal)}; but there is no bound to compare with: {ordeal.bound.why}"
        hint = "leave `within_bound` out, or give the rule a formula that the clients' truth can meet"
        return check.unknown(expected=expected, observed=observed, hint=hint, facts=facts)
    return check.passed(expected=expected, observed=_observation(ordeal), facts=facts)


def _outcome(check: Check, ordeal: Ordeal, problem: Problem, facts: dict[str, Any]) -> Outcome:
    sightless = blind(ordeal.history, *problem.unless_blind)
    if sightless:
        observed = f"{problem.observed}; but {sightless}"
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


def _before(ordeal: Ordeal) -> Iterator[Problem]:
    if ordeal.life.before:
        yield Problem(
            expected="silence before the fault",
            observed=f"it was {ordeal.life.before} already, so nothing shows that the fault caused it",
            where=ordeal.alert.source,
            hint="what was it about? find out in the report, or let the warm-up be longer",
        )


def _fired(ordeal: Ordeal) -> Iterator[Problem]:
    alert, detect_s = ordeal.alert, ordeal.detect_s
    if detect_s is None:
        rung, hint = why_not_evaluated(
            alert, ordeal.fault, ordeal.history, ordeal.evidence, ordeal.on_t, ordeal.healed_t
        )
        yield Problem(
            expected=f"it fires within {seconds(alert.within)}",
            observed="it got no further than pending" if ordeal.life.active_t else "it never fired",
            where=ordeal.alert.source,
            hint=hint,
            rung=rung,
            unless_blind=(ordeal.alert.source, "sink"),
        )
    elif detect_s > alert.within:
        yield Problem(
            expected=f"it fires within {seconds(alert.within)}",
            observed=_late(detect_s, alert.within),
            where=ordeal.alert.source,
            hint=_compared(ordeal.bound),
            unless_blind=(ordeal.alert.source,),
        )


def _told(ordeal: Ordeal) -> Iterator[Problem]:
    alert, life = ordeal.alert, ordeal.life
    if not alert.notified:
        return
    to = f" to {alert.receiver!r}" if alert.receiver else ""
    expected = f"it is notified{to} within {seconds(alert.within)}"
    if life.astray:
        yield Problem(
            expected=expected,
            observed=f"it fired, but was notified to {listed(life.astray)} instead",
            where=_teller(alert),
            hint="does a route match the alert's labels, and does it lead to this receiver?",
            rung=Rung.NOT_NOTIFIED,
            unless_blind=("sink",),
        )
    elif life.notified_t is None:
        yield Problem(
            expected=expected,
            observed="it fired, but no notification arrived",
            where=_teller(alert),
            hint=why_not_told(alert, ordeal.history, ordeal.evidence, life),
            rung=Rung.NOT_NOTIFIED,
            unless_blind=("sink",),
        )
    elif life.notified_t - ordeal.on_t > alert.within:
        yield Problem(
            expected=expected,
            observed=_late(life.notified_t - ordeal.on_t, alert.within),
            where=_teller(alert),
            hint="is `group_wait` of its route long, or did the receiver refuse the first try?",
        )


def _lasted(ordeal: Ordeal) -> Iterator[Problem]:
    """As long as the fault is on, what the alert is about goes on."""
    lapsed_t, refired_t = ordeal.life.lapsed_t, ordeal.life.refired_t
    if lapsed_t is None or lapsed_t >= ordeal.healing_t:
        return
    observed = f"it resolved {seconds(ordeal.healing_t - lapsed_t)} before the healing"
    if refired_t is not None:
        observed += f", and fired again {seconds(refired_t - lapsed_t)} later"
    yield Problem(
        expected="it fires as long as the fault lasts",
        observed=observed,
        where=ordeal.alert.source,
        hint="did its data have gaps? is its window shorter than the pauses between what it counts?",
    )


def _over(ordeal: Ordeal) -> Iterator[Problem]:
    limit_s, life = ordeal.alert.resolves_within, ordeal.life
    if limit_s is None:
        return
    yield from _over_in_time(ordeal, "resolves", life.resolved_t, limit_s, ordeal.alert.source)
    if ordeal.alert.notified:
        yield from _over_in_time(ordeal, "is notified as resolved", life.resolved_notified_t, limit_s, "sink")


def _over_in_time(ordeal: Ordeal, what: str, t: float | None, limit_s: float, watcher: str) -> Iterator[Problem]:
    if t is not None and t - ordeal.healed_t <= limit_s:
        return
    yield Problem(
        expected=f"it {what} within {seconds(limit_s)} of the healing",
        observed="it did not" if t is None else _late(t - ordeal.healed_t, limit_s),
        where=_teller(ordeal.alert) if watcher == "sink" else watcher,
        hint="compare with the shortest window of its rule: so long at least it remembers the fault",
        unless_blind=(watcher,),
    )


def _in_its_bound(ordeal: Ordeal) -> Iterator[Problem]:
    share, bound_s, detect_s = ordeal.alert.within_bound, ordeal.bound.seconds, ordeal.detect_s
    if share is None or bound_s is None or detect_s is None or detect_s <= share * bound_s:
        return
    yield Problem(
        expected=f"it fires within {percent(share)} of its bound of {seconds(bound_s)}",
        observed=f"after {seconds(detect_s)}, {percent(detect_s / bound_s)} of it",
        where=ordeal.alert.source,
        hint="which hop is slower than its configuration says? is the machine busy?",
        unless_blind=(ordeal.alert.source,),
    )


_STEPS: tuple[Callable[[Ordeal], Iterator[Problem]], ...] = (_before, _fired, _told, _lasted, _over, _in_its_bound)
"""What can be wrong, in the order of an alert's life; the first problem is the one that is told."""


def _teller(alert: Alert) -> str:
    """Who tells people of what a source raises."""
    return "grafana and its contact points" if alert.source == "grafana" else "alertmanager and its receivers"


def _late(took_s: float, limit_s: float) -> str:
    return f"after {seconds(took_s)}, {seconds(took_s - limit_s)} too late"


def _compared(bound: Bound) -> str:
    if bound.seconds is None:
        return f"there is no bound to compare with: {bound.why}"
    return (
        f"its bound by formula and configuration is {seconds(bound.seconds)}: is `within` too short, or the path slow?"
    )


def _expectation(alert: Alert) -> str:
    told = " and is notified" if alert.notified else ""
    told += f" to {alert.receiver!r}" if alert.receiver else ""
    bound = f" and {percent(alert.within_bound)} of its bound" if alert.within_bound is not None else ""
    over = f", resolves within {seconds(alert.resolves_within)}" if alert.resolves_within else ""
    return f"silence before, then it fires{told} within {seconds(alert.within)}{bound}{over}"


def _observation(ordeal: Ordeal) -> str:
    life, detect_s, bound_s = ordeal.life, ordeal.detect_s or 0.0, ordeal.bound.seconds
    parts = [f"fired after {seconds(detect_s)}"]
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
