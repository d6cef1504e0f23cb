"""Links: followed within the stack, to what they name, and nowhere else."""

from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import httpx
import pytest

from assertions.backend import BackendError
from assertions.evidence import Lead
from assertions.grafana import Grafana
from assertions.leads import Places, gather
from assertions.prometheus import Prometheus
from scenarios.history import Event
from tests.unit.assertions.builders import NAMESPACE, alert, change, fault_on, history, refusing, told

EXPR = 'sum(rate(errors{a="b"}[1m])) > 1'
GRAFANA = "http://127.0.0.1:3000"
GRAPH = f"http://127.0.0.1:9090/graph?g0.expr={quote_plus(EXPR)}&g0.tab=1"


def answer(request: httpx.Request) -> httpx.Response:
    """A Prometheus and a Grafana, each with one rule; the Grafana has a dashboard with a panel in a row."""
    path = request.url.path
    if path == "/api/v1/rules":
        return httpx.Response(
            200, json={"data": {"groups": [{"interval": 1, "rules": [{"name": "Burn", "query": EXPR}]}]}}
        )
    if path == "/api/prometheus/grafana/api/v1/rules":
        group = {"interval": 1, "rules": [{"name": "Burn", "uid": "tocsin-burn"}]}
        return httpx.Response(200, json={"data": {"groups": [group]}})
    if path == "/api/dashboards/uid/slo":
        page = {"panels": [{"id": 1, "panels": [{"id": 7}]}]}
        return httpx.Response(200, json={"dashboard": page})
    return httpx.Response(404, json={"message": "not found"})


def places(pages: Path = Path(), transport: httpx.BaseTransport | None = None) -> Places:
    """Where links may lead."""
    transport = transport or httpx.MockTransport(answer)
    return Places(
        prometheus=Prometheus("http://127.0.0.1:9090", transport=transport),
        grafana=Grafana(GRAFANA, transport=transport),
        pages=pages,
    )


def notified(source: str, *, runbook: str = "", **links: str) -> list[Event]:
    """The usual alert, told with these links."""
    receiver = "pager" if source == "prometheus" else "grafana-page"
    texts = {"runbook_url": runbook} if runbook else {}
    return [
        change(7, "firing", source=source),
        told(8).model_copy(update={"receiver": receiver, "links": links, "annotations": texts}),
    ]


def followed(source: str, *, pages: Path = Path(), runbook: str = "", **links: str) -> tuple[Lead, ...]:
    """What became of these links."""
    happened = history(fault_on(), notified(source, runbook=runbook, **links))
    expected = alert(source=source, links=["rule"])
    return gather(expected, happened, places(pages), namespace=NAMESPACE)


def problem(source: str, **links: Any) -> str:
    """The problem with the only link."""
    (link,) = followed(source, **links)
    assert link.followed
    return link.problem


def silence(*matchers: str) -> str:
    """The address of a form for a silence."""
    return f"{GRAFANA}/alerting/silence/new?alertmanager=grafana" + "".join(
        f"&matcher={quote_plus(m)}" for m in matchers
    )


@pytest.mark.parametrize(
    ("source", "name", "url"),
    [
        ("prometheus", "rule", GRAPH),
        ("grafana", "rule", f"{GRAFANA}/alerting/grafana/tocsin-burn/view?orgId=1"),
        ("grafana", "dashboard", f"{GRAFANA}/d/slo?orgId=1"),
        ("grafana", "dashboard", f"{GRAFANA}/sub/d/slo/a-title?orgId=1"),
        ("grafana", "panel", f"{GRAFANA}/d/slo?orgId=1&viewPanel=7"),
        ("grafana", "panel", f"{GRAFANA}/d/slo?orgId=1&viewPanel=panel-7"),
        ("grafana", "silence", silence("alertname=Burn", "service_name=catalog", "__alert_rule_uid__=x")),
    ],
)
def test_links_that_lead_where_they_say(source: str, name: str, url: str) -> None:
    """As Prometheus and Grafana write them, of any version."""
    assert problem(source, **{name: url}) == ""


@pytest.mark.parametrize(
    ("source", "name", "url", "wrong"),
    [
        ("prometheus", "rule", "http://127.0.0.1:9090/graph", "shows no query"),
        (
            "prometheus",
            "rule",
            "http://127.0.0.1:9090/graph?g0.expr=up",
            "shows a query that no rule of the name Burn asks: up",
        ),
        ("grafana", "rule", f"{GRAFANA}/alerting/grafana/old/view", "is about a rule 'old' that grafana does not have"),
        ("grafana", "rule", f"{GRAFANA}/alerting/list", "is about a rule '' that grafana does not have"),
        ("grafana", "dashboard", f"{GRAFANA}/d/gone", "is about a dashboard that grafana does not have"),
        ("grafana", "dashboard", f"{GRAFANA}/", "is about a dashboard that grafana does not have"),
        ("grafana", "panel", f"{GRAFANA}/d/gone?viewPanel=7", "is about a dashboard that grafana does not have"),
        ("grafana", "panel", f"{GRAFANA}/d/slo?viewPanel=8", "is about a panel '8' that its dashboard does not have"),
        ("grafana", "panel", f"{GRAFANA}/d/slo", "is about a panel '' that its dashboard does not have"),
        ("grafana", "silence", silence("service_name=catalog"), "would silence alerts of any name"),
        (
            "grafana",
            "silence",
            silence("alertname=Burn", "service_name=users"),
            "would silence service_name=users, which the alert does not have",
        ),
        ("grafana", "panel", "http://grafana:x", "is no address: Invalid port: 'x'"),
    ],
)
def test_links_that_lead_nowhere(source: str, name: str, url: str, wrong: str) -> None:
    """Each says what is not there."""
    assert problem(source, **{name: url}) == wrong


def test_a_runbook_is_a_page_of_the_documentation(tmp_path: Path) -> None:
    """A path without a host counts from where the documentation is."""
    (tmp_path / "Burn.md").write_text("# Burn\n")

    assert problem("prometheus", pages=tmp_path, runbook="Burn.md#look") == ""
    assert problem("prometheus", pages=tmp_path, runbook="Burnt.md") == f"is no file in {tmp_path}"


@pytest.mark.parametrize("url", ["https://wiki.example/Burn", "http://127.0.0.1:9091/x", "http://localhost:9090/x"])
def test_what_leads_outside_of_the_stack_is_never_called(url: str) -> None:
    """Not even to a neighbour: nobody knows what a call would do there."""
    (link,) = followed("prometheus", runbook=url)

    assert link == Lead(
        source="prometheus",
        name="runbook",
        url=url,
        problem="leads outside of this stack, so nobody followed it",
        followed=False,
    )


def test_each_source_has_its_own_links() -> None:
    """An alert that both must raise is told twice."""
    both = [*notified("prometheus", rule=GRAPH), *notified("grafana", dashboard=f"{GRAFANA}/d/slo")]
    found = gather(alert(source="both", links=["rule"]), history(fault_on(), both), places(), namespace=NAMESPACE)

    assert [(link.source, link.name, link.problem) for link in found] == [
        ("prometheus", "rule", ""),
        ("grafana", "dashboard", ""),
    ]


@pytest.mark.parametrize(
    ("events", "asked"),
    [
        (notified("prometheus", rule=GRAPH), ["rule"]),
        ([*fault_on(), *notified("prometheus", rule=GRAPH)], []),
        ([*fault_on(), change(7, "firing")], ["rule"]),
    ],
)
def test_nothing_is_followed_where_nothing_is_asked_or_told(events: list[Event], asked: list[str]) -> None:
    """No fault, no question, or no notification."""
    silent = places(transport=refusing())

    assert gather(alert(links=asked), history(events), silent, namespace=NAMESPACE) == ()


def test_a_backend_that_does_not_answer_is_an_error() -> None:
    """Its links are not known to be wrong."""
    happened = history(fault_on(), notified("prometheus", rule=GRAPH))

    with pytest.raises(BackendError, match="prometheus did not answer /api/v1/rules"):
        gather(alert(links=["rule"]), happened, places(transport=refusing()), namespace=NAMESPACE)
