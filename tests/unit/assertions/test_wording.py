"""Wording: figures as people read them, and titles."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assertions.wording import cores, count, listed, percent, rate, seconds, size, title_of, title_of_fault
from scenarios.model import (
    Alert,
    Anomaly,
    Budget,
    ComponentState,
    Delivered,
    Expectation,
    Fault,
    Recovered,
    Silent,
    Sli,
    Traces,
    Watchdog,
)
from tests.unit.assertions.builders import fault


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (1, "100 %"),
        (0.6071428, "60.7 %"),
        (0.946, "94.6 %"),
        (0.5, "50 %"),
        (0.3, "30 %"),
        (0.005, "0.5 %"),
        (0.01234, "1.23 %"),
        (0.000123, "0.0123 %"),
        (0.9995, "99.95 %"),
        (0.99996, "99.996 %"),
        (1.5, "150 %"),
        (5.556, "556 %"),
        (1.012, "101.2 %"),
        (-0.02, "-2 %"),
        (1 - 0.054, "94.6 %"),
        (1 - 1e-15, "100 %"),
        (-1e-15, "0 %"),
        (math.nan, "nothing"),
        (math.inf, "nothing"),
    ],
)
def test_shares(share: float, text: str) -> None:
    """As percentages; what is not all, or not nothing, never looks like it."""
    assert percent(share) == text


@given(st.floats(min_value=1e-6, max_value=1 - 1e-6))
def test_a_share_in_between_never_looks_like_all_or_nothing(share: float) -> None:
    """Four nines are not 100 %."""
    assert percent(share) not in ("0 %", "100 %")


@pytest.mark.parametrize(
    ("duration_s", "text"),
    [
        (0, "0 s"),
        (0.172, "172 ms"),
        (0.02557, "25.6 ms"),
        (0.0004, "0.4 ms"),
        (0.9994, "999 ms"),
        (0.9995, "1 s"),
        (1, "1 s"),
        (2.7132, "2.71 s"),
        (2.7, "2.7 s"),
        (10, "10 s"),
        (12.345, "12.3 s"),
        (99.95, "100 s"),
        (119.4, "119 s"),
        (119.5, "2 min"),
        (125, "2 min 5 s"),
        (3600, "60 min"),
        (-3, "-3 s"),
        (-0.25, "-250 ms"),
        (-125, "-2 min 5 s"),
        (math.inf, "for ever"),
        (-math.inf, "nothing"),
        (math.nan, "nothing"),
    ],
)
def test_durations(duration_s: float, text: str) -> None:
    """In the unit that suits their size, with three digits that count."""
    assert seconds(duration_s) == text


@pytest.mark.parametrize(
    ("per_s", "text"),
    [(0, "0/s"), (19.444, "19.4/s"), (12.25, "12.2/s"), (7.5, "7.5/s"), (1234.5, "1234/s"), (math.nan, "nothing")],
)
def test_rates(per_s: float, text: str) -> None:
    """Per second."""
    assert rate(per_s) == text


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 requests"), (1, "1 request"), (2, "2 requests"), (1000.0, "1,000 requests")]
)
def test_counts(number: float, text: str) -> None:
    """With their noun."""
    assert count(number, "request") == text


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (512, "512 B"),
        (2048, "2 KiB"),
        (91_750_400, "87.5 MiB"),
        (1.2 * 1024**3, "1.2 GiB"),
        (math.nan, "nothing"),
    ],
)
def test_sizes(size_bytes: float, text: str) -> None:
    """In the unit that suits them, with three digits that count."""
    assert size(size_bytes) == text


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 cores"), (0.0372, "0.0372 cores"), (1, "1 core"), (2.5, "2.5 cores")]
)
def test_cores(number: float, text: str) -> None:
    """With their noun."""
    assert cores(number) == text


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "b", "c"], "a, b and c"),
        (["a", "b", "c", "d"], "a, b, c and 1 more"),
        (["a", "b", "c", "d", "e"], "a, b, c and 2 more"),
    ],
)
def test_lists(words: list[str], text: str) -> None:
    """No longer than people read."""
    assert listed(words, 3) == text


def test_a_list_is_cut_at_a_dozen() -> None:
    """Unless told otherwise."""
    assert listed(["x"] * 12).count("x") == 12
    assert listed(["x"] * 13).endswith("x and 1 more")


@pytest.mark.parametrize(
    ("broken", "noise", "title"),
    [
        (fault(), False, "errors on catalog is felt"),
        (fault(kind="slow_database", delay="1s", target="users"), False, "slow database on users is felt"),
        (fault(kind="latency", delay="1s"), True, "noise: latency on catalog is felt"),
        (fault(kind="spike", factor=2), False, "spike of the traffic is felt"),
        (fault(kind="kill", target="users"), False, "kill of users is felt"),
        (fault(kind="pause", target="tempo"), False, "pause of tempo is applied"),
        (fault(kind="telemetry_silent"), False, "telemetry silent on catalog is applied"),
        (fault(kind="command", apply=["a"], heal=["b"]), False, "command is applied"),
    ],
)
def test_titles_of_faults(broken: Fault, noise: bool, title: str) -> None:
    """What breaks where, and who proves it."""
    assert title_of_fault(broken, noise=noise) == title


@pytest.mark.parametrize(
    ("item", "title"),
    [
        (Sli(name="p95"), "sli p95 of frontend"),
        (Sli(name="availability", service="users"), "sli availability of users"),
        (Alert.model_validate({"name": "Burn", "within": "5s"}), "alert Burn"),
        (
            Alert.model_validate({"name": "Burn", "within": "5s", "labels": {"service_name": "users"}}),
            "alert Burn of users",
        ),
        (Silent.model_validate({"except": ["A", "B"]}), "silent"),
        (Traces(), "traces of answered requests"),
        (Traces(where="error"), "traces of failed requests"),
        (Traces(where="ok"), "traces of good requests"),
        (Traces(where="slow"), "traces of slow requests"),
        (Delivered(), "delivered: the ledger balances"),
        (Anomaly.model_validate({"signal": "latency", "within": "5s"}), "anomaly of latency in frontend"),
        (
            ComponentState.model_validate({"name": "tempo", "down_within": "1s"}),
            "component tempo goes down and comes back",
        ),
        (ComponentState.model_validate({"name": "tempo", "restarts": 0}), "component tempo stays up"),
        (Recovered.model_validate({"within": "5s", "signal": "metrics"}), "recovered: metrics"),
        (Budget.model_validate({"component": "tempo", "cpu": "5s"}), "budget of tempo"),
        (Watchdog.model_validate({"missing_within": "5s", "back_within": "5s"}), "watchdog is missed and comes back"),
    ],
)
def test_titles_of_expectations(item: Expectation, title: str) -> None:
    """By their own words alone."""
    assert title_of(item) == title
