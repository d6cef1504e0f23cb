"""Malformed drills: each file in malformed/ gives the one error that stands beside it in expected.txt."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic_core import ErrorDetails

from scenarios.errors import ScenarioError
from scenarios.loader import load, load_text
from scenarios.wording import say
from tests.unit.scenarios.drills import documents

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


def test_all_contradictions_are_told_at_once() -> None:
    """Each at the line that is to be changed."""
    text = (
        "name: x\nwhy: Three things that do not fit.\nload: {for: 30s}\n"
        "faults:\n  - {kind: errors, at: 25s, for: 10s}\n  - {kind: kill, target: tempo, at: 1s, for: 1s}\n"
        "expect:\n  - alert: {name: A, within: 5s, fault: 3}\n"
    )

    with pytest.raises(ScenarioError) as caught:
        load_text(text)

    assert [problem.line for problem in caught.value.problems] == [5, 6, 8]


def test_a_problem_that_nobody_thought_of_is_still_told() -> None:
    """In the validator's words, with the key and what was found there."""
    odd = ErrorDetails(type="multiple_of", loc=("load", "users"), msg="Input should be a multiple of 3", input=8)

    assert say(odd) == "`users` is 8 (a number): input should be a multiple of 3"


JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        2.5,
        10**17,
        "",
        "no",
        "30s",
        "30%",
        "latency",
        "alert",
        [],
        [[]],
        {},
        {"kind": "errors"},
        {"a": 1},
    ]
)


@st.composite
def spoilt_documents(draw: st.DrawFn) -> Any:
    """A good drill in which some values are replaced, some keys renamed, and some removed."""
    document = draw(documents())
    for _ in range(draw(st.integers(1, 3))):
        place: Any = document
        while isinstance(place, dict | list) and place:
            key = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
            deeper = place[key]
            if isinstance(deeper, dict | list) and deeper and draw(st.booleans()):
                place = deeper
                continue
            how = draw(st.sampled_from(["replace", "remove", "rename"]))
            if how == "rename" and isinstance(place, dict):
                place[f"{key}x"] = place.pop(key)
            elif how == "remove":
                del place[key]
            else:
                place[key] = deepcopy(draw(JUNK))
            break
    return document


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(document=spoilt_documents())
def test_whatever_is_wrong_is_one_kind_of_error_without_jargon(document: Any) -> None:
    """No slip of an author ends in a stack trace, or in words that only a library understands."""
    try:
        load_text(json.dumps(document), source="f")
    except ScenarioError as error:
        for problem in error.problems:
            assert problem.line >= 1
            assert [word for word in JARGON if word in problem.text] == []
