"""Trail: why an alert did not fire, or nobody was told of it, as far as history and evidence show. Pure."""

from assertions.evidence import AlertRule, Evidence
from assertions.ladder import EXPLANATIONS, rung_of_data
from assertions.life import Life
from assertions.wording import listed
from scenarios.history import AlertChange, History
from scenarios.model import ENTRY_SERVICE, ROLE_ROUTES, Alert, Fault, TrafficFault
from scenarios.record import Rung

_ABOUT_NO_REQUESTS = ("absent", "pipeline")
"""Kinds of formulas that ask for the lack of data or for the pipeline itself, so that missing requests explain nothing."""


def why_not_evaluated(
    alert: Alert, fault: Fault, history: History, evidence: Evidence, since: float, until: float
) -> tuple[Rung, str]:
    """
    The rung at which the signal of an alert that never fired died, and a hint: first by its data, then by its rule.
    """
    rule = evidence.rules_of(alert.source).get(alert.name)
    service = _followed(alert, fault, rule)
    if service and "prometheus" not in evidence.problems:
        failures = fault.kind in ("errors", "exception")
        rung = rung_of_data(service, history=history, evidence=evidence, since=since, until=until, failures=failures)
        if rung is not None:
            return rung, f"{EXPLANATIONS[rung]}: followed the requests of {service} during the fault"
    return Rung.NOT_EVALUATED, _about_rule(alert, rule, evidence)


def _followed(alert: Alert, fault: Fault, rule: AlertRule | None) -> str:
    """The service whose requests the alert is about; empty when it is not about requests."""
    kind = rule.formula.get("kind") if rule and isinstance(rule.formula, dict) else None
    if kind in _ABOUT_NO_REQUESTS or fault.kind == "telemetry_silent":
        return ""
    if "service_name" in alert.labels:
        return alert.labels["service_name"]
    if isinstance(fault, TrafficFault):
        return ENTRY_SERVICE
    target = str(getattr(fault, "target", ""))
    return target if target in ROLE_ROUTES else ""


def _about_rule(alert: Alert, rule: AlertRule | None, evidence: Evidence) -> str:
    if "prometheus" in evidence.problems:
        return f"prometheus could not be asked for the rule: {evidence.problems['prometheus']}"
    if rule is None:
        loaded = listed(sorted(evidence.rules_of(alert.source))) or "none"
        return f"no rule of this name is loaded in {alert.source}; loaded: {loaded}"
    if rule.health == "err":
        return f"the rule cannot be evaluated: {rule.last_error}"
    return f"the data is there; does the rule ask for it? {rule.query}"


def why_not_told(alert: Alert, history: History, evidence: Evidence, life: Life) -> str:
    """
    A hint at where an alert that fired got lost on its way to the receiver.
    """
    if alert.source == "grafana":
        return "does a notification policy of grafana lead to its contact point, and is the address there right?"
    states = {
        change.state
        for change in history.of(AlertChange)
        if change.source == "alertmanager"
        and change.name == alert.name
        and life.labels.items() <= change.labels.items()
    }
    if not states:
        return "alertmanager never had it: is its address right in prometheus' configuration?"
    if states <= {"suppressed", "inactive"}:
        return "alertmanager had it, but silenced or inhibited: is there a silence, or an alert that inhibits it?"
    if evidence.notify_failures:
        times = f"{evidence.notify_failures:g} failed notifications"
        return f"alertmanager counted {times}: is the receiver's address right?"
    return "alertmanager had it and counted no failure: does a route lead to the receiver?"
