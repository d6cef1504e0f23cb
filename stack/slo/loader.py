"""Loader: an OpenSLO file into service levels, its references followed and its promises checked for sense."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from stack.slo import openslo
from stack.slo.errors import SloError
from stack.slo.model import Alert, Condition, Selector, Sli, Slo
from stack.slo.reading import read, suggestion
from stack.slo.source import Document, Location, documents, parse

_Object = TypeVar("_Object", bound=openslo.Object)


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """All objects of a file and the documents that they came from, for following references."""

    entries: Sequence[tuple[Document, openslo.Object]]

    def all(self, kind: type[_Object]) -> Sequence[tuple[Document, _Object]]:
        """All objects of a kind, in the file's order."""
        return [(document, value) for document, value in self.entries if isinstance(value, kind)]

    def find(self, kind: type[_Object], name: str, *, asked: Document, at: Location) -> tuple[Document, _Object]:
        """
        The object of that kind and name.

        Raises SloError, at the place that asked for it, if there is none.
        """
        known = {value.metadata.name: (document, value) for document, value in self.all(kind)}
        if name not in known:
            word = next(word for word, model in openslo.KINDS.items() if model is kind)
            listed = ", ".join(known) or "none"
            raise SloError(f"{asked.place(at)}: no {word} is named {name!r}; known: {listed}{suggestion(name, known)}")
        return known[name]


def load(path: Path) -> Sequence[Slo]:
    """
    The service levels of an OpenSLO file, in its order.

    Raises SloError; its message has one line per mistake, each with file:line, what was found and what is allowed.
    """
    return _levels(documents(path))


def load_text(text: str, *, source: str) -> Sequence[Slo]:
    """
    The service levels of a text; `source` names it in errors.

    Raises SloError as `load` does.
    """
    return _levels(parse(text, source=source))


def _levels(found: Sequence[Document]) -> Sequence[Slo]:
    catalog = _catalog(found)
    levels = [_level(document, slo, catalog) for document, slo in catalog.all(openslo.Slo)]
    if not levels:
        raise SloError(f"{found[0].source}:1: has no document of kind SLO, so there is nothing to generate")
    owners: dict[str, str] = {}
    for level in levels:
        for alert in level.alerts:
            if owners.setdefault(alert.name, level.name) != level.name:
                where = f"{found[0].source}: SLOs {owners[alert.name]!r} and {level.name!r}"
                raise SloError(f"{where} both raise {alert.name!r}; an alert's name must belong to one SLO")
    return levels


def _catalog(found: Sequence[Document]) -> Catalog:
    entries = [(document, read(document)) for document in found]
    first: dict[tuple[str, str], str] = {}
    for document, value in entries:
        place = document.place(["metadata", "name"])
        earlier = first.setdefault((value.kind, value.metadata.name), place)
        if earlier != place:
            raise SloError(f"{place}: {value.kind} {value.metadata.name!r} is given twice, first at {earlier}")
    return Catalog(entries=entries)


def _level(document: Document, slo: openslo.Slo, catalog: Catalog) -> Slo:
    spec, annotations = slo.spec, slo.metadata.annotations
    catalog.find(openslo.Service, spec.service, asked=document, at=["spec", "service"])
    _, indicator = catalog.find(openslo.Sli, spec.indicatorRef, asked=document, at=["spec", "indicatorRef"])
    level = Slo(
        name=slo.metadata.name,
        title=slo.metadata.displayName or slo.metadata.name,
        description=spec.description,
        service=spec.service,
        sli=_indicator(indicator),
        objective=spec.objectives[0].ratio,
        period_s=spec.timeWindow[0].duration,
        min_requests=int(annotations.min_requests),
        alerting=tuple(annotations.alerting.split(",")),
        alerts=_alerts(document, spec, catalog),
    )
    _refuse_dead_alerts(document, level)
    return level


def _indicator(sli: openslo.Sli) -> Sli:
    ratio = sli.spec.ratioMetric
    return Sli(
        name=sli.metadata.name,
        total=Selector.parse(ratio.total.query),
        good=Selector.parse(ratio.good.query) if ratio.good else None,
        bad=Selector.parse(ratio.bad.query) if ratio.bad else None,
    )


def _alerts(document: Document, spec: openslo.SloSpec, catalog: Catalog) -> Sequence[Alert]:
    """Policies of the same alert name become one alert."""
    alerts: dict[str, Alert] = {}
    for index, reference in enumerate(spec.alertPolicies):
        at = ("spec", "alertPolicies", index, "alertPolicyRef")
        alert = _alert(*catalog.find(openslo.AlertPolicy, reference.alertPolicyRef, asked=document, at=at), catalog)
        same = alerts.setdefault(alert.name, alert)
        if same is not alert:
            alerts[alert.name] = _joined(same, alert, document.place(at))
    return list(alerts.values())


def _alert(home: Document, policy: openslo.AlertPolicy, catalog: Catalog) -> Alert:
    for index, reference in enumerate(policy.spec.notificationTargets):
        target = ("spec", "notificationTargets", index, "targetRef")
        catalog.find(openslo.AlertNotificationTarget, reference.targetRef, asked=home, at=target)
    name, at = policy.spec.conditions[0].conditionRef, ("spec", "conditions", 0, "conditionRef")
    place, condition = catalog.find(openslo.AlertCondition, name, asked=home, at=at)
    ours, burn = condition.metadata.annotations, condition.spec.condition
    _check_windows(place, condition)
    wanted = "alertWhenNoData" if ours.kind == "absent" else "alertWhenBreaching"
    if not getattr(policy.spec, wanted):
        raise SloError(f"{home.place(['spec'])}: needs {wanted}: true, since its condition is of kind {ours.kind!r}")
    return Alert(
        name=policy.metadata.annotations.alert,
        kind=ours.kind,
        severity=condition.spec.severity,
        description=policy.spec.description,
        conditions=(
            Condition(
                factor=burn.threshold,
                window_s=burn.lookbackWindow,
                short_s=ours.short_window,
                hold_s=burn.alertAfter,
            ),
        ),
    )


def _check_windows(document: Document, condition: openslo.AlertCondition) -> None:
    """The short window is what tells a burn rate from the other kinds, and must be the shorter one."""
    ours, place = condition.metadata.annotations, document.place(["metadata", "annotations"])
    if (ours.kind == "burn-rate") != (ours.short_window is not None):
        raise SloError(f"{place}: tocsin/short-window belongs to tocsin/kind: burn-rate, and only to it")
    if ours.short_window is not None and ours.short_window >= condition.spec.condition.lookbackWindow:
        raise SloError(f"{place}: tocsin/short-window must be shorter than lookbackWindow")


def _joined(one: Alert, other: Alert, place: str) -> Alert:
    """One alert with the conditions of both, which must agree in all else that an alert has only once."""
    holds = {condition.hold_s for alert in (one, other) for condition in alert.conditions}
    if one.kind != other.kind or one.severity != other.severity or len(holds) > 1:
        raise SloError(
            f"{place}: {one.name!r} has two conditions; they must agree in tocsin/kind, severity, alertAfter"
        )
    return replace(one, conditions=(*one.conditions, *other.conditions))


def _refuse_dead_alerts(document: Document, level: Slo) -> None:
    """An alert that can never fire is worse than none, since people count on it."""
    place = document.place(["spec", "alertPolicies"])
    for alert in level.alerts:
        if alert.kind == "latency-quantile" and level.sli.threshold_s is None:
            allowed = 'good must be a _bucket with le="...", the target in seconds'
            raise SloError(f"{place}: {alert.name!r} is about latency, but SLI {level.sli.name!r} has none: {allowed}")
        for condition in alert.conditions:
            bad = condition.factor * level.budget
            if alert.kind != "absent" and bad >= 1:
                found = (
                    f"{float(condition.factor):g} times a budget of {float(level.budget):g} is {float(bad):.0%} of all"
                )
                raise SloError(f"{place}: {alert.name!r} can never fire: {found}; lower the factor or the budget")
