"""Malformed drills: each file in malformed/ gives the one error that stands beside it in expected.txt."""

from pathlib import Path

import pytest
from pydantic_core import ErrorDetails

from scenarios.errors import ScenarioError
from scenarios.loader import load, load_text
from scenarios.wording import say

FOLDER = Path(__file__).parent / "malformed"
EXPECTED = (FOLDER / "expected.txt").read_text(encoding="utf-8").splitlines()
JARGON = (
    "Input should",
    "valid dictionary",
    "validation",
    "Extra inputs",
    "tuple",
    "Field required",
    "<block",
    "literal[",
)


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda line: str(line).partition(".drill.yaml")[0])
def test_a_malformed_file_gives_one_clear_error(expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error has one line with file, line number, what was found, and what is allowed or to be done."""
    monkeypatch.chdir(FOLDER)

    with pytest.raises(ScenarioError) as caught:
        load(expected.partition(":")[0])

    assert expected == str(caught.value)


def test_every_malformed_file_has_its_expected_error() -> None:
    """No file lies around untested, and there are at least sixty."""
    names = [line.partition(":")[0] for line in EXPECTED]

    assert sorted(names) == sorted(path.name for path in FOLDER.glob("*.drill.yaml"))
    assert len(names) >= 60


def test_no_message_speaks_the_jargon_of_a_library() -> None:
    """People who never heard of validators and parsers can read the messages."""
    assert [line for line in EXPECTED if any(word in line for word in JARGON)] == []


def test_all_problems_of_form_are_told_at_once_in_the_order_of_the_file() -> None:
    """Somebody who made three slips need not run three times."""
    text = "name: x\nwhy: Three slips in one file.\nload: {for: 30}\nfaults: [{kind: no}]\nexpect: [{silent: {exept: A}}]\n"

    with pytest.raises(ScenarioError) as caught:
        load_text(text)

    assert [problem.line for problem in caught.value.problems] == [3, 4, 5]


def test_a_problem_that_nobody_thought_of_is_still_told() -> None:
    """In the validator's words, with the key and what was found there."""
    odd = ErrorDetails(type="multiple_of", loc=("load", "users"), msg="Input should be a multiple of 3", input=8)

    assert say(odd) == "`users` is 8 (a number): input should be a multiple of 3"
