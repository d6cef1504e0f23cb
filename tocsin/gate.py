"""Gate: the pytest plugin. It collects `*.drill.yaml`, runs the selected drills side by side, and makes one test of each check.

FAIL is a test's failure, UNKNOWN is its error. Python tests may use the fixtures `stack` and `drill` instead.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from scenarios.model import Scenario
    from scenarios.record import Outcome, Record
    from stack.runtimes.stack import Stack
    from tocsin.fleet import Fleet

# pytest loads this module in every project in whose environment tocsin is installed, so what is heavy is imported when it is needed.


class Unmet(AssertionError):
    """A backend answered, and it is wrong: FAIL."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the gate."""
    group = parser.getgroup("tocsin", "fire drills")
    group.addoption("--tocsin-runs", default="runs", metavar="DIR", help="where runs are kept (default: runs)")
    group.addoption(
        "--tocsin-runtime",
        default=None,
        metavar="NAME",
        help="how stacks are run: auto, containers or processes (default: $TOCSIN_RUNTIME, else auto)",
    )
    group.addoption("--tocsin-at-once", type=int, default=None, metavar="N", help="drills side by side on one stack")
    group.addoption("--tocsin-lanes", type=int, default=None, metavar="N", help="exclusive drills side by side")


def pytest_configure(config: pytest.Config) -> None:
    """What `tocsin.toml` beside pytest's own settings says counts here, too."""
    from tocsin.settings import SettingsError, apply

    try:
        apply(config.rootpath)
    except SettingsError as error:
        raise pytest.UsageError(str(error)) from error


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> DrillFile | None:
    """Every `*.drill.yaml` is a file of tests."""
    if file_path.name.endswith(".drill.yaml"):
        return DrillFile.from_parent(parent, path=file_path)
    return None


class DrillFile(pytest.File):
    """One drill: its checks are known before anything runs."""

    scenario: Scenario

    def collect(self) -> Iterator[DrillItem]:
        """One test for each fault (was it felt?) and for each expectation."""
        from assertions.judge import check_ids
        from scenarios.errors import ScenarioError
        from scenarios.loader import load

        try:
            self.scenario = load(self.path)
        except ScenarioError as error:
            raise self.CollectError(str(error)) from error
        for check_id, title in check_ids(self.scenario).items():
            yield DrillItem.from_parent(self, name=f"{check_id} {title}", check_id=check_id)


class DrillItem(pytest.Item):
    """One check of a drill."""

    parent: DrillFile

    def __init__(self, *, check_id: str, **rest: Any) -> None:
        super().__init__(**rest)
        self.check_id = check_id
        self.outcome: Outcome | None = None

    def setup(self) -> None:
        """Wait for the drill. What cannot be found out is UNKNOWN: never a pass, and to pytest, here, an error and no failure."""
        import reports.junit
        from scenarios.record import Verdict

        try:
            record = _control(self.session).record_of(self.parent.path)
        except (RuntimeError, OSError) as error:  # there is no stack (StackError), or no place for the run
            pytest.fail(f"the drill could not be run: {error}", pytrace=False)
        self.outcome = next(outcome for outcome in record.outcomes if outcome.id == self.check_id)
        self.user_properties.extend(reports.junit.properties(record))
        # A drill that ended with a problem proves nothing, whatever its checks say.
        unknown = self.outcome.message() if self.outcome.verdict is Verdict.UNKNOWN else ""
        unknown = unknown or (record.problem if self.outcome.verdict is Verdict.PASS else "")
        if unknown:
            pytest.fail(f"{unknown}\nreport: {_control(self.session).report_of(record)}", pytrace=False)

    def runtest(self) -> None:
        """Fail if the verdict is FAIL."""
        from scenarios.record import Verdict

        if self.outcome is not None and self.outcome.verdict is Verdict.FAIL:
            raise Unmet(self.outcome.message())

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Our own error says it all; a traceback into the plugin would not help."""
        if isinstance(excinfo.value, Unmet):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the check is written and what it is called."""
        return self.path, 0, f"{self.parent.scenario.name}: {self.name}"


class Control:
    """
    All drills of one pytest session: started when the first result is asked for, stopped when the session ends.
    """

    def __init__(self, session: pytest.Session) -> None:
        self._session = session
        self.runs = Path(session.config.getoption("--tocsin-runs"))
        self.at_once: int | None = session.config.getoption("--tocsin-at-once")
        self.lanes: int | None = session.config.getoption("--tocsin-lanes")
        self._fleet: Fleet | None = None
        self._index: dict[Path, int] = {}

    def record_of(self, path: Path) -> Record:
        """The record of the drill in this file; all selected drills begin at the first call."""
        fleet = self._fleet or self._start()
        return fleet.result(self._index[path])

    def report_of(self, record: Record) -> Path:
        """Where the report of a record is."""
        return self.runs / record.run_id / "report.html"

    def stop(self) -> None:
        """Cancel what still runs and wait until it is healed."""
        if self._fleet is not None:
            self._fleet.cancel()

    def _start(self) -> Fleet:
        from tocsin.fleet import Fleet, Order

        files = {item.parent.path: item.parent for item in self._session.items if isinstance(item, DrillItem)}
        self._index = {path: index for index, path in enumerate(files)}
        orders = [Order(scenario=file.scenario, source=str(path)) for path, file in files.items()]
        needs = frozenset[str]().union(*(order.scenario.needs for order in orders))
        make_stack = _stacks(self._session.config, needs)
        self._fleet = Fleet(orders, runs=self.runs, make_stack=make_stack, at_once=self.at_once, lanes=self.lanes)
        self._fleet.start()
        return self._fleet


def _stacks(config: pytest.Config, needs: Collection[str]) -> Callable[..., AbstractContextManager[Stack]]:
    """`stack_for` on the runtime that the session is to use, with all that it needs there."""
    from tocsin.runtime import AUTO, VARIABLE, settle
    from tocsin.stacks import stack_for

    wanted = config.getoption("--tocsin-runtime") or os.environ.get(VARIABLE, AUTO)
    choice = settle(wanted, extras=needs)
    config.stash[_RUNTIME] = f"runtime {choice.runtime}: {choice.why}"
    return partial(stack_for, runtime=choice.runtime)


_RUNTIME = pytest.StashKey[str]()
_CONTROL = pytest.StashKey[Control]()


def _control(session: pytest.Session) -> Control:
    if _CONTROL not in session.stash:
        session.stash[_CONTROL] = Control(session)
    return session.stash[_CONTROL]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how the drills were run."""
    if _RUNTIME in config.stash:
        terminalreporter.write_line(f"tocsin: {config.stash[_RUNTIME]}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """End what still runs: `-x` and Ctrl-C must not leave a fault behind."""
    if _CONTROL in session.stash:
        session.stash[_CONTROL].stop()


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """A stack for Python tests: the one that `tocsin up` left, else one of its own for the session."""
    with _stacks(request.config, ())(exclusive=False) as made:
        yield made


@pytest.fixture
def drill(stack: Stack, request: pytest.FixtureRequest) -> Callable[[str | Path | Scenario], Record]:
    """Runs a drill (a name of the catalogue, a file, or a Scenario) on the stack, and gives its record."""
    from scenarios.loader import find, load
    from scenarios.model import Scenario
    from tocsin.drill import Drill

    runs = Path(request.config.getoption("--tocsin-runs"))

    def run(wanted: str | Path | Scenario) -> Record:
        if isinstance(wanted, Scenario):
            return Drill(scenario=wanted, stack=stack, runs=runs, source="python").run()
        (path,) = find([wanted])
        return Drill(scenario=load(path), stack=stack, runs=runs, source=str(path)).run()

    return run
