"""Evidence is read part by part: what cannot be read costs its own section, not the report."""

import math
from typing import Any

import pytest

from reports.evidence import Evidence
from tests.unit.reports import examples


def test_whole_evidence_is_read_whole() -> None:
    """
    Every part of an ordinary drill's evidence is there.
    """
    evidence = Evidence.read(examples.passed().evidence)

    assert {"request_rate", "error_ratio", "p95_s"} == set(evidence.series)
    assert evidence.trace is not None
    assert (len(evidence.trace.spans), len(evidence.ledger), len(evidence.alerts), evidence.unreadable) == (7, 7, 1, ())


def test_no_evidence_is_no_error() -> None:
    """
    A drill may end before evidence is gathered, and a part may be null.
    """
    assert Evidence.read({}) == Evidence.read({"trace": None, "series": None})
    assert Evidence.read({}).unreadable == ()


@pytest.mark.parametrize(
    ("part", "value", "place"),
    [
        ("series", {"p95_s": [["now", 1]]}, "series.p95_s.0.0"),
        ("series", {"p95_s": [[math.nan, 1]]}, "series.p95_s.0.0"),
        ("trace", {"trace_id": "ab", "spans": [{"span_id": "1", "duration_s": 1}]}, "trace.spans.0.start_t"),
        ("ledger", [{"signal": "traces"}], "ledger.0.hop"),
        ("alerts", "none", "alerts"),
    ],
)
def test_an_unreadable_part_says_where(part: str, value: Any, place: str) -> None:
    """
    The sentence names the part and the place in it, and the other parts are unharmed.
    """
    evidence = Evidence.read(dict(examples.passed().evidence) | {part: value})

    assert len(evidence.unreadable) == 1
    assert f"The evidence for `{part}` cannot be read: {place}: " in evidence.unreadable[0]
    assert evidence.ledger or part == "ledger"


def test_numbers_that_are_none_are_unknown() -> None:
    """
    NaN and infinity are answers of Prometheus, but no numbers to reckon with.
    """
    evidence = Evidence.read({"series": {"x": [[3, math.nan], [1, 2], [2, math.inf]], "empty": []}})

    assert dict(evidence.series) == {"x": ((1.0, 2.0), (2.0, None), (3.0, None))}


def test_what_a_later_version_adds_is_ignored() -> None:
    """
    Old reports can be drawn from new evidence.
    """
    assert Evidence.read({"ledger": [{"hop": "app", "colour": "red"}], "weather": 3}).unreadable == ()
