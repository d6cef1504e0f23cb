"""Questions: each kind of expectation gets its own answers, filed under its check."""

from typing import Any

import httpx

from assertions.evidence import Delays, Edge, Evidence
from assertions.gather import Backends, gather
from assertions.prometheus import Prometheus
from assertions.tempo import Tempo
from scenarios.history import Event
from tests.unit.assertions.builders import NAMESPACE, T0, history, request, scenario, traffic


class World:
    """A Prometheus and a Tempo that answer everything, and note what they were asked."""

    def __init__(self) -> None:
        self.asked: list[httpx.Request] = []
        self.transport = httpx.MockTransport(self._answer)

    def _answer(self, asked: httpx.Request) -> httpx.Response:
        self.asked.append(asked)
        query = asked.url.params.get("query", "")
        if "/api/v2/traces/" in asked.url.path:
            return httpx.Response(404)
        if asked.url.path == "/api/v1/query_exemplars":
            one = {"labels": {"trace_id": "ab"}, "value": "0.2", "timestamp": T0}
            return httpx.Response(200, json={"data": [{"seriesLabels": {}, "exemplars": [one]}]})
        if asked.url.path == "/api/v1/query":
            labels = {"client": "frontend", "server": "users", "le": "+Inf", "__name__": "http_x"}
            rows = [{"metric": labels, "value": [T0, "3"]}] if NAMESPACE in query else []
            return httpx.Response(200, json={"data": {"resultType": "vector", "result": rows}})
        return httpx.Response(200, json={"data": {"groups": [], "resultType": "matrix", "result": []}, "series": []})

    def gathered(self, *expect: dict[str, Any], events: list[Event] | None = None) -> Evidence:
        """What is gathered of a drill of 10 s."""
        backends = Backends(
            prometheus=Prometheus("http://prom", transport=self.transport),
            tempo=Tempo("http://tempo", transport=self.transport),
            namespace=NAMESPACE,
            delays=Delays(export_s=0, batch_s=0, scrape_s=0),
            settle_s=0,
        )
        return gather(scenario(*expect), history(events if events is not None else traffic(0, 10)), backends)


def test_answers_are_filed_under_the_check_that_needs_them() -> None:
    """Two expectations of one kind do not share theirs."""
    found = World().gathered(
        {"service_graph": {"edges": ["frontend -> users"]}},
        {"exemplar": {}},
        {"service_graph": {"edges": ["frontend -> catalog"]}},
        {"traces": {}},
        {"semconv": {}},
        {"logs": {}},
        events=[*traffic(0, 10), request(1, "aa")],
    )

    edge = Edge(calls=3, failed=3, buckets={"+Inf": 3})
    assert found.edges == {"expect/1": {"frontend -> users": edge}, "expect/3": {"frontend -> users": edge}}
    assert [one.trace_id for one in found.examples["expect/2"]] == ["ab"]
    assert [one.trace_id for one in found.traces["expect/4"]] == ["aa"]
    assert [one.trace_id for one in found.traces["expect/5"]] == ["aa"]
    assert [one["__name__"] for one in found.telemetry["expect/5"]] == ["http_x"]
    assert found.torn_halves == {"catalog": 0, "users": 0}
    assert found.problems == {"logs": "the app keeps no logs here"}


def test_exemplars_are_asked_for_a_little_beyond_the_drill() -> None:
    """The last ones are scraped after the last request."""
    world = World()
    world.gathered({"exemplar": {}})

    asked = next(one for one in world.asked if one.url.path.endswith("exemplars"))
    assert (asked.url.params["start"], asked.url.params["end"]) == (f"{T0:.3f}", f"{T0 + 20:.3f}")


def test_a_drill_without_traffic_is_asked_for_all_the_same() -> None:
    """Its exemplars are those of no time."""
    assert World().gathered({"exemplar": {}}, events=[]).examples != {}


def test_what_no_expectation_needs_is_not_asked_for() -> None:
    """Torn halves are searched only for traces."""
    world = World()
    found = world.gathered({"silent": {}})

    assert (found.edges, found.examples, found.traces, found.torn_halves) == ({}, {}, {}, {})
    assert not [one for one in world.asked if "service_graph" in str(one.url) or "nestedSet" in str(one.url)]
