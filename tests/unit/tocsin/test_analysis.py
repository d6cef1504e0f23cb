"""Analysis: a saved run is judged by what is on disk, and what is missing is UNKNOWN and never a pass."""

import json
from pathlib import Path

import pytest

from assertions.evidence import Evidence
from scenarios.history import History, Phase, Traffic
from scenarios.record import Record, Verdict
from tests.unit.tocsin.saved import START_T, events, evidence, save, setting
from tocsin import analysis
from tocsin.rundir import RunError


def test_a_good_run_passes_and_leaves_record_and_report(tmp_path: Path) -> None:
    """Both say the same."""
    run = save(tmp_path)

    record = analysis.analyze(run)

    assert [outcome.verdict for outcome in record.outcomes] == [Verdict.PASS, Verdict.PASS]
    assert record == Record.read(run.record)
    report = run.report.read_text()
    assert "small-1" in report
    assert "the last words of prometheus" in report


def test_the_setting_is_part_of_the_record(tmp_path: Path) -> None:
    """On what it ran, with what stood in for what, and when."""
    record = analysis.analyze(save(tmp_path))

    assert (record.runtime, record.profile, record.source) == ("processes", "drill", "small.drill.yaml")
    assert [part.stand_in for part in record.parts] == [False, True]
    assert (record.started_t, record.ended_t) == (START_T, START_T + 15)


def test_judging_twice_gives_the_same_record(tmp_path: Path) -> None:
    """Byte by byte: nothing but the run's own files goes into it."""
    run = save(tmp_path, found=evidence(failed=50))
    analysis.analyze(run)
    first = run.record.read_bytes(), run.report.read_bytes()

    analysis.analyze(run)

    assert first == (run.record.read_bytes(), run.report.read_bytes())


def test_a_backend_that_disagrees_fails_its_check_alone(tmp_path: Path) -> None:
    """The clients saw no failure, Prometheus did."""
    record = analysis.analyze(save(tmp_path, found=evidence(failed=50)))

    assert [outcome.verdict for outcome in record.outcomes] == [Verdict.FAIL, Verdict.PASS]
    assert Verdict.FAIL is record.verdict


def test_without_evidence_everything_is_unknown(tmp_path: Path) -> None:
    """The drill was killed before it asked."""
    run = save(tmp_path)
    run.evidence.unlink()

    record = analysis.analyze(run)

    assert {Verdict.UNKNOWN} == {outcome.verdict for outcome in record.outcomes}
    assert "no evidence was gathered" in record.problem
    assert record.problem in record.outcomes[0].observed
    assert "no evidence was gathered" in run.report.read_text()


def test_evidence_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    """It may come from another version, or be damaged."""
    run = save(tmp_path)
    run.evidence.write_text('{"asked_t": "never"}')

    record = analysis.analyze(run)

    assert Verdict.UNKNOWN is record.verdict
    assert "the evidence cannot be read" in record.problem


def test_a_report_has_a_row_for_each_path_of_an_alert(tmp_path: Path) -> None:
    """Where two sources had to raise it; what is no alert has none."""
    run = save(tmp_path)
    record = analysis.analyze(run)
    paths = [{"source": source, "time_to_detect_s": 2.0} for source in ("prometheus", "grafana")]
    both = record.outcomes[0].model_copy(update={"facts": {**paths[0], "paths": paths}})
    one = record.outcomes[0].model_copy(update={"facts": {"source": "grafana", "time_to_detect_s": None}})
    record = record.model_copy(update={"outcomes": (both, one, record.outcomes[1])})

    found = analysis.report_evidence(record, History.read(run.history), Evidence.read(run.evidence))

    assert [row["source"] for row in found["alerts"]] == ["prometheus", "grafana", "grafana"]


def test_a_history_that_ends_in_the_middle_of_a_line_is_used_as_far_as_it_goes(tmp_path: Path) -> None:
    """Its writer was killed; every line before is whole."""
    run = save(tmp_path)
    run.history.write_bytes(run.history.read_bytes() + b'{"kind":"traffic","t":17640')

    assert Verdict.PASS is analysis.analyze(run).verdict


@pytest.mark.parametrize("text", [None, b'{"kind":"phase"}\n{"kind":"phase","t":1,"name":"drive"}\n'])
def test_a_history_that_cannot_be_read_makes_the_drill_unknown(tmp_path: Path, text: bytes | None) -> None:
    """Without the ground truth nobody can say that a backend is right; the problem names the line."""
    run = save(tmp_path)
    run.history.unlink()
    if text is not None:
        run.history.write_bytes(text)

    record = analysis.analyze(run)

    assert Verdict.PASS not in [record.verdict, *(outcome.verdict for outcome in record.outcomes)]
    assert record.problem.startswith("the history cannot be read: ")
    assert "history.jsonl" in record.problem


def test_an_aborted_drill_proves_nothing(tmp_path: Path) -> None:
    """Neither for an expectation nor against it, and each outcome says why it was stopped."""
    aborted = Phase(t=START_T + 9, name="aborted", reason="80% of requests failed")
    run = save(tmp_path, happened=[*events(), aborted], found=evidence(failed=50))

    record = analysis.analyze(run)

    assert {Verdict.UNKNOWN} == {outcome.verdict for outcome in record.outcomes}
    assert record.problem == "aborted: 80% of requests failed"
    assert all(
        outcome.observed.startswith("aborted: 80% of requests failed; until then: ") for outcome in record.outcomes
    )


def test_a_problem_while_it_ran_is_not_forgotten(tmp_path: Path) -> None:
    """Checks keep their verdicts, but the drill as a whole is no pass."""
    run = save(tmp_path, on=setting(problem="the sink died"))

    record = analysis.analyze(run)

    assert Verdict.PASS is record.outcomes[0].verdict
    assert (record.problem, record.verdict) == ("the sink died", Verdict.UNKNOWN)


def test_a_run_that_was_killed_before_it_wrote_its_setting_is_judged_all_the_same(tmp_path: Path) -> None:
    """What it ran on is then unknown, and says so."""
    run = save(tmp_path)
    run.setting.unlink()

    record = analysis.analyze(run)

    assert (record.runtime, record.profile, record.parts) == ("unknown", "unknown", ())
    assert Verdict.PASS is record.verdict


def test_a_setting_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    """It might have told of one."""
    run = save(tmp_path)
    run.setting.write_text("{")

    assert "setting.json cannot be read" in analysis.analyze(run).problem


@pytest.mark.parametrize("text", ["{", '{"name": "small"}', "[]"])
def test_without_a_scenario_there_is_nothing_to_judge(tmp_path: Path, text: str) -> None:
    """The error names the file, and nothing is written."""
    run = save(tmp_path)
    run.scenario.write_text(text)

    with pytest.raises(RunError, match=r"scenario\.json: not a scenario: .*nothing can be judged"):
        analysis.analyze(run)

    assert not run.record.exists()


def test_a_record_can_be_read_once_it_was_judged(tmp_path: Path) -> None:
    """Before, the error says how to get one; a damaged one too."""
    run = save(tmp_path)
    with pytest.raises(RunError, match=r"record\.json: the run has not been judged yet; `tocsin analyze small-1` does"):
        analysis.saved(run)

    record = analysis.analyze(run)
    assert record == analysis.saved(run)

    run.record.write_text(json.dumps({"format": 1}))
    with pytest.raises(RunError, match=r"record\.json: not a record: .*`tocsin analyze small-1` writes it anew"):
        analysis.saved(run)


def test_only_the_end_of_a_long_log_goes_into_the_report(tmp_path: Path) -> None:
    """A report must stay small enough to be opened; bytes that are no text do no harm."""
    (tmp_path / "long.log").write_bytes(b"".join(b"line %d \xff\n" % n for n in range(1000)))
    (tmp_path / "notes.txt").write_text("not a log")

    tails = analysis.log_tails(tmp_path)

    assert list(tails) == ["long"]
    assert len(tails["long"].splitlines()) == analysis.LOG_TAIL_LINES
    assert tails["long"].splitlines()[-1].startswith("line 999 ")


def test_no_traffic_is_no_pass(tmp_path: Path) -> None:
    """No data is a failure."""
    quiet = [event for event in events() if not isinstance(event, Traffic)]

    record = analysis.analyze(save(tmp_path, happened=quiet))

    assert Verdict.FAIL is record.outcomes[0].verdict
