"""Story: a record in a few words: its verdict, one sentence of why, and the rung at which a signal died."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from reports.figures import known, seconds
from scenarios.history import History, Phase
from scenarios.record import Outcome, Record, Rung, Verdict

STEPS: tuple[tuple[Rung, str, str], ...] = (
    (Rung.FAULT_NOT_APPLIED, "Fault", "the clients never felt the fault"),
    (Rung.NOT_EMITTED, "Emitted", "the app sent nothing"),
    (Rung.NOT_COLLECTED, "Collected", "the collector refused or dropped it"),
    (Rung.NOT_STORED, "Stored", "Prometheus or Tempo does not have it"),
    (Rung.NOT_EVALUATED, "Evaluated", "the data is there, but no rule saw it"),
    (Rung.NOT_NOTIFIED, "Notified", "the alert fired, but nobody was told"),
)
"""The way of a signal: what is said of one that died there."""

MEANING: Mapping[Rung, str] = {rung: meaning for rung, _, meaning in STEPS}

State = Literal["reached", "broken", "beyond", "unproved", "untried"]

_NOTES: Mapping[State, str] = {
    "reached": "reached",
    "beyond": "not reached",
    "unproved": "not proved",
    "untried": "not tried",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """
    One rung of the ladder, and whether the signal got there.
    """

    name: str
    state: State
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """
    One sentence for a person in a hurry, and the outcome that it is about, if there is one to blame.
    """

    sentence: str
    culprit: Outcome | None


def scenario_name(record: Record) -> str:
    """The drill's name."""
    return str(record.scenario.get("name") or "unnamed drill")


def treated(record: Record) -> str:
    """
    How the observability configuration differed in a drill: `sampling 10%, memory limit 20 MiB`; empty when it did not.
    """
    found = record.scenario.get("treatments")
    items = found if isinstance(found, (list, tuple)) else ()
    return ", ".join(_treatment(item) for item in items if isinstance(item, Mapping))


def _treatment(item: Mapping[str, Any]) -> str:
    values = (f"{value} MiB" if key == "mib" else str(value) for key, value in item.items() if key != "kind")
    return " ".join([str(item.get("kind", "unknown")).replace("_", " "), *values])


def expectation_kind(record: Record, outcome: Outcome) -> str:
    """
    The key of the expectation that an outcome judges: `alert`, `sli` and so on; `fault` for the proof of a fault or of noise.
    """
    head, _, place = outcome.id.partition("/")
    expect = record.scenario.get("expect")
    if head in ("faults", "noise"):
        return "fault"
    if head != "expect" or not isinstance(expect, (list, tuple)) or not place.isdigit():
        return head
    item = expect[int(place) - 1] if 0 < int(place) <= len(expect) else None
    return str(next(iter(item), "")) if isinstance(item, Mapping) else ""


def measured(outcome: Outcome) -> Mapping[str, float]:
    """
    The numbers behind an outcome that can be compared between runs: not texts, and not times of the epoch (`_t`).
    """
    numbers = {name: known(value) for name, value in outcome.facts.items() if not name.endswith("_t")}
    return {name: value for name, value in numbers.items() if value is not None}


def broken_rung(record: Record) -> Rung | None:
    """
    The earliest rung that the worst outcomes name, for later ones follow from it; None if all passed or none names any.
    """
    worst = Verdict.worst([outcome.verdict for outcome in record.outcomes])
    named = {outcome.rung for outcome in record.outcomes if outcome.verdict is worst is not Verdict.PASS}
    return next((rung for rung, _, _ in STEPS if rung in named), None)


def ladder(record: Record) -> tuple[Step, ...]:
    """
    The way of the drill's signals: up to the broken rung, or as far as passed expectations prove it.
    """
    order = [rung for rung, _, _ in STEPS]
    broken = broken_rung(record)
    reached = order.index(broken) - 1 if broken else _furthest(record, Verdict.PASS)
    asked = _furthest(record, *Verdict)
    steps = [
        _step(
            rung, "reached" if place <= reached else "beyond" if broken else "unproved" if place <= asked else "untried"
        )
        for place, rung in enumerate(order)
    ]
    if not record.scenario.get("faults"):
        steps[0] = Step(name=steps[0].name, state="untried", note="none")
    if broken:
        steps[order.index(broken)] = _step(broken, "broken")
    return tuple(steps)


def _step(rung: Rung, state: State) -> Step:
    name = next(name for each, name, _ in STEPS if each is rung)
    applied = rung is Rung.FAULT_NOT_APPLIED and state == "reached"
    return Step(name=name, state=state, note="applied" if applied else _NOTES.get(state, MEANING[rung]))


def _furthest(record: Record, *verdicts: Verdict) -> int:
    """The furthest rung, as its place in STEPS, that outcomes with these verdicts speak of; -1 for none."""
    return max((_reach(record, outcome) for outcome in record.outcomes if outcome.verdict in verdicts), default=-1)


def _reach(record: Record, outcome: Outcome) -> int:
    kind = expectation_kind(record, outcome)
    if kind == "alert":
        told: Any = record.scenario["expect"][int(outcome.id.partition("/")[2]) - 1]["alert"]
        return 5 if not isinstance(told, Mapping) or told.get("notified", True) else 4
    return {"fault": 0, "sli": 3, "traces": 3, "delivered": 3}.get(kind, -1)


def headline(record: Record, history: History) -> Headline:
    """
    What failed, and where the signal died; or what was proved.
    """
    worst = record.verdict
    culprits = [outcome for outcome in record.outcomes if outcome.verdict is worst]
    if worst is Verdict.PASS:
        return Headline(sentence=_early(history) + _passed(record), culprit=None)
    if not culprits:
        return Headline(sentence=_early(history) + (record.problem or "Nothing was judged."), culprit=None)
    rung = broken_rung(record)
    culprit = next((outcome for outcome in culprits if outcome.rung is rung), culprits[0])
    return Headline(sentence=_early(history) + _not_passed(record, len(culprits), rung), culprit=culprit)


def _early(history: History) -> str:
    aborted = next((phase for phase in history.of(Phase) if phase.name == "aborted"), None)
    return f"The drill was stopped early: {aborted.reason or 'no reason was recorded'}. " if aborted else ""


def _passed(record: Record) -> str:
    detections = [t for outcome in record.outcomes if (t := known(outcome.facts.get("time_to_detect_s"))) is not None]
    count = len(record.outcomes)
    held = {1: "The one expectation held.", 2: "Both expectations held."}.get(count, f"All {count} expectations held.")
    return f"{held} The slowest detection took {seconds(max(detections))}." if detections else held


def _not_passed(record: Record, count: int, rung: Rung | None) -> str:
    what = "failed" if record.verdict is Verdict.FAIL else "could not be judged"
    total = len(record.outcomes)
    said = f"The one expectation {what}" if total == 1 else f"{count} of {total} expectations {what}"
    return f"{said}, and the signal died on its way: {MEANING[rung]}." if rung else f"{said}."
