"""Whatever is deleted from dashboards, datasources and rules, the drill that looks at them notices it, on real engines."""

from collections.abc import Sequence

import pytest

from scenarios.loader import load_text
from tocsin.fleet import Order
from tocsin.mutation.campaign import Campaign
from tocsin.mutation.concerns import DRILLED
from tocsin.mutation.finding import Finding

pytestmark = pytest.mark.e2e


DRILL = """
name: everything-is-there
why: It looks at all that people look at, as shortly as there is something to see.
load: {users: 4, rate: 20, warm_up: 6s, for: 8s, cool_down: 2s}
expect:
  - dashboard: {uid: application, panels_have_data: false}
  - dashboard: {uid: slo, panels_have_data: false}
  - dashboard: {uid: traces, panels_have_data: false}
  - dashboard: {uid: pipeline, panels_have_data: false}
  - dashboard: {uid: drill, panels_have_data: false}
  - datasource: {uid: prometheus, links: [exemplars, alertmanager]}
  - datasource:
      uid: tempo
      links: [service_map, trace_to_metrics]
      queries: [Requests per second, Share of server errors, P95 latency]
  - datasource: {uid: alertmanager}
  - rules: {source: prometheus}
  - rules: {source: grafana}
"""


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Finding]:
    """Of all that can be asked again after a short drill in which nothing breaks."""
    order = Order(scenario=load_text(DRILL), source="")
    runs = tmp_path_factory.mktemp("runs")
    return list(Campaign(orders=[order], runs=runs, quick=True, report=lambda _: None).findings())


def test_nothing_that_people_look_at_can_be_lost_unnoticed(findings: Sequence[Finding]) -> None:
    """No query, datasource, link or rule; the words of each say what it was."""
    assert [str(one.mutation) for one in findings if one.survived] == []


def test_each_was_noticed_by_who_is_about_it(findings: Sequence[Finding]) -> None:
    """And most of them by name: of the panel, the rule or the link."""
    asked = [one for one in findings if one.how == "asked"]

    assert len(asked) > 200
    assert all(one.noticed_by[0] in one.tried for one in asked)
    queries = [one for one in asked if one.mutation.kind == "panel query"]
    assert [one for one in queries if one.mutation.name.split(": ", 1)[1].rsplit(": ", 1)[0] not in one.words] == []


def test_only_what_has_to_fire_is_left_out(findings: Sequence[Finding]) -> None:
    """Alert rules, routes and contact points need a drill on a stack without them."""
    left_out = {one.mutation.kind for one in findings if one.how == "left out"}

    assert left_out == set(DRILLED)
