"""The command line: exit codes, messages, and the commands that need neither a stack nor a run."""

import json
import signal
import tomllib
from pathlib import Path

import jsonschema
import pytest
import yaml

import tocsin
from scenarios.loader import catalog
from scenarios.record import Verdict
from stack import engines
from stack.errors import StackError
from tests.unit.tocsin.conftest import Result, Tocsin
from tests.unit.tocsin.saved import record
from tocsin import cli

ROOT = Path(tocsin.__file__).parent.parent


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
    from tocsin.runtime import Choice

    monkeypatch.setattr(engines, "status", list)
    monkeypatch.setattr(engines, "find_go", lambda: None)
    monkeypatch.setattr(doctor, "choose", lambda _: Choice(runtime=runtime, why="because"))

    result = tocsin_("doctor")

    assert result.code == code
    assert f"runtime  {runtime or 'none'}: because" in result.out


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


@pytest.mark.parametrize("profile", ["production", "drill"])
def test_compose_prints_the_standing_stack(tocsin_: Tocsin, profile: str) -> None:
    """A Compose file, as it would be written; the sink is in a drill's stack alone."""
    result = tocsin_("compose", "--profile", profile)

    assert result.code == 0
    assert ("sink" in yaml.safe_load(result.out)["services"]) == (profile == "drill")


def test_compose_writes_all_that_it_mounts(tocsin_: Tocsin, tmp_path: Path) -> None:
    """A folder that can be copied to where the stack shall stand."""
    result = tocsin_("compose", "--to", str(tmp_path / "stack"))

    assert result.out == f"{tmp_path}/stack/compose.yaml\n"
    assert (tmp_path / "stack" / "config" / "prometheus.yaml").is_file()
    assert (tmp_path / "stack" / ".env.example").is_file()


def test_compose_of_an_unknown_profile(tocsin_: Tocsin) -> None:
    """Exit code 2, with the profiles that there are."""
    result = tocsin_("compose", "--profile", "prod")

    assert result.code == 2
    assert "unknown profile 'prod'; known: production, drill" in result.error
