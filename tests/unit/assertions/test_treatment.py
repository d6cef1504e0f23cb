"""Treatment: whether the configuration was seen to be the one that the drill asked for."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter

from assertions.evidence import Collector, Delays, Evidence, Service
from assertions.gather import Backends
from assertions.prometheus import Prometheus
from assertions.tempo import Tempo
from assertions.treatment import gather, judge
from scenarios.history import Event
from scenarios.model import Treatment
from scenarios.record import Outcome, Rung, Verdict
from tests.unit.assertions.builders import CHECK, NAMESPACE, T0, evidence, history, refusing, traffic

READ: TypeAdapter[Treatment] = TypeAdapter(Treatment)
SAMPLING = {"kind": "sampling", "ratio": "10%"}
EXPORTS = {"kind": "export_interval", "every": "5s"}
SCRAPES = {"kind": "scrape_interval", "every": "5s"}
LABEL = {"kind": "drop_label", "label": "http.route"}
LIMIT = {"kind": "memory_limit", "mib": 20}
QUEUE = {"kind": "queue", "spans": 400}
LIVE = {"kind": "live_traces", "traces": 40}

TENTH = [*traffic(0, 10, count=1), *traffic(0, 10, count=9, sampled=False)]
"""100 requests; the traces of 10 are kept."""


def judged(treatment: Mapping[str, Any], seen: Evidence, happened: Sequence[Event] = TENTH) -> Outcome:
    """What becomes of the proof."""
    return judge(READ.validate_python(treatment), CHECK, history(happened), seen)


def measured(value: float, **more: Any) -> Evidence:
    """Evidence in which this was measured of the treatment."""
    return evidence(treated={CHECK.id: value}, **more)


def collected(spans: float) -> Evidence:
    """Evidence in which the collector had so many server spans."""
    return evidence(services={"frontend": Service(collected=spans)})


def refused(spans: float) -> Evidence:
    """Evidence in which the collector refused so many spans."""
    return evidence(collector=Collector(refused={"spans": spans}))


@pytest.mark.parametrize(
    ("treatment", "seen", "verdict", "words"),
    [
        (SAMPLING, collected(10), "PASS", "10 spans of 100 requests; the sampler keeps 10"),
        (SAMPLING, collected(9), "PASS", "9 spans of 100 requests; the sampler keeps 10"),
        (SAMPLING, collected(11), "FAIL", "11 spans of 100 requests; the sampler keeps 10"),
        (SAMPLING, collected(100), "FAIL", "100 spans of 100 requests; the sampler keeps 10"),
        (SCRAPES, measured(5.0), "PASS", "one every 5 s"),
        (SCRAPES, measured(6.0), "PASS", "one every 6 s"),
        (SCRAPES, measured(6.1), "FAIL", "one every 6.1 s"),
        (SCRAPES, measured(1.0), "FAIL", "one every 1 s"),
        (EXPORTS, measured(6.0), "PASS", "one every 6 s"),
        (EXPORTS, measured(1.0), "FAIL", "one every 1 s"),
        (LABEL, measured(0), "PASS", "0 series with it"),
        (LABEL, measured(7), "FAIL", "7 series with it"),
        (QUEUE, measured(400), "PASS", "one of 400"),
        (LIVE, measured(1200), "PASS", "1,200 turned away"),
        (LIVE, measured(0), "FAIL", "0 turned away"),
        (QUEUE, measured(100_000), "FAIL", "one of 100,000"),
        (LIMIT, refused(1), "PASS", "1 spans, points and lines refused"),
        (LIMIT, refused(0), "FAIL", "0 spans, points and lines refused"),
    ],
)
def test_a_treatment_is_proved_by_what_is_measured(
    treatment: Mapping[str, Any], seen: Evidence, verdict: str, words: str
) -> None:
    """The configuration that was asked for is seen at work, or the treatment was not applied."""
    outcome = judged(treatment, seen)

    assert (outcome.verdict, outcome.observed) == (verdict, words)
    if verdict == "FAIL":
        assert outcome.rung is Rung.FAULT_NOT_APPLIED
        assert outcome.hint == "did the stack and the app start with the treated configuration? see their logs"


def test_exports_between_two_scrapes_are_seen_as_one() -> None:
    """An export each 200 ms looks like one each scrape."""
    often = {"kind": "export_interval", "every": "200ms"}

    assert judged(often, measured(1.0)).verdict is Verdict.PASS
    assert judged(often, measured(3.0)).verdict is Verdict.FAIL
    assert judged(often, measured(4.0, delays=Delays(scrape_s=3.0))).verdict is Verdict.PASS


@pytest.mark.parametrize(
    "treatment", [SAMPLING, SCRAPES, EXPORTS, LABEL, LIMIT, QUEUE, LIVE], ids=lambda one: one["kind"]
)
def test_a_prometheus_that_could_not_be_asked_is_unknown(treatment: Mapping[str, Any]) -> None:
    """Nobody knows whether it was applied."""
    outcome = judged(treatment, evidence(problems={"prometheus": "connection refused"}))

    assert (outcome.verdict, outcome.observed) == (Verdict.UNKNOWN, "connection refused")


@pytest.mark.parametrize(
    ("treatment", "observed"), [(SAMPLING, "there were no spans at all"), (SCRAPES, "there was nothing to measure")]
)
def test_without_anything_to_measure_it_is_unknown(treatment: Mapping[str, Any], observed: str) -> None:
    """No data is no proof."""
    outcome = judged(treatment, evidence())

    assert (outcome.verdict, outcome.observed) == (Verdict.UNKNOWN, observed)


def asked(treatment: Mapping[str, Any], *series: Sequence[tuple[float, float]], value: float | None = None) -> Any:
    """What is measured with this in Prometheus, and which query was asked."""
    queries: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        queries.append(request.url.params["query"])
        if value is not None or not series:
            rows = [] if value is None else [{"metric": {}, "value": [T0, str(value)]}]
            return httpx.Response(200, json={"data": {"resultType": "vector", "result": rows}})
        rows = [{"metric": {"n": str(n)}, "values": [[T0 + t, str(v)] for t, v in one]} for n, one in enumerate(series)]
        return httpx.Response(200, json={"data": {"resultType": "matrix", "result": rows}})

    backends = Backends(
        prometheus=Prometheus("http://prom", transport=httpx.MockTransport(answer)),
        tempo=Tempo("http://tempo", transport=refusing()),
        namespace=NAMESPACE,
        delays=Delays(),
    )
    return gather(READ.validate_python(treatment), history(traffic(0, 20)), backends), queries


def test_scrapes_are_measured_by_their_own_times() -> None:
    """By the median, so that one that failed or came late does not count."""
    found, queries = asked(SCRAPES, [(0, 1), (5, 1), (10, 1), (20, 1), (25, 1)])

    assert found == 5
    assert queries == ['up{job="collector-exporter"}[20s]']


def test_exports_are_measured_by_when_counters_change() -> None:
    """Whichever of them does; scrapes between two exports bring the old value again."""
    found, queries = asked(EXPORTS, [(0, 1), (1, 1), (2, 2), (3, 2), (6, 3), (7, 3)], [(0, 1), (6, 1), (10, 2)])

    assert found == 4
    assert queries == [
        f'http_server_request_duration_seconds_count{{service_namespace="{NAMESPACE}",service_name="frontend"}}[20s]'
    ]


@pytest.mark.parametrize("treatment", [SCRAPES, EXPORTS])
def test_a_single_sample_measures_nothing(treatment: Mapping[str, Any]) -> None:
    """There is no interval in it."""
    assert asked(treatment, [(0, 1)])[0] is None


@pytest.mark.parametrize(("value", "found"), [(7.0, 7.0), (None, 0.0)])
def test_series_that_still_have_the_label_are_counted(value: float | None, found: float) -> None:
    """Under the name that Prometheus gives it; also those that have gone stale since."""
    counted, queries = asked(LABEL, value=value)

    assert counted == found
    assert queries == [f'count(last_over_time({{service_namespace="{NAMESPACE}",http_route!=""}}[1h]))']


def test_the_queue_is_as_long_as_the_collector_says() -> None:
    """Also when it has gone since."""
    assert asked(QUEUE, value=400.0) == (400, ["max(last_over_time(otelcol_exporter_queue_capacity[1h]))"])


@pytest.mark.parametrize(("value", "found"), [(7.0, 7.0), (None, 0.0)])
def test_what_tempo_turned_away_is_counted(value: float | None, found: float) -> None:
    """Only for there being too many traces; nothing at all has no series."""
    counted, queries = asked(LIVE, value=value)

    assert counted == found
    assert queries == ['sum(last_over_time(tempo_discarded_spans_total{reason="live_traces_exceeded"}[1h]))']


@pytest.mark.parametrize("treatment", [SAMPLING, LIMIT])
def test_others_need_no_question_of_their_own(treatment: Mapping[str, Any]) -> None:
    """What every drill gathers tells of them."""
    assert asked(treatment) == (None, [])
