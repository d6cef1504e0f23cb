"""Head sampling: what the sampler keeps must be there, nothing else may be, and how much that is must be said."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import pytest

from assertions import delivered, semconv, service_graph, sli, traces
from assertions.evidence import Collector, Edge, Evidence, Service, Trace
from assertions.lookup import meant, select
from assertions.tempo import Tempo
from assertions.truth import window
from scenarios.history import Event, History, Request
from scenarios.model import Delivered, ServiceGraph, Sli, Traces
from scenarios.record import Outcome, Rung, Verdict
from tests.unit.assertions.builders import CHECK, evidence, history, request, spans, traffic

TENTH = [
    *traffic(0, 10, count=1, sampled=True),
    *traffic(0, 8, count=9, sampled=False),
    *traffic(8, 10, count=9, failed=4, sampled=False),
]
"""100 requests, 8 of them failed; the traces of 10 are kept, and none of those failed."""


def unsampled(one: Request) -> Request:
    """The same request, but the app drops its trace."""
    return one.model_copy(update={"sampled": False})


def looked_up(trace_id: str, found: Sequence[Mapping[str, Any]] = (), *, sampled: bool = True) -> Trace:
    """A trace as Tempo knows it."""
    return Trace(
        trace_id=trace_id, route="/api/products", status=200, duration_s=0.02, sampled=sampled, spans=tuple(found)
    )


def of_traces(*found: Trace, happened: Sequence[Event] = TENTH, **given: Any) -> Outcome:
    """What becomes of these traces."""
    item = Traces.model_validate(given)
    return traces.judge(item, CHECK, history(happened), evidence(traces={CHECK.id: found}))


def test_a_window_can_be_of_what_is_traced() -> None:
    """Without sampling that is everything."""
    assert (window(history(TENTH)).count, window(history(TENTH), sampled=True).count) == (100, 10)
    assert window(history(traffic(0, 10)), sampled=True) == window(history(traffic(0, 10)))


def test_requests_to_look_up_are_those_that_are_kept_and_then_the_others() -> None:
    """Each by itself, so that few kept ones are not crowded out."""
    requests = [request(1, "kept"), *(unsampled(request(2, f"dropped {n}")) for n in range(9))]

    assert [one.trace_id for one in select(Traces(sample=3), history(requests))] == ["kept"]
    assert len(select(Traces(sample=3), history(requests), sampled=False)) == 3


@pytest.mark.parametrize(("where", "counts"), [("any", (10, 100)), ("ok", (10, 92)), ("error", (0, 8))])
def test_how_many_were_meant_is_told_by_the_seconds(where: str, counts: tuple[int, int]) -> None:
    """The sample of requests could not tell, for it keeps few of the good ones."""
    item = Traces.model_validate({"where": where})

    assert (meant(item, history(TENTH), sampled=True), meant(item, history(TENTH))) == counts


def test_slow_requests_are_counted_by_their_latency() -> None:
    """Those above the same quantile of all."""
    happened = history(traffic(0, 10, count=9, slow=1, sampled=True), traffic(0, 10, count=9, slow=2, sampled=False))
    item = Traces.model_validate({"where": "slow"})

    assert (meant(item, happened, sampled=True), meant(item, happened)) == (10, 30)


def test_tempo_is_asked_once_for_what_must_not_be_there() -> None:
    """After what must be there has come, for by then the others would have come, too."""
    asked: list[str] = []

    def answer(asked_for: httpx.Request) -> httpx.Response:
        asked.append(asked_for.url.path.rpartition("/")[2])
        return httpx.Response(404)

    tempo = Tempo("http://tempo", transport=httpx.MockTransport(answer))
    happened = history([request(1, "aa"), unsampled(request(2, "bb"))])

    found = traces.gather(Traces(), happened, tempo, within_s=0.05, pause_s=0.01)

    assert [(one.trace_id, one.sampled) for one in found] == [("aa", True), ("bb", False)]
    assert asked.count("aa") > 1
    assert asked.count("bb") == 1
    assert asked[-1] == "bb"


def test_kept_traces_that_are_whole_and_no_others_pass() -> None:
    """And it is said how much is left of the truth."""
    outcome = of_traces(looked_up("a", spans()), looked_up("b", sampled=False), looked_up("c", sampled=False))

    assert (outcome.verdict, outcome.observed) == (
        Verdict.PASS,
        "1 found, 1 of them whole; head sampling keeps 10 of 100 answered requests (10 %), and none of 2 others is stored",
    )
    assert outcome.facts["fidelity"] == pytest.approx(0.1)
    assert outcome.facts["kept"] == 10


def test_a_trace_that_should_have_been_dropped_fails() -> None:
    """All five parts; the sampler is not what it is said to be."""
    outcome = of_traces(looked_up("a", spans()), looked_up("b", sampled=False), looked_up("c", spans(), sampled=False))

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, None)
    assert outcome.expected == "none of 2 traces that head sampling does not keep"
    assert outcome.observed == "1 of them stored"
    assert outcome.where == "tempo, trace c, for one"
    assert outcome.hint == "do all SDKs sample by the trace id alone, and at the same ratio?"


def test_a_kept_trace_that_is_not_there_fails_as_ever() -> None:
    """A low ratio is no excuse."""
    outcome = of_traces(looked_up("a", spans()), looked_up("b"))

    assert (outcome.verdict, outcome.observed) == (Verdict.FAIL, "1 found")


def test_when_sampling_keeps_none_of_them_it_fails() -> None:
    """No data is no pass: whoever looks for the trace of a failure finds none."""
    outcome = of_traces(looked_up("a", sampled=False), where="error")

    assert (outcome.verdict, outcome.expected) == (Verdict.FAIL, "failed requests to look up")
    assert outcome.observed == "head sampling drops 8 of them"
    assert outcome.hint == "keep more of them, or drive more traffic"
    assert outcome.facts["fidelity"] == 0


def ledger_of(**changes: float) -> Outcome:
    """What becomes of the ledger when this arrived of 100 requests."""
    counts = {"requests": 100, "failed": 8, "collected": 10, "stored": 10} | changes
    stored = counts.pop("stored")
    seen = evidence(services={"frontend": Service(**counts)}, stored_spans={"frontend": stored})
    return delivered.judge(Delivered(), CHECK, history(TENTH), seen)


def test_the_ledger_holds_all_metrics_and_the_kept_spans() -> None:
    """To the last one."""
    outcome = ledger_of()

    assert (outcome.verdict, outcome.observed) == (
        Verdict.PASS,
        "100 requests, the same at every hop; of spans the 10 that head sampling keeps (10 %)",
    )
    note = delivered.ledger(history(TENTH), evidence())[0].note
    assert note == "of 10 of them head sampling keeps the trace"


@pytest.mark.parametrize(
    ("changes", "observed"),
    [
        ({"requests": 10.0}, "10"),
        ({"collected": 100.0}, "100"),
        ({"collected": 9.0}, "9"),
        ({"stored": 100.0}, "100"),
        ({"stored": 9.0}, "9"),
    ],
)
def test_a_ledger_with_more_or_fewer_fails(changes: dict[str, float], observed: str) -> None:
    """Sampled metrics are as wrong as spans that are not sampled."""
    outcome = ledger_of(**changes)

    assert (outcome.verdict, outcome.observed) == (Verdict.FAIL, observed)


def of_sli(name: str, held: Service, source: str = "spans", happened: Sequence[Event] = TENTH) -> Outcome:
    """What becomes of an indicator."""
    item = Sli.model_validate({"name": name, "source": source, "within": "1%"})
    return sli.judge(item, CHECK, history(happened), evidence(services={"frontend": held}))


HALF = [*traffic(0, 10, count=5, failed=1), *traffic(0, 10, count=5, sampled=False)]
"""100 requests, 10 of them failed; those are among the 50 that are traced."""


def test_spans_are_compared_with_what_is_traced() -> None:
    """They agree with the tenth that is kept, and the outcome says that it is a tenth."""
    outcome = of_sli("request_rate", Service(requests=100, collected=10))

    assert (outcome.verdict, outcome.expected, outcome.observed) == (
        Verdict.PASS,
        "1/s as clients saw, give or take 1 % of it",
        "1/s, of the 10 % of all requests that are traced",
    )
    assert outcome.facts["fidelity"] == pytest.approx(0.1)


def test_metrics_are_compared_with_everything() -> None:
    """Head sampling takes nothing from them."""
    outcome = of_sli("request_rate", Service(requests=100, collected=10), source="metrics")

    assert (outcome.verdict, outcome.observed, outcome.facts["fidelity"]) == (Verdict.PASS, "10/s", 1.0)


@pytest.mark.parametrize(("failed", "verdict"), [(10, "PASS"), (5, "FAIL"), (0, "FAIL")])
def test_availability_by_spans_is_that_of_the_traced_requests(failed: int, verdict: str) -> None:
    """80 % here, and not the 90 % of all."""
    outcome = of_sli("availability", Service(requests=100, collected=50, collected_failed=failed), happened=HALF)

    assert outcome.verdict == verdict
    assert outcome.expected.startswith("80 % as clients saw")


def test_quantiles_by_spans_read_their_buckets_in_milliseconds() -> None:
    """The collector's histogram has another unit than the app's."""
    buckets = {"10": 0.0, "50": 10.0, "250": 10.0, "+Inf": 10.0}

    outcome = of_sli("p95", Service(requests=100, collected=10, collected_buckets=buckets))

    assert (outcome.verdict, outcome.facts["low_s"], outcome.facts["high_s"]) == (Verdict.PASS, 0.0, 0.25)


@pytest.mark.parametrize(
    ("collector", "rung"),
    [(Collector(), Rung.NOT_EMITTED), (Collector(refused={"spans": 10.0}), Rung.NOT_COLLECTED)],
)
def test_without_any_span_it_fails_at_the_rung(collector: Collector, rung: Rung) -> None:
    """That the app's metrics are there does not help."""
    seen = evidence(services={"frontend": Service(requests=100)}, collector=collector)

    outcome = sli.judge(Sli.model_validate({"name": "p95", "source": "spans"}), CHECK, history(TENTH), seen)

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, rung)


def test_when_nothing_is_traced_there_is_nothing_to_compare() -> None:
    """And it is said why."""
    outcome = of_sli("p95", Service(requests=90), happened=traffic(0, 10, count=9, sampled=False))

    assert (outcome.verdict, outcome.expected) == (Verdict.FAIL, "requests to compare")
    assert outcome.observed == "0 requests, 0 of them without an answer; head sampling keeps none of 90"


@pytest.mark.parametrize(("calls", "verdict"), [(10, "PASS"), (100, "FAIL"), (9, "FAIL")])
def test_the_service_graph_is_drawn_from_what_is_traced(calls: int, verdict: str) -> None:
    """Its calls are a tenth, too."""
    edge = "frontend -> catalog"
    seen = evidence(edges={CHECK.id: {edge: Edge(calls=calls)}})
    item = ServiceGraph.model_validate({"edges": [edge], "within": "0%"})

    assert service_graph.judge(item, CHECK, history(TENTH), seen).verdict == verdict


def test_conventions_are_looked_at_in_kept_traces() -> None:
    """The others are nowhere."""
    happened: History = history([unsampled(request(1, "dropped")), request(2, "kept")])

    assert [one.trace_id for one in semconv.select(happened)] == ["kept"]


def test_a_sampled_service_is_not_blamed_for_sending_little() -> None:
    """All that was sampled reached the collector: what is missing in Prometheus was not stored."""
    seen: Evidence = evidence(services={"frontend": Service(collected=10, collected_by_time=_steps(10))})

    outcome = sli.judge(Sli(name="request_rate"), CHECK, history(TENTH), seen)

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, Rung.NOT_STORED)


def _steps(total: int) -> tuple[tuple[float, float], ...]:
    """A counter that rises by one each second."""
    start = history(TENTH).drive_t
    return tuple((start + t, float(t)) for t in range(total + 1))
