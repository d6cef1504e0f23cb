"""PromQL: expressions as text."""

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.slo.model import Selector
from stack.slo.promql import duration, event_rate, grown, number, quantile, summed_rate

FAILED = Selector.parse('requests_total{code=~"5..",le="0.5"}')
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "0s"), (5, "5s"), (60, "1m"), (90, "90s"), (4320, "72m"), (43200, "12h"), (259200, "3d")],
)
def test_duration_uses_the_largest_exact_unit(seconds: int, expected: str) -> None:
    """
    As a person would write it.
    """
    assert duration(seconds) == expected


@given(st.integers(min_value=0, max_value=10**9))
def test_duration_loses_nothing(seconds: int) -> None:
    """
    Read back it is the same.
    """
    match = re.fullmatch(r"(\d+)([smhd])", duration(seconds))
    assert match
    assert int(match[1]) * SECONDS[match[2]] == seconds


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Fraction("14.4") * Fraction(1, 1000), "0.0144"),
        (Fraction(1) - Fraction(999, 1000), "0.001"),
        (Fraction(19, 20), "0.95"),
    ],
)
def test_number_has_no_noise_of_binary_fractions(value: Fraction, expected: str) -> None:
    """
    0.0144 and not 0.014400000000000001.
    """
    assert number(value) == expected


def test_selector_survives_its_text() -> None:
    """
    Parsed and written again it is the same, with and without matchers.
    """
    for text in ('requests_total{code=~"5..",le="0.5"}', "requests_total"):
        assert str(Selector.parse(text)) == text


def test_selector_can_do_without_a_label() -> None:
    """
    A quantile needs all buckets, whatever else is matched.
    """
    assert str(FAILED.without("le")) == 'requests_total{code=~"5.."}'
    assert str(Selector.parse('requests_total{le="0.5"}').without("le")) == "requests_total"
    assert str(Selector.parse('requests_total{level="a"}').without("le")) == 'requests_total{level="a"}'


def test_rates_are_summed_by_service() -> None:
    """
    Instances and routes are added up, services are kept apart.
    """
    assert summed_rate(Selector(metric="x"), 300) == "sum by (service_namespace, service_name) (rate(x[5m]))"
    assert summed_rate(Selector(metric="x"), 5, by=("http_route",)) == "sum by (http_route) (rate(x[5s]))"


def test_quantile_keeps_the_buckets_apart() -> None:
    """
    The sum must not swallow the label that the function needs.
    """
    expr = quantile(Fraction(95, 100), Selector(metric="x_bucket"), 60, by=("a",))
    assert expr == "histogram_quantile(0.95, sum by (a, le) (rate(x_bucket[1m])))"


def test_windows_reach_every_part_of_an_expression() -> None:
    """
    A window that was forgotten would be the old one in one profile.
    """
    for text in (event_rate(FAILED, 7, among=FAILED), grown("x_total", 7)):
        assert set(re.findall(r"\[(\w+)\]|offset (\w+)", text)) <= {("7s", ""), ("", "7s")}
