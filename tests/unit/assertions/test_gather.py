"""Gather: every backend is asked once for all that judges need, patiently, and nothing is ever raised."""

import json
import math
import time
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from assertions.backend import eventually
from assertions.evidence import AlertRule, Collector, Delays, Evidence
from assertions.gather import LEAST_PATIENCE_S, Backends, gather
from assertions.prometheus import Prometheus
from assertions.tempo import Tempo
from scenarios.history import Event, History
from tests.unit.assertions.builders import BURN, NAMESPACE, T0, history, refusing, request, scenario, traffic

TRAFFIC = traffic(0, 10)
"""100 requests from time nought to 10 s."""


@pytest.fixture(autouse=True)
def _right_after_the_drill(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is gathered two seconds after the last request, with shorter pauses between questions."""

    def hurried(*asked: Any, **given: Any) -> Any:
        return eventually(*asked, **given | {"pause_s": 0.01})

    monkeypatch.setattr("assertions.gather.time", SimpleNamespace(time=lambda: T0 + 12, monotonic=time.monotonic))
    monkeypatch.setattr("assertions.gather.eventually", hurried)
    monkeypatch.setattr("assertions.lookup.eventually", hurried)
    monkeypatch.setattr("assertions.services.eventually", hurried)


PATIENT = Delays(export_s=0.05, batch_s=0.05, scrape_s=0.05)


def vector(*rows: tuple[Mapping[str, str], float]) -> dict[str, Any]:
    """The answer to an instant query."""
    return {
        "resultType": "vector",
        "result": [{"metric": dict(labels), "value": [T0, str(value)]} for labels, value in rows],
    }


def matrix(*rows: tuple[Mapping[str, str], list[tuple[float, float]]]) -> dict[str, Any]:
    """The answer to a range query."""
    return {
        "resultType": "matrix",
        "result": [{"metric": dict(labels), "values": [[t, str(v)] for t, v in points]} for labels, points in rows],
    }


FRONTEND = {"service_name": "frontend"}
REQUESTS = "sum by (service_name) (last_over_time(http_server_request_duration_seconds_count"
SPANS = "sum by (service_name) (last_over_time(traces_span_metrics_calls_total"
BUCKETS = "sum by (service_name, le)"


class FakePrometheus:
    """A Prometheus that answers a query by the first of its rules whose text stands in it, and notes what it was asked."""

    def __init__(self, **changes: Any) -> None:
        self.asked: list[dict[str, str]] = []
        self.instant: dict[str, Any] = {
            'code=~"5.."}[1h]': vector((FRONTEND, 4)),
            REQUESTS: vector((FRONTEND, 100), ({"service_name": "catalog"}, 60)),
            SPANS: vector((FRONTEND, 100)),
            BUCKETS: vector(({**FRONTEND, "le": "0.1"}, 90), ({**FRONTEND, "le": "+Inf"}, 100)),
            "min_over_time(up": vector(({}, 1)),
        }
        self.range: dict[str, Any] = {
            "sum by (service_name)": matrix((FRONTEND, [(T0, 0), (T0 + 10, 100)])),
            "histogram_quantile": matrix(({}, [(T0, math.nan), (T0 + 1, 0.25)])),
            "sum(rate(": matrix(({}, [(T0, 10)])),
        }
        self.groups: list[dict[str, Any]] = []
        for name, value in changes.items():
            getattr(self, name).update(value) if isinstance(value, dict) else setattr(self, name, value)

    def client(self) -> Prometheus:
        """A client that asks it."""
        return Prometheus("http://prom", transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/v1/rules":
            return httpx.Response(200, json={"data": {"groups": self.groups}})
        params = dict(request.url.params)
        self.asked.append(params)
        ranged = request.url.path == "/api/v1/query_range"
        rules, nothing = (self.range, matrix()) if ranged else (self.instant, vector())
        found = next((data for text, data in rules.items() if text in params["query"]), nothing)
        return httpx.Response(200, json={"data": found() if callable(found) else found})


class FakeTempo:
    """A Tempo with a number of spans and no traces."""

    def __init__(self, *counts: float) -> None:
        self.counts = list(counts) or [100.0]
        self.asked: list[dict[str, str]] = []

    def client(self) -> Tempo:
        """A client that asks it."""
        return Tempo("http://tempo", transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if "/traces/" in request.url.path:
            return httpx.Response(404)
        self.asked.append(dict(request.url.params))
        count = self.counts.pop(0) if len(self.counts) > 1 else self.counts[0]
        return httpx.Response(200, json={"series": [{"samples": [{"value": count}]}]})


def gathered(
    *expect: Mapping[str, Any],
    prometheus: FakePrometheus | Prometheus | None = None,
    tempo: FakeTempo | Tempo | None = None,
    happened: History | None = None,
    settle_s: float = 0.0,
    delays: Delays = PATIENT,
) -> Evidence:
    """What is gathered of a drill with 100 requests."""
    prometheus, tempo = prometheus or FakePrometheus(), tempo or FakeTempo()
    backends = Backends(
        prometheus=prometheus.client() if isinstance(prometheus, FakePrometheus) else prometheus,
        tempo=tempo.client() if isinstance(tempo, FakeTempo) else tempo,
        namespace=NAMESPACE,
        delays=delays,
        settle_s=settle_s,
    )
    return gather(scenario(*expect), happened or history(TRAFFIC), backends)


def test_services_are_told_by_their_counters() -> None:
    """From the service's start, by time, and by bucket; a counter that is not there is nought."""
    found = gathered().services

    assert set(found) == {"frontend", "catalog"}
    assert (found["frontend"].requests, found["frontend"].failed, found["frontend"].collected) == (100, 4, 100)
    assert found["frontend"].buckets == {"0.1": 90, "+Inf": 100}
    assert found["frontend"].requests_by_time == ((T0, 0), (T0 + 10, 100))
    assert found["frontend"].failed_by_time == found["frontend"].collected_by_time == ((T0, 0), (T0 + 10, 100))
    assert (found["catalog"].requests, found["catalog"].failed, found["catalog"].requests_by_time) == (60, 0, ())


def test_only_this_drills_services_are_asked_for() -> None:
    """By its namespace, and spans of servers only."""
    prometheus = FakePrometheus()
    gathered(prometheus=prometheus)
    queries = [asked["query"] for asked in prometheus.asked]

    own = [query for query in queries if "service_name" in query]
    assert own
    assert all(f'service_namespace="{NAMESPACE}"' in query for query in own)
    assert any('span_kind="SPAN_KIND_SERVER"' in query for query in queries)


def test_it_waits_until_the_counters_have_caught_up_with_the_clients() -> None:
    """Metrics and spans both, to the last request."""
    requests = iter([90, 100, 100, 100])
    spans = iter([100, 90, 100, 100])
    prometheus = FakePrometheus(
        instant={
            REQUESTS: lambda: vector((FRONTEND, next(requests))),
            SPANS: lambda: vector((FRONTEND, next(spans))),
        }
    )

    found = gathered(prometheus=prometheus, settle_s=30).services["frontend"]

    assert (found.requests, found.collected) == (100, 100)
    assert next(requests) == 100
    assert len(list(spans)) == 1


def test_at_the_deadline_what_is_there_is_taken() -> None:
    """The judges say what is missing."""
    prometheus = FakePrometheus(instant={REQUESTS: vector((FRONTEND, 90))})
    delays = Delays(export_s=0, batch_s=0, scrape_s=0.01)

    assert gathered(prometheus=prometheus, delays=delays).services["frontend"].requests == 90


def patience_s(settle_s: float, delays: Delays, *, asking_for_s: float = 0.0) -> float:
    """How long is waited for an answer when the first one was asked for so long ago."""
    return Backends(
        prometheus=FakePrometheus().client(),
        tempo=FakeTempo().client(),
        namespace="",
        delays=delays,
        settle_s=settle_s,
        since_s=time.monotonic() - asking_for_s,
    ).patience_s


QUICK = Delays(export_s=1, batch_s=0.2, scrape_s=1)


def test_a_slow_pipeline_is_given_more_time() -> None:
    """Twice its way, and never less than was asked for."""
    slow = Delays(export_s=15, batch_s=1, scrape_s=15)

    assert patience_s(600, QUICK) == pytest.approx(600, abs=60)
    assert patience_s(12, slow, asking_for_s=-1000) == pytest.approx(1062, abs=60)


def test_what_is_lost_is_waited_for_but_once() -> None:
    """All answers settle at the same time, so who is asked later is waited for less, if always for a moment."""
    assert patience_s(600, QUICK, asking_for_s=300) == pytest.approx(300, abs=60)
    assert patience_s(600, QUICK, asking_for_s=900) == LEAST_PATIENCE_S
    assert patience_s(0, Delays(export_s=0, batch_s=0, scrape_s=0), asking_for_s=60) == 0


def test_the_collector_is_told_by_the_rise_of_its_counters() -> None:
    """Refused and failed ones of all signals; what it could not even queue has failed too."""
    rising = [(T0, 5.0), (T0 + 5, 8.0)]
    prometheus = FakePrometheus(
        range={
            "otelcol_receiver_accepted_spans(": matrix(({"receiver": "otlp"}, rising), ({"receiver": "x"}, rising)),
            "otelcol_receiver_refused_log_records(": matrix(({}, rising)),
            "otelcol_exporter_sent_metric_points(": matrix(({}, rising)),
            "otelcol_exporter_send_failed_spans(": matrix(({}, rising)),
            "otelcol_exporter_enqueue_failed_spans(": matrix(({}, rising), ({"exporter": "late"}, [(T0 + 4, 2.0)])),
        }
    )
    nothing = {"spans": 0, "metric_points": 0, "log_records": 0}

    assert gathered(prometheus=prometheus).collector == Collector(
        up=True,
        exporter_up=True,
        accepted=nothing | {"spans": 6},
        refused=nothing | {"log_records": 3},
        sent=nothing | {"metric_points": 3},
        failed=nothing | {"spans": 3 + 3 + 2},
    )


@pytest.mark.parametrize(
    ("answer", "up"),
    [(vector(({}, 1)), True), (vector(({}, 0)), False), (vector(), False), (vector(({}, math.nan)), False)],
)
def test_a_target_that_was_ever_down_or_never_there_was_not_up(answer: dict[str, Any], up: bool) -> None:
    """No data is never a pass."""
    collector = gathered(prometheus=FakePrometheus(instant={"min_over_time(up": answer})).collector

    assert (collector.up, collector.exporter_up) == (up, up)


def test_the_collectors_two_targets_are_told_apart() -> None:
    """Its own metrics, and those of the app that it exports."""
    prometheus = FakePrometheus()
    prometheus.instant = {'job="collector-exporter"': vector(({}, 0))} | prometheus.instant

    collector = gathered(prometheus=prometheus).collector

    assert (collector.up, collector.exporter_up) == (True, False)


def test_rules_carry_their_formula() -> None:
    """As data; somebody else's rules have none, or one that nobody can read."""
    rules = [
        {
            "name": "Burn",
            "query": "x",
            "duration": 2,
            "health": "ok",
            "annotations": {"tocsin_formula": json.dumps(BURN)},
        },
        {"name": "Other", "query": "y", "health": "err", "lastError": "bad"},
        {"name": "Broken", "query": "z", "annotations": {"tocsin_formula": "{"}},
    ]
    found = gathered(prometheus=FakePrometheus(groups=[{"interval": 4, "rules": rules}])).rules

    assert found == {
        "Burn": AlertRule(query="x", interval_s=4, for_s=2, health="ok", formula=BURN),
        "Other": AlertRule(query="y", interval_s=4, for_s=0, health="err", last_error="bad"),
        "Broken": AlertRule(query="z", interval_s=4, for_s=0, health="unknown"),
    }


def test_failed_notifications_are_counted() -> None:
    """Those of Alertmanager and those of Prometheus on the way to it."""
    prometheus = FakePrometheus(
        range={
            "alertmanager_notifications_failed(": matrix(({}, [(T0, 1), (T0 + 9, 3)])),
            "prometheus_notifications_errors(": matrix(({}, [(T0, 0), (T0 + 9, 1)])),
        }
    )

    assert gathered(prometheus=prometheus).notify_failures == 3


def test_series_are_drawn_over_the_clients_own() -> None:
    """With what is no number left out."""
    assert gathered().series == {
        "request_rate": ((T0, 10.0),),
        "error_ratio": ((T0, 10.0),),
        "p95_s": ((T0 + 1, 0.25),),
    }


def test_rates_look_back_over_several_scrapes() -> None:
    """A rate of one scrape is none."""

    def width(scrape_s: float) -> str:
        prometheus = FakePrometheus()
        gathered(prometheus=prometheus, delays=Delays(export_s=0, batch_s=0, scrape_s=scrape_s))
        query = next(asked["query"] for asked in prometheus.asked if asked["query"].startswith("sum(rate("))
        return query.partition("[")[2].rstrip("])")

    assert width(1) == "4s"
    assert width(15) == "60s"


@pytest.mark.parametrize(("length_s", "step"), [(10, "1"), (10_000, "1"), (10_001, "2"), (25_000, "3")])
def test_a_long_drill_is_followed_in_longer_steps(length_s: int, step: str) -> None:
    """Prometheus gives at most 11,000 points of a series."""
    prometheus = FakePrometheus()
    ends = [*traffic(0, 1), *traffic(length_s - 1, length_s)]
    gathered(prometheus=prometheus, happened=history(ends))

    own = [asked for asked in prometheus.asked if "step" in asked and "service_n" in asked["query"]]
    assert {asked["step"] for asked in own} == {step}


def test_the_detectors_scores_are_asked_for_where_they_are_judged() -> None:
    """One series for each signal of each service."""
    errors = {"kind": "errors", "target": "catalog", "at": "5s", "for": "10s"}
    drill = scenario({"anomaly": {"signal": "errors", "within": "5s"}}, faults=[errors])
    scores = matrix(({**FRONTEND, "signal": "errors"}, [(T0, 0.7)]), ({"service_name": "users"}, [(T0, 0.1)]))
    prometheus = FakePrometheus(range={"anomaly_score{": scores})
    backends = Backends(
        prometheus=prometheus.client(), tempo=FakeTempo().client(), namespace=NAMESPACE, delays=PATIENT, settle_s=0
    )

    assert gather(drill, history(TRAFFIC), backends).scores == {"frontend/errors": ((T0, 0.7),), "users/": ((T0, 0.1),)}
    assert f'anomaly_score{{service_namespace="{NAMESPACE}"}}' in {asked["query"] for asked in prometheus.asked}
    assert gathered(prometheus=FakePrometheus(range={"anomaly_score{": scores})).scores == {}


def test_stored_spans_are_waited_for() -> None:
    """Until there are as many as clients got answers, or the deadline has passed."""
    tempo = FakeTempo(10, 99, 100)

    assert gathered(tempo=tempo, settle_s=30).stored_spans == {"frontend": 100}
    assert len(tempo.asked) == 3
    assert tempo.asked[0]["q"] == (
        f'{{ resource.service.namespace = "{NAMESPACE}" && resource.service.name = "frontend"'
        " && kind = server } | count_over_time()"
    )
    assert gathered(tempo=FakeTempo(10), delays=Delays(export_s=0, batch_s=0, scrape_s=0.01)).stored_spans == {
        "frontend": 10
    }


def test_traces_are_looked_up_for_each_expectation_of_them() -> None:
    """Under the id of its check."""
    happened = history(TRAFFIC, request(1, "01"), request(2, "02", status=500))
    found = gathered(
        {"traces": {}}, {"silent": {}}, {"traces": {"where": "error"}}, {"traces": {"where": "slow"}}, happened=happened
    ).traces

    assert {check: [trace.trace_id for trace in looked] for check, looked in found.items()} == {
        "expect/1": ["01", "02"],
        "expect/3": ["02"],
        "expect/4": ["01", "02"],
    }
    assert found["expect/1"][0].spans == ()


def test_a_backend_that_does_not_answer_is_named() -> None:
    """Once, with the first reason; what the other one says is there all the same."""
    happened = history(TRAFFIC, request(1, "01"))
    lost = gathered({"traces": {}}, tempo=Tempo("http://tempo", transport=refusing()), happened=happened)

    assert lost.problems == {"tempo": "tempo did not answer /api/v2/traces/01 at http://tempo: connection refused"}
    assert (lost.traces, lost.stored_spans) == ({}, {})
    assert lost.services["frontend"].requests == 100

    blind = gathered({"traces": {}}, prometheus=Prometheus("http://prom", transport=refusing()), happened=happened)

    assert blind.problems == {
        "prometheus": "prometheus did not answer /api/v1/query at http://prom: connection refused"
    }
    assert (blind.services, blind.rules, blind.series) == ({}, {}, {})
    assert (list(blind.traces), blind.stored_spans) == (["expect/1"], {"frontend": 100})


def test_a_mistake_of_ours_is_a_problem_and_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    """The drill's history is judged by what there is."""

    def crash(*_: object, **__: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(Prometheus, "rules", crash)

    assert gathered().problems == {"prometheus": "prometheus was asked wrongly: ZeroDivisionError: division by zero"}


def test_series_without_a_service_are_kept_apart() -> None:
    """They crash nobody, and are no service of the drill."""
    prometheus = FakePrometheus(
        instant={REQUESTS: vector((FRONTEND, 100), ({}, 7)), BUCKETS: vector(({"le": "1"}, 7))},
        range={"sum by (service_name)": matrix((FRONTEND, [(T0, 0)]), ({}, [(T0, 7)]))},
    )
    found = gathered(prometheus=prometheus)

    assert found.problems == {}
    assert found.services["frontend"].requests == 100


@pytest.mark.parametrize("events", [[], traffic(0, 2, lost=10)])
def test_a_drill_without_answers_is_gathered_all_the_same(events: list[Event]) -> None:
    """It is not waited for what cannot come."""
    found = gathered(happened=history(events), delays=Delays(export_s=0, batch_s=0, scrape_s=0.01))

    assert found.problems == {}
    assert found.services["frontend"].requests == 100


def test_the_delays_of_the_stack_are_kept() -> None:
    """Bounds are made of them, also when a run is judged again."""
    assert gathered().delays == PATIENT
