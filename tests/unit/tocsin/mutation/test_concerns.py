"""Concerns: whoever has to notice a loss is the one who is about it."""

import pytest

from scenarios.model import Expectation
from stack.mutations import Mutation
from tests.unit.tocsin.mutation.missing import alert, item, missing
from tocsin.mutation.concerns import concerns, needs_drill

PAGE_ROUTE, GRAFANA_ROUTE = missing("policy route", "page"), missing("policy route", "grafana-page", "grafana")


@pytest.mark.parametrize(
    ("mutation", "one", "expected"),
    [
        (missing("panel query", "slo", "grafana"), item(dashboard={"uid": "slo"}), True),
        (missing("panel", "slo", "grafana"), item(dashboard={"uid": "traces"}), False),
        (missing("panel datasource", "slo", "grafana"), item(datasource={"uid": "slo"}), False),
        (missing("datasource", "tempo", "grafana"), item(datasource={"uid": "prometheus"}), True),
        (missing("datasource link", "tempo", "grafana"), item(datasource={"uid": "tempo"}), True),
        (missing("recording rule", "a:b:c"), item(rules={}), True),
        (missing("recording rule", "a:b:c"), item(rules={"source": "grafana"}), False),
        (missing("rule datasource", "A", "grafana"), item(rules={"source": "grafana"}), True),
        (missing("alert rule", "A"), alert("A"), True),
        (missing("alert rule", "A"), alert("B"), False),
        (missing("alert rule", "A"), alert("A", source="grafana"), False),
        (missing("alert rule", "A", "grafana"), alert("A", source="both"), True),
        (missing("alert rule", "A"), item(rules={}), False),
        (missing("alert rule", "Watchdog"), item(rules={}), True),
        (PAGE_ROUTE, alert(receiver="page"), True),
        (PAGE_ROUTE, alert(), False),
        (PAGE_ROUTE, alert(receiver="ticket"), False),
        (PAGE_ROUTE, alert(receiver="page", source="grafana"), False),
        (GRAFANA_ROUTE, alert(receiver="page", source="both"), True),
        (missing("contact point", "page"), alert(receiver="page"), True),
        (missing("contact point", "watchdog"), item(silent={}), True),
        (missing("policy route", "watchdog"), alert(receiver="watchdog"), False),
    ],
)
def test_who_is_about_it_and_who_is_not(mutation: Mutation, one: Expectation, expected: bool) -> None:
    """By what it is, whose it is, and its name."""
    assert concerns(mutation, one) is expected


def test_what_has_to_fire_needs_a_drill() -> None:
    """The watchdog does not, for it always fires."""
    assert needs_drill(missing("alert rule", "A"))
    assert needs_drill(PAGE_ROUTE)
    assert not needs_drill(missing("alert rule", "Watchdog"))
    assert not needs_drill(missing("panel query", "slo"))
