"""The command line: what each command prints, with which exit code, and what each mistake is told; no stack is started."""

import json
import os
import signal
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import tocsin
from scenarios.loader import catalog
from scenarios.record import Record, Verdict
from stack import engines
from stack.errors import StackError
from stack.runtimes.processes import ProcessStack
from tests.unit.tocsin.saved import evidence, record, save
from tocsin import analysis, cli, stacks
from tocsin import fleet as fleets
from tocsin.live import Live
from tocsin.rundir import RunDir

ROOT = Path(tocsin.__file__).parent.parent


@dataclass(frozen=True, kw_only=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """What it said on stderr, on one line and without the frame around it."""
        return " ".join(self.err.replace("│", " ").split())


Tocsin = Callable[..., Result]


@pytest.fixture
def tocsin_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Tocsin]:
    """Runs a command in an empty folder, as the shell would."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOCSIN_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "200")
    handler = signal.getsignal(signal.SIGTERM)

    def run(*arguments: str) -> Result:
        monkeypatch.setattr("sys.argv", ["tocsin", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return Result(code=int(ended.value.code or 0), out=out, err=err)

    yield run
    signal.signal(signal.SIGTERM, handler)


# --- the command itself ---


def test_version_is_that_of_the_package(tocsin_: Tocsin) -> None:
    """One line, for bug reports."""
    assert tocsin_("--version") == Result(code=0, out=f"tocsin {tocsin.__version__}\n", err="")


def test_without_a_command_it_lists_them(tocsin_: Tocsin) -> None:
    """Nothing is done by surprise."""
    for result in (tocsin_("--help"), tocsin_()):
        assert all(
            f" {command.name} " in result.out + result.err for command in cli.app.registered_commands if command.name
        )


def test_an_unknown_command_is_a_usage_error_with_a_suggestion(tocsin_: Tocsin) -> None:
    """Exit code 2."""
    result = tocsin_("reprot")

    assert result.code == 2
    assert "No such command 'reprot'" in result.error
    assert "report" in result.error


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (StackError("port 9090 is taken"), 3, "tocsin: port 9090 is taken"),
        (OSError(28, "No space left on device", "runs"), 3, "tocsin: runs: No space left on device"),
        (FileNotFoundError(2, "No such file or directory", "here"), 2, "tocsin: here: No such file or directory"),
        (KeyboardInterrupt(), 3, "tocsin: interrupted; everything was healed and stopped"),
        (KeyError("[red]data"), 3, "tocsin: this is a bug of tocsin; please report it with the lines above"),
    ],
)
def test_every_error_has_its_exit_code_and_one_line(
    tocsin_: Tocsin, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, said: str
) -> None:
    """Exit code 1 means that an expectation failed, and nothing else may look like that."""

    def fail() -> None:
        raise error

    monkeypatch.setattr("scenarios.loader.catalog", fail)
    result = tocsin_("list")

    assert result.code == code
    assert result.err.splitlines()[-1] == said
    assert ("Traceback" in result.err) == isinstance(error, KeyError)


def test_being_told_to_end_is_like_ctrl_c(tocsin_: Tocsin, monkeypatch: pytest.MonkeyPatch) -> None:
    """A CI system that gives up sends SIGTERM; what is broken must be healed then, too."""

    def terminated() -> None:
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr("scenarios.loader.catalog", terminated)

    assert tocsin_("list").code == 3


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ([Verdict.PASS], 0),
        ([Verdict.PASS, Verdict.UNKNOWN], 3),
        ([Verdict.UNKNOWN, Verdict.FAIL, Verdict.PASS], 1),
        ([], 3),
    ],
)
def test_the_exit_code_is_that_of_the_worst_verdict(verdicts: list[Verdict], code: int) -> None:
    """FAIL outweighs UNKNOWN; of nothing, nothing is known."""
    assert cli.exit_code([record(verdict=verdict) for verdict in verdicts]) == code


# --- commands that need no stack ---


def test_list_shows_the_catalogue(tocsin_: Tocsin) -> None:
    """Each drill with what it is for."""
    result = tocsin_("list")

    assert result.code == 0
    assert all(path.name.removesuffix(".drill.yaml") in result.out for path in catalog())
    assert "error-burst" in result.out


def test_schema_is_one_that_the_catalogue_satisfies(tocsin_: Tocsin) -> None:
    """And that finds a mistake."""
    schema = json.loads(tocsin_("schema").out)

    validator = jsonschema.validators.validator_for(schema)
    validator.check_schema(schema)
    for path in catalog():
        validator(schema).validate(yaml.safe_load(path.read_text()))
    assert list(validator(schema).iter_errors({"name": "x", "expekt": []}))


def test_init_writes_files_to_start_from_and_overwrites_none(tocsin_: Tocsin, tmp_path: Path) -> None:
    """The second time is a usage error that names what is there."""
    first = tocsin_("init", "drills")
    assert (first.code, first.out.split()) == (0, ["drills/my-first.drill.yaml", "drills/test_drills.py"])
    (tmp_path / "drills/my-first.drill.yaml").write_text("mine")

    second = tocsin_("init", "drills")
    assert second.code == 2
    assert "drills/my-first.drill.yaml: is there already, and nothing is ever overwritten" in second.error
    assert (tmp_path / "drills/my-first.drill.yaml").read_text() == "mine"


def test_a_path_is_printed_as_it_is(tocsin_: Tocsin) -> None:
    """Brackets in it are no markup."""
    assert tocsin_("init", "[red]").out.split()[0] == "[red]/my-first.drill.yaml"


@pytest.mark.parametrize(("runtime", "code"), [("processes", 0), ("", 3)])
def test_doctor_says_by_its_exit_code_whether_a_drill_could_run(
    tocsin_: Tocsin, monkeypatch: pytest.MonkeyPatch, runtime: str, code: int
) -> None:
    """For scripts."""
    from tocsin import doctor

    monkeypatch.setattr(engines, "status", list)
    monkeypatch.setattr(engines, "find_go", lambda: None)
    monkeypatch.setattr(doctor, "docker_state", lambda: "no engine answers")
    monkeypatch.setattr(doctor, "choose", lambda: doctor.Choice(runtime=runtime, why="because"))

    result = tocsin_("doctor")

    assert result.code == code
    assert f"runtime  {runtime or 'none'}: because" in result.out


# --- saved runs ---


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Three saved runs: one passes, one fails, one is unknown."""
    save(tmp_path / "runs", "good-1")
    save(tmp_path / "runs", "bad-1", found=evidence(failed=50))
    save(tmp_path / "runs", "unknown-1").evidence.unlink()
    for age, name in enumerate(("unknown-1", "bad-1", "good-1")):
        os.utime(tmp_path / "runs" / name / "scenario.json", (1_764_000_000 + age, 1_764_000_000 + age))
    return tmp_path / "runs"


@pytest.mark.parametrize(("run", "code"), [("last", 0), ("good-1", 0), ("bad", 1), ("unknown", 3)])
def test_analyze_judges_a_saved_run_again(tocsin_: Tocsin, runs: Path, run: str, code: int) -> None:
    """Its exit code is the drill's."""
    result = tocsin_("analyze", run)

    assert result.code == code
    assert "report: runs/" in result.out


def test_analyze_names_the_report_of_a_run_that_lies_elsewhere(tocsin_: Tocsin, runs: Path) -> None:
    """Not one in the usual folder that does not exist."""
    moved = runs.rename(runs.parent / "artifacts")

    assert f"report: {moved}/good-1/report.html" in tocsin_("analyze", "artifacts/good-1").out
    assert "report: artifacts/good-1/report.html" in tocsin_("analyze", "good-1", "--runs", "artifacts").out


def test_report_writes_the_page_and_says_where(tocsin_: Tocsin, runs: Path) -> None:
    """Also of a drill that failed: that is what reports are for."""
    result = tocsin_("report", "bad")

    assert (result.code, result.out) == (0, "runs/bad-1/report.html\n")
    assert (runs / "bad-1/report.html").is_file()


def test_report_in_markdown_goes_to_stdout(tocsin_: Tocsin, runs: Path) -> None:
    """For the job page of a CI system."""
    tocsin_("analyze", "bad")
    result = tocsin_("report", "bad", "--markdown")

    assert result.code == 0
    assert result.out.startswith("## ❌ FAIL: small")


def test_compare_tells_what_changed(tocsin_: Tocsin, runs: Path) -> None:
    """In Markdown."""
    for run in ("good", "bad"):
        tocsin_("analyze", run)
    result = tocsin_("compare", "good", "bad")

    assert result.code == 0
    assert "good-1" in result.out
    assert "bad-1" in result.out
    assert "FAIL" in result.out


@pytest.mark.parametrize("command", [("report", "good", "--markdown"), ("compare", "good", "bad")])
def test_what_needs_a_record_says_how_to_get_one(tocsin_: Tocsin, runs: Path, command: tuple[str, ...]) -> None:
    """The drill may have been killed before it was judged."""
    result = tocsin_(*command)

    assert result.code == 2
    assert "record.json: the run has not been judged yet; `tocsin analyze good-1` does it" in result.error


@pytest.mark.parametrize("command", [("analyze", "x"), ("report", "x"), ("compare", "good-1", "x")])
def test_an_unknown_run_is_a_usage_error_that_names_the_known_ones(
    tocsin_: Tocsin, runs: Path, command: tuple[str, ...]
) -> None:
    """Exit code 2."""
    analysis.analyze(RunDir(runs / "good-1"))
    result = tocsin_(*command)

    assert result.code == 2
    assert "no run 'x' in runs; there are: unknown-1, bad-1, good-1" in result.error


def test_a_damaged_run_is_a_bad_file(tocsin_: Tocsin, runs: Path) -> None:
    """Exit code 2, and not the 1 of a failed expectation."""
    (runs / "good-1/scenario.json").write_text("{")
    result = tocsin_("analyze", "good-1")

    assert result.code == 2
    assert "scenario.json: not a scenario" in result.error


def test_a_disk_on_which_no_record_fits_is_no_verdict(
    tocsin_: Tocsin, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 3."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", str(runs))

    monkeypatch.setattr(Record, "save", full)
    result = tocsin_("analyze", "good-1")

    assert (result.code, result.error) == (3, f"tocsin: {runs}: No space left on device")


# --- run ---


class FakeDrill:
    """Stands in for a drill; its verdict is in its name."""

    def __init__(self, *, scenario: Any, runs: Path, **_: object) -> None:
        self.name, self.runs = scenario.name, runs
        self.live = Live(name=self.name, total_s=1)

    def run(self) -> Record:
        """At once."""
        if self.name == "raises":
            raise OSError(28, "No space left on device", "runs")
        if self.name == "interrupted":
            signal.raise_signal(signal.SIGINT)
        self.live.enter("done")
        return record(self.name, Verdict(self.name.upper()))


@pytest.fixture
def drills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A folder of drills, one of each verdict; engines and stacks are there; notes what was asked of them."""
    asked: dict[str, Any] = {"stacks": 0, "engines": 0}

    @contextmanager
    def stack_for(*, exclusive: bool, extras: object, report: Callable[[str], None]) -> Iterator[str]:
        asked["stacks"] += 1
        report("starting [prometheus]")
        yield "stack"

    def ensure(**_: object) -> Mapping[str, Path]:
        asked["engines"] += 1
        return {}

    monkeypatch.setattr(engines, "ensure", ensure)
    monkeypatch.setattr(stacks, "stack_for", stack_for)
    monkeypatch.setattr(fleets, "Drill", FakeDrill)
    for name in ("pass", "fail", "unknown", "raises"):
        text = f"name: {name}\nwhy: It ends in the way that it is called.\nload: {{for: 2s}}\nexpect: [{{sli: {{name: p95}}}}]\n"
        (tmp_path / f"{name}.drill.yaml").write_text(text)
    return asked


@pytest.mark.parametrize(
    ("names", "code"), [(["pass"], 0), (["pass", "fail"], 1), (["pass", "unknown"], 3), (["unknown", "fail"], 1)]
)
def test_run_ends_with_the_worst_verdict(tocsin_: Tocsin, drills: dict[str, Any], names: list[str], code: int) -> None:
    """And prints each drill's."""
    result = tocsin_("run", *(f"{name}.drill.yaml" for name in names))

    assert result.code == code
    assert all(f"{name.upper()} {name}-1" in result.out for name in names)
    assert drills == {"stacks": 1, "engines": 1}


def test_run_tells_what_it_starts(tocsin_: Tocsin, drills: dict[str, Any]) -> None:
    """Starting takes seconds, and a build minutes."""
    assert "starting [prometheus]" in tocsin_("run", "pass.drill.yaml").err


def test_run_takes_a_folder(tocsin_: Tocsin, drills: dict[str, Any], tmp_path: Path) -> None:
    """All drills in it, side by side or one after another."""
    (tmp_path / "raises.drill.yaml").unlink()

    assert tocsin_("run", ".").out.count("report: runs/") == 3
    assert tocsin_("run", ".", "--at-once", "1").out.count("report: runs/") == 3
    assert drills["stacks"] == 1 + 3


def test_run_shows_what_it_has_before_it_says_what_went_wrong(tocsin_: Tocsin, drills: dict[str, Any]) -> None:
    """The others' verdicts are worth having."""
    result = tocsin_("run", "fail.drill.yaml", "raises.drill.yaml")

    assert "FAIL fail-1" in result.out
    assert (result.code, result.err.splitlines()[-1]) == (3, "tocsin: runs: No space left on device")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Missing argument 'DRILL"),
        (("eror-burst",), "known drills: baseline, error-burst,"),
        (("eror-burst",), "did you mean `error-burst`?"),
        (("pass.drill.yaml", "empty"), "empty: no drills in this folder; a drill's file name ends in .drill.yaml"),
        (("bad.drill.yaml",), "bad.drill.yaml:2: "),
        (("pass.drill.yaml", "--at-once", "0"), "'--at-once': Input should be greater than or equal to 1"),
        (("pass.drill.yaml", "--runns", "x"), "No such option: --runns"),
    ],
)
def test_a_mistake_is_told_before_anything_starts(
    tocsin_: Tocsin, drills: dict[str, Any], tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    """Exit code 2, with what is allowed; no engine is built, no stack is started, no folder is made."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.drill.yaml").write_text("name: bad\nwhi: It has a key that nobody knows.\n")

    result = tocsin_("run", *arguments)

    assert result.code == 2
    assert said in result.error
    assert drills == {"stacks": 0, "engines": 0}
    assert not (tmp_path / "runs").exists()


# --- up, status, down ---


class FakeStack:
    """A standing stack."""

    def __init__(self, *, ready: bool = True) -> None:
        self.is_ready, self.stopped = ready, False

    def stop(self) -> None:
        """Note it."""
        self.stopped = True

    def running(self) -> Mapping[str, Any]:
        """One component."""
        from types import SimpleNamespace

        return {"sink": SimpleNamespace(version="1", stand_in=False, component=SimpleNamespace(ready="http/ready"))}

    def ready(self, _: str) -> bool:
        """Whether it answers."""
        return self.is_ready

    def url(self, port: str) -> str:
        """Where it listens."""
        return f"http://127.0.0.1/{port}"


@pytest.fixture
def standing(monkeypatch: pytest.MonkeyPatch) -> Callable[[FakeStack | None], None]:
    """Sets the standing stack."""

    def put(stack: FakeStack | None) -> None:
        monkeypatch.setattr(ProcessStack, "standing", lambda: stack)

    put(None)
    return put


@pytest.fixture
def created(monkeypatch: pytest.MonkeyPatch, standing: object) -> list[Mapping[str, Any]]:
    """With which options stacks were created."""
    asked: list[Mapping[str, Any]] = []

    def create(**options: Any) -> FakeStack:
        asked.append(options)
        options["report"]("starting sink")
        return FakeStack()

    monkeypatch.setattr(engines, "ensure", lambda **_: {})
    monkeypatch.setattr(ProcessStack, "create", create)
    return asked


def test_up_starts_a_stack_that_stays(tocsin_: Tocsin, created: list[Mapping[str, Any]]) -> None:
    """With the profile and the ports of one's choice; it shows where everything listens."""
    result = tocsin_("up", "--profile", "production", "--port", "sink.http=9099", "--port", "prometheus.http=9090")

    assert result.code == 0
    assert "up: sink (production profile)" in result.out
    assert "http://127.0.0.1/sink.http" in result.out
    (options,) = created
    assert (options["profile"], options["standing"]) == ("production", True)
    assert options["fixed_ports"] == {"sink.http": 9099, "prometheus.http": 9090}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--profile", "prod"), "unknown profile 'prod'; known: production, drill"),
        (("--port", "9090"), "'9090': write COMPONENT.PORT=N, such as prometheus.http=9090"),
        (("--port", "sink.http=0"), "'sink.http=0': write COMPONENT.PORT=N"),
        (("--port", "sink.http=65536"), "'sink.http=65536': write COMPONENT.PORT=N"),
        (("--port", "sink.http=http"), "'sink.http=http': write COMPONENT.PORT=N"),
    ],
)
def test_a_mistake_of_up_names_what_is_allowed(
    tocsin_: Tocsin, created: list[Mapping[str, Any]], arguments: tuple[str, ...], said: str
) -> None:
    """Exit code 2, and nothing is started."""
    result = tocsin_("up", *arguments)

    assert result.code == 2
    assert said in result.error
    assert created == []


def test_a_second_stack_is_refused(
    tocsin_: Tocsin, created: list[Mapping[str, Any]], standing: Callable[[FakeStack | None], None]
) -> None:
    """The first one would be forgotten."""
    standing(FakeStack())
    result = tocsin_("up")

    assert (result.code, created) == (3, [])
    assert "a stack is up already; `tocsin status` shows it, `tocsin down` ends it" in result.error


@pytest.mark.parametrize(("stack", "code"), [(None, 0), (FakeStack(), 0), (FakeStack(ready=False), 3)])
def test_status_says_by_its_exit_code_whether_all_is_well(
    tocsin_: Tocsin, standing: Callable[[FakeStack | None], None], stack: FakeStack | None, code: int
) -> None:
    """No stack is fine, a broken one is not."""
    standing(stack)
    result = tocsin_("status")

    assert result.code == code
    assert ("no stack is up; `tocsin up` starts one" in result.out) == (stack is None)


def test_down_ends_the_standing_stack(tocsin_: Tocsin, standing: Callable[[FakeStack | None], None]) -> None:
    """And says so when there is none."""
    stack = FakeStack()
    standing(stack)
    assert (tocsin_("down").code, stack.stopped) == (0, True)

    standing(None)
    assert tocsin_("down").out == "nothing to end: no stack is up\n"


@pytest.mark.parametrize("command", ["up", "down", "status"])
def test_what_a_killed_command_left_is_cleared_up_first(
    tocsin_: Tocsin, created: list[Mapping[str, Any]], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """And told."""
    monkeypatch.setattr(
        "tocsin.sweeping.sweep", lambda: ["drill-1: its command was killed; ended [3] of its processes"]
    )

    assert "cleared up drill-1: its command was killed; ended [3] of its processes" in tocsin_(command).error


def test_the_readme_speaks_of_the_same_exit_codes() -> None:
    """Scripts rely on them."""
    assert [code.value for code in cli.Exit] == [0, 1, 2, 3]
    text = (ROOT / "README.md").read_text()
    assert (
        "`0` every expectation passed, `1` one failed, `2` usage or a bad file, `3` the stack failed or a verdict is unknown"
        in text
    )


def test_the_entry_point_is_main() -> None:
    """What `pip install` puts on PATH."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project["scripts"] == {"tocsin": "tocsin.cli:main"}
