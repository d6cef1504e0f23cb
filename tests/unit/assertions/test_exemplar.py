"""Exemplars: from a slow bucket to a slow trace of the drill."""

from typing import Any

import httpx
import pytest

from assertions.evidence import Example
from assertions.exemplar import flaw_in, gather, judge
from assertions.prometheus import Prometheus
from assertions.tempo import Tempo
from scenarios.model import Exemplar
from scenarios.record import Outcome, Rung, Verdict
from tests.unit.assertions.builders import CHECK, NAMESPACE, T0, answering, evidence, spans

ITEM = Exemplar.model_validate({"service": "catalog", "slower_than": "500ms"})


def example(value_s: float = 0.8, *, lasted_s: float = 0.8, **given: Any) -> Example:
    """An exemplar whose trace passes frontend and catalog, each for so long."""
    found = tuple({**one, "duration_s": lasted_s} for one in spans())
    return Example.model_validate({"value_s": value_s, "trace_id": "t", "spans": found} | given)


def judged(*examples: Example) -> Outcome:
    """The outcome for exemplars that were followed."""
    return judge(ITEM, CHECK, evidence(examples={CHECK.id: examples}))


def test_one_that_leads_to_a_slow_trace_is_enough() -> None:
    """Others may lead nowhere, for a trace may have been dropped."""
    outcome = judged(example(0.9, spans=(), trace_id="gone"), example(trace_id="good"))

    assert (outcome.verdict, outcome.observed) == (Verdict.PASS, "800 ms, trace good")
    assert outcome.facts == {"slowest_s": 0.9, "followed": 2, "trace_id": "good"}


@pytest.mark.parametrize(
    ("bad", "flaw"),
    [
        (example(0.499), "the slowest exemplar is of 499 ms"),
        (example(spans=()), "tempo does not know its trace"),
        (example(lasted_s=0.44), "its value is 800 ms, but its trace lasted 440 ms there"),
        (
            example(spans=({**spans()[0], "duration_s": 1.0},)),
            "its value is 800 ms, but its trace does not pass it",
        ),
        (
            example(spans=({**spans()[2], "duration_s": 1.0},)),
            "its trace is not one of the clients', or not whole: it begins in catalog with a server span, not in frontend's server",
        ),
    ],
)
def test_what_can_be_wrong_with_one(bad: Example, flaw: str) -> None:
    """In words, of the slowest."""
    assert flaw_in(bad, ITEM) == flaw
    outcome = judged(bad)
    assert (outcome.verdict, outcome.observed) == (Verdict.FAIL, f"{flaw}; 1 exemplar followed")
    assert outcome.where == "prometheus and tempo, trace t"


def test_the_limits_belong_to_what_is_slow() -> None:
    """A span is a little shorter than what the metric measures around it."""
    assert flaw_in(example(0.5, lasted_s=0.45), ITEM) == ""


def test_without_any_exemplar_it_fails() -> None:
    """No data is no pass."""
    outcome = judged()

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, Rung.NOT_STORED)
    assert outcome.observed == "there is no exemplar at all"


@pytest.mark.parametrize(
    ("problems", "observed"),
    [({"prometheus": "p"}, "p"), ({"tempo": "t"}, "t"), ({}, "nobody was asked")],
)
def test_what_could_not_be_asked_is_unknown(problems: dict[str, str], observed: str) -> None:
    """It takes both backends."""
    outcome = judge(ITEM, CHECK, evidence(problems=problems))

    assert (outcome.verdict, outcome.observed) == (Verdict.UNKNOWN, observed)


def stored(*values: float) -> dict[str, Any]:
    """What Prometheus answers."""
    exemplars = [
        {"labels": {"trace_id": f"{n:02}"}, "value": str(value), "timestamp": T0} for n, value in enumerate(values)
    ]
    return {"data": [{"seriesLabels": {"le": "1"}, "exemplars": [*exemplars, {"labels": {}, "value": "9"}]}]}


TRACE = {
    "trace": {
        "resourceSpans": [
            {
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]},
                "scopeSpans": [
                    {
                        "spans": [
                            {
                                "traceId": "dA==",
                                "spanId": own,
                                "parentSpanId": parent,
                                "kind": "SPAN_KIND_SERVER",
                                "startTimeUnixNano": "0",
                                "endTimeUnixNano": "900000000",
                            }
                        ]
                    }
                ],
            }
            for service, own, parent in (("frontend", "YQ==", "eA=="), ("catalog", "Yg==", "YQ=="))
        ]
    }
}


def followed(prometheus: httpx.MockTransport, tempo: httpx.MockTransport, within_s: float = 0) -> tuple[Example, ...]:
    """What is gathered."""
    clients = Prometheus("http://prom", transport=prometheus), Tempo("http://tempo", transport=tempo)
    return gather(ITEM, clients, namespace=NAMESPACE, span=(T0, T0 + 30), within_s=within_s)


def test_the_slowest_are_followed() -> None:
    """Only those that are slow enough are looked up, and one without a trace is none."""
    asked: list[httpx.Request] = []
    found = followed(answering(stored(0.1, 0.7, 0.2, 0.9, 0.3, 0.4), asked=asked), answering(TRACE))

    assert [(one.value_s, one.trace_id, len(one.spans)) for one in found] == [
        (0.9, "03", 2),
        (0.7, "01", 2),
        (0.4, "05", 0),
        (0.3, "04", 0),
        (0.2, "02", 0),
    ]
    assert dict(asked[0].url.params) == {
        "query": f'http_server_request_duration_seconds_bucket{{service_namespace="{NAMESPACE}",service_name="catalog"}}',
        "start": f"{T0:.3f}",
        "end": f"{T0 + 30:.3f}",
    }


def test_a_trace_that_comes_late_is_waited_for() -> None:
    """Tempo gets it a moment after Prometheus got its exemplar."""
    answers = [httpx.Response(404), httpx.Response(200, json=TRACE)]
    tempo = httpx.MockTransport(lambda _: answers.pop(0))

    assert len(followed(answering(stored(0.9)), tempo, within_s=30)[0].spans) == 2


def test_an_answer_that_is_none_is_an_error() -> None:
    """Its verdict will be UNKNOWN."""
    with pytest.raises(RuntimeError, match="prometheus answered for exemplars of"):
        followed(answering({"data": [{"exemplars": []}, {}]}), answering(TRACE))
