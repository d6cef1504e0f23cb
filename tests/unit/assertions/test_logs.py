"""Logs: error lines that carry the trace ids of failed requests."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from assertions.backend import BackendError
from assertions.logs import gather, judge
from scenarios.history import Request
from scenarios.model import Logs
from scenarios.record import Outcome, Rung, Verdict
from tests.unit.assertions.builders import CHECK, evidence, history, request

FAILED = [request(n, f"f{n}", status=502) for n in range(1, 5)]


def line(trace_id: str | None, level: str = "error") -> str:
    """A line as the app writes it."""
    return json.dumps({"level": level, "message": "failed"} | ({"trace_id": trace_id} if trace_id else {}))


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Logs of all roles: the catalog's have two of the failed requests, the frontend's one more."""
    (tmp_path / "frontend.log").write_text("\n".join([line("f3"), line("f4", "info"), line("else")]))
    (tmp_path / "catalog.log").write_text(
        "\n".join([line("f1"), "Traceback", "[1]", line(None), line("f2", "critical")])
    )
    (tmp_path / "users.log").write_bytes(b"\xff\xfe")
    return tmp_path


def test_error_lines_of_all_services_count(logs: Path) -> None:
    """A line of another level does not, nor one that is no line of the app's, nor somebody else's request."""
    happened = history([*FAILED, request(5, "else"), request(6, "lost", status=0)])

    assert gather(Logs(), happened, logs) == ("f1", "f2", "f3")


def test_one_service_can_be_meant(logs: Path) -> None:
    """Then the others' lines do not count."""
    assert gather(Logs(service="catalog"), history(FAILED), logs) == ("f1", "f2")


def test_logs_that_cannot_be_read_are_an_error(tmp_path: Path) -> None:
    """The verdict will be UNKNOWN."""
    with pytest.raises(BackendError, match=r"the log frontend\.log cannot be read: No such file or directory"):
        gather(Logs(), history(FAILED), tmp_path)
    with pytest.raises(BackendError, match="the app keeps no logs here"):
        gather(Logs(), history(FAILED), None)


def judged(*found: str, requests: Sequence[Request] = FAILED, **given: Any) -> Outcome:
    """The outcome with these trace ids found."""
    return judge(Logs.model_validate(given), CHECK, history(requests), evidence(logged={CHECK.id: found}))


@pytest.mark.parametrize(("share", "verdict"), [("75%", "PASS"), ("76%", "FAIL")])
def test_enough_of_them_must_have_a_line(share: str, verdict: str) -> None:
    """Three of four are three quarters."""
    outcome = judged("f1", "f2", "f3", found=share)

    assert outcome.verdict == verdict
    assert outcome.facts == {"failed": 4, "found": 3}


def test_a_failure_names_a_trace_without_a_line() -> None:
    """So that one can look for it."""
    outcome = judged("f1", service="catalog")

    assert (outcome.verdict, outcome.rung, outcome.observed) == (Verdict.FAIL, Rung.NOT_EMITTED, "1 have one")
    assert outcome.where == "logs of catalog; no error line has f2, for one"
    assert outcome.expected == "error lines of catalog with the trace ids of 95 % of 4 failed requests"


def test_without_a_failed_request_it_fails() -> None:
    """No data is no pass."""
    assert judged(requests=[request(1, "good")]).observed == "the clients had none: no data is no pass"


def test_logs_that_were_not_read_are_unknown() -> None:
    """With the reason, where there is one."""
    outcome = judge(Logs(), CHECK, history(FAILED), evidence(problems={"logs": "gone"}))

    assert (outcome.verdict, outcome.observed) == (Verdict.UNKNOWN, "gone")
    assert judge(Logs(), CHECK, history(FAILED), evidence()).observed == "the logs were not read"
