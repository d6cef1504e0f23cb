"""The service graph: its edges against what the clients' requests lead to."""

from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from assertions.evidence import Edge
from assertions.prometheus import Prometheus
from assertions.service_graph import gather, judge
from scenarios.history import Event
from scenarios.model import ServiceGraph
from scenarios.record import Outcome, Rung, Verdict
from tests.unit.assertions.builders import CHECK, NAMESPACE, T0, evidence, history, refusing, traffic

CATALOG, USERS, TABLE = "frontend -> catalog", "frontend -> users", "catalog -> database"


def edge(calls: float = 100, failed: float = 0, slow: float = 0) -> Edge:
    """An edge with buckets at 400 and 800 ms; `slow` calls are in neither."""
    return Edge(calls=calls, failed=failed, buckets={"0.4": calls - slow, "0.8": calls - slow, "+Inf": calls})


def judged(graph: dict[str, Edge], *, happened: Sequence[Event] = (), **given: Any) -> Outcome:
    """The outcome of a drill with 100 requests of products; 100 of users, where `happened` has them."""
    item = ServiceGraph.model_validate({"edges": [CATALOG]} | given)
    return judge(item, CHECK, history(happened or traffic(0, 10)), evidence(edges={CHECK.id: graph}))


def test_edges_with_the_calls_of_the_clients_pass() -> None:
    """And the outcome tells how many there were."""
    outcome = judged({CATALOG: edge(), TABLE: edge(1)}, edges=[CATALOG, TABLE])

    assert (outcome.verdict, outcome.observed) == (
        Verdict.PASS,
        "frontend -> catalog 100 calls and catalog -> database 1 call",
    )
    assert outcome.facts["edges"][CATALOG] == {"calls": 100, "failed": 0}


def test_a_missing_edge_is_named_with_those_that_are_there() -> None:
    """The name may be wrong."""
    outcome = judged({USERS: edge()})

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, None)
    assert (outcome.expected, outcome.observed) == (f"calls from {CATALOG}", f"none; there are {USERS}")
    assert outcome.where.endswith(CATALOG)


def test_without_any_edge_nothing_was_stored() -> None:
    """Tempo's generator is the first to look at."""
    outcome = judged({})

    assert (outcome.verdict, outcome.rung, outcome.observed) == (
        Verdict.FAIL,
        Rung.NOT_STORED,
        "there is no edge at all",
    )
    assert "metrics generator" in outcome.hint


@pytest.mark.parametrize(("calls", "verdict"), [(94, "FAIL"), (95, "PASS"), (105, "PASS"), (106, "FAIL")])
def test_calls_are_compared_with_the_requests(calls: int, verdict: str) -> None:
    """Give or take what is allowed."""
    assert judged({CATALOG: edge(calls)}).verdict == verdict


@pytest.mark.parametrize(("calls", "verdict"), [(49, "FAIL"), (50, "PASS"), (100, "PASS"), (101, "FAIL")])
def test_a_failed_request_may_have_led_to_no_call(calls: int, verdict: str) -> None:
    """A checkout ends where it fails."""
    failing = traffic(0, 10, failed=5)

    outcome = judged({CATALOG: edge(calls)}, happened=failing, within="0%")

    assert outcome.verdict == verdict
    if verdict == "FAIL":
        assert outcome.expected.startswith("50 to 100 calls from frontend -> catalog")


def test_only_requests_of_the_called_service_count() -> None:
    """Of 200 requests 100 pass the catalog."""
    happened = [*traffic(0, 10), *traffic(0, 10, route="/api/users")]

    assert judged({CATALOG: edge(100)}, happened=happened, within="0%").verdict is Verdict.PASS
    assert judged({CATALOG: edge(200)}, happened=happened, within="0%").verdict is Verdict.FAIL


def test_a_forbidden_edge_fails() -> None:
    """One from `user` with the reason that it usually has."""
    torn = judged({CATALOG: edge(), "user -> catalog": edge(7)}, forbidden=["user -> catalog"])
    odd = judged({CATALOG: edge(), "catalog -> users": edge(1)}, forbidden=["catalog -> users"])

    assert (torn.verdict, torn.expected, torn.observed) == (Verdict.FAIL, "no call from user -> catalog", "7 calls")
    assert "passes no trace context on" in torn.hint
    assert (odd.verdict, odd.observed, odd.hint) == (Verdict.FAIL, "1 call", "")
    assert judged({CATALOG: edge()}, forbidden=["user -> catalog"]).verdict is Verdict.PASS


FAILING = traffic(0, 10, failed=5)


def test_errors_belong_to_the_edge_on_which_they_are() -> None:
    """Its database did not fail."""
    found = {CATALOG: edge(failed=50), TABLE: edge()}

    assert judged(found, happened=FAILING, errors_on=CATALOG).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("found", "observed"),
    [
        ({CATALOG: edge(failed=47)}, "47 failed calls"),
        ({CATALOG: edge(failed=50), USERS: edge(failed=1)}, "1 failed call"),
    ],
)
def test_errors_that_are_missing_or_elsewhere(found: dict[str, Edge], observed: str) -> None:
    """Both mislead whoever looks at the graph."""
    outcome = judged(found, happened=FAILING, errors_on=CATALOG)

    assert (outcome.verdict, outcome.observed) == (Verdict.FAIL, observed)
    assert outcome.expected == f"the 50 failed requests of the clients on {CATALOG}, and on no other edge"


def test_without_a_failure_there_is_nothing_to_see() -> None:
    """No data is no pass."""
    outcome = judged({CATALOG: edge()}, errors_on=CATALOG)

    assert outcome.verdict is Verdict.FAIL
    assert outcome.hint.startswith("the clients had none: no data is no pass;")


def test_edges_that_lead_to_a_failing_one_suffer_from_it() -> None:
    """A failing database makes its service fail."""
    found = {CATALOG: edge(failed=50), TABLE: edge(failed=50)}

    assert judged(found, happened=FAILING, errors_on=TABLE).verdict is Verdict.PASS


SLOW = traffic(0, 10, slow=4, slow_s=1.0)


def test_time_belongs_to_the_edge_on_which_it_is_spent() -> None:
    """Most of the clients' slow requests are on it; buckets cut off some."""
    assert judged({CATALOG: edge(slow=20)}, happened=SLOW, slow_on=CATALOG).verdict is Verdict.PASS
    assert (
        judged({CATALOG: edge(slow=40), USERS: edge(slow=20)}, happened=SLOW, slow_on=CATALOG).verdict is Verdict.PASS
    )


@pytest.mark.parametrize(
    ("found", "observed"),
    [
        ({CATALOG: edge(slow=19)}, "19 slow calls"),
        ({CATALOG: edge(slow=40), USERS: edge(slow=21)}, "21 slow calls"),
        ({CATALOG: Edge(calls=100)}, "0 slow calls"),
    ],
)
def test_time_that_is_missing_or_elsewhere(found: dict[str, Edge], observed: str) -> None:
    """The limit is the next bucket of the histogram, for more cannot be known."""
    outcome = judged(found, happened=SLOW, slow_on=CATALOG)

    assert (outcome.verdict, outcome.observed) == (Verdict.FAIL, observed)
    if found[CATALOG].buckets:
        assert outcome.expected.startswith(f"most of the 40 requests slower than 800 ms on {CATALOG}")


def test_without_a_slow_request_there_is_no_time_to_see() -> None:
    """No data is no pass."""
    outcome = judged({CATALOG: edge(slow=20)}, slow_on=CATALOG)

    assert outcome.verdict is Verdict.FAIL
    assert outcome.hint.startswith("the clients had none: no data is no pass;")


def test_a_busy_edge_has_more_calls_than_requests() -> None:
    """And is not held to their number."""
    enough = judged({CATALOG: edge(200)}, busy_on=CATALOG)
    few = judged({CATALOG: edge(199)}, busy_on=CATALOG)

    assert enough.verdict is Verdict.PASS
    assert (few.verdict, few.observed) == (Verdict.FAIL, "199 calls")
    assert few.expected == f"at least 2 calls on {CATALOG} for each of 100 requests"
    assert judged({TABLE: edge()}, edges=[TABLE], busy_on=CATALOG).verdict is Verdict.FAIL


def test_a_prometheus_that_could_not_be_asked_is_unknown() -> None:
    """Nobody knows the graph then."""
    item = ServiceGraph.model_validate({"edges": [CATALOG]})
    silent = judge(item, CHECK, history(), evidence(problems={"prometheus": "it did not answer"}))

    assert (silent.verdict, silent.observed) == (Verdict.UNKNOWN, "it did not answer")
    assert judge(item, CHECK, history(), evidence()).observed == "prometheus was not asked"


def answer(asked: httpx.Request, calls: list[int]) -> httpx.Response:
    """A Prometheus whose frontend has called the catalog more often each time that it is asked."""
    query = asked.url.params["query"]
    ends = {"client": "frontend", "server": "catalog"}
    table = {"client": "catalog", "server": "catalog", "connection_type": "database"}
    rows: list[tuple[dict[str, str], float]] = []
    if "bucket" in query:
        rows = [({**ends, "le": "0.4"}, 60), ({**ends, "le": "+Inf"}, 100)]
    elif "failed" in query:
        rows = [(ends, 3)]
    else:
        rows = [(ends, calls.pop(0) if len(calls) > 1 else calls[0]), (table, 9)]
    assert f'service_namespace="{NAMESPACE}"' in query
    result = [{"metric": labels, "value": [T0, str(value)]} for labels, value in rows]
    return httpx.Response(200, json={"data": {"resultType": "vector", "result": result}})


def test_the_graph_is_read_once_it_has_settled() -> None:
    """When the calls of the clients are on it; a database is called so, whatever its name."""
    calls = [50, 99, 100, 7]
    prometheus = Prometheus("http://prom", transport=httpx.MockTransport(lambda asked: answer(asked, calls)))
    item = ServiceGraph.model_validate({"edges": [CATALOG, TABLE]})

    found = gather(item, history(traffic(0, 10)), prometheus, namespace=NAMESPACE, within_s=30)

    assert found == {
        CATALOG: Edge(calls=100, failed=3, buckets={"0.4": 60, "+Inf": 100}),
        TABLE: Edge(calls=9),
    }
    assert calls == [7]


def test_at_the_deadline_the_graph_is_taken_as_it_is() -> None:
    """The judge says what is missing; a Prometheus that is away is an error."""
    item = ServiceGraph.model_validate({"edges": [CATALOG, USERS]})
    prometheus = Prometheus("http://prom", transport=httpx.MockTransport(lambda asked: answer(asked, [1])))

    assert gather(item, history(), prometheus, namespace=NAMESPACE, within_s=0)[CATALOG].calls == 1
    with pytest.raises(RuntimeError, match="did not answer"):
        gather(item, history(), Prometheus("http://x", transport=refusing()), namespace=NAMESPACE, within_s=0)
