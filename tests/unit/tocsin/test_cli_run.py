"""The command `run`: what it prints, how it ends, and what it says of mistakes; drills are faked."""

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from scenarios.record import Record, Verdict
from stack import engines
from tests.unit.tocsin.conftest import Tocsin
from tests.unit.tocsin.saved import record
from tocsin import fleet as fleets
from tocsin import runtime as runtimes
from tocsin import stacks
from tocsin.live import Live
from tocsin.runtime import Choice


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
    def stack_for(*, runtime: str, report: Callable[[str], None], **_: object) -> Iterator[str]:
        asked["stacks"] += 1
        assert runtime == "processes"
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


def test_run_tells_why_it_took_the_runtime_that_it_took(
    tocsin_: Tocsin, drills: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nobody said which; who asked for one knows why."""
    asked: list[str] = []

    def settle(wanted: str, **_: object) -> Choice:
        asked.append(wanted)
        return Choice(runtime="processes", why="no engine [answers]")

    monkeypatch.setattr(runtimes, "settle", settle)
    assert "runtime processes" not in tocsin_("run", "pass.drill.yaml").err
    monkeypatch.delenv("TOCSIN_RUNTIME")
    assert "runtime processes: no engine [answers]" in tocsin_("run", "pass.drill.yaml").err
    assert asked == ["processes", "auto"]


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
        (("eror-burst",), "neither a file nor a drill of the catalogue; known drills: "),
        (("eror-burst",), "did you mean `error-burst`?"),
        (("pass.drill.yaml", "empty"), "empty: no drills in this folder; a drill's file name ends in .drill.yaml"),
        (("bad.drill.yaml",), "bad.drill.yaml:2: "),
        (("pass.drill.yaml", "--at-once", "0"), "'--at-once': Input should be greater than or equal to 1"),
        (("pass.drill.yaml", "--runtime", "lorries"), "unknown runtime 'lorries'; known: auto, processes, containers"),
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
