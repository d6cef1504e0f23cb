"""Markdown, JUnit properties and comparisons say the same as the page, in fewer words."""

import math
import re

import pytest

from reports import story
from reports.compare import compare
from reports.compare import render_markdown as render_comparison
from reports.html import render_html
from reports.junit import properties
from reports.markdown import escaped, render_markdown
from scenarios.history import History
from scenarios.record import Outcome, Record, Verdict
from tests.unit.reports import examples


def plain(markdown: str) -> str:
    """
    Markdown with ordinary spaces.
    """
    return markdown.replace("\u00a0", " ")


def test_a_summary_has_the_verdict_the_reason_and_every_expectation() -> None:
    """
    A failed alert shows its rung, its place and what to try.
    """
    text = plain(render_markdown(examples.not_notified().record))

    assert text.startswith("## ❌ FAIL: error-burst\n\n")
    assert (
        "**2 of 7 expectations failed, and the signal died on its way: the alert fired, but nobody was told.**" in text
    )
    assert "| ❌ FAIL | ErrorBudgetBurnFast | fires for frontend within 12 s, notified |" in text
    assert "| 2.31 s of 3.4 s |" in text
    assert "- **ErrorBudgetBurnFast**: the sink, 16:00:28 to 16:00:40 UTC. The signal died:" in text
    assert "(`NOT_NOTIFIED`). Try: Alertmanager counted 4" in text
    assert "1 stand-in: tempo." in text


def test_a_summary_of_a_drill_that_never_began_is_short() -> None:
    """
    Its problem is told once, and there is no table.
    """
    text = render_markdown(examples.aborted().record)

    assert text.count("port 4317 is taken") == 1
    assert "|" not in text
    assert "stand-in" not in text


def test_a_summary_tells_the_problem_of_a_drill_that_was_judged() -> None:
    """
    Outcomes that are UNKNOWN have a cause.
    """
    text = render_markdown(examples.prometheus_died().record)

    assert "The drill did not end as it should: prometheus ended by itself with exit code -9" in text


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.UNKNOWN])
def test_a_detection_without_a_bound_is_told_alone(verdict: Verdict) -> None:
    """
    And an outcome without place, time and hint needs none of them.
    """
    outcome = Outcome(id="expect/3", title="Burn", verdict=verdict, facts={"time_to_detect_s": 2.0})
    text = plain(render_markdown(examples.record(outcome)))

    assert "| 2 s |" in text
    assert "- **Burn**.\n" in text


def test_hostile_texts_stay_text_in_a_summary() -> None:
    """
    No HTML, no table cell, no mention, no code can be smuggled in, and a row stays one row.
    """
    text = render_markdown(examples.hostile().record)

    assert not re.search(r"<(?!/?sub>)", text)
    assert escaped("a|b `c` [d](e) **f** @g <h>\n\n i") == r"a\|b \`c\` \[d\](e) \*\*f\*\* \@g &lt;h&gt; i"
    assert all(len(re.findall(r"(?<!\\)\|", line)) - 1 == 5 for line in text.splitlines() if line.startswith("|"))


def test_properties_name_the_drill_and_each_outcomes_numbers() -> None:
    """
    Tools draw `time_to_detect_s` over many builds by its name.
    """
    found = dict(properties(examples.not_notified().record))

    assert tuple(found[f"tocsin.{name}"] for name in ("scenario", "verdict", "duration_s", "stand_ins")) == (
        "error-burst",
        "FAIL",
        "65.300",
        "tempo",
    )
    assert tuple(found[f"expect/3.{name}"] for name in ("verdict", "rung", "time_to_detect_s", "bound_s")) == (
        "FAIL",
        "NOT_NOTIFIED",
        "2.31",
        "3.4",
    )
    assert "expect/2.rung" not in found


def test_properties_hold_numbers_only() -> None:
    """
    Texts, NaN and infinities among the facts would break whoever reads numbers; control characters would break XML.
    """
    outcome = Outcome(
        id="expect/1",
        title="x",
        verdict=Verdict.PASS,
        facts={"a": math.nan, "b": math.inf, "c": "text", "d\x00": 3, "e": True, "fired_t": 1.8e9},
    )
    found = dict(properties(examples.record(outcome, runtime="\x1b[1mprocesses\x07")))

    assert {name: value for name, value in found.items() if "expect" in name} == {
        "expect/1.verdict": "PASS",
        "expect/1.d\ufffd": "3",
    }
    assert found["tocsin.runtime"] == "processes\ufffd"


def judged(title: str, verdict: Verdict, **facts: float) -> Outcome:
    """
    An outcome of which only title, verdict and facts matter.
    """
    return Outcome(id="expect/1", title=title, verdict=verdict, facts=facts)


def test_a_comparison_tells_what_got_worse_and_what_better() -> None:
    """
    Expectations are matched by title, in whatever place they stand; UNKNOWN is better than FAIL and worse than PASS.
    """
    a = examples.record(
        judged("w", Verdict.PASS),
        judged("b", Verdict.FAIL),
        judged("u", Verdict.PASS),
        judged("s", Verdict.FAIL),
        judged("r", Verdict.PASS),
    )
    b = examples.record(
        judged("n", Verdict.PASS),
        judged("s", Verdict.FAIL),
        judged("b", Verdict.UNKNOWN),
        judged("w", Verdict.FAIL),
        judged("u", Verdict.UNKNOWN),
    )

    assert {change.title: change.kind for change in compare(a, b).changes} == {
        "w": "worse",
        "b": "better",
        "u": "worse",
        "s": "same",
        "r": "removed",
        "n": "added",
    }


def test_a_comparison_tells_how_the_numbers_moved() -> None:
    """
    A number that only one run has has no difference, and what is no number is left out.
    """
    before = judged("x", Verdict.PASS, time_to_detect_s=2.0, lost=3, odd=math.nan)
    after = judged("x", Verdict.PASS, time_to_detect_s=2.5, extra=1)
    (change,) = compare(examples.record(before), examples.record(after)).changes

    assert [(each.name, each.difference) for each in change.figures] == [
        ("time_to_detect_s", 0.5),
        ("lost", None),
        ("extra", None),
    ]


def test_two_expectations_of_one_title_are_not_confused() -> None:
    """
    The first is compared with the first, the second with the second.
    """
    twice = [judged("x", Verdict.PASS), judged("x", Verdict.FAIL)]
    changes = compare(examples.record(*twice), examples.record(*twice)).changes

    assert [(change.title, change.kind) for change in changes] == [("x", "same"), ("x", "same")]


def test_circumstances_that_differ_are_told() -> None:
    """
    Another runtime or version makes numbers less comparable; a stand-in is not the real one.
    """
    example = examples.passed().record
    real = tuple(part.model_copy(update={"stand_in": False}) for part in example.parts[:-1])
    other = examples.record(
        runtime="containers", parts=real, scenario=dict(example.scenario) | {"why": "Something else."}
    )

    assert {
        ("runtime", "processes", "containers"),
        ("drill", "as it was", "edited since"),
        ("tempo", "3.1 (stand-in)", "3.1"),
        ("users", "0.1.0", "absent"),
    } == set(compare(example, other).differences)
    assert compare(example, example).differences == ()


def treated() -> Record:
    """A drill whose observability configuration was changed."""
    treatments = [{"kind": "sampling", "ratio": "10%"}, {"kind": "memory_limit", "mib": 20}]
    return examples.record(scenario=dict(examples.passed().record.scenario) | {"treatments": treatments})


def test_a_treated_drill_says_so_wherever_it_is_shown() -> None:
    """
    Its numbers are those of another configuration: on the page, in the summary, and when it is compared.
    """
    record, usual = treated(), examples.passed().record

    assert story.treated(record) == "sampling 10%, memory limit 20 MiB"
    assert "<b>Treated:</b> sampling 10%, memory limit 20 MiB." in render_html(record, History([]), {}, {})
    assert "Treated: sampling 10%, memory limit 20 MiB" in render_markdown(record)
    assert ("treated", "nothing", "sampling 10%, memory limit 20 MiB") in compare(usual, record).differences
    assert "reated" not in render_markdown(usual) + render_html(usual, History([]), {}, {})


@pytest.mark.parametrize("nonsense", [None, 3, "sampling", [3, None], {}])
def test_treatments_that_are_none_are_not_told(nonsense: object) -> None:
    """
    A record that somebody edited is shown all the same.
    """
    assert story.treated(examples.record(scenario={"name": "x", "treatments": nonsense})) == ""


def test_the_share_of_the_truth_that_is_lost_is_told_when_runs_are_compared() -> None:
    """
    That is what a treated run is compared with an untreated one for.
    """
    runs = [
        examples.record(Outcome(id="expect/1", title="sli", verdict=Verdict.PASS, facts={"fidelity": share}))
        for share in (1.0, 0.1)
    ]

    assert "fidelity 1 → 0.1" in plain(render_comparison(compare(*runs)))


def test_a_comparison_is_written_as_markdown() -> None:
    """
    Only the figures that moved are shown.
    """
    a, b = examples.passed().record, examples.not_notified().record.model_copy(update={"run_id": "run `2`"})
    text = plain(render_comparison(compare(a, b)))

    assert text.startswith("## error-burst: ✅ PASS → ❌ FAIL\n\n")
    assert f"`{examples.RUN_ID}` → `run '2'`" in text
    assert "| ErrorBudgetBurnFast | ✅ PASS | ❌ FAIL | worse | notified after 2.73 s → – |" in text
    assert "| everything was delivered | ✅ PASS | ❌ FAIL | worse |  |" in text


def test_a_comparison_of_two_drills_names_both() -> None:
    """
    They have nothing in common, so all is removed and added.
    """
    a, b = examples.record(judged("x", Verdict.PASS)), examples.baseline().record
    text = render_comparison(compare(a, b))

    assert "- drill: error-burst → baseline" in text
    assert "| x | ✅ PASS | – | removed |  |" in text
