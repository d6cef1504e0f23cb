"""The ledger's differences, and the tails of logs."""

import pytest

from reports.evidence import Hop
from reports.ledger import entry
from reports.logs import MOST_CHARACTERS, MOST_LINES, tails


@pytest.mark.parametrize(
    ("count", "expected", "difference", "state", "share"),
    [
        (100, 100, 0, "even", None),
        (88, 100, -12, "off", -0.12),
        (3, 0, 3, "off", None),
        (None, 100, None, "unknown", None),
        (100, None, None, "unknown", None),
    ],
)
def test_a_hop_is_compared_with_what_was_expected(
    count: float | None, expected: float | None, difference: float | None, state: str, share: float | None
) -> None:
    """
    A missing number is not nought: the difference is unknown then.
    """
    found = entry(Hop(hop="app", count=count, expected=expected))

    assert (difference, state, share) == (found.difference, found.state, found.share)


def test_only_the_last_lines_of_a_log_are_kept() -> None:
    """
    How many there were is told.
    """
    (tail,) = tails({"collector": "".join(f"line {n}\n" for n in range(10_000))})

    assert (tail.lines, tail.total) == (MOST_LINES, 10_000)
    assert tail.text.endswith("line 9999")


def test_a_long_line_is_cut_and_colours_are_taken_out() -> None:
    """
    The cut counts what is seen.
    """
    (tail,) = tails({"app": "\x1b[32mINFO\x1b[0m " + "x" * 5000})

    assert tail.text.startswith("INFO xxx")
    assert len(tail.text) == MOST_CHARACTERS


def test_an_empty_log_has_no_line() -> None:
    """
    Logs are in order of their names.
    """
    assert [(tail.name, tail.lines, tail.text) for tail in tails({"b": "x\n\n", "a": " \n"})] == [
        ("a", 0, ""),
        ("b", 1, "x"),
    ]
