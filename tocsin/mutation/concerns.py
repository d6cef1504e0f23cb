"""Concerns: which expectation has to notice that something is gone. Pure."""

from scenarios.model import Alert, Dashboard, Datasource, Expectation, Rules, Silent, Watchdog
from stack.mutations import Mutation

WATCHDOG_ALERT, WATCHDOG_RECEIVER = "Watchdog", "watchdog"
GRAFANA_RECEIVER = "grafana-"

DRILLED = ("alert rule", "policy route", "contact point")
"""What only shows when something fires. All else shows as soon as the backends are asked again."""


def needs_drill(mutation: Mutation) -> bool:
    """
    Whether a drill has to run on a stack that lacks it; the watchdog alone is known by its absence, since it always fires.
    """
    return mutation.kind in DRILLED and mutation.subject != WATCHDOG_ALERT


def concerns(mutation: Mutation, item: Expectation) -> bool:
    """
    Whether an expectation is about what is gone. That another one fails, too, may have another reason, and does not count.
    """
    match mutation.kind:
        case "panel" | "panel query" | "panel datasource":
            return isinstance(item, Dashboard) and item.uid == mutation.subject
        case "datasource" | "datasource link":
            return isinstance(item, Datasource)
        case "policy route" | "contact point" if mutation.subject == WATCHDOG_RECEIVER:
            return isinstance(item, Silent | Watchdog)
        case "policy route" | "contact point":
            return _is_told(item, mutation)
        case "alert rule" if needs_drill(mutation):
            return isinstance(item, Alert) and item.name == mutation.subject and mutation.source in _sources(item)
        case _:
            return isinstance(item, Rules) and item.source == mutation.source


def _is_told(item: Expectation, mutation: Mutation) -> bool:
    if not isinstance(item, Alert) or item.receiver is None or mutation.source not in _sources(item):
        return False
    return item.receiver.removeprefix(GRAFANA_RECEIVER) == mutation.subject.removeprefix(GRAFANA_RECEIVER)


def _sources(item: Alert) -> tuple[str, ...]:
    return ("prometheus", "grafana") if str(item.source) == "both" else (item.source,)
