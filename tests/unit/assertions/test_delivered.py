"""Delivered: the ledger balances from the clients to the backends, or the first hop that does not is named."""

from typing import Any

import pytest

from assertions import delivered as judge_of
from assertions.delivered import Hop, ledger
from assertions.evidence import Collector, Evidence, Service
from assertions.ladder import EXPLANATIONS
from scenarios.history import Event
from scenarios.model import Delivered
from scenarios.record import Outcome, Rung, Verdict
from tests.unit.assertions.builders import CHECK, blinded, evidence, history, traffic
from tests.unit.assertions.builders import found as noted

TRAFFIC = [*traffic(0, 9), *traffic(9, 10, failed=4)]
"""100 requests, 4 of them failed."""

WHOLE = Service(requests=100, failed=4, collected=100)


def found(stored: float | None = 100, **given: Any) -> Evidence:
    """Evidence in which all hops balance, unless told otherwise."""
    spans = {} if stored is None else {"frontend": stored}
    return evidence(**{"services": {"frontend": WHOLE}, "stored_spans": spans} | given)


def of_app(**given: float) -> Evidence:
    """The same, but for what is known of the app."""
    return found(services={"frontend": WHOLE.model_copy(update=given)})


def judged(seen: Evidence, *events: Event, within: str = "0%") -> Outcome:
    """What becomes of the ledger of 100 requests."""
    return judge_of.judge(Delivered.model_validate({"within": within}), CHECK, history(TRAFFIC, *events), seen)


def test_a_ledger_that_balances_passes() -> None:
    """Every hop is a figure."""
    outcome = judged(found())

    assert (outcome.verdict, outcome.expected) == (Verdict.PASS, "the same count at every hop")
    assert outcome.observed == "100 requests, the same at every hop"
    assert outcome.facts == {
        "clients": 100.0,
        "app_to_prometheus": 100.0,
        "failures_in_prometheus": 4.0,
        "app_to_collector": 100.0,
        "collector_refused": 0.0,
        "collector_failed_to_send": 0.0,
        "collector_to_tempo": 100.0,
    }


def test_with_slack_it_is_about_the_same() -> None:
    """The words do not promise more than was checked."""
    outcome = judged(found(stored=95), within="5%")

    assert (outcome.verdict, outcome.expected, outcome.observed) == (
        Verdict.PASS,
        "the same count at every hop, give or take 5 %",
        "100 requests, about the same at every hop",
    )
    assert judged(found(stored=94), within="5%").verdict is Verdict.FAIL
    assert judged(found(stored=105), within="5%").verdict is Verdict.PASS
    assert judged(found(stored=106), within="5%").verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("seen", "place", "expected", "observed", "rung"),
    [
        (of_app(requests=99), "2 of 7: app to prometheus", "100 metrics", "99", Rung.NOT_EMITTED),
        (of_app(failed=3), "3 of 7: failures in prometheus", "4 metrics", "3", Rung.NOT_EMITTED),
        (of_app(collected=0), "4 of 7: app to collector", "100 traces", "0", Rung.NOT_EMITTED),
        (
            found(collector=Collector(refused={"spans": 2, "metric_points": 1})),
            "5 of 7: collector, refused",
            "0 all",
            "3",
            Rung.NOT_COLLECTED,
        ),
        (
            found(collector=Collector(failed={"spans": 2})),
            "6 of 7: collector, failed to send",
            "0 all",
            "2",
            Rung.NOT_STORED,
        ),
        (found(stored=99), "7 of 7: collector to tempo", "100 traces", "99", Rung.NOT_STORED),
        (found(stored=None), "7 of 7: collector to tempo", "100 traces", "nothing", Rung.NOT_STORED),
        (found(services={}), "2 of 7: app to prometheus", "100 metrics", "0", Rung.NOT_EMITTED),
    ],
)
def test_the_first_hop_that_does_not_balance_is_named(
    seen: Evidence, place: str, expected: str, observed: str, rung: Rung
) -> None:
    """With its counts, and the rung at which the rest died."""
    outcome = judged(seen)

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, rung)
    assert (outcome.expected, outcome.observed) == (expected, observed)
    assert (outcome.where, outcome.when) == (f"hop {place}", "all drill")
    assert outcome.hint == EXPLANATIONS[rung]


@pytest.mark.parametrize("seen", [of_app(requests=101), of_app(failed=5), of_app(collected=101), found(stored=101)])
def test_more_than_clients_sent_is_wrong_without_a_rung(seen: Evidence) -> None:
    """Nothing died; somebody else uses the app."""
    outcome = judged(seen)

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, None)
    assert outcome.hint == "more arrived than clients sent: does anybody else use this app?"


def test_failures_that_no_client_saw_are_too_many() -> None:
    """Nothing died there, either."""
    seen = found(services={"frontend": Service(requests=10, failed=1, collected=10)}, stored=10)
    outcome = judge_of.judge(Delivered(), CHECK, history(traffic(0, 1)), seen)

    assert (outcome.verdict, outcome.expected, outcome.rung) == (Verdict.FAIL, "0 metrics", None)


@pytest.mark.parametrize(
    ("collector", "short", "rung"),
    [
        (Collector(up=False), {"requests": 90}, Rung.NOT_COLLECTED),
        (Collector(up=False), {"collected": 90}, Rung.NOT_COLLECTED),
        (Collector(refused={"spans": 9}), {"collected": 90}, Rung.NOT_COLLECTED),
        (Collector(exporter_up=False), {"requests": 90}, Rung.NOT_STORED),
        (Collector(exporter_up=False), {"collected": 90}, Rung.NOT_EMITTED),
        (Collector(refused={"spans": 0}), {"collected": 90}, Rung.NOT_EMITTED),
    ],
)
def test_what_is_missing_may_have_died_later(collector: Collector, short: dict[str, float], rung: Rung) -> None:
    """The app is blamed only if the collector was up and refused nothing, and for metrics if it could be scraped."""
    seen = found(services={"frontend": WHOLE.model_copy(update=short)}, collector=collector)

    assert judged(seen).rung is rung


def test_requests_without_an_answer_may_come_on_top() -> None:
    """A server may have seen those or not, and failed them or not; but more than those is too much."""
    lost = traffic(10, 11, count=3, lost=3)

    for count in (100, 103):
        seen = found(services={"frontend": Service(requests=count, failed=count - 96, collected=count)}, stored=count)
        assert judged(seen, *lost).verdict is Verdict.PASS
    for seen in (of_app(requests=104), of_app(failed=8), of_app(requests=99), found(stored=104)):
        assert judged(seen, *lost).verdict is Verdict.FAIL


def test_requests_without_an_answer_excuse_no_refusal() -> None:
    """What the collector refused or failed to send is lost, however many clients got no answer."""
    lost = traffic(10, 11, count=3, lost=3)

    assert judged(found(collector=Collector(refused={"spans": 1})), *lost).rung is Rung.NOT_COLLECTED
    assert judged(found(collector=Collector(failed={"spans": 1})), *lost).rung is Rung.NOT_STORED


@pytest.mark.parametrize("backend", ["prometheus", "tempo"])
def test_a_backend_that_could_not_be_asked_is_unknown(backend: str) -> None:
    """The ledger has a hole then."""
    outcome = judged(found(problems={backend: f"{backend} did not answer"}))

    assert (outcome.verdict, outcome.expected, outcome.observed) == (
        Verdict.UNKNOWN,
        "the same count at every hop",
        f"{backend} did not answer",
    )


def test_a_truth_with_holes_is_unknown() -> None:
    """Nobody knows what those clients sent who vanished."""
    outcome = judged(found(), blinded("traffic"))

    assert outcome.verdict is Verdict.UNKNOWN
    assert outcome.observed == "traffic could not be watched: connection refused"


def test_watchers_of_alerts_do_not_concern_the_ledger() -> None:
    """They count nothing."""
    assert judged(found(), blinded("prometheus"), blinded("sink")).verdict is Verdict.PASS


@pytest.mark.parametrize("events", [[], traffic(0, 1, count=5, lost=5)])
def test_without_any_answer_there_is_no_balance(events: list[Event]) -> None:
    """Nought everywhere is no proof."""
    outcome = judge_of.judge(Delivered(), CHECK, history(events), evidence(stored_spans={"frontend": 0}))

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, None)
    assert (outcome.expected, outcome.observed) == (
        "requests to count",
        "the clients got no answer at all: no data is no balance",
    )
    assert (outcome.where, outcome.hint) == ("the clients' history", "see the traffic's log")


def test_the_ledger_is_drawn_in_reports() -> None:
    """In the order of the way; the clients' own count is compared with nothing, and says how many got no answer."""
    lines = [hop.to_json() for hop in ledger(history(TRAFFIC, traffic(10, 11, count=3, lost=3)), found())]

    assert lines[0] == {
        "hop": "clients",
        "signal": "requests",
        "count": 100.0,
        "expected": None,
        "note": "3 more got no answer, and may or may not have been served",
    }
    assert lines[4] == {
        "hop": "collector, refused",
        "signal": "all",
        "count": 0,
        "expected": 0.0,
        "note": "all services of the stack together",
    }
    assert [line["hop"] for line in lines] == [
        "clients",
        "app to prometheus",
        "failures in prometheus",
        "app to collector",
        "collector, refused",
        "collector, failed to send",
        "collector to tempo",
    ]
    assert ledger(history(TRAFFIC), found())[0].note == ""


def test_a_collector_that_was_restarted_is_not_asked_for_what_it_forgot() -> None:
    """What it shows says nothing then; whether the spans are in Tempo does."""
    restart = [noted(-9, "ready", "collector"), noted(5, "ready", "collector", started=5)]

    assert judged(of_app(collected=60), *restart).verdict is Verdict.PASS
    assert judged(found(stored=99), *restart).where == "hop 7 of 7: collector to tempo"
    note = ledger(history(TRAFFIC, restart), of_app(collected=60))[3].note
    assert note == "the collector was restarted, and forgot what it had not yet shown"


@pytest.mark.parametrize(
    ("count", "within", "more", "balances"),
    [
        (100, 0, 0, True),
        (99, 0, 0, False),
        (101, 0, 0, False),
        (101, 0, 1, True),
        (99, 0.01, 0, True),
        (98.9, 0.01, 0, False),
        (102, 0.01, 1, True),
        (103, 0.01, 1, False),
        (None, 1, 0, False),
    ],
)
def test_a_hop_balances_within_its_slack(count: float | None, within: float, more: int, balances: bool) -> None:
    """A share of what was expected in both directions, and what may come on top; what is not known never does."""
    hop = Hop(hop="a", signal="b", count=count, expected=100, more=more)

    assert hop.balances(within) is balances


def test_a_hop_of_which_nothing_is_expected_balances() -> None:
    """Known or not."""
    assert Hop(hop="a", signal="b", count=None, expected=None).balances(0)
