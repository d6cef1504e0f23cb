"""Datasource: Grafana reaches it, and each link is followed to data of the drill."""

from typing import Any

import httpx
import pytest

from assertions.datasource import Asking, gather, judge
from assertions.evidence import Link, Source
from assertions.grafana import Grafana
from assertions.prometheus import Prometheus
from scenarios.model import Datasource
from scenarios.record import Outcome, Verdict
from tests.unit.assertions.builders import CHECK, NAMESPACE, T0, evidence

TAGS = [{"key": "service.namespace", "value": "ns"}, {"key": "service.name"}, {"key": "pod"}]
METRICS = {"datasourceUid": "prom", "tags": TAGS, "queries": [{"name": "Rate", "query": "rate(a{$__tags}[1m])"}]}
SOURCES: dict[str, dict[str, Any]] = {
    "prom": {
        "type": "prometheus",
        "jsonData": {
            "exemplarTraceIdDestinations": [{"name": "trace_id", "datasourceUid": "tempo"}],
            "alertmanagerUid": "am",
        },
    },
    "tempo": {
        "type": "tempo",
        "jsonData": {"serviceMap": {"datasourceUid": "prom"}, "tracesToMetrics": METRICS},
    },
    "am": {"type": "alertmanager"},
}


class World:
    """A Grafana with three datasources, and a Prometheus with one exemplar; `dead` ones do not answer."""

    def __init__(
        self, *, dead: str = "", sources: dict[str, Any] = SOURCES, trace: str = "ab", points: int = 1
    ) -> None:
        self.asked: list[str] = []
        self._dead, self._sources, self._trace, self._points = dead, sources, trace, points

    def answer(self, request: httpx.Request) -> httpx.Response:
        """What is asked of either."""
        path = request.url.path
        if path == "/api/v1/query_exemplars":
            one = {"labels": {"trace_id": "ab"}, "value": "0.2", "timestamp": T0}
            return httpx.Response(200, json={"data": [{"seriesLabels": {}, "exemplars": [one]}]})
        if path == "/api/ds/query":
            self.asked.append(request.content.decode())
            frame = {"schema": {"fields": [{"type": "number"}]}, "data": {"values": [[1.0] * self._points]}}
            return httpx.Response(200, json={"results": {"A": {"frames": [frame]}}})
        uid = path.removeprefix("/api/datasources/proxy").removeprefix("/api/datasources").split("/")[2]
        if uid not in self._sources:
            return httpx.Response(404, json={"message": "Unable to find datasource: data source not found"})
        if "/proxy/" not in path:
            return httpx.Response(200, json=self._sources[uid])
        if uid == self._dead:
            return httpx.Response(502)
        if "/traces/" in path and not path.endswith(self._trace):
            return httpx.Response(404, text="trace not found")
        return httpx.Response(200, text="echo")

    def gathered(self, uid: str, **given: Any) -> Source:
        """What is found of one of them."""
        transport = httpx.MockTransport(self.answer)
        asking = Asking(
            grafana=Grafana("http://grafana", transport=transport),
            prometheus=Prometheus("http://prom", transport=transport),
            namespace=NAMESPACE,
            span=(T0, T0 + 9),
        )
        return gather(Datasource.model_validate({"uid": uid} | given), asking)


def judged(source: Source | None, **given: Any) -> Outcome:
    """The outcome for a datasource."""
    item = Datasource.model_validate({"uid": "tempo"} | given)
    return judge(item, CHECK, evidence(datasources={CHECK.id: source} if source else {}))


def test_every_link_is_followed_to_what_it_is_for() -> None:
    """Exemplars to traces, traces to metrics and to the service graph, Prometheus to its Alertmanager."""
    world = World()

    assert world.gathered("prom") == Source(
        links=(
            Link(kind="exemplars", to="tempo", found={"traces of exemplars": 1}),
            Link(kind="alertmanager", to="am", found={"status": 1}),
        )
    )
    assert world.gathered("tempo") == Source(
        links=(
            Link(kind="service_map", to="prom", found={"edges": 1}),
            Link(kind="trace_to_metrics", to="prom", found={"Rate": 1}),
        )
    )
    assert world.gathered("am") == Source()


def test_a_spans_tags_are_put_in_as_labels() -> None:
    """Those of the drill's entry service; a tag that it has not is left out."""
    world = World()
    world.gathered("tempo")

    assert 'rate(a{ns=\\"run-1\\",service.name=\\"frontend\\"}[1m])' in world.asked[-1]


def test_a_missing_datasource_and_one_that_is_silent_are_problems() -> None:
    """Grafana knows one and cannot reach the other."""
    assert World().gathered("loki").problem == "there is no such datasource"
    assert "502" in World(dead="am").gathered("am").problem


@pytest.mark.parametrize(
    ("world", "uid", "kind", "words"),
    [
        (World(dead="tempo"), "prom", "exemplars", "502"),
        (World(sources={"prom": SOURCES["prom"]}), "prom", "exemplars", "grafana has no datasource 'tempo'"),
        (World(sources={"prom": SOURCES["prom"]}), "prom", "alertmanager", "grafana has no datasource 'am'"),
    ],
)
def test_a_link_to_what_is_not_there_is_broken(world: World, uid: str, kind: str, words: str) -> None:
    """With Grafana's own words."""
    link = next(link for link in world.gathered(uid).links if link.kind == kind)

    assert words in link.problem


def test_a_link_by_another_label_than_exemplars_have_is_broken() -> None:
    """It would never be drawn."""
    data = {"exemplarTraceIdDestinations": [{"name": "traceID", "datasourceUid": "tempo"}]}
    (link,) = World(sources={"prom": {"type": "prometheus", "jsonData": data}}).gathered("prom").links

    assert link.problem == "exemplars have no label 'traceID'; they have 'trace_id'"


def test_links_that_lead_to_nothing_say_so() -> None:
    """A trace that is not there, a query that finds nothing."""
    (exemplars, _) = World(trace="other").gathered("prom").links
    (graph, metrics) = World(points=0).gathered("tempo").links

    assert (exemplars.found, graph.found, metrics.found) == ({"traces of exemplars": 0}, {"edges": 0}, {"Rate": 0})


GRAPH = Link(kind="service_map", to="prom", found={"edges": 3})


def test_a_datasource_whose_links_all_lead_somewhere_passes() -> None:
    """And says how much was found there."""
    found = judged(Source(links=(GRAPH,)), links=["service_map"], queries=["edges"])

    assert found.verdict is Verdict.PASS
    assert found.observed == "it answers; service_map leads to prom (edges: 3)"
    assert judged(Source()).observed == "it answers; it has no links"


@pytest.mark.parametrize(
    ("source", "given", "observed"),
    [
        (Source(problem="gone"), {"links": ["exemplars"]}, "gone"),
        (Source(links=(GRAPH,)), {"links": ["exemplars"]}, "it has no link exemplars"),
        (Source(links=(GRAPH,)), {"queries": "Rate"}, "its link trace_to_metrics has no query 'Rate'"),
        (Source(links=(Link(kind="a", to="b", problem="c"),)), {}, "its link a to 'b' is broken: c"),
        (Source(links=(Link(kind="a", to="b"),)), {}, "its link a to 'b' asks for nothing"),
        (Source(links=(Link(kind="a", to="b", found={"c": 0}),)), {}, "its link a to 'b' finds no c"),
    ],
)
def test_what_is_wrong_is_named(source: Source, given: dict[str, Any], observed: str) -> None:
    """By the link."""
    found = judged(source, **given)

    assert (found.verdict, found.observed, found.where) == (Verdict.FAIL, observed, "datasource tempo in grafana")
    assert found.hint


def test_without_an_answer_it_is_unknown() -> None:
    """Nobody asked, or Grafana did not answer."""
    assert (judged(None).verdict, judged(None).observed) == (Verdict.UNKNOWN, "grafana was not asked")
