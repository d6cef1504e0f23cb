"""The pytest plugin behaves as people expect of pytest; drills are faked, so no stack is started."""

import textwrap
from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

import pytest

# pytester forgets what was imported during a run, so all that the plugin imports late is imported here, once.
import reports.junit
import scenarios.loader
import tocsin.stacks
from assertions.judge import check_ids
from scenarios.record import Outcome, Record, Verdict
from stack.errors import StackError
from tocsin.fleet import Order
from tocsin.runtime import Choice

DRILL = """
name: {name}
why: Something to judge in three different ways.
load: {{warm_up: 1s, for: 2s}}
expect:
  - sli: {{name: availability}}
  - traces: {{where: any}}
  - silent: {{}}
"""

LATE = (reports.junit, scenarios.loader, tocsin.stacks)

VERDICTS = {"sli": Verdict.PASS, "traces": Verdict.FAIL, "silent": Verdict.UNKNOWN}


class FakeFleet:
    """Stands in for the fleet: availability passes, traces fail, silence is unknown; it notes what was asked of it."""

    made: ClassVar[list["FakeFleet"]] = []
    error: ClassVar[Exception | None] = None
    problem: ClassVar[str] = ""

    def __init__(self, orders: Sequence[Order], *, make_stack: "partial[object]", **_: object) -> None:
        self.orders = orders
        self.make_stack = make_stack
        self.started = self.cancelled = 0
        self.made.append(self)

    @property
    def names(self) -> list[str]:
        """The drills that were ordered."""
        return [order.scenario.name for order in self.orders]

    def start(self) -> None:
        """Note it."""
        self.started += 1

    def cancel(self) -> None:
        """Note it."""
        self.cancelled += 1

    def result(self, index: int) -> Record:
        """A record with one outcome of each verdict; or what keeps it from being run."""
        if self.error:
            raise self.error
        scenario = self.orders[index].scenario
        return Record(
            run_id=f"{scenario.name}-1",
            scenario=scenario.to_json(),
            started_t=0,
            ended_t=1,
            runtime="fake",
            profile="drill",
            parts=(),
            problem=self.problem,
            outcomes=tuple(
                Outcome(id=id, title=title, verdict=VERDICTS[title.split()[0]], expected="good", observed="bad")
                for id, title in check_ids(scenario).items()
            ),
        )


def settle(wanted: str, *, extras: Collection[str]) -> Choice:
    """Every runtime has all it needs."""
    return Choice(runtime=wanted, why=f"it needs {', '.join(sorted(extras)) or 'nothing more'}")


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """
    A folder with two drills and a fleet that only pretends.

    No other plugin is loaded: each inner run would pay for it (hypothesis alone costs a second).
    """
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setattr("tocsin.fleet.Fleet", FakeFleet)
    monkeypatch.setattr("tocsin.runtime.settle", settle)
    FakeFleet.made.clear()
    for name in ("one", "two"):
        (pytester.path / f"{name}.drill.yaml").write_text(DRILL.format(name=name))
    return pytester


def run(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Run pytest on the folder."""
    return project.runpytest_inprocess("-p", "tocsin.gate", *arguments)


def test_a_pass_passes_a_fail_fails_and_an_unknown_is_an_error(project: pytest.Pytester) -> None:
    """Each check is one test; UNKNOWN is what pytest calls an error."""
    result = run(project)

    result.assert_outcomes(passed=2, failed=2, errors=2)
    result.stdout.fnmatch_lines(["*traces any: expected good, observed bad*"])


def test_all_selected_drills_run_together_and_once(project: pytest.Pytester) -> None:
    """One fleet for all, however many tests there are of each."""
    run(project)

    (fleet,) = FakeFleet.made
    assert (fleet.names, fleet.started) == (["one", "two"], 1)


def test_k_selects_drills_and_checks(project: pytest.Pytester) -> None:
    """A drill none of whose checks is selected does not run."""
    result = run(project, "-k", "two and sli")

    result.assert_outcomes(passed=1, deselected=5)
    assert FakeFleet.made[0].names == ["two"]


def test_x_stops_at_the_first_failure_and_cancels_the_rest(project: pytest.Pytester) -> None:
    """What still runs is told to heal and to end."""
    result = run(project, "-x")

    result.assert_outcomes(passed=1, failed=1)
    assert FakeFleet.made[0].cancelled == 1


def test_lf_runs_only_what_failed(project: pytest.Pytester) -> None:
    """Names of tests are the same in every run, so pytest recognises them."""
    run(project, "-k", "one")
    result = run(project, "--lf")

    result.assert_outcomes(failed=1, errors=1)


def test_junit_xml_carries_the_figures(project: pytest.Pytester) -> None:
    """Every check is a test case there, with the run's id as a property."""
    run(project, "--junitxml=out.xml")
    text = (project.path / "out.xml").read_text()

    assert 'name="expect/1 sli availability"' in text
    assert "one-1" in text


def test_collecting_starts_nothing(project: pytest.Pytester) -> None:
    """`--collect-only` lists the checks without a stack."""
    result = run(project, "--collect-only", "-q")

    result.stdout.fnmatch_lines(["*one.drill.yaml::expect/1 sli availability"])
    assert not FakeFleet.made


def test_a_bad_file_is_a_collection_error_with_its_line(project: pytest.Pytester) -> None:
    """Nothing runs, and the message is the loader's own."""
    (project.path / "bad.drill.yaml").write_text(
        textwrap.dedent("""
        name: bad
        why: It has a key that nobody knows.
        load: {for: 2s}
        expekt: []
        """)
    )
    result = run(project)

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*bad.drill.yaml:5: *expekt*"])
    assert not FakeFleet.made


def test_the_runtime_is_chosen_once_and_told(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the option, else by the environment."""
    result = run(project, "--tocsin-runtime", "containers")
    result.stdout.fnmatch_lines(["tocsin: runtime containers: it needs nothing more"])
    (fleet,) = FakeFleet.made
    assert fleet.make_stack.keywords == {"runtime": "containers"}

    monkeypatch.setenv("TOCSIN_RUNTIME", "processes")
    run(project).stdout.fnmatch_lines(["tocsin: runtime processes: it needs nothing more"])
    monkeypatch.delenv("TOCSIN_RUNTIME")
    run(project).stdout.fnmatch_lines(["tocsin: runtime auto: it needs nothing more"])


def test_the_settings_beside_pytests_own_count(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake in them is one of usage."""
    monkeypatch.setenv("TOCSIN_RUNTIME", "to be restored as it was")
    monkeypatch.delenv("TOCSIN_RUNTIME")
    file = project.path / "tocsin.toml"
    file.write_text("runtime = 'processes'")
    run(project).stdout.fnmatch_lines(["tocsin: runtime processes: it needs nothing more"])

    file.write_text("runtime = 'lorries'")
    result = run(project)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*tocsin.toml:1: `runtime` is 'lorries'; allowed: auto, processes, containers*"])


def test_a_project_without_drills_is_left_alone(pytester: pytest.Pytester) -> None:
    """The plugin is loaded wherever tocsin is installed; it must cost nothing there."""
    pytester.makepyfile("import sys\ndef test_it():\n    assert 'scenarios.model' not in sys.modules\n")
    result = pytester.runpytest_subprocess("-p", "no:locust", "-p", "no:hypothesispytest")

    result.assert_outcomes(passed=1)


def test_the_runs_folder_is_an_option(project: pytest.Pytester) -> None:
    """An UNKNOWN names the report, in the folder of one's choice."""
    result = run(project, "--tocsin-runs", str(Path("elsewhere")))

    result.stdout.fnmatch_lines(["*report: elsewhere/one-1/report.html*"])


@pytest.mark.parametrize("error", [StackError("port 9090 is taken"), OSError(28, "No space left on device", "runs")])
def test_a_stack_that_does_not_start_is_an_error_of_each_test(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """With the reason and no traceback through the plugin, for it is not the plugin's fault."""
    monkeypatch.setattr(FakeFleet, "error", error)
    result = run(project)

    result.assert_outcomes(errors=6)
    result.stdout.fnmatch_lines([f"the drill could not be run: {error}"])
    result.stdout.no_fnmatch_line("*gate.py*")


def test_a_drill_that_ended_with_a_problem_passes_nothing(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What failed until then stays a failure; what passed is an error, with the problem."""
    monkeypatch.setattr(FakeFleet, "problem", "the history cannot be written")
    result = run(project, "-k", "one")

    result.assert_outcomes(failed=1, errors=2, deselected=3)
    result.stdout.fnmatch_lines(["the history cannot be written"])
    result.stdout.no_fnmatch_line("*gate.py*")
