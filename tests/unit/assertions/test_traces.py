"""Traces: the clients' own trace ids, looked up in Tempo, whole and rightly linked."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import pytest

from assertions import lookup
from assertions import traces as judge_of
from assertions.backend import BackendError
from assertions.evidence import Collector, Evidence, Service, Trace
from assertions.lookup import select
from assertions.tempo import Tempo
from assertions.traces import flaw_of, for_report, gather, is_whole
from scenarios.history import Event, Request
from scenarios.model import Traces
from scenarios.record import Outcome, Rung, Verdict
from tests.unit.assertions.builders import CHECK, evidence, fault_on, history, request, span, spans, traffic

Spans = tuple[Mapping[str, Any], ...]


def item(**given: Any) -> Traces:
    """An expectation."""
    return Traces.model_validate(given)


def trace(
    found: Spans = (), *, trace_id: str = "t", status: int = 200, route: str = "/api/products", duration_s: float = 0.02
) -> Trace:
    """A trace that was looked up."""
    return Trace(trace_id=trace_id, route=route, status=status, duration_s=duration_s, spans=found)


# --- which ones are looked up ---

MIXED = [
    request(1, "ok"),
    request(2, "redirected", status=302),
    request(3, "refused", status=404),
    request(4, "failed", status=500),
    request(4.3, "almost refused", status=399),
    request(4.6, "just refused", status=400),
    request(5, "lost", status=0, duration_s=9),
    request(6, "slow", duration_s=2),
]


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ("any", ["ok", "redirected", "refused", "failed", "almost refused", "just refused", "slow"]),
        ("ok", ["ok", "redirected", "almost refused", "slow"]),
        ("error", ["failed"]),
        ("slow", ["slow"]),
    ],
)
def test_the_requests_that_are_meant(where: str, ids: list[str]) -> None:
    """One without an answer never is, for a server may not have seen it."""
    happened = history(MIXED, traffic(0, 10), traffic(0, 10, count=2, latency_s=1.9))

    assert [one.trace_id for one in select(item(where=where), happened)] == ids


def test_slow_means_in_the_slowest_twentieth() -> None:
    """By the clients' own buckets: a request in the bucket of P95 is slow, one below its lower edge is not."""
    seconds = [*traffic(0, 10, count=10, slow=1, slow_s=1.0), *traffic(0, 1, count=1, latency_s=5)]
    low_s = 0.95

    found = select(
        item(where="slow"), history(seconds, request(1, "below", duration_s=low_s), request(2, "in", duration_s=0.96))
    )

    assert [one.trace_id for one in found] == ["in"]


def test_many_requests_are_sampled_evenly() -> None:
    """From the beginning of the drill to its end."""
    many = history([request(n, str(n)) for n in range(10)])

    assert [one.trace_id for one in select(item(sample=4), many)] == ["0", "2", "5", "7"]
    assert [one.trace_id for one in select(item(sample=1), many)] == ["0"]
    assert len(select(item(sample=10), many)) == 10
    assert len(select(item(sample=11), many)) == 10
    assert len({one.trace_id for one in select(item(sample=9), many)}) == 9


def test_requests_of_a_fault_lie_within_it() -> None:
    """From when they begin to when they end, with an edge on both sides; of a fault that was never on there are none."""
    edge_s = lookup.EDGE_S
    requests = [
        request(5 + edge_s - 0.1, "began before"),
        request(5 + edge_s, "first"),
        request(13, "last", duration_s=2 - edge_s),
        request(13, "ended after", duration_s=2.1 - edge_s),
    ]

    assert [one.trace_id for one in select(item(fault=1), history(requests, fault_on()))] == ["first", "last"]
    assert select(item(fault=2), history(requests, fault_on())) == []


# --- how they are looked up ---

BATCH_OF = {
    "frontend": [("YQ==", "Y2xpZW50", "SPAN_KIND_SERVER"), ("Yg==", "YQ==", "SPAN_KIND_CLIENT")],
    "catalog": [("Yw==", "Yg==", "SPAN_KIND_SERVER")],
}


def answer_of(services: Sequence[str]) -> dict[str, Any]:
    """What Tempo answers for a trace through these services."""
    return {
        "trace": {
            "resourceSpans": [
                {
                    "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]},
                    "scopeSpans": [
                        {
                            "spans": [
                                {
                                    "traceId": "dA==",
                                    "spanId": span_id,
                                    "parentSpanId": parent_id,
                                    "kind": kind,
                                    "startTimeUnixNano": "1",
                                }
                                for span_id, parent_id, kind in BATCH_OF[service]
                            ]
                        }
                    ],
                }
                for service in services
            ]
        }
    }


class SlowTempo:
    """A Tempo to which the spans of a trace come one service at a time, each time that it is asked."""

    def __init__(self, requests: Sequence[Request], down: int = 0) -> None:
        self.asked = {one.trace_id: 0 for one in requests}
        self.down = down
        self.client = Tempo("http://tempo", transport=httpx.MockTransport(self._answer))

    def _answer(self, asked: httpx.Request) -> httpx.Response:
        trace_id = asked.url.path.rpartition("/")[2]
        self.asked[trace_id] += 1
        if self.asked[trace_id] <= self.down:
            return httpx.Response(503, text="not ready")
        return httpx.Response(200, json=answer_of(["frontend", "catalog"][: self.asked[trace_id] - self.down - 1]))


def looked_up(tempo: SlowTempo, requests: Sequence[Request], within_s: float = 30, **given: Any) -> list[Trace]:
    """What is found in the end."""
    return list(gather(item(**given), history(requests), tempo.client, within_s=within_s, pause_s=0.01))


def test_tempo_is_asked_until_all_traces_are_whole() -> None:
    """First it knows nothing, then half, then all; what is whole is not asked for again."""
    requests = [request(1, "01"), request(2, "02", route="/api/unknown")]
    tempo = SlowTempo(requests)

    found = looked_up(tempo, requests)

    assert [(one.trace_id, len(one.spans)) for one in found] == [("01", 3), ("02", 2)]
    assert tempo.asked == {"01": 3, "02": 2}
    assert (found[0].route, found[0].status, found[0].duration_s) == ("/api/products", 200, 0.02)
    assert {**found[0].spans[0], "name": "x"} == {
        "trace_id": "74",
        "span_id": "61",
        "parent_id": "636c69656e74",
        "name": "x",
        "service": "frontend",
        "kind": "server",
        "start_t": 1e-9,
        "duration_s": 0.0,
        "error": False,
        "attributes": {},
        "events": [],
    }


def test_services_that_are_asked_for_are_waited_for() -> None:
    """A failed request's trace is not whole without them."""
    requests = [request(1, "01", route="/api/unknown")]
    tempo = SlowTempo(requests)

    assert len(looked_up(tempo, requests, services=["frontend", "catalog"])[0].spans) == 3


def test_at_the_deadline_what_is_there_is_taken() -> None:
    """The judge says what is missing."""
    requests = [request(1, "01")]

    assert [len(one.spans) for one in looked_up(SlowTempo(requests), requests, within_s=0)] == [0]


def test_a_tempo_that_was_down_for_a_moment_is_asked_again() -> None:
    """A restart in the middle of gathering is no verdict."""
    requests = [request(1, "01")]

    assert len(looked_up(SlowTempo(requests, down=1), requests)[0].spans) == 3


def test_a_tempo_that_stays_down_is_an_error() -> None:
    """The verdict will be UNKNOWN."""
    requests = [request(1, "01")]

    with pytest.raises(BackendError, match="tempo answered /api/v2/traces/01 with 503: not ready"):
        looked_up(SlowTempo(requests, down=99), requests, within_s=0)


def test_no_requests_need_no_tempo() -> None:
    """Nobody is asked for nothing."""
    assert looked_up(SlowTempo([], down=99), [], within_s=0) == []


# --- what they must look like ---


@pytest.mark.parametrize(
    ("found", "status", "services", "flaw"),
    [
        (spans(), 200, (), ""),
        (spans(error=True), 500, (), ""),
        ((*spans()[:2], span("c", "b", "catalog", error=True)), 500, (), ""),
        (spans()[:2], 500, (), "the request failed with 500, but no span is marked as an error"),
        (spans()[:2], 499, (), ""),
        (spans()[:2], 200, (), "no span of catalog"),
        (spans()[:2], 399, (), "no span of catalog"),
        (spans()[:2], 400, (), ""),
        (spans()[:2], 0, (), ""),
        (spans()[:2], 400, ("users", "catalog"), "no span of catalog and users"),
        (spans()[2:], 200, (), "no span of frontend"),
        (
            (*spans(), span("d", "gone", "users")),
            200,
            (),
            "2 spans have no parent in the trace (frontend GET and users GET); only the first server span may",
        ),
        (
            (span("a", "b", "frontend"), span("b", "a", "catalog")),
            200,
            (),
            "0 spans have no parent in the trace (they go round in a circle); only the first server span may",
        ),
        (
            (span("a", "client", "catalog"), span("b", "a", "frontend")),
            200,
            (),
            "it begins in catalog with a server span, not in frontend's server",
        ),
        (
            (span("a", "client", "frontend", kind="client"), span("b", "a", "catalog")),
            200,
            (),
            "it begins in frontend with a client span, not in frontend's server",
        ),
    ],
)
def test_flaws(found: Spans, status: int, services: tuple[str, ...], flaw: str) -> None:
    """What is wrong with a trace, in words."""
    assert flaw_of(trace(found, status=status), services) == flaw
    assert is_whole(trace(found, status=status), services) is (not flaw)


def test_a_trace_that_is_torn_to_pieces_names_a_few() -> None:
    """More would not help."""
    torn = (*spans(), *(span(str(n), "gone", "users") for n in range(9)))

    assert flaw_of(trace(torn)).startswith(
        "10 spans have no parent in the trace (frontend GET, users GET, users GET and 7 more);"
    )


def test_a_trace_that_tempo_does_not_know_is_not_whole() -> None:
    """Whatever its request passed."""
    assert not is_whole(trace((), status=500))


def test_routes_that_nobody_knows_need_no_services() -> None:
    """A system that is not ours."""
    assert flaw_of(trace((span("a", "", "frontend"),), route="/elsewhere")) == ""


# --- the verdict ---


def judged(*looked: Trace, found: Evidence | None = None, happened: Sequence[Event] = (), **given: Any) -> Outcome:
    """What becomes of these traces."""
    seen = found or evidence(traces={CHECK.id: looked})
    return judge_of.judge(item(**given), CHECK, history(happened or traffic(0, 10)), seen)


def several(good: int, broken: int = 0, missing: int = 0) -> list[Trace]:
    """So many whole traces, so many without the catalog's span, and so many that Tempo does not know."""
    kinds = [spans()] * good + [spans()[:2]] * broken + [()] * missing
    return [trace(found, trace_id=f"{n:02}") for n, found in enumerate(kinds)]


def test_traces_that_are_all_there_and_whole_pass() -> None:
    """The words say how many were asked for."""
    outcome = judged(*several(50))

    assert (outcome.verdict, outcome.expected, outcome.observed) == (
        Verdict.PASS,
        "at least 99 % of 50 looked up",
        "50 found, 50 of them whole",
    )
    assert outcome.facts == {"looked_up": 50, "found": 50, "broken": 0, "kept": 100, "fidelity": 1.0}


def test_flaws_that_are_allowed_are_told_all_the_same() -> None:
    """A pass does not hide them."""
    seen = evidence(traces={CHECK.id: tuple(several(9, 1))})
    outcome = judge_of.judge(item(found="90%"), CHECK, history(traffic(0, 10)), seen)

    assert (outcome.verdict, outcome.observed) == (Verdict.PASS, "10 found, 9 of them whole")


def test_all_of_them_is_said_shortly() -> None:
    """100 % of some traces are all of them."""
    seen = evidence(traces={CHECK.id: tuple(several(2))})
    outcome = judge_of.judge(item(found="100%"), CHECK, history(traffic(0, 10)), seen)

    assert outcome.expected == "all of 2 looked up"


@pytest.mark.parametrize(
    ("share", "good", "broken", "missing", "verdict"),
    [
        ("99%", 99, 0, 1, "PASS"),
        ("99%", 98, 0, 2, "FAIL"),
        ("99%", 99, 1, 0, "PASS"),
        ("99%", 98, 1, 1, "FAIL"),
        ("90%", 90, 5, 5, "PASS"),
        ("90%", 89, 6, 5, "FAIL"),
        ("99%", 49, 0, 1, "FAIL"),
        ("7%", 7, 93, 0, "PASS"),
        ("7%", 6, 94, 0, "FAIL"),
        ("100%", 3, 0, 0, "PASS"),
        ("100%", 3, 1, 0, "FAIL"),
        ("100%", 3, 0, 1, "FAIL"),
    ],
)
def test_the_share_that_must_be_right(share: str, good: int, broken: int, missing: int, verdict: str) -> None:
    """Right means found and whole; broken and missing ones are wrong alike."""
    looked = several(good, broken, missing)
    outcome = judge_of.judge(
        item(found=share), CHECK, history(traffic(0, 10)), evidence(traces={CHECK.id: tuple(looked)})
    )

    assert outcome.verdict == verdict


def test_too_few_traces_fail_at_the_rung() -> None:
    """One that is missing is named, so that people can look for it."""
    outcome = judged(*several(5, 0, 5))

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, Rung.NOT_EMITTED)
    assert (outcome.expected, outcome.observed) == ("at least 99 % of 10 looked up in tempo", "5 found")
    assert (outcome.where, outcome.when) == ("tempo; it lacks trace 05, for one", "all drill")
    assert outcome.hint == "the app sent nothing of it"
    assert outcome.facts == {"looked_up": 10, "found": 5, "broken": 0}


@pytest.mark.parametrize(
    ("collected", "collector", "rung"),
    [
        (100, Collector(), Rung.NOT_STORED),
        (80, Collector(), Rung.NOT_STORED),
        (79, Collector(), Rung.NOT_EMITTED),
        (60, Collector(up=False), Rung.NOT_COLLECTED),
        (60, Collector(refused={"spans": 3}), Rung.NOT_COLLECTED),
    ],
)
def test_the_rung_of_missing_traces(collected: int, collector: Collector, rung: Rung) -> None:
    """60 of 100 are in Tempo; the collector counted at least half of the others, or not."""
    looked = tuple(several(6, 0, 4))
    seen = evidence(traces={CHECK.id: looked}, services={"frontend": Service(collected=collected)}, collector=collector)

    assert judged(found=seen).rung is rung


def test_broken_traces_fail_with_what_is_wrong() -> None:
    """And with the rung of the service whose spans are missing."""
    seen = evidence(
        traces={CHECK.id: tuple(several(2, 2))},
        services={"frontend": Service(collected=100), "catalog": Service(collected=100)},
    )
    outcome = judged(found=seen)

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, Rung.NOT_STORED)
    assert outcome.expected == "at least 99 % of 4 looked up whole and rightly linked"
    assert outcome.observed == "2 of 4 found are not: no span of catalog"
    assert (outcome.where, outcome.when) == ("tempo, trace 02", "all drill")
    assert outcome.hint == "the collector had it, but the backend does not"
    assert outcome.facts == {"looked_up": 4, "found": 4, "broken": 2, "trace_id": "02"}


def test_a_service_that_sent_nothing_is_blamed_for_broken_traces() -> None:
    """The collector never had its spans."""
    seen = evidence(traces={CHECK.id: tuple(several(0, 4))}, services={"frontend": Service(collected=100)})

    assert judged(found=seen).rung is Rung.NOT_EMITTED


def test_a_service_is_judged_by_the_requests_that_pass_it() -> None:
    """Of 200 requests 100 pass the users, and the collector counted 50 of those."""
    missing = trace((span("a", "client", "frontend"),), route="/api/users")
    seen = evidence(traces={CHECK.id: (missing,)}, services={"users": Service(collected=50)})
    happened = [*traffic(0, 10), *traffic(0, 10, route="/api/users")]

    assert judged(found=seen, happened=happened).rung is Rung.NOT_STORED


def test_broken_links_have_no_rung() -> None:
    """All spans arrived."""
    torn = trace((*spans(), span("d", "gone", "users")), trace_id="t")
    outcome = judged(torn)

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, None)
    assert outcome.observed.startswith("1 of 1 found are not: 2 spans have no parent")
    assert outcome.hint == "see the trace in the report; is context passed on between all services?"


def test_services_that_are_asked_for_must_be_passed() -> None:
    """By every trace."""
    assert judged(trace(spans()), services=["users"]).observed == "1 of 1 found are not: no span of users"


@pytest.mark.parametrize(
    ("where", "words"),
    [("any", "answered requests"), ("error", "failed requests"), ("ok", "good requests"), ("slow", "slow requests")],
)
def test_without_any_such_request_it_fails(where: str, words: str) -> None:
    """No data is no pass."""
    outcome = judged(where=where)

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, None)
    assert (outcome.expected, outcome.observed) == (
        f"{words} to look up",
        "the clients had none: no data is no pass",
    )
    assert outcome.where == "the clients' history"
    assert outcome.hint == "does the fault make such requests? was the traffic heavy enough?"


@pytest.mark.parametrize(
    ("problems", "observed"), [({"tempo": "it did not answer"}, "it did not answer"), ({}, "tempo was not asked")]
)
def test_a_tempo_that_could_not_be_asked_is_unknown(problems: dict[str, str], observed: str) -> None:
    """Nobody knows what it has."""
    outcome = judged(found=evidence(problems=problems))

    assert (outcome.verdict, outcome.expected, outcome.observed) == (
        Verdict.UNKNOWN,
        "an answer of tempo",
        observed,
    )


# --- what a report shows ---


def test_the_trace_that_tells_most_is_shown() -> None:
    """A failed one before a good one, the longest before shorter ones, and its spans in order of time."""
    late = tuple(one | {"start_t": 10 - n} for n, one in enumerate(spans(error=True)))
    good, bad = trace(spans(), duration_s=9), trace(late, trace_id="bad", status=500, duration_s=0.172)

    shown = for_report(evidence(traces={"expect/1": (good, trace()), "expect/2": (bad,)}))

    assert shown is not None
    assert (shown["trace_id"], shown["why"]) == ("bad", "/api/products answered 500 after 172 ms")
    assert [one["span_id"] for one in shown["spans"]] == ["c", "b", "a"]


def test_of_good_traces_the_one_with_most_spans_is_shown_then_the_slowest() -> None:
    """They say most."""
    short, slow, quick = trace(spans()[:2], duration_s=9), trace(spans(), duration_s=2), trace(spans())

    shown = for_report(evidence(traces={"expect/1": (short, quick, slow)}))

    assert shown is not None
    assert shown["why"] == "/api/products answered 200 after 2 s"


def test_without_any_trace_none_is_shown() -> None:
    """A report leaves the picture out."""
    assert for_report(evidence(traces={"expect/1": (trace(),)})) is None
