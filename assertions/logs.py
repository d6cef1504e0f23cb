"""Logs: the app's error lines carry the trace ids of the clients' failed requests, so that one leads to the other."""

import json
import math
from collections.abc import Iterator
from pathlib import Path

from assertions.backend import BackendError
from assertions.check import Check
from assertions.evidence import Evidence
from assertions.wording import count, percent
from scenarios.history import History, Request
from scenarios.model import ROLE_ROUTES, Logs
from scenarios.record import Outcome, Rung

LEVELS = frozenset({"error", "critical"})


def gather(item: Logs, history: History, directory: Path | None) -> tuple[str, ...]:
    """
    The trace ids of failed requests that stand on error lines of the app. Raises BackendError when there is no log to read.
    """
    if directory is None:
        raise BackendError("the app keeps no logs here")
    roles = [item.service] if item.service else list(ROLE_ROUTES)
    seen = {trace_id for role in roles for trace_id in _trace_ids(directory / f"{role}.log")}
    return tuple(request.trace_id for request in _failed(history) if request.trace_id in seen)


def _trace_ids(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                yield from _trace_id(line)
    except OSError as error:
        raise BackendError(f"the log {path.name} cannot be read: {error.strerror or error}") from error


def _trace_id(line: str) -> Iterator[str]:
    """The trace id of an error line; a line that is not JSON is somebody else's, such as the interpreter's."""
    try:
        entry = json.loads(line)
    except ValueError:
        return
    if isinstance(entry, dict) and entry.get("level") in LEVELS and "trace_id" in entry:
        yield str(entry["trace_id"])


def _failed(history: History) -> list[Request]:
    return [request for request in history.of(Request) if request.status >= 500]


def judge(item: Logs, check: Check, history: History, evidence: Evidence) -> Outcome:
    """
    FAIL with a trace id that no error line carries when there are too many of them; UNKNOWN when the logs could not be read.
    """
    failed = _failed(history)
    whose = item.service or "the app"
    expected = (
        f"error lines of {whose} with the trace ids of {percent(item.found)} of {count(len(failed), 'failed request')}"
    )
    if check.id not in evidence.logged:
        return check.unknown(expected=expected, observed=evidence.problems.get("logs", "the logs were not read"))
    found = set(evidence.logged[check.id])
    facts = {"failed": len(failed), "found": len(found)}
    if not failed:
        return check.failed(
            expected=expected,
            observed="the clients had none: no data is no pass",
            where="the clients' history",
            hint="does the fault make requests fail? was the traffic heavy enough?",
            facts=facts,
        )
    # A share of a whole number, without what floating-point numbers err.
    if len(found) < math.ceil(item.found * len(failed) - 1e-9):
        missing = next(request.trace_id for request in failed if request.trace_id not in found)
        return check.failed(
            expected=expected,
            observed=f"{len(found)} have one",
            where=f"logs of {whose}; no error line has {missing}, for one",
            rung=Rung.NOT_EMITTED,
            hint="is the line written inside of the request's span?",
            facts=facts,
        )
    return check.passed(expected=expected, observed=f"{len(found)} of {len(failed)} have one", facts=facts)
