"""The specification: what README.md says is what the code does."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

import scenarios
from scenarios.errors import ScenarioError
from scenarios.loader import load_text
from scenarios.model import EXPECTATIONS, ROUTES, TREATMENT_KINDS, Abort, HttpFault, Load, Scenario, SpanShape
from scenarios.model.basefault import BaseFault
from scenarios.model.faults import BaseAppFault
from scenarios.units import format_duration, format_ratio
from scenarios.wording import FAULT_KINDS

README = (Path(scenarios.__file__).parent / "README.md").read_text("utf-8")
SNIPPETS = re.findall(r"^```yaml\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def _section(title: str) -> str:
    """What stands under a heading, down to the next one of any level."""
    _, _, rest = README.partition(f"\n{title}\n")
    assert rest, f"the README has no section {title!r}"
    return re.split(r"^#", rest, maxsplit=1, flags=re.MULTILINE)[0]


def _rows(title: str) -> dict[str, tuple[str, ...]]:
    """The rows of a section's tables, by their first cell."""
    lines = [line for line in _section(title).splitlines() if line.startswith("| ")]
    cells = [[cell.strip("| ") for cell in line.split(" | ")] for line in lines]
    return {row[0].strip("`"): tuple(row[1:]) for row in cells}


FAULT_SECTIONS = {
    kind: title
    for title in re.findall(r"^#{3,4} .*$", README, re.MULTILINE)
    for kind in re.findall(r"`([a-z_]+)`", title)
    if kind in FAULT_KINDS
}
SECTIONS: list[tuple[str, type[BaseModel]]] = [
    ("## A drill", Scenario),
    ("## `load`", Load),
    ("## `faults` and `noise`", BaseFault),
    ("## `abort`", Abort),
    *((f"### `{key}`", model) for key, model in EXPECTATIONS.items()),
    *((FAULT_SECTIONS[kind], model) for kind, model in sorted(FAULT_KINDS.items())),
    ("### Somewhere else: `command`, `http`", HttpFault.Call),
    *(("### Keys of a treatment", model) for model in TREATMENT_KINDS.values()),
    ("#### `spans` of `traces`", SpanShape),
]


def _fields() -> Iterator[tuple[str, str, FieldInfo]]:
    for title, model in SECTIONS:
        for name, field in model.model_fields.items():
            if name not in ("kind", "at", "for_s") or model is SpanShape or not title.startswith(("### ", "#### ")):
                yield title, str(field.alias or name), field


def _written(field: FieldInfo) -> str:
    """A default as the specification writes it."""
    default = field.default
    hints = str(field.metadata)
    if field.is_required():
        return "required"
    if isinstance(default, bool) or default is None:
        return {True: "`true`", False: "`false`", None: "`null`"}[default]
    if isinstance(default, dict):
        return "`{}`"
    if isinstance(default, tuple):
        return f"`[{', '.join(default)}]`"
    if isinstance(default, float) and "duration" in hints:
        return f"`{format_duration(default)}`"
    if isinstance(default, float) and "ratio" in hints:
        return f"`{format_ratio(default)}`"
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


@pytest.mark.parametrize("text", SNIPPETS, ids=lambda text: text.partition("\n")[0])
def test_every_example_can_be_loaded(text: str) -> None:
    """People copy them."""
    assert load_text(text, source="README.md").why


@pytest.mark.parametrize(
    ("title", "key", "field"), list(_fields()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_key_is_specified_with_its_default(title: str, key: str, field: FieldInfo) -> None:
    """The table under the heading has a row for the key, and that row tells the truth."""
    rows = _rows(title)

    assert key in rows
    assert _written(field) == rows[key][1]


def test_no_row_specifies_a_key_that_does_not_exist() -> None:
    """A key that was renamed leaves no ghost behind."""
    for title in {title for title, _ in SECTIONS}:
        models = [model for other, model in SECTIONS if other == title]
        known = {"kind", *(str(field.alias or name) for model in models for name, field in model.model_fields.items())}
        assert set() == set(_rows(title)) - known - {"Key", "Route", *ROUTES}


def test_every_kind_of_fault_is_specified() -> None:
    """With the truth about who feels it."""
    assert set(FAULT_KINDS) == set(FAULT_SECTIONS)
    rows = _rows("### In the demo app")
    app_kinds = {kind: model for kind, model in FAULT_KINDS.items() if issubclass(model, BaseAppFault)}
    assert {kind: "yes" if model.FELT_BY_CLIENT else "no" for kind, model in app_kinds.items()} == {
        kind: row[0] for kind, row in rows.items() if kind != "Kind"
    }


def test_every_kind_of_treatment_is_specified() -> None:
    """With the truth about whose setting it is, for that decides who must be alone."""
    rows = {kind: row for kind, row in _rows("## `treatments`").items() if kind != "Kind"}

    whose = {kind: "the stack's" if model.OF_THE_STACK else "the app's" for kind, model in TREATMENT_KINDS.items()}
    assert whose == {kind: row[0] for kind, row in rows.items()}


def test_the_example_of_an_error_is_what_one_gets() -> None:
    """The message that the specification shows is the message."""
    text = (
        "name: my\nwhy: An example of an error.\nload: {for: 30s}\nfaults:\n  - kind: latency\n"
        "    dealy: 1s\n    delay: 1s\n    at: 1s\n    for: 1s\nexpect: [{silent: {}}]\n"
    )

    with pytest.raises(ScenarioError) as caught:
        load_text(text, source="my.drill.yaml")

    assert str(caught.value) in README
