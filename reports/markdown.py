"""Markdown: a record as a summary for the job page of a CI system."""

import re

from reports import figures, story
from reports.figures import known, plural, seconds
from scenarios.history import History
from scenarios.record import Outcome, Record, Verdict

_SPECIAL = re.compile(r"([\\`*_\[\]{}|~#@])")

MARKS = {Verdict.PASS: "✅", Verdict.FAIL: "❌", Verdict.UNKNOWN: "❔"}
"""A sign that does not depend on colour alone stands before each verdict's word."""


def render_markdown(record: Record) -> str:
    """
    Say how a drill ended: its verdict, why, and a table of its expectations. Nothing in the record can become markup.
    """
    headline = story.headline(record, History(()))
    lines = [
        f"## {MARKS[record.verdict]} {record.verdict}: {escaped(story.scenario_name(record))}",
        escaped(str(record.scenario.get("why") or "")),
        f"**{escaped(headline.sentence)}**",
        *_treated(record),
        *_problem(record, headline.sentence),
        *_table(record),
        *(_trouble(outcome) for outcome in record.outcomes if outcome.verdict is not Verdict.PASS),
        _circumstances(record),
    ]
    return figures.printable("\n\n".join(line for line in lines if line)) + "\n"


def escaped(text: str) -> str:
    """
    Text in which Markdown and HTML see nothing to obey, on one line.
    """
    plain = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", plain)


def _treated(record: Record) -> list[str]:
    found = story.treated(record)
    return [f"Treated: {escaped(found)}"] if found else []


def _problem(record: Record, sentence: str) -> list[str]:
    return [f"The drill did not end as it should: {escaped(record.problem)}"] if record.problem not in sentence else []


def _table(record: Record) -> list[str]:
    rows = [_row(outcome) for outcome in record.outcomes]
    heads = "| Verdict | Expectation | Expected | Observed | Time to detect |\n| --- | --- | --- | --- | ---: |"
    return ["\n".join([heads, *rows])] if rows else []


def _row(outcome: Outcome) -> str:
    detect, bound = known(outcome.facts.get("time_to_detect_s")), known(outcome.facts.get("bound_s"))
    took = "" if detect is None else seconds(detect) if bound is None else f"{seconds(detect)} of {seconds(bound)}"
    verdict = f"{MARKS[outcome.verdict]} {outcome.verdict}"
    return f"| {verdict} | {' | '.join(escaped(text) for text in (outcome.title, outcome.expected, outcome.observed))} | {took} |"


def _trouble(outcome: Outcome) -> str:
    where = ", ".join(part for part in (outcome.where, outcome.when) if part)
    rung = f" The signal died: {story.MEANING[outcome.rung]} (`{outcome.rung}`)." if outcome.rung else ""
    hint = f" Try: {escaped(outcome.hint)}" if outcome.hint else ""
    return f"- **{escaped(outcome.title)}**{': ' + escaped(where) + '.' if where else '.'}{rung}{hint}"


def _circumstances(record: Record) -> str:
    took = seconds(record.ended_t - record.started_t)
    stand_ins = [part.name for part in record.parts if part.stand_in]
    said = f" {plural(len(stand_ins), 'stand-in')}: {escaped(', '.join(stand_ins))}." if stand_ins else ""
    about = f"{record.run_id}, {figures.moment(record.started_t)}, {took}, runtime {record.runtime}, profile {record.profile}."
    return f"<sub>{escaped(about)}{said}</sub>"
