"""Steps and variables are computed as Grafana computes them."""

from typing import Any

import pytest

from stack.standins.grafana.durations import format_duration, format_step, parse_duration
from stack.standins.grafana.gonumber import exponent, plain, shortest
from stack.standins.grafana.plan import Span, plan, round_step
from stack.standins.grafana.provisioning.datasources import Datasource


def datasource(interval: str = "") -> Datasource:
    """A Prometheus with a scrape interval."""
    return Datasource(id=1, uid="p", name="P", type="prometheus", url="http://p", json_data={"timeInterval": interval})


@pytest.mark.parametrize(
    ("model", "length_s", "scrape", "step_s", "rate"),
    [
        ({"intervalMs": 5000, "maxDataPoints": 100}, 30, "1s", 5, "6s"),
        ({"intervalMs": 1000, "maxDataPoints": 43200}, 300, "1s", 1, "4s"),
        ({"maxDataPoints": 100}, 3600, "15s", 30, "1m"),
        ({"maxDataPoints": 1000}, 900, "", 15, "1m"),
        ({"maxDataPoints": 300}, 900, "1s", 2, "4s"),
        ({"maxDataPoints": 100, "interval": "2m"}, 900, "1s", 120, "8m"),
        ({"maxDataPoints": 100, "interval": "$__rate_interval"}, 3600, "1s", 30, "31s"),
        ({"intervalMs": 1, "maxDataPoints": 10_000_000}, 86400, "1s", 10, "11s"),
        ({"intervalMs": 1000, "maxDataPoints": 100, "intervalFactor": 2}, 10, "1s", 2, "4s"),
    ],
)
def test_step_and_rate_interval(model: dict[str, Any], length_s: float, scrape: str, step_s: float, rate: str) -> None:
    """
    The query's own interval, the panel's, the datasource's, then 15 s; never more than 11,000 points; rate over four scrapes.
    """
    span = Span(from_s=0, to_s=length_s)
    found = plan("A", {**model, "expr": "rate(x[$__rate_interval])"}, datasource(scrape), span)

    assert (step_s, f"rate(x[{rate}])") == (found.step_s, found.expr)


def test_variables() -> None:
    """
    In all spellings; a dashboard's own are left to the browser.
    """
    expr = "$__interval ${__interval} $__interval_ms $__range $__range_s ${__range_ms} $__rate_interval_ms $service"
    found = plan("A", {"expr": expr, "intervalMs": 60000}, datasource("15s"), Span(from_s=0, to_s=3600.4))

    assert found.expr == "1m 1m 60000 3600s 3600 3600400 75000 $service"


@pytest.mark.parametrize(
    ("model", "kinds"),
    [
        ({}, (False, True, False)),
        ({"instant": True}, (True, False, False)),
        ({"range": True}, (False, True, False)),
        ({"instant": True, "range": True}, (True, True, False)),
        ({"exemplar": True, "range": True}, (False, True, True)),
    ],
)
def test_what_is_asked(model: dict[str, Any], kinds: tuple[bool, bool, bool]) -> None:
    """
    Neither range nor instant is a range query.
    """
    found = plan("A", model, datasource(), Span(from_s=0, to_s=60))

    assert kinds == (found.instant, found.ranged, found.exemplar)


def test_steps_are_rounded() -> None:
    """
    To the steps that Grafana uses.
    """
    assert [round_step(seconds) for seconds in (0.003, 0.02, 1, 2, 4, 8, 50, 3000, 100_000)] == [
        0.001,
        0.02,
        1,
        2,
        5,
        10,
        60,
        3600,
        86400,
    ]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10s", 10), ("1m30s", 90), ("1500ms", 1.5), ("1.5h", 5400), ("1d", 86400), ("0", 0), ("0s", 0)],
)
def test_durations(text: str, seconds: float) -> None:
    """
    As files write them.
    """
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "10 s", "s", "-1s", "1x", "1s2"])
def test_a_bad_duration_is_refused(text: str) -> None:
    """
    In Grafana's words.
    """
    with pytest.raises(ValueError, match="duration string"):
        parse_duration(text)


def test_durations_are_written() -> None:
    """
    As Prometheus writes them, and a step in one unit.
    """
    assert ["0s", "10s", "1m30s", "1h", "1d", "25h", "1500ms"][:3] == [format_duration(s) for s in (0, 10, 90)]
    assert [format_duration(s) for s in (3600, 86400, 1.5)] == ["1h", "1d", "1s500ms"]
    assert [format_step(s) for s in (1.5, 15, 60, 90, 7200, 86400)] == ["1500ms", "15s", "1m", "90s", "2h", "1d"]


def test_numbers_are_written_as_go_writes_them() -> None:
    """
    Plain, with an exponent, and the shorter of both.
    """
    values = (0.25, 1e-7, 1e21, 100.0, -1.5, float("inf"), float("-inf"), float("nan"))

    assert list(map(plain, values)) == [
        "0.25",
        "0.0000001",
        "1000000000000000000000",
        "100",
        "-1.5",
        "+Inf",
        "-Inf",
        "NaN",
    ]
    assert [exponent(value) for value in values[:5]] == ["2.5e-01", "1e-07", "1e+21", "1e+02", "-1.5e+00"]
    assert [shortest(value) for value in values[:5]] == ["0.25", "1e-07", "1e+21", "100", "-1.5"]
