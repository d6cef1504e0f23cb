"""Prometheus as a source: ranges in pieces, odd answers, and failures that say what happened."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest

from detector import source as sources
from detector.matrix import Matrix, identity, joined, table, without_points
from detector.source import Prometheus, SourceError


def ask(handler: Callable[[httpx.Request], httpx.Response], query: str = "up") -> Any:
    """One instant query against a handler."""

    async def go() -> Any:
        transport = httpx.MockTransport(handler)
        async with httpx.AsyncClient(base_url="http://prometheus", transport=transport) as http:
            return await Prometheus(http).instant(query, 100.0)

    return asyncio.run(go())


def test_an_instant_query_gives_values_by_labels(prometheus: Any) -> None:
    """The metric's name is no part of a series' identity."""
    prometheus.add("q", lambda at: at / 2, service_name="a")
    prometheus.add("q", lambda at: None, service_name="gone")
    assert ask(prometheus.answer, "q") == {(("service_name", "a"),): 50.0}
    assert identity({"__name__": "m", "b": "2", "a": "1"}) == (("a", "1"), ("b", "2"))


def test_a_scalar_is_a_series_without_labels() -> None:
    """`vector(1)` or `1` are fine; a range vector is not."""
    scalar = {"status": "success", "data": {"resultType": "scalar", "result": [100.0, "3.5"]}}
    assert ask(lambda _: httpx.Response(200, json=scalar)) == {(): 3.5}
    matrix = {"status": "success", "data": {"resultType": "matrix", "result": []}}
    with pytest.raises(SourceError, match="gives a matrix; a series needs an instant vector"):
        ask(lambda _: httpx.Response(200, json=matrix))


def test_a_long_range_is_asked_for_in_pieces(prometheus: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer grows beyond its bound; series that come and go are NaN where they are not."""
    monkeypatch.setattr(sources, "MOST_POINTS", 30)
    prometheus.add("q", lambda at: at, name="always")
    prometheus.add("q", lambda at: 1.0 if at >= 75 else None, name="later")

    async def go() -> Matrix:
        async with prometheus.connect() as http:
            return await Prometheus(http).range("q", np.arange(0.0, 100.0))

    matrix = asyncio.run(go())
    assert len(prometheus.asked) == 4
    always, later = (matrix.values[:, matrix.labels.index((("name", name),))] for name in ("always", "later"))
    np.testing.assert_array_equal(always, np.arange(100.0))
    assert np.isnan(later[:75]).all()
    assert (later[75:] == 1.0).all()


def test_no_pieces_are_no_series() -> None:
    """An empty range is empty."""
    assert joined([]).values.shape == (0, 0)


@pytest.mark.parametrize(
    ("status", "body", "reason", "says"),
    [
        (400, {"status": "error", "errorType": "bad_data", "error": "parse error"}, "query", "bad_data: parse error"),
        (503, {"status": "error", "errorType": "timeout", "error": "too slow"}, "answer", "timeout: too slow"),
        (502, None, "answer", "status 502, not the JSON of a Prometheus"),
        (200, {"hello": 1}, "answer", "status 200, not the JSON"),
        (200, [], "answer", "status 200, not the JSON"),
    ],
)
def test_a_refusal_says_what_was_asked_and_what_came_back(status: int, body: Any, reason: str, says: str) -> None:
    """One word for the metric, a sentence for people."""
    with pytest.raises(SourceError, match=says) as caught:
        ask(lambda _: httpx.Response(status, json=body) if body is not None else httpx.Response(status, text="<html>"))
    assert caught.value.reason == reason
    assert "'up'" in str(caught.value)


@pytest.mark.parametrize(
    ("error", "reason"), [(httpx.ReadTimeout("slow"), "timeout"), (httpx.ConnectError("refused"), "connect")]
)
def test_a_prometheus_that_cannot_be_reached_is_told_apart(error: Exception, reason: str) -> None:
    """Too slow, or not there."""

    def fail(_: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(SourceError) as caught:
        ask(fail)
    assert caught.value.reason == reason


def test_points_are_taken_out_of_any_answer() -> None:
    """Labels that look like points, series with histograms only or with none, numbers and spaces in every spelling."""
    odd = {"metric": {"n": 'x"values":[[1,"2"]]'}, "values": [[0, "NaN"], [15, "+Inf"], [30, "-1e-05"]]}
    histogram = {"metric": {"n": "h"}, "histograms": [[0, {"count": "1"}]]}
    empty: dict[str, Any] = {"metric": {"n": "e"}, "values": []}
    plain = {"metric": {"n": "p"}, "values": [[30.0, "2.5"]]}
    for spacing in ((",", ":"), (", ", ": ")):
        content = json.dumps({"data": {"result": [odd, histogram, empty, plain]}}, separators=spacing).encode()
        body, points = without_points(content)
        matrix = table(body["data"]["result"], points, np.array([0.0, 15.0, 30.0]))
        assert matrix.labels[0] == (("n", 'x"values":[[1,"2"]]'),)
        np.testing.assert_array_equal(matrix.values[:, 0], [np.nan, np.inf, -1e-05])
        assert np.isnan(matrix.values[:, 1:3]).all()
        np.testing.assert_array_equal(matrix.values[:, 3], [np.nan, np.nan, 2.5])
