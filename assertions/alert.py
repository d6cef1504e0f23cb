"""Alert: one alert was silent before, fired for the right service in time, was notified, and resolved. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from assertions.bound import bound_s
from assertions.evidence import Evidence
from assertions.ladder import EXPLANATIONS, rung_of_data
from scenarios.history import AlertChange, Blind, History, Notification
from scenarios.model import ENTRY_SERVICE, Alert, Fault
from scenarios.record import Outcome, Rung, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """When an alert did what, in seconds since the Unix epoch; None where it never did."""

    service: str
    labels: Mapping[str, str]
    active_t: float | None
    fired_t: float | None
    resolved_t: float | None
    notified_t: float | None
    resolved_notified_t: float | None
    before: str

    def facts(self) -> dict[str, Any]:
        """As figures for the record."""
        names = ("active_t", "fired_t", "resolved_t", "notified_t", "resolved_notified_t")
        return {"labels": dict(self.labels), "service": self.service} | {name: getattr(self, name) for name in names}


def judge(
    alert: Alert, check_id: str, history: History, evidence: Evidence, *, namespace: str, fault: Fault, felt: Outcome
) -> Outcome:
    """
    Attribute an alert to its fault: only one with the expected name and labels, of this drill's services, silent before the
    fault, that started after it, counts.

    FAIL with the rung at which the signal died; UNKNOWN when the watcher was blind and nothing was seen.
    """
    title = f"alert {alert.name}"
    on = history.fault_window(f"faults/{alert.fault}")
    if on is None or felt.verdict is not Verdict.PASS:
        return _failed(
            check_id, title, "its fault to be felt first", felt.observed, Rung.FAULT_NOT_APPLIED, "the clients"
        )
    life = life_of(alert, history, namespace=namespace, on=on)
    facts = {**life.facts(), **_times(alert, life, history, evidence, on)}
    for problem in (_before(alert, life), _fired(alert, life, on), _told(alert, life, on), _over(alert, life, on)):
        if problem:
            return _explain(check_id, title, alert, problem, history, evidence, on, fault).model_copy(
                update={"facts": facts}
            )
    return Outcome(
        id=check_id,
        title=title,
        verdict=Verdict.PASS,
        expected=_expectation(alert),
        observed=_observation(facts),
        facts=facts,
    )


def life_of(alert: Alert, history: History, *, namespace: str, on: tuple[float, float]) -> Life:
    """
    The life of the alert in this drill: of all its instances that match, the one that fired first after the fault began.
    """
    changes = [c for c in history.of(AlertChange) if c.source == "prometheus" and _is_meant(alert, c, namespace)]
    before = next((c.state for c in changes if c.t < on[0] and c.state in ("pending", "firing")), "")
    after = [c for c in changes if c.t >= on[0]]
    first = next((c for c in after if c.state == "firing"), None) or next(iter(after), None)
    labels = first.labels if first else {}
    own = [c for c in after if c.labels == labels]
    fired_t = next((c.t for c in own if c.state == "firing"), None)
    told = [n for n in history.of(Notification) if n.t >= on[0] and _is_meant(alert, n, namespace) and _same(n, labels)]
    notified_t = next((n.t for n in told if n.status == "firing"), None)
    if fired_t is not None and notified_t is not None:
        # Alerts are polled, arrivals are stamped: what was notified had fired by then.
        fired_t = min(fired_t, notified_t)
    return Life(
        service=labels.get("service_name", alert.labels.get("service_name", ENTRY_SERVICE)),
        labels=labels,
        active_t=next((c.active_at or c.t for c in own if c.state in ("pending", "firing")), None),
        fired_t=fired_t,
        resolved_t=_last_end(own, fired_t),
        notified_t=notified_t,
        resolved_notified_t=_last_resolved(told, notified_t),
        before=before,
    )


def _is_meant(alert: Alert, event: AlertChange | Notification, namespace: str) -> bool:
    expected = {"service_namespace": namespace, **alert.labels}
    # An alert about the pipeline itself has no service; then its name and labels have to do.
    if "service_namespace" not in event.labels:
        expected.pop("service_namespace")
    return event.name == alert.name and expected.items() <= event.labels.items()


def _same(told: Notification, labels: Mapping[str, str]) -> bool:
    return all(told.labels.get(name, value) == value for name, value in labels.items())


def _last_end(changes: Iterable[AlertChange], fired_t: float | None) -> float | None:
    """When it went inactive for good; None if it never fired or is still active."""
    if fired_t is None:
        return None
    last = [change for change in changes if change.t >= fired_t][-1]
    return last.t if last.state == "inactive" else None


def _last_resolved(told: list[Notification], notified_t: float | None) -> float | None:
    if notified_t is None or told[-1].status != "resolved":
        return None
    return told[-1].t


@dataclass(frozen=True, slots=True, kw_only=True)
class _Problem:
    expected: str
    observed: str
    where: str
    rung: Rung | None = None


def _before(alert: Alert, life: Life) -> _Problem | None:
    if not life.before:
        return None
    return _Problem(
        expected="silence before the fault",
        observed=f"it was {life.before} already, so nothing shows that the fault caused it",
        where="prometheus",
    )


def _fired(alert: Alert, life: Life, on: tuple[float, float]) -> _Problem | None:
    if life.fired_t is None:
        observed = "it got no further than pending" if life.active_t else "it never fired"
        return _Problem(
            expected=f"it fires within {alert.within:g} s",
            observed=observed,
            where="prometheus",
            rung=Rung.NOT_EVALUATED,
        )
    return _late("fires", life.fired_t - on[0], alert.within, "prometheus")


def _told(alert: Alert, life: Life, on: tuple[float, float]) -> _Problem | None:
    if not alert.notified:
        return None
    if life.notified_t is None:
        return _Problem(
            expected=f"it is notified within {alert.within:g} s",
            observed="it fired, but no notification arrived",
            where="alertmanager and its receivers",
            rung=Rung.NOT_NOTIFIED,
        )
    return _late("is notified", life.notified_t - on[0], alert.within, "alertmanager")


def _over(alert: Alert, life: Life, on: tuple[float, float]) -> _Problem | None:
    limit = alert.resolves_within
    if life.resolved_t is not None and life.resolved_t < on[1]:
        early_s = on[1] - life.resolved_t
        return _Problem(
            expected="it fires as long as the fault lasts",
            observed=f"it resolved {early_s:.2f} s before the healing",
            where="prometheus",
        )
    if limit is None:
        return None
    for what, t, where in (
        ("resolves", life.resolved_t, "prometheus"),
        ("is notified as resolved", life.resolved_notified_t if alert.notified else on[1], "alertmanager"),
    ):
        if t is None:
            return _Problem(expected=f"it {what} within {limit:g} s of the healing", observed="it did not", where=where)
        late = _late(f"{what} after the healing", t - on[1], limit, where)
        if late:
            return late
    return None


def _late(what: str, took_s: float, limit_s: float, where: str) -> _Problem | None:
    if took_s <= limit_s:
        return None
    return _Problem(expected=f"it {what} within {limit_s:g} s", observed=f"after {took_s:.2f} s", where=where)


def _explain(
    check_id: str,
    title: str,
    alert: Alert,
    problem: _Problem,
    history: History,
    evidence: Evidence,
    on: tuple[float, float],
    fault: Fault,
) -> Outcome:
    """Turn a problem into an outcome: with the rung at which the signal died, or UNKNOWN where nobody could look."""
    when = f"after the fault at {fault.at:g} s, healed at {fault.end_s:g} s"
    if problem.rung is None:
        return _failed(check_id, title, problem.expected, problem.observed, None, problem.where, when=when)
    blind = next(iter(history.of(Blind)), None)
    if blind:
        return Outcome(
            id=check_id,
            title=title,
            verdict=Verdict.UNKNOWN,
            expected=problem.expected,
            observed=f"nothing was seen, but {blind.watcher} could not look: {blind.reason}",
            when=when,
            hint="see the logs of the stack",
        )
    rung, hint = problem.rung, EXPLANATIONS[problem.rung]
    if rung is Rung.NOT_EVALUATED:
        rung, hint = _why_not_evaluated(alert, history, evidence, on, fault)
    elif evidence.notify_failures:
        hint = (
            f"alertmanager counted {evidence.notify_failures:g} failed notifications: is the receiver's address right?"
        )
    return _failed(check_id, title, problem.expected, problem.observed, rung, problem.where, when=when, hint=hint)


def _why_not_evaluated(
    alert: Alert, history: History, evidence: Evidence, on: tuple[float, float], fault: Fault
) -> tuple[Rung, str]:
    service = alert.labels.get("service_name") or str(getattr(fault, "target", ENTRY_SERVICE))
    failures = fault.kind in ("errors", "exception")
    rung = rung_of_data(service, history=history, evidence=evidence, since=on[0], until=on[1], failures=failures)
    if rung is not None:
        return rung, f"{EXPLANATIONS[rung]}: followed the requests of {service} during the fault"
    rule = evidence.rules.get(alert.name)
    if rule is None:
        known = ", ".join(sorted(evidence.rules)) or "none"
        return Rung.NOT_EVALUATED, f"no rule of this name is loaded in prometheus; loaded: {known}"
    if rule.health == "err":
        return Rung.NOT_EVALUATED, f"the rule cannot be evaluated: {rule.last_error}"
    return Rung.NOT_EVALUATED, f"the data is there; does the rule ask for it? {rule.query}"


def _times(alert: Alert, life: Life, history: History, evidence: Evidence, on: tuple[float, float]) -> dict[str, Any]:
    rule = evidence.rules.get(alert.name)
    bound = None
    if rule:
        bound = bound_s(rule, service=life.service, history=history, fault_t=on[0], delays=evidence.delays)
    detect = None if life.fired_t is None else life.fired_t - on[0]
    return {
        "name": alert.name,
        "severity": life.labels.get("severity", ""),
        "fault_t": on[0],
        "healed_t": on[1],
        "time_to_detect_s": detect,
        "bound_s": bound,
        "bound_t": None if bound is None else on[0] + bound,
        "detect_to_bound": detect / bound if detect is not None and bound else None,
        "notified_after_s": None if life.notified_t is None else life.notified_t - on[0],
        "resolved_after_s": None if life.resolved_t is None else life.resolved_t - on[1],
    }


def _expectation(alert: Alert) -> str:
    told = " and is notified" if alert.notified else ""
    over = f", resolves within {alert.resolves_within:g} s" if alert.resolves_within else ""
    return f"silence before, then it fires{told} within {alert.within:g} s{over}"


def _observation(facts: Mapping[str, Any]) -> str:
    parts = [f"fired after {facts['time_to_detect_s']:.2f} s"]
    if facts["bound_s"] is not None:
        parts.append(f"{facts['detect_to_bound']:.2f} of its bound of {facts['bound_s']:.2f} s")
    if facts["notified_after_s"] is not None:
        parts.append(f"notified after {facts['notified_after_s']:.2f} s")
    if facts["resolved_after_s"] is not None:
        parts.append(f"resolved {facts['resolved_after_s']:.2f} s after the healing")
    return ", ".join(parts)


def _failed(
    check_id: str,
    title: str,
    expected: str,
    observed: str,
    rung: Rung | None,
    where: str,
    *,
    when: str = "",
    hint: str = "",
) -> Outcome:
    return Outcome(
        id=check_id,
        title=title,
        verdict=Verdict.FAIL,
        expected=expected,
        observed=observed,
        where=where,
        when=when,
        rung=rung,
        hint=hint or (EXPLANATIONS[rung] if rung else "compare with the bound; see the alert's life in the report"),
    )
