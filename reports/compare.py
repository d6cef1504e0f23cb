"""Compare: what changed between two runs of a drill: verdicts, and the times and counts behind them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from reports import figures, story
from reports.markdown import MARKS, escaped
from scenarios.record import Outcome, Record, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """
    One number of an outcome in both runs; None where a run has none.
    """

    name: str
    a: float | None
    b: float | None

    @property
    def difference(self) -> float | None:
        """How much more it is in the second run."""
        return None if self.a is None or self.b is None else self.b - self.a


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """
    One expectation in both runs; a verdict of None means that the run did not have it.
    """

    title: str
    a: Verdict | None
    b: Verdict | None
    figures: tuple[Figure, ...]

    @property
    def kind(self) -> str:
        """`worse`, `better`, `same`, or `added` or `removed` where only one run has it."""
        if self.a is None or self.b is None:
            return "added" if self.a is None else "removed"
        order = (Verdict.PASS, Verdict.UNKNOWN, Verdict.FAIL)
        before, after = order.index(self.a), order.index(self.b)
        return "same" if before == after else "worse" if after > before else "better"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """
    Two runs side by side: `a` is the earlier one by choice of the caller.
    """

    a: Record
    b: Record
    differences: tuple[tuple[str, str, str], ...]
    changes: tuple[Change, ...]


def compare(a: Record, b: Record) -> Comparison:
    """
    Set two runs side by side. Expectations are the same if their titles are, for their places may have shifted.

    `differences` are circumstances that make the numbers less comparable: another scenario, treatment, runtime, profile or version.
    """
    before, after = _by_title(a), _by_title(b)
    titles = [*before, *(title for title in after if title not in before)]
    changes = tuple(_change(title[0], before.get(title), after.get(title)) for title in titles)
    return Comparison(a=a, b=b, differences=_differences(a, b), changes=changes)


def render_markdown(comparison: Comparison) -> str:
    """
    Write a comparison as Markdown: the circumstances that differ, then a line for each expectation.
    """
    a, b = comparison.a, comparison.b
    lines = [
        f"## {escaped(story.scenario_name(a))}: {MARKS[a.verdict]} {a.verdict} → {MARKS[b.verdict]} {b.verdict}",
        "",
    ]
    lines += [f"`{_code(a.run_id)}` → `{_code(b.run_id)}`", ""]
    lines += [f"- {escaped(what)}: {escaped(old)} → {escaped(new)}" for what, old, new in comparison.differences]
    lines += [""] * bool(comparison.differences)
    lines += ["| Expectation | Before | After | Change | Figures |", "| --- | --- | --- | --- | --- |"]
    lines += [_row(change) for change in comparison.changes]
    return figures.printable("\n".join(lines)) + "\n"


def _code(text: str) -> str:
    return " ".join(text.replace("`", "'").split())


def _by_title(record: Record) -> Mapping[tuple[str, int], Outcome]:
    """Outcomes by title and, where a title comes twice, by which of them it is."""
    seen: Counter[str] = Counter()
    found = {}
    for outcome in record.outcomes:
        seen[outcome.title] += 1
        found[outcome.title, seen[outcome.title]] = outcome
    return found


def _change(title: str, a: Outcome | None, b: Outcome | None) -> Change:
    before, after = (story.measured(outcome) if outcome else {} for outcome in (a, b))
    names = [*before, *(name for name in after if name not in before)]
    found = tuple(Figure(name=name, a=before.get(name), b=after.get(name)) for name in names)
    return Change(title=title, a=a.verdict if a else None, b=b.verdict if b else None, figures=found)


def _differences(a: Record, b: Record) -> tuple[tuple[str, str, str], ...]:
    pairs = [
        ("runtime", a.runtime, b.runtime),
        ("profile", a.profile, b.profile),
        ("Tocsin", a.tocsin_version, b.tocsin_version),
        ("drill", story.scenario_name(a), story.scenario_name(b)),
        ("treated", story.treated(a) or "nothing", story.treated(b) or "nothing"),
    ]
    if story.scenario_name(a) == story.scenario_name(b) and a.scenario != b.scenario:
        pairs.append(("drill", "as it was", "edited since"))
    versions_a, versions_b = _versions(a), _versions(b)
    names = sorted(versions_a.keys() | versions_b.keys())
    pairs += [(name, versions_a.get(name, "absent"), versions_b.get(name, "absent")) for name in names]
    return tuple(pair for pair in pairs if pair[1] != pair[2])


def _versions(record: Record) -> Mapping[str, str]:
    return {part.name: part.version + (" (stand-in)" if part.stand_in else "") for part in record.parts}


def _row(change: Change) -> str:
    verdicts = ["–" if verdict is None else f"{MARKS[verdict]} {verdict}" for verdict in (change.a, change.b)]
    shown = [_figure(figure) for figure in change.figures if figure.a != figure.b]
    return f"| {escaped(change.title)} | {' | '.join(verdicts)} | {change.kind} | {', '.join(shown)} |"


def _figure(figure: Figure) -> str:
    write = figures.seconds if figure.name.endswith("_s") else figures.number
    name = escaped(figure.name.removesuffix("_s").replace("_", " "))
    return f"{name} {write(figure.a)} → {write(figure.b)}"
