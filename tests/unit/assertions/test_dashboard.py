"""Dashboards: every panel's own query is asked as Grafana would, and what it shows is judged."""

import json
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from assertions.backend import BackendError
from assertions.blueprint import Blueprint
from assertions.dashboard import judge
from assertions.grafana import Grafana
from assertions.panels import Panel, ask_panels, fill_in
from assertions.questions import QUESTIONS
from scenarios.model import Dashboard
from scenarios.record import Outcome, Verdict
from tests.unit.assertions.builders import CHECK, NAMESPACE, T0, evidence, history, traffic

SPAN, ON = (T0, T0 + 30), (T0 + 10, T0 + 20)
VALUES = {"namespace": "run-1", "service": ".*"}
TARGET = {
    "refId": "X",
    "datasource": {"type": "prometheus", "uid": "${datasource}"},
    "expr": 'rate(a{ns=~"$namespace"}[$__rate_interval])',
}
SEARCH = {"datasource": {"uid": "${tempo}"}, "queryType": "traceql", "query": '{ ns = "${namespace:raw}" }'}
GRAPH = {"datasource": {"uid": "${tempo}"}, "queryType": "serviceMap"}


def page(*panels: dict[str, Any]) -> dict[str, Any]:
    """A dashboard with two datasource variables."""
    variables = [
        {"name": "datasource", "type": "datasource", "query": "prometheus"},
        {"name": "tempo", "type": "datasource", "query": "tempo"},
        {"name": "namespace", "type": "query", "query": "label_values(x)"},
    ]
    return {"uid": "slo", "panels": list(panels), "templating": {"list": variables}}


def frame(*points: tuple[float, float | None], timed: bool = True) -> dict[str, Any]:
    """A frame of a query's answer."""
    fields = [{"name": "Time", "type": "time"}] if timed else [{"name": "who", "type": "string"}]
    first = [(T0 + t) * 1000 for t, _ in points] if timed else ["somebody" for _ in points]
    return {
        "schema": {"fields": [*fields, {"name": "Value", "type": "number"}]},
        "data": {"values": [first, [v for _, v in points]]},
    }


def grafana(
    dashboard: dict[str, Any], answer: dict[str, Any], *, status: int = 200, traces: int = 0
) -> tuple[Grafana, list[Any]]:
    """A Grafana with one dashboard that answers every query so; and what it was asked."""
    asked: list[Any] = []

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/dashboards/uid/slo":
            return httpx.Response(200, json={"dashboard": dashboard})
        if request.url.path == "/api/datasources":
            return httpx.Response(200, json=[{"type": "prometheus", "uid": "p1"}, {"type": "tempo", "uid": "t1"}])
        if request.url.path == "/api/datasources/proxy/uid/t1/api/search":
            asked.append(request.url.params["q"])
            return httpx.Response(200, json={"traces": [{}] * traces} if traces else {})
        if request.url.path == "/api/ds/query":
            asked.append(json.loads(request.content))
            return httpx.Response(status, json=answer)
        return httpx.Response(404, json={"message": "Dashboard not found"})

    return Grafana("http://grafana", transport=httpx.MockTransport(handle)), asked


def answered(*frames: dict[str, Any]) -> dict[str, Any]:
    """A good answer."""
    return {"results": {"A": {"status": 200, "frames": list(frames)}}}


def test_variables_are_filled_in_and_grafanas_own_are_left() -> None:
    """In all three ways of writing them."""
    assert fill_in("$a ${a} ${a:regex} [[a]] $__rate_interval $b", {"a": "x"}) == "x x x x $__rate_interval $b"


def test_a_panel_is_asked_through_its_own_datasource_for_the_drills_time() -> None:
    """And what it showed before and during the fault is kept."""
    client, asked = grafana(
        page({"title": "Rate", "targets": [TARGET]}),
        answered(frame((1, 2.0), (5, 3.0), (9, 2.5), (12, 9.0), (29, 50.0))),
    )

    (panel,) = ask_panels(client, "slo", VALUES, span=SPAN, on=ON)

    assert panel == Panel(title="Rate", points=5, before=2.5, during=9.0)
    (query,) = asked[0]["queries"]
    assert (query["datasource"], query["expr"]) == ({"uid": "p1"}, 'rate(a{ns=~"run-1"}[$__rate_interval])')
    assert (asked[0]["from"], asked[0]["to"]) == (str(int(T0 * 1000)), str(int((T0 + 30) * 1000)))


def test_panels_in_rows_count_and_those_without_queries_do_not() -> None:
    """Nor do queries that only the browser asks."""
    row = {"title": "Row", "panels": [{"title": "Inner", "targets": [TARGET, GRAPH]}]}
    client, _ = grafana(page({"title": "Text"}, {"title": "Graph", "targets": [GRAPH]}, row), answered(frame((1, 1.0))))

    assert [panel.title for panel in ask_panels(client, "slo", VALUES, span=SPAN, on=None)] == ["Inner"]


def test_numbers_without_a_time_are_of_the_end_and_nulls_are_none() -> None:
    """Tables and stats."""
    client, _ = grafana(
        page({"title": "Table", "targets": [TARGET]}), answered(frame((0, 4.0), (0, None), timed=False))
    )

    (panel,) = ask_panels(client, "slo", VALUES, span=SPAN, on=ON)

    assert (panel.points, panel.before, panel.during) == (1, None, None)


def test_traces_are_searched_through_grafana() -> None:
    """With the query's variables filled in."""
    client, asked = grafana(page({"title": "Traces", "targets": [SEARCH]}), {}, traces=3)

    (panel,) = ask_panels(client, "slo", VALUES, span=SPAN, on=ON)

    assert (panel.points, asked) == (3, ['{ ns = "run-1" }'])


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ({"results": {"A": {"error": "parse error at char 3", "status": 400, "frames": []}}}, 400),
        ({"message": "parse error at char 3"}, 404),
    ],
)
def test_a_wrong_query_is_what_the_panel_showed(answer: dict[str, Any], status: int) -> None:
    """In the backend's own words; the other panels are asked all the same."""
    client, _ = grafana(page({"title": "Rate", "targets": [TARGET]}), answer, status=status)

    (panel,) = ask_panels(client, "slo", VALUES, span=SPAN, on=ON)

    assert (panel.title, panel.error) == ("Rate", "parse error at char 3")
    assert panel.query.startswith("rate(a{")


def test_a_dashboard_that_is_not_there_shows_nothing() -> None:
    """Grafana answered, so that is known."""
    client, _ = grafana(page(), {})

    assert ask_panels(client, "other", VALUES, span=SPAN, on=ON) == ()


def test_a_missing_dashboard_leaves_the_others_alone() -> None:
    """Each expectation asks for its own."""
    client, _ = grafana(page({"title": "Rate", "targets": [TARGET]}), answered(frame((1, 2.0))))
    ask = QUESTIONS[Dashboard][0].ask
    backends: Any = SimpleNamespace(grafana=client, namespace=NAMESPACE, blueprint=Blueprint())

    found = [ask(Dashboard(uid=uid), history(traffic(0, 5)), backends) for uid in ("slo", "other")]

    assert [len(panels) for panels in found] == [1, 0]


def test_a_stack_without_grafana_could_not_be_asked() -> None:
    """That is UNKNOWN, and no failure."""
    backends: Any = SimpleNamespace(grafana=None, namespace=NAMESPACE, blueprint=Blueprint())

    with pytest.raises(BackendError, match="this stack has no grafana"):
        QUESTIONS[Dashboard][0].ask(Dashboard(uid="slo"), history(traffic(0, 5)), backends)


def judged(*panels: Panel, **given: Any) -> Outcome:
    """The outcome of a dashboard whose panels showed this."""
    return judge(Dashboard.model_validate({"uid": "slo"} | given), CHECK, evidence(dashboards={CHECK.id: panels}))


GOOD = Panel(title="Rate", points=9, before=2.0, during=9.0)
BARE = Panel(title="Errors")


def test_data_everywhere_passes_with_the_number_of_panels() -> None:
    """Moves are told with their figures."""
    found = judged(GOOD, moves={"Rate": "300%"})

    assert (found.verdict, found.observed) == (Verdict.PASS, "1 of 1 panels have data; Rate: 2 before, up to 9")


def test_an_empty_panel_fails_by_its_title() -> None:
    """Unless it may be empty, or data is not asked for."""
    assert judged(GOOD, BARE).observed == "nothing in Errors"
    assert judged(GOOD, BARE).verdict is Verdict.FAIL
    assert judged(GOOD, BARE, empty="Errors").verdict is Verdict.PASS
    assert judged(GOOD, BARE, panels_have_data=False).verdict is Verdict.PASS


def test_a_dashboard_without_any_query_proves_nothing() -> None:
    """Even where data is not asked for."""
    assert judged(panels_have_data=False).observed == "no such dashboard, or none of its panels has a query"


def test_a_wrong_query_is_told_with_panel_query_and_message() -> None:
    """Whatever else was asked for."""
    found = judged(Panel(title="Rate", query="rate(", error="unclosed"), panels_have_data=False)

    assert (found.verdict, found.where) == (Verdict.FAIL, "dashboard slo in grafana")
    assert found.observed == "'Rate' asks 'rate(': unclosed"


@pytest.mark.parametrize(
    ("panel", "title", "observed"),
    [
        (GOOD, "Speed", "no such panel; there are: Rate"),
        (GOOD, "Rate", "9 at most, before 2"),
        (Panel(title="Rate", points=1, during=9.0), "Rate", "it shows nothing before the fault"),
        (Panel(title="Rate", points=1, before=9.0), "Rate", "it shows nothing while it was on"),
        (Panel(title="Rate", points=1, before=0.0, during=0.0), "Rate", "0 at most, before 0"),
    ],
)
def test_a_panel_that_does_not_show_the_fault_fails(panel: Panel, title: str, observed: str) -> None:
    """With what it showed."""
    found = judged(panel, moves={title: "500%"})

    assert (found.verdict, found.observed) == (Verdict.FAIL, observed)
    assert title in found.expected


def test_without_an_answer_it_is_unknown() -> None:
    """With Grafana's own reason, or that nobody asked."""
    asked = judge(Dashboard(uid="slo"), CHECK, evidence(problems={"grafana": "grafana did not answer"}))
    unasked = judge(Dashboard(uid="slo"), CHECK, evidence())

    assert (asked.verdict, asked.observed) == (Verdict.UNKNOWN, "grafana did not answer")
    assert (unasked.verdict, unasked.observed) == (Verdict.UNKNOWN, "grafana was not asked")


RATE = {"title": "Rate", "targets": [TARGET]}
PLANNED = page(
    RATE, {"title": "Graph", "targets": [GRAPH]}, {"type": "row", "title": "Row", "panels": [{"title": "Text"}]}
)


@pytest.mark.parametrize(
    ("served", "lost"),
    [
        (PLANNED, []),
        (page(*PLANNED["panels"], {"title": "Mine", "targets": [SEARCH]}), []),
        (page(RATE, {"title": "Graph", "targets": [GRAPH]}), [("Text", (), True)]),
        (
            page(RATE, {"title": "Graph"}, {"title": "Text"}),
            [("Graph", (" of ${tempo}",), False)],
        ),
        (
            page({**RATE, "targets": [{**TARGET, "expr": "other"}]}, *PLANNED["panels"][1:]),
            [("Rate", (f"{TARGET['expr']} of ${{datasource}}",), False)],
        ),
        (
            page({**RATE, "targets": [{**TARGET, "datasource": {"uid": "mine"}}]}, *PLANNED["panels"][1:]),
            [("Rate", (f"{TARGET['expr']} of ${{datasource}}",), False)],
        ),
    ],
    ids=["same", "more", "no panel", "no query", "another query", "another datasource"],
)
def test_what_was_planned_and_is_not_served_is_noted(served: dict[str, Any], lost: list[Any]) -> None:
    """A panel, a query, or where it goes; what people have added is theirs."""
    client, _ = grafana(served, answered(frame((1, 1.0))))

    panels = ask_panels(client, "slo", VALUES, span=SPAN, on=None, plan=PLANNED)

    assert [(one.title, one.lost, one.gone) for one in panels if one.lost or one.gone] == lost


def test_a_dashboard_that_was_planned_and_is_not_there_has_lost_nothing_but_itself() -> None:
    """That it is missing says all."""
    client, _ = grafana(page(), {})

    assert ask_panels(client, "other", VALUES, span=SPAN, on=None, plan=PLANNED) == ()


def test_what_is_lost_is_told_by_panel_and_query() -> None:
    """Even where data is not asked for, and where others have theirs."""
    found = judged(
        GOOD, Panel(title="Graph", gone=True), Panel(title="Errors", lost=("up of p1",)), panels_have_data=False
    )

    assert found.verdict is Verdict.FAIL
    assert found.expected == "every panel and every query that was generated"
    assert found.observed == "panel 'Graph' is not there and 'Errors' does not ask 'up of p1'"
    assert found.facts["lost"] == ["Graph", "Errors"]
    assert found.hint.startswith("was it changed by hand?")


def test_a_query_without_data_is_told_though_the_panel_shows_others() -> None:
    """Unless its panel may be empty."""
    half = Panel(title="Both", points=3, silent=("rate(b[5s])",))

    assert judged(GOOD, half).observed == "nothing in Both for 'rate(b[5s])'"
    assert judged(GOOD, half, empty=["Both"]).verdict is Verdict.PASS


def test_queries_that_find_nothing_are_noted() -> None:
    """By what was asked, with variables filled in."""
    client, _ = grafana(page({**RATE, "targets": [TARGET, SEARCH]}), answered(frame((1, 1.0))))

    (panel,) = ask_panels(client, "slo", VALUES, span=SPAN, on=None)

    assert (panel.points, panel.silent) == (1, ('{ ns = "run-1" }',))
