"""Metrics queries: what each function makes of known spans."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stack.standins.tempo.measure import log2_bound, log2_quantile
from stack.standins.tempo.series import query_instant, query_range
from stack.standins.tempo.settings import Queries
from stack.standins.tempo.spans import Span
from stack.standins.tempo.traceql import QueryError
from stack.standins.tempo.windows import BadQuery
from tests.unit.stack.standins.tempo.made import NOW_NS, SECOND, resource, span, view

QUERIES = Queries(end_cutoff_ns=0)


def at(number: int, second: int, milliseconds: int, service: str = "shop", **attributes: float) -> Span:
    """A span of a duration, so many seconds after NOW."""
    start_ns = NOW_NS + second * SECOND
    return span(
        number,
        start_ns=start_ns,
        end_ns=start_ns + milliseconds * 1_000_000,
        resource=resource(service),
        attributes=attributes,
    )


SPANS = [
    at(1, 1, 100, size=3),
    at(2, 5, 300, size=5),
    at(3, 10, 800),
    at(4, 11, 50, "web", size=0.5),
    at(5, 25, 900, "web"),
]


def ask(query: str, **parameters: str) -> Any:
    """The series of a range query over three steps of ten seconds after NOW."""
    asked = {
        "q": query,
        "start": str(NOW_NS + 10 * SECOND),
        "end": str(NOW_NS + 30 * SECOND),
        "step": "10s",
        **parameters,
    }
    return query_range(
        asked, lambda: [view(one, number=one.span_id[-1]) for one in SPANS], QUERIES, NOW_NS + 60 * SECOND
    )["series"]


def values(series: Any) -> list[float | None]:
    """The samples' values; 0 where the value is left out."""
    return [sample.get("value", 0) for sample in series["samples"]]


def labels(series: Any) -> dict[str, Any]:
    """The labels with their values."""
    return {label["key"]: next(iter(label["value"].values())) for label in series["labels"]}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{} | count_over_time()", [3, 1, 1]),
        ("{} | rate()", [0.3, 0.1, 0.1]),
        ("{} | min_over_time(duration)", [0.1, 0.05, 0.9]),
        ("{} | max_over_time(duration)", [0.8, 0.05, 0.9]),
        ("{} | sum_over_time(span.size)", [8, 0.5]),
        ("{} | avg_over_time(span.size)", [4, 0.5]),
        ("{ duration > 1h } | rate()", None),
    ],
)
def test_functions(query: str, expected: list[float] | None) -> None:
    """
    Counts have a zero where there is no span; minimum, maximum, sum and average have no sample there.
    """
    series = ask(query)

    assert [values(one) for one in series] == ([pytest.approx(expected)] if expected else [])


def test_a_series_without_groups_is_named_by_its_function() -> None:
    """
    The only label is `__name__`.
    """
    assert [labels(series) for series in ask("{} | rate()")] == [{"__name__": "rate"}]


def test_groups_have_labels_and_absent_values_are_nil() -> None:
    """
    Each combination is a series; a span that lacks the attribute counts under `nil`.
    """
    series = ask("{} | count_over_time() by (resource.service.name, span.size)")

    found = {(labels(one)["resource.service.name"], labels(one)["span.size"]): values(one) for one in series}
    assert found[("shop", "nil")] == [1, 0, 0]
    assert found[("web", 0.5)] == [0, 1, 0]
    assert len(found) == 5


def test_quantiles_are_upper_bounds_by_powers_of_two() -> None:
    """
    One series per quantile, in seconds.
    """
    series = ask("{} | quantile_over_time(duration, .5, 1)")

    assert [labels(one) for one in series] == [{"p": 0.5}, {"p": 1}]
    assert values(series[1]) == [2**30 / SECOND, 2**26 / SECOND, 2**30 / SECOND]


def test_a_histogram_has_a_series_per_bucket() -> None:
    """
    The bucket's bound is the label; the counts of all buckets add up to the spans.
    """
    series = ask("{} | histogram_over_time(duration)")

    assert [labels(one)["__bucket"] for one in series] == [
        2**26 / SECOND,
        2**27 / SECOND,
        2**29 / SECOND,
        2**30 / SECOND,
    ]
    assert [sum(column) for column in zip(*map(values, series), strict=True)] == [3, 1, 1]


def test_topk_keeps_the_highest_of_each_step() -> None:
    """
    A series has samples only where it is among the first; one that never is, is gone.
    """
    (shop, web) = ask("{} | count_over_time() by (resource.service.name) | topk(1)")

    assert (values(shop), values(web)) == ([3], [1, 1])
    (lowest,) = ask(
        "{ span.size != nil } | max_over_time(span.size) by (resource.service.name) | bottomk(1) | topk(1)"
    )[1:]
    assert (labels(lowest), values(lowest)) == ({"resource.service.name": "web"}, [0.5])


def test_exemplars_name_the_trace_and_what_the_query_read() -> None:
    """
    At most two per step; the value is the span's own where there is one, else the step's; none when not wanted.
    """
    (series,) = ask('{ resource.service.name = "shop" } | max_over_time(duration)')
    first = {label["key"]: label["value"] for label in series["exemplars"][0]["labels"]}

    assert len(series["exemplars"]) == 2
    assert series["exemplars"][0]["value"] == 0.1
    assert first == {
        "resource.service.name": {"stringValue": "shop"},
        "duration": {"stringValue": "100ms"},
        "trace:id": {"stringValue": "1"},
    }
    assert ask("{} | count_over_time()")[0]["exemplars"][0]["value"] == 3
    assert len(ask("{} | rate()", exemplars="1")[0]["exemplars"]) == 1
    assert "exemplars" not in ask("{} | rate() with (exemplars=false)")[0]


def test_numbers_that_json_lacks_are_texts() -> None:
    """
    A sum that overflows stays valid JSON, and what is no number is passed over.
    """
    large = [at(1, 1, 1, size=1e308), at(2, 2, 1, size=1e308), at(3, 3, 1, size=float("nan"))]
    asked = {"q": "{} | sum_over_time(span.size)", "start": str(NOW_NS), "end": str(NOW_NS + 9 * SECOND)}

    answer: Any = query_instant(asked, lambda: [view(*large)], QUERIES, NOW_NS + 60 * SECOND)

    assert answer["series"][0]["value"] == "Infinity"


def test_an_instant_query_has_one_value() -> None:
    """
    The whole range is one step.
    """
    asked = {"q": "{} | rate()", "start": str(NOW_NS), "end": str(NOW_NS + 50 * SECOND)}

    answer: Any = query_instant(asked, lambda: [view(*SPANS)], QUERIES, NOW_NS + 60 * SECOND)

    assert answer["series"] == [{"labels": [{"key": "__name__", "value": {"stringValue": "rate"}}], "value": 0.1}]


def test_refuses_what_is_no_metrics_query() -> None:
    """
    A search belongs elsewhere, and bad TraceQL has Tempo's bare words here.
    """
    with pytest.raises(BadQuery, match="not a metrics query: end it with a metrics function"):
        ask("{}")
    with pytest.raises(QueryError, match=r"^parse error at line 1"):
        ask("{} | rate(")
    with pytest.raises(BadQuery, match="too large"):
        ask("{}" + " " * 200_000)
    with pytest.raises(BadQuery, match="invalid exemplars"):
        ask("{} | rate()", exemplars="some")


@settings(deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1), st.floats(0, 1))
def test_a_quantile_lies_within_a_factor_of_two(observed: list[float], quantile: float) -> None:
    """
    Whatever the values, a quantile is at most the bound of the largest one's bucket, and at least half of the smallest's.
    """
    buckets: dict[float, int] = {}
    for one in observed:
        buckets[log2_bound(one)] = buckets.get(log2_bound(one), 0) + 1

    assert min(buckets) / 2 <= log2_quantile(quantile, buckets) <= max(buckets)
