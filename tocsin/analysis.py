"""Analysis: a saved run in, its record and report out; no stack is needed, so it can be done again with better checks."""

import json
from pathlib import Path
from typing import Any

import reports.html
from assertions import alert, delivered, traces
from assertions.evidence import Evidence
from assertions.judge import judge, titles
from scenarios.history import History, HistoryError, Phase
from scenarios.model import Scenario
from scenarios.record import Outcome, Part, Record, Verdict
from tocsin import __version__
from tocsin.rundir import RunDir, RunError

LOG_TAIL_LINES = 200


def analyze(run: RunDir) -> Record:
    """
    Judge a run by what is on disk, and save its record and its report.

    What is missing (the drill was killed, the disk was full) makes verdicts UNKNOWN; what is there is used.
    Raises RunError when there is not even a readable scenario, and OSError when the record cannot be written.
    """
    scenario = _scenario(run)
    setting = _setting(run)
    history, problem = _history(run, setting.get("problem", ""))
    evidence, problem = _evidence(run, problem)
    outcomes = judge(scenario, history, evidence, namespace=run.id) if evidence else unknown(scenario, problem)
    if history.phase("aborted") is not None:
        outcomes = tuple(cut_short(outcome, problem) for outcome in outcomes)
    record = Record(
        run_id=run.id,
        scenario=scenario.to_json(),
        source=setting.get("source", ""),
        started_t=_edge(history, 0, setting.get("started_t", 0.0)),
        ended_t=_edge(history, -1, setting.get("started_t", 0.0)),
        runtime=setting.get("runtime", "unknown"),
        profile=setting.get("profile", "unknown"),
        parts=tuple(Part.model_validate(part) for part in setting.get("parts", [])),
        outcomes=outcomes,
        tocsin_version=__version__,
        problem=problem,
    )
    record.save(run.record)
    run.report.write_text(render(record, history, evidence, run.logs), encoding="utf-8")
    return record


def unknown(scenario: Scenario, reason: str) -> tuple[Outcome, ...]:
    """The outcome of every check of a drill of which nothing can be known; the record's `problem` tells the whole story."""
    headline = reason.partition("\n")[0]
    return tuple(
        Outcome(id=check_id, title=title, verdict=Verdict.UNKNOWN, expected="a verdict", observed=headline)
        for check_id, title in titles(scenario).items()
    )


def cut_short(outcome: Outcome, problem: str) -> Outcome:
    """What a check found of a drill that was ended early: nothing that counts, neither for it nor against it."""
    observed = f"{problem}; until then: {outcome.observed}"
    return outcome.model_copy(update={"verdict": Verdict.UNKNOWN, "observed": observed, "rung": None})


def render(record: Record, history: History, evidence: Evidence | None, logs: Path) -> str:
    """The report as HTML."""
    return reports.html.render_html(record, history, report_evidence(record, history, evidence), log_tails(logs))


def report_evidence(record: Record, history: History, evidence: Evidence | None) -> dict[str, Any]:
    """What a report draws besides record and history; parts that are not known are left out."""
    if evidence is None:
        return {}
    parts = {
        "series": {name: [list(point) for point in points] for name, points in evidence.series.items()},
        "trace": traces.for_report(evidence),
        "ledger": [hop.to_json() for hop in delivered.ledger(history, evidence)],
        "alerts": [dict(path) for outcome in record.outcomes for path in alert.paths_of(outcome.facts)],
    }
    return {name: part for name, part in parts.items() if part}


def log_tails(logs: Path) -> dict[str, str]:
    """The end of every log that was kept, by name."""
    tails = {}
    for path in sorted(logs.glob("*.log")):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_TAIL_LINES:]
        tails[path.stem] = "\n".join(lines)
    return tails


def saved(run: RunDir) -> Record:
    """The record of a run as it was judged last. Raises RunError when there is none that can be read."""
    try:
        return Record.read(run.record)
    except FileNotFoundError as error:
        raise RunError(f"{run.record}: the run has not been judged yet; `tocsin analyze {run.id}` does it") from error
    except (OSError, ValueError) as error:
        raise RunError(
            f"{run.record}: not a record: {_reason(error)}; `tocsin analyze {run.id}` writes it anew"
        ) from error


def _scenario(run: RunDir) -> Scenario:
    try:
        return Scenario.model_validate(json.loads(run.scenario.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise RunError(f"{run.scenario}: not a scenario: {_reason(error)}; without it nothing can be judged") from error


def _setting(run: RunDir) -> dict[str, Any]:
    """On what it ran; nothing when the drill was killed before it wrote it down."""
    if not run.setting.exists():
        return {}
    try:
        setting = json.loads(run.setting.read_text(encoding="utf-8"))
        return setting if isinstance(setting, dict) else {}
    except (OSError, ValueError) as error:
        return {"problem": f"{run.setting.name} cannot be read: {_reason(error)}"}


def _evidence(run: RunDir, problem: str) -> tuple[Evidence | None, str]:
    try:
        return Evidence.read(run.evidence), problem
    except FileNotFoundError:
        return None, problem or "no evidence was gathered: the drill ended before it asked the backends"
    except (OSError, ValueError) as error:
        return None, problem or f"the evidence cannot be read: {_reason(error)}"


def _reason(error: Exception) -> str:
    """The first line is enough: pydantic tells every field."""
    return str(error).partition("\n")[0]


def _history(run: RunDir, problem: str) -> tuple[History, str]:
    try:
        history = History.read(run.history)
    except (OSError, HistoryError) as error:
        return History([]), problem or f"the history cannot be read: {error}"
    aborted = next((phase for phase in history.of(Phase) if phase.name == "aborted"), None)
    return history, problem or (f"aborted: {aborted.reason}" if aborted else "")


def _edge(history: History, index: int, otherwise: float) -> float:
    return history.events[index].t if history.events else otherwise
