"""Recovered: the backlog is drained in time, and what was lost is what was stated."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import pytest

from assertions import recovered as judge_of
from assertions.evidence import Collector, Evidence, Recovery
from assertions.prometheus import Prometheus
from scenarios.history import Event
from scenarios.model import Recovered
from scenarios.record import Outcome, Rung, Verdict
from tests.unit.assertions.builders import (
    CHECK,
    NAMESPACE,
    T0,
    blinded,
    evidence,
    fault_on,
    felt,
    found,
    history,
    traffic,
)

TRAFFIC = traffic(-10, 40)
"""500 requests, 10 each second; 100 of them while the fault is on from 5 s to 15 s."""


def points(*pairs: tuple[float, float]) -> tuple[tuple[float, float], ...]:
    """Values by seconds of the drill."""
    return tuple((T0 + t, value) for t, value in pairs)


def counted(*, lost: int = 0, until: int = 18) -> tuple[tuple[float, float], ...]:
    """
    What was counted: nothing new from the fault on until it caught up, but for what was lost; a second late.
    """
    return points(
        *((t, 10 * (t + 9)) for t in range(-9, 6)),
        *((t, 140) for t in range(6, until)),
        *((t, min(10 * (t + 9), 500) - lost) for t in range(until, 44)),
    )


QUEUED = points(*((t, 0) for t in range(-9, 6)), *((t, 10 * t) for t in range(6, 17)), *((t, 0) for t in range(17, 44)))
"""What waited in the collector: until 17 s."""

SAMPLED = tuple(T0 + t for t in range(-9, 44) if not 6 < t < 12)
"""When samples were taken: at 6 s, and next at 12 s."""


def seen(stored: float = 500, *, collector: Collector | None = None, **given: Any) -> Evidence:
    """What the backends said."""
    recovery = {"counted_by_time": counted(), "queue_by_time": QUEUED, "samples_t": SAMPLED} | given
    return evidence(
        stored_spans={"frontend": stored},
        collector=collector or Collector(),
        recoveries={CHECK.id: Recovery.model_validate(recovery)},
    )


def judged(
    said: Evidence | None = None, *events: Event | Sequence[Event], of: Sequence[Outcome] | None = None, **given: Any
) -> Outcome:
    """What becomes of it."""
    item = Recovered.model_validate({"within": "5s"} | given)
    happened = history(TRAFFIC, fault_on(5, 15), *events)
    return judge_of.judge(item, CHECK, happened, said or seen(), felt=[felt()] if of is None else of)


def test_all_that_waited_arrives() -> None:
    """Drained is when it was counted and the queue was empty, whichever is later."""
    outcome = judged()

    assert outcome.verdict is Verdict.PASS
    assert outcome.expected == "the backlog of traces drained within 5 s of the healing, nothing lost"
    assert outcome.observed == "drained after 3 s, nothing lost"
    assert outcome.facts == {
        "sent": 500,
        "arrived": 500,
        "lost": 0,
        "at_stake": 100,
        "lost_share": 0,
        "drained_after_s": 3,
        "gap_s": 6,
        "refused": 0,
        "failed": 0,
        "uncounted": 0,
    }


def test_the_queue_may_be_the_last() -> None:
    """What was counted is not yet sent."""
    late = points(*((t, 10) for t in range(6, 19)), (19, 0), (20, 0))

    assert judged(seen(queue_by_time=late)).facts["drained_after_s"] == 4


def test_what_catches_up_is_what_the_clients_had_answers_for() -> None:
    """Give or take how late a count may be by the configuration: 3.2 s and a margin of one."""
    assert judged(seen(counted_by_time=counted(until=16))).facts["drained_after_s"] == 2
    assert judged(seen(counted_by_time=counted(until=30))).facts["drained_after_s"] == 15


@pytest.mark.parametrize(
    ("said", "given", "observed", "rung"),
    [
        (seen(488), {}, "12 lost, 12 % of 100 requests at stake", Rung.NOT_STORED),
        (seen(488), {"lost": "11.9%"}, "12 lost, 12 % of 100 requests at stake", Rung.NOT_STORED),
        (seen(), {"lost": "9%", "lost_at_least": "1%"}, "only 0 lost, 0 % of 100 requests at stake", None),
        (seen(501), {}, "1 trace more than clients sent: something arrived twice", None),
        (seen(queue_by_time=QUEUED[:20]), {}, "the backlog was never drained", Rung.NOT_STORED),
        (seen(queue_by_time=()), {}, "the backlog was never drained", Rung.NOT_STORED),
        (seen(counted_by_time=()), {}, "the backlog was never drained", Rung.NOT_STORED),
        (seen(), {"within": "2s"}, "drained after 3 s, 1 s too late", Rung.NOT_STORED),
        (seen(), {"signal": "metrics", "gap": "5s"}, "no sample for 6 s, 1 s too long", Rung.NOT_STORED),
    ],
)
def test_what_is_wrong_is_told(said: Evidence, given: dict[str, Any], observed: str, rung: Rung | None) -> None:
    """With where and when."""
    outcome = judged(said, **given)

    assert (outcome.verdict, outcome.observed, outcome.rung) == (Verdict.FAIL, observed, rung)
    assert (outcome.where, outcome.when) == (
        "from the clients to the store",
        "after the healing, 10 s after the first fault began",
    )


def test_a_loss_that_is_stated_may_be() -> None:
    """If it is right: neither more nor less."""
    outcome = judged(seen(488), lost="12%", lost_at_least="12%")

    assert (outcome.verdict, outcome.expected) == (
        Verdict.PASS,
        "the backlog of traces drained within 5 s of the healing, at most 12 % lost and at least 12 %",
    )
    assert outcome.observed == (
        "drained after 3 s, 12 lost of 100 requests at stake; 12 were counted by the collector, but are not in tempo"
    )


@pytest.mark.parametrize(
    ("said", "events", "rung", "blame"),
    [
        (
            seen(488, counted_by_time=counted(lost=12)),
            [],
            Rung.NOT_COLLECTED,
            "12 were never counted by the collector",
        ),
        (
            seen(488, counted_by_time=counted(lost=12)),
            [found(-9, "ready", "collector"), found(14, "ready", "collector", started=14)],
            Rung.NOT_COLLECTED,
            "12 were never counted by the collector, which was restarted and forgot what it had not yet shown",
        ),
        (
            seen(488, counted_by_time=counted(lost=2)),
            [found(-9, "ready"), found(14, "ready", started=14)],
            Rung.NOT_STORED,
            "2 were never counted by the collector and "
            "10 were counted by the collector, but are not in tempo, which was restarted",
        ),
        (
            seen(488, collector=Collector(refused={"spans": 3}, failed={"spans": 40})),
            [],
            Rung.NOT_STORED,
            "the collector refused 3 spans of all services, the collector gave up on 40 spans of all services and "
            "12 were counted by the collector, but are not in tempo",
        ),
    ],
)
def test_whoever_lost_it_is_named(said: Evidence, events: list[Event], rung: Rung, blame: str) -> None:
    """As far as the collector's counters tell; they decide nothing."""
    outcome = judged(said, events)

    assert (outcome.rung, outcome.hint) == (rung, blame)


def test_metrics_are_drained_when_they_are_counted() -> None:
    """No queue holds them, and what is lost is what was never counted."""
    outcome = judged(seen(stored=0, queue_by_time=()), signal="metrics", gap="6s")

    assert outcome.verdict is Verdict.PASS
    assert outcome.expected.endswith("nothing lost, no gap above 6 s")
    assert outcome.observed == "drained after 3 s, nothing lost, no sample for 6 s at most"


@pytest.mark.parametrize(
    ("collector", "rung", "hint"),
    [
        (Collector(), Rung.NOT_STORED, "what is queued where, and for how long is it tried again?"),
        (
            Collector(refused={"metric_points": 5}),
            Rung.NOT_COLLECTED,
            "the collector refused 5 metric points of all services",
        ),
    ],
)
def test_lost_metrics_died_where_they_were_refused(collector: Collector, rung: Rung, hint: str) -> None:
    """Or before they were stored."""
    outcome = judged(seen(counted_by_time=counted(lost=7), collector=collector), signal="metrics")

    assert (outcome.observed, outcome.rung, outcome.hint) == ("7 lost, 7 % of 100 requests at stake", rung, hint)


@pytest.mark.parametrize(
    ("samples", "gap"),
    [
        ([], "46.8 s"),
        ([12.0], "28 s"),
        ([30.0, 31.0], "36.8 s"),
        ([-6.8, -6.0, 5.0, 6.0, 12.0, 16.0, 60.0], "24 s"),
    ],
)
def test_a_gap_is_looked_for_as_long_as_there_are_clients(samples: list[float], gap: str) -> None:
    """From the first request, give or take how late a count may be, to the last one: data may be lost at either end."""
    outcome = judged(seen(samples_t=[T0 + t for t in samples]), signal="metrics", gap="5s")

    assert outcome.observed.startswith(f"no sample for {gap}, ")


def test_what_is_lost_when_nothing_was_at_stake_is_more_than_all() -> None:
    """No share of nothing allows for it."""
    silent = [second for second in TRAFFIC if not T0 + 5 <= second.t < T0 + 15]
    item = Recovered.model_validate({"within": "1h", "lost": "100%"})
    happened = history(silent, fault_on(5, 15))

    outcome = judge_of.judge(item, CHECK, happened, seen(399), felt=[felt()])
    assert (outcome.verdict, outcome.observed) == (Verdict.FAIL, "1 lost, nothing of 0 requests at stake")
    assert judge_of.judge(item, CHECK, happened, seen(400), felt=[felt()]).facts["lost_share"] == 0


def test_requests_without_an_answer_may_come_on_top() -> None:
    """A server may have seen those."""
    lost = traffic(10, 11, count=3, lost=3)

    assert judged(seen(503), lost).verdict is Verdict.PASS
    assert judged(seen(504), lost).verdict is Verdict.FAIL


def test_of_traces_only_those_are_at_stake_that_are_kept() -> None:
    """Of nine of ten requests head sampling drops the trace; the app counts all of them."""
    unsampled = [second.model_copy(update={"sampled": False, "count": 90}) for second in TRAFFIC]
    tenfold = tuple((t, value * 10) for t, value in counted())

    outcome = judged(None, unsampled)
    assert (outcome.verdict, outcome.facts["at_stake"]) == (Verdict.PASS, 100)
    outcome = judged(seen(counted_by_time=tenfold), unsampled, signal="metrics")
    assert (outcome.verdict, outcome.facts["sent"], outcome.facts["at_stake"]) == (Verdict.PASS, 5000, 1000)


def test_all_faults_together_are_one_outage() -> None:
    """From the first to the last; each must have been felt."""
    second = felt().model_copy(update={"id": "faults/2"})
    outcome = judged(None, fault_on(14, 16, "faults/2"), of=[felt(), second])

    assert (outcome.facts["at_stake"], outcome.facts["drained_after_s"]) == (110, 2)
    unfelt = second.model_copy(update={"verdict": Verdict.FAIL})
    assert judged(None, fault_on(14, 16, "faults/2"), of=[felt(), unfelt]).rung is Rung.FAULT_NOT_APPLIED


def test_without_any_answer_there_is_no_recovery() -> None:
    """Nought of nought is no proof."""
    happened = history(fault_on(5, 15))
    outcome = judge_of.judge(
        Recovered.model_validate({"within": "5s"}), CHECK, happened, seen(0, counted_by_time=()), felt=[felt()]
    )

    assert outcome.verdict is Verdict.FAIL
    assert outcome.observed == "the clients got no answer at all: no data is no recovery"


@pytest.mark.parametrize(
    ("said", "events", "observed"),
    [
        (
            seen().model_copy(update={"problems": {"tempo": "tempo did not answer"}}),
            [],
            "tempo did not answer",
        ),
        (seen().model_copy(update={"recoveries": {}}), [], "nobody asked how it recovered"),
        (seen(), [blinded("traffic")], "traffic could not be watched: connection refused"),
    ],
)
def test_what_could_not_be_asked_is_unknown(said: Evidence, events: list[Event], observed: str) -> None:
    """Never a pass."""
    outcome = judged(said, events)

    assert (outcome.verdict, outcome.observed) == (Verdict.UNKNOWN, observed)


class Answering:
    """A Prometheus with a counter of two series and two queues, that notes what it was asked."""

    def __init__(self) -> None:
        self.queries: list[str] = []
        self.prometheus = Prometheus("http://prom", transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        query = request.url.params["query"]
        self.queries.append(query)
        series: Mapping[str, list[list[Any]]] = (
            {"a": [[T0, "4"], [T0 + 2, "9"]], "b": [[T0 + 1, "2"]]}
            if query.startswith("otelcol")
            else {"a": [[T0, "5"], [T0 + 1, "6"], [T0 + 9, "7"]], "b": [[T0 + 1, "3"]]}
        )
        rows = [{"metric": {"x": name}, "values": values} for name, values in series.items()]
        return httpx.Response(200, json={"data": {"resultType": "matrix", "result": rows}})


@pytest.mark.parametrize(
    ("signal", "selector", "last"),
    [
        ("traces", 'traces_span_metrics_calls_total{span_kind="SPAN_KIND_SERVER",', 6 + 3 + 7),
        ("metrics", "http_server_request_duration_seconds_count{", 7 + 3),
    ],
)
def test_what_is_asked_goes_on_where_counters_began_anew(signal: str, selector: str, last: float) -> None:
    """The collector was restarted, which begins its count of spans anew, and no count of the app's own."""
    world = Answering()
    happened = history(found(-9, "ready", "collector"), found(8, "ready", "collector", started=8))
    recovery = judge_of.gather(
        Recovered.model_validate({"within": "5s", "signal": signal}),
        happened,
        world.prometheus,
        namespace=NAMESPACE,
        span=(T0 - 10, T0 + 20.5),
    )

    own = f'{selector}service_namespace="run-1",service_name="frontend"}}'
    assert world.queries == [f"{own}[31s]", "otelcol_exporter_queue_size[31s]"]
    assert recovery.counted_by_time == ((T0, 5), (T0 + 1, 9), (T0 + 9, last))
    assert recovery.queue_by_time == ((T0, 4), (T0 + 1, 2), (T0 + 2, 9))
    assert recovery.samples_t == (T0, T0 + 1, T0 + 9)
