"""Trail: why an alert did not fire, or nobody was told of it, as far as history and evidence show. Pure."""

from assertions.evidence import AlertRule
from assertions.ladder import EXPLANATIONS, rung_of_data
from assertions.ordeal import Ordeal
from assertions.wording import listed
from scenarios.history import AlertChange
from scenarios.model import ENTRY_SERVICE, ROLE_ROUTES, SYNTHETIC, Alert, Fault, TrafficFault
from scenarios.record import Rung

_ABOUT_NO_REQUESTS = ("absent", "pipeline")
"""Kinds of formulas that ask for the lack of data or for the pipeline itself, so that missing requests explain nothing."""


def why_not_evaluated(ordeal: Ordeal) -> tuple[Rung, str]:
    """
    The rung at which the signal of an alert that never fired died, and a hint: first by its data, then by its rule.
    """
    alert, fault, evidence = ordeal.alert, ordeal.fault, ordeal.evidence
    rule = evidence.rules_of(ordeal.source).get(alert.name)
    service = _followed(alert, fault, rule)
    if service and "prometheus" not in evidence.problems:
        rung = rung_of_data(
            service,
            history=ordeal.history,
            evidence=evidence,
            since=ordeal.on_t,
            until=ordeal.healed_t,
            failures=fault.kind in ("errors", "exception"),
        )
        if rung is not None:
            return rung, f"{EXPLANATIONS[rung]}: followed the requests of {service} during the fault"
    return Rung.NOT_EVALUATED, _about_rule(ordeal, rule)


def _with_other_labels(ordeal: Ordeal) -> str:
    """The labels by which an instance that did fire differs from the one that was expected; empty when none fired."""
    wanted = ordeal.alert.identity
    for change in ordeal.history.of(AlertChange):
        named = (change.source, change.name) == (ordeal.source, ordeal.alert.told_as)
        if named and change.alarming and change.t >= ordeal.on_t:
            has = {name: change.labels.get(name, "") for name in wanted}
            return listed([f"{name}={value or 'nothing'}" for name, value in has.items() if value != wanted[name]])
    return ""


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


def _about_rule(ordeal: Ordeal, rule: AlertRule | None) -> str:
    source, evidence = ordeal.source, ordeal.evidence
    if source in evidence.problems:
        return f"{source} could not be asked for the rule: {evidence.problems[source]}"
    if rule is None:
        loaded = listed(sorted(evidence.rules_of(source))) or "none"
        return f"no rule of this name is loaded in {source}; loaded: {loaded}"
    if rule.health == "err":
        return f"the rule cannot be evaluated: {rule.last_error}"
    if other := _with_other_labels(ordeal):
        return f"it fired with {other}: are the labels that are expected the right ones?"
    if ordeal.alert.state in SYNTHETIC:
        return f"does the rule say what becomes of it then (noDataState, execErrState)? {rule.query}"
    return f"the data is there; does the rule ask for it? {rule.query}"


def why_not_told(ordeal: Ordeal) -> str:
    """
    A hint at where an alert that fired got lost on its way to the receiver.
    """
    evidence = ordeal.evidence
    if ordeal.source == "grafana":
        return "does a notification policy of grafana lead to its contact point, and is the address there right?"
    states = {
        change.state
        for change in ordeal.history.of(AlertChange)
        if change.source == "alertmanager"
        and change.name == ordeal.alert.name
        and ordeal.life.labels.items() <= change.labels.items()
    }
    if not states:
        return "alertmanager never had it: is its address right in prometheus' configuration?"
    if states <= {"suppressed", "inactive"}:
        return "alertmanager had it, but silenced or inhibited: is there a silence, or an alert that inhibits it?"
    if evidence.notify_failures:
        times = f"{evidence.notify_failures:g} failed notifications"
        return f"alertmanager counted {times}: is the receiver's address right?"
    return "alertmanager had it and counted no failure: does a route lead to the receiver?"
