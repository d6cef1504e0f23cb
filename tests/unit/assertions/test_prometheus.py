"""Prometheus: its HTTP API as this client reads it; the bodies have the shapes of a real one."""

import math
from typing import Any

import httpx
import pytest

from assertions.backend import BackendError
from assertions.prometheus import ActiveAlert, Prometheus, Rule, Sample, Series, timestamp
from tests.unit.assertions.builders import answering


def prometheus(data: Any, asked: list[httpx.Request] | None = None, **envelope: Any) -> Prometheus:
    """A Prometheus that answers everything with this data."""
    body = {"status": "success", "data": data} | envelope
    return Prometheus("http://prom", transport=answering(body, asked=asked))


VECTOR = {
    "resultType": "vector",
    "result": [
        {"metric": {"service_name": "catalog"}, "value": [1795500000.123, "0.12"]},
        {"metric": {}, "value": [1795500000.123, "NaN"]},
        {"metric": {"le": "+Inf"}, "value": [1795500000.123, "+Inf"]},
    ],
}


def test_an_instant_query_gives_samples() -> None:
    """Values are texts on the wire, and need not be finite."""
    asked: list[httpx.Request] = []
    first, second, third = prometheus(VECTOR, asked).instant("up == 1", t=1795500000.1234)

    assert first == Sample(labels={"service_name": "catalog"}, value=0.12)
    assert (second.labels, math.isnan(second.value)) == ({}, True)
    assert third == Sample(labels={"le": "+Inf"}, value=math.inf)
    assert asked[0].url.path == "/api/v1/query"
    assert dict(asked[0].url.params) == {"query": "up == 1", "time": "1795500000.123"}


def test_without_a_moment_it_is_evaluated_now() -> None:
    """By its own clock."""
    asked: list[httpx.Request] = []
    prometheus({"resultType": "vector", "result": []}, asked).instant("up")

    assert dict(asked[0].url.params) == {"query": "up"}


def test_a_scalar_is_one_sample() -> None:
    """Such as the time."""
    scalar = prometheus({"resultType": "scalar", "result": [1795500000.5, "1795500000.5"]})

    assert scalar.instant("time()") == [Sample(labels={}, value=1795500000.5)]
    assert scalar.clock() == 1795500000.5


def test_a_prometheus_that_does_not_know_the_time() -> None:
    """Has no clock to compare with."""
    with pytest.raises(BackendError, match="prometheus does not know the time"):
        prometheus({"resultType": "vector", "result": []}).clock()


def test_the_value_of_one_series() -> None:
    """Of none there is none; of several nobody knows which."""
    assert prometheus({"resultType": "vector", "result": VECTOR["result"][:1]}).value("x") == 0.12
    assert prometheus({"resultType": "vector", "result": []}).value("x") is None
    with pytest.raises(BackendError, match="prometheus: expected one series, got 3 for x"):
        prometheus(VECTOR).value("x")


def test_a_range_query_gives_series() -> None:
    """Each with its points."""
    asked: list[httpx.Request] = []
    matrix = {
        "resultType": "matrix",
        "result": [{"metric": {"a": "b"}, "values": [[1795500000, "1"], [1795500001, "2.5"]]}],
    }
    found = prometheus(matrix, asked).range("up", start=1795500000.12345, end=1795500001, step_s=0.5)

    assert found == [Series(labels={"a": "b"}, points=[(1795500000.0, 1.0), (1795500001.0, 2.5)])]
    assert asked[0].url.path == "/api/v1/query_range"
    assert dict(asked[0].url.params) == {
        "query": "up",
        "start": "1795500000.123",
        "end": "1795500001.000",
        "step": "0.5",
    }


def test_active_alerts() -> None:
    """Pending and firing ones, with when they became so."""
    alerts = {
        "alerts": [
            {
                "labels": {"alertname": "Burn", "severity": "page"},
                "annotations": {},
                "state": "firing",
                "activeAt": "2026-11-24T12:00:05.123456789Z",
                "value": "1.2e-01",
            },
            {"labels": {}, "state": "pending"},
        ]
    }
    first, second = prometheus(alerts).alerts()

    assert first == ActiveAlert(
        labels={"alertname": "Burn", "severity": "page"},
        state="firing",
        active_at=1795521605.123456,
        value="1.2e-01",
    )
    assert (first.name, second.name) == ("Burn", "")
    assert second == ActiveAlert(labels={}, state="pending", active_at=None)


def test_rules_that_were_not_evaluated_yet_are_undecided() -> None:
    """After a start, Prometheus lists no alert of a rule until it has evaluated it."""
    rules = [
        {"name": "Burn", "query": "x", "lastEvaluation": "0001-01-01T00:00:00Z"},
        {"name": "Other", "query": "y", "lastEvaluation": "2025-11-24T16:00:00.5Z"},
        {"name": "Untold", "query": "z"},
    ]

    assert prometheus({"groups": [{"interval": 5, "rules": rules}]}, []).undecided() == {"Burn"}


def test_loaded_rules() -> None:
    """With the interval of their group; what an older version leaves out has a default."""
    asked: list[httpx.Request] = []
    groups = {
        "groups": [
            {
                "name": "slo",
                "interval": 5,
                "rules": [
                    {
                        "name": "Burn",
                        "query": "x > 1",
                        "duration": 30,
                        "labels": {"severity": "page"},
                        "annotations": {"summary": "s"},
                        "health": "err",
                        "lastError": "no such series",
                        "type": "alerting",
                    }
                ],
            },
            {"name": "more", "interval": 0.5, "rules": [{"name": "Other", "query": "y"}]},
        ]
    }

    assert prometheus(groups, asked).rules() == [
        Rule(
            name="Burn",
            query="x > 1",
            annotations={"summary": "s"},
            labels={"severity": "page"},
            health="err",
            last_error="no such series",
            for_s=30.0,
            interval_s=5.0,
        ),
        Rule(
            name="Other",
            query="y",
            annotations={},
            labels={},
            health="unknown",
            last_error="",
            for_s=0.0,
            interval_s=0.5,
        ),
    ]
    assert dict(asked[0].url.params) == {"type": "alert"}


@pytest.mark.parametrize("body", [{}, [], {"status": "error", "errorType": "bad_data"}])
def test_an_answer_without_data_is_an_error(body: Any) -> None:
    """Whatever its status was."""
    with pytest.raises(BackendError, match="prometheus answered /api/v1/query without data"):
        Prometheus("http://prom", transport=answering(body)).instant("up")


@pytest.mark.parametrize(
    "data", [None, [], {}, {"resultType": "vector", "result": [{}]}, {"resultType": "scalar", "result": []}]
)
def test_a_result_of_another_shape_is_an_error(data: Any) -> None:
    """Nobody knows what it means."""
    with pytest.raises(BackendError, match="prometheus answered for the query up what is none"):
        prometheus(data).instant("up")


def test_other_answers_of_another_shape_are_errors_too() -> None:
    """Alerts, rules and ranges alike."""
    nonsense = prometheus({"alerts": [{"state": "firing"}], "groups": [{"rules": [{}]}], "result": [{"values": [[1]]}]})

    for ask in (nonsense.alerts, nonsense.rules, lambda: nonsense.range("up", start=0, end=1, step_s=1)):
        with pytest.raises(BackendError, match="what is none"):
            ask()


def test_a_refused_query_is_an_error_with_its_reason() -> None:
    """Prometheus says what is wrong."""
    refusal = {"status": "error", "errorType": "bad_data", "error": "parse error"}
    with pytest.raises(BackendError, match=r"with 400: .*parse error"):
        Prometheus("http://prom", transport=answering(refusal, 400)).instant("up(")


@pytest.mark.parametrize(
    ("text", "t"),
    [
        (None, None),
        ("", None),
        ("0001-01-01T00:00:00Z", None),
        ("2026-11-24T12:00:05Z", 1795521605.0),
        ("2026-11-24T13:00:05+01:00", 1795521605.0),
        ("2026-11-24T12:00:05.5Z", 1795521605.5),
    ],
)
def test_times_as_go_writes_them(text: str | None, t: float | None) -> None:
    """Its zero time is none."""
    assert timestamp(text) == t


def test_another_text_is_no_time() -> None:
    """It is an error."""
    with pytest.raises(ValueError, match="yesterday"):
        timestamp("yesterday")


def test_a_closed_client_asks_no_more() -> None:
    """Its connections were given back."""
    client = prometheus(VECTOR)
    client.close()

    with pytest.raises(RuntimeError, match="closed"):
        client.instant("up")
