"""Story: a record in a few words: its verdict, one sentence of why, and the rung at which a signal died."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from reports.figures import plural, seconds
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

State = Literal["reached", "broken", "beyond", "untried"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """
    One rung of the ladder, and whether the signal got there.
    """

    name: str
    state: State
    note: str


def scenario_name(record: Record) -> str:
    """The drill's name."""
    return str(record.scenario.get("name") or "unnamed drill")


def expectation_kind(record: Record, outcome: Outcome) -> str:
    """
    The key of the expectation that an outcome judges: `alert`, `sli` and so on; `fault` for the proof of a fault.
    """
    head, _, place = outcome.id.partition("/")
    expect = record.scenario.get("expect")
    if head != "expect" or not isinstance(expect, (list, tuple)) or not place.isdigit():
        return head
    item = expect[int(place) - 1] if 0 < int(place) <= len(expect) else None
    return str(next(iter(item), "")) if isinstance(item, Mapping) else ""


def broken_rung(record: Record) -> Rung | None:
    """
    The earliest rung that an outcome which did not pass names: later ones follow from it.
    """
    named = {outcome.rung for outcome in record.outcomes if outcome.verdict is not Verdict.PASS}
    return next((rung for rung, _, _ in STEPS if rung in named), None)


def ladder(record: Record) -> tuple[Step, ...]:
    """
    The way of the drill's signals: up to the broken rung, or as far as passed expectations prove it.
    """
    broken = broken_rung(record)
    order = [rung for rung, _, _ in STEPS]
    reached = order.index(broken) - 1 if broken else _proved(record)
    faultless = not record.scenario.get("faults")
    steps = []
    for place, (rung, name, meaning) in enumerate(STEPS):
        state: State = "reached" if place <= reached else "beyond" if broken else "untried"
        if rung is broken:
            state = "broken"
        elif rung is Rung.FAULT_NOT_APPLIED and faultless:
            state = "untried"
        steps.append(Step(name=name, state=state, note=_note(state, meaning)))
    return tuple(steps)


def _note(state: State, meaning: str) -> str:
    notes: Mapping[State, str] = {"reached": "reached", "beyond": "not reached", "untried": "not tried"}
    return notes.get(state, meaning)


def _proved(record: Record) -> int:
    """The furthest rung that a passed outcome proves, as its place in STEPS; -1 for none."""
    places = [-1]
    for outcome in record.outcomes:
        if outcome.verdict is Verdict.PASS:
            places.append(_reach(record, outcome))
    return max(places)


def _reach(record: Record, outcome: Outcome) -> int:
    kind = expectation_kind(record, outcome)
    if kind == "alert":
        told: Any = record.scenario["expect"][int(outcome.id.partition("/")[2]) - 1]["alert"]
        return 5 if not isinstance(told, Mapping) or told.get("notified", True) else 4
    return {"fault": 0, "sli": 3, "traces": 3, "delivered": 3}.get(kind, -1)


def sentence(record: Record, history: History) -> str:
    """
    One or two sentences for a person in a hurry: what failed, and where the signal died; or what was proved.
    """
    aborted = next((phase.reason for phase in history.of(Phase) if phase.name == "aborted"), None)
    early = "" if aborted is None else f"The drill was stopped early: {aborted or 'no reason was recorded'}. "
    worst = record.verdict
    culprits = [outcome for outcome in record.outcomes if outcome.verdict is worst]
    if worst is Verdict.PASS:
        return early + _passed(record)
    if not culprits:
        return early + (f"{_sentence_end(record.problem)}" if record.problem else "Nothing was judged.")
    return early + _not_passed(record, culprits)


def _passed(record: Record) -> str:
    detections = [t for outcome in record.outcomes if (t := outcome.facts.get("time_to_detect_s")) is not None]
    count = len(record.outcomes)
    held = "The one expectation held." if count == 1 else f"All {count} expectations held."
    return f"{held} The slowest detection took {seconds(max(detections))}." if detections else held


def _not_passed(record: Record, culprits: list[Outcome]) -> str:
    what = "failed" if culprits[0].verdict is Verdict.FAIL else "could not be judged"
    count = f"{len(culprits)} of {plural(len(record.outcomes), 'expectation')} {what}."
    rung = broken_rung(record)
    lead = next((outcome for outcome in culprits if outcome.rung is rung), culprits[0])
    died = f" The signal died on its way: {MEANING[rung]}." if rung else ""
    return f"{count}{died} {lead.title}: expected {lead.expected or 'it to hold'}, observed {_sentence_end(lead.observed)}"


def _sentence_end(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text or 'nothing'}."
