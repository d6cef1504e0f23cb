"""The strict YAML reader: what scalars mean, and on which line each part stands."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.errors import ScenarioError
from scenarios.yamlfile import YamlFile

TEXT = """\
# a comment
name: x
load:
  for: 30s
faults:
  - kind: latency
    at: 1s
  - {kind: errors,
     at: 2s}
"""


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("7", 7),
        ("-1.50", -1.5),
        ("012", 12),
        ("'true'", "true"),
        ('"7"', "7"),
        ("no", "no"),
        ("Yes", "Yes"),
        ("on", "on"),
        ("True", "True"),
        ("1:30", "1:30"),
        ("1e3", "1e3"),
        ("0x1f", "0x1f"),
        (".inf", ".inf"),
        ("2024-01-01", "2024-01-01"),
        ("1_000", "1_000"),
        ("30%", "30%"),
        ("<", "<"),
        ("[1, two, null]", [1, "two", None]),
    ],
)
def test_only_the_plain_words_and_decimal_numbers_mean_more_than_their_text(written: str, value: object) -> None:
    """YAML's surprises stay texts, which the language then refuses by name where it wants something else."""
    assert {"key": value} == YamlFile(f"key: {written}\n", source="f").value


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 2),
        (("name",), 2),
        (("load", "for"), 4),
        (("faults",), 5),
        (("faults", 0), 6),
        (("faults", 0, "latency", "at"), 7),
        (("faults", 1, "errors", "at"), 9),
        (("faults", 1, "errors", "ratio"), 8),
        (("faults", 5), 5),
        (("load", "missing"), 3),
        (("name", 3, "deeper"), 2),
    ],
)
def test_each_part_knows_its_line(path: tuple[str | int, ...], line: int) -> None:
    """A path that leads further than the file goes ends at the nearest part around it."""
    assert line == YamlFile(TEXT, source="f").line(path)


def test_a_problem_without_words_of_ours_is_told_in_the_parsers() -> None:
    """Nothing that the parser refuses gets lost only because it is rare."""
    with pytest.raises(ScenarioError, match=r"^f:2: found no YAML: found duplicate YAML directive$"):
        YamlFile("%YAML 1.1\n%YAML 1.1\n---\na: 1\n", source="f")


KEYS = st.text("abcxyz_", min_size=1, max_size=8)
TEXTS = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=20)
SCALARS = st.none() | st.booleans() | st.integers(-1000, 1000) | TEXTS
TREES = st.dictionaries(
    KEYS, st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=12), min_size=1
)


@settings(deadline=None, max_examples=50)
@given(tree=TREES)
def test_json_is_read_as_itself(tree: dict[str, Any]) -> None:
    """JSON is YAML with the same meaning (where it needs no pairs of escapes), so drills may be written as either."""
    text = json.dumps(tree)

    assert tree == YamlFile(text, source="f").value


@settings(deadline=None)
@given(text=st.text(max_size=200))
def test_any_text_gives_a_value_or_one_error(text: str) -> None:
    """Whatever people feed it, no exception but ScenarioError comes out, and it has a line within the file."""
    try:
        YamlFile(text, source="f")
    except ScenarioError as error:
        (problem,) = error.problems
        assert 1 <= problem.line <= text.count("\n") + text.count("\r") + text.count("\x85") + 2
