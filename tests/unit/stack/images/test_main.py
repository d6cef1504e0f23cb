"""The images by hand: what each command prints, and how it ends."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from stack.images import __main__ as command
from stack.images import base, local, own
from stack.images.connection import EngineMissing
from stack.images.table import LOCAL, MADE_HERE
from tests.unit.stack.images.engine import Engine

OURS_BUILT = "".join(f"{reference}\n" for reference in MADE_HERE)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Engine:
    """The engine that the command talks to, and wheels that are there."""
    made = Engine()
    monkeypatch.setattr(command, "connect", lambda: made.client)
    monkeypatch.setattr(own, "fetch", lambda *_: tmp_path)
    monkeypatch.setattr(local, "build", lambda _client, image, _report: made.hold(image.reference))
    monkeypatch.setenv("TOCSIN_CACHE", str(tmp_path))
    return made


def call(*arguments: str) -> Result:
    """Call the command."""
    return CliRunner().invoke(command.app, list(arguments))


def test_build_prints_the_references(engine: Engine) -> None:
    """Our images are built on the official base, which is pulled first."""
    engine.registry.add("python:3.13-slim")
    result = call("build")

    assert result.exit_code == 0, result.output
    assert result.stdout == OURS_BUILT
    assert engine.pulled == ["python:3.13-slim"]


def test_build_on_another_base(engine: Engine) -> None:
    """--base names any base that the engine has or can pull."""
    engine.hold("mirror.example/python:3.12")

    assert call("build", "--base", "mirror.example/python:3.12").exit_code == 0
    assert {built["buildargs"]["BASE"] for built in engine.built} == {"mirror.example/python:3.12"}


def test_build_local_asks_no_registry(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --local the engines' images and the base are made here too."""
    monkeypatch.setattr("stack.engines.ensure", lambda *_, **__: {})
    monkeypatch.setattr(base, "build_local", lambda *_: engine.hold(base.LOCAL_BASE))
    result = call("build", "--local")

    assert result.exit_code == 0, result.output
    assert engine.images.keys() >= {image.reference for image in LOCAL.values()} | MADE_HERE.keys()
    assert result.stdout == "".join(f"{image.reference}\n" for image in LOCAL.values()) + OURS_BUILT
    assert engine.pulled == []


def test_status_tells_what_is_there(engine: Engine) -> None:
    """Each component is listed with what would run, or as missing with the variable that names another image."""
    engine.hold("prom/prometheus:v3.15.0")
    result = call("status")

    assert result.exit_code == 0, result.output
    assert "sha256:" in result.stdout
    assert "TOCSIN_IMAGE_TEMPO" in result.stdout.replace("\n", "").replace(" ", "").replace("│", "")


def test_no_engine_exits_with_3(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an engine the reason is told in words."""

    def refuse() -> None:
        raise EngineMissing("no container engine can be used at unix:///var/run/docker.sock: no engine runs there")

    monkeypatch.setattr(command, "connect", refuse)
    result = call("build")

    assert result.exit_code == 3
    assert "error: no container engine can be used at unix:///var/run/docker.sock" in result.stderr
    assert "Traceback" not in result.stderr


def test_lock_is_in_step() -> None:
    """A check of the committed files changes nothing and finds nothing."""
    assert call("lock", "--check").exit_code == 0


def test_lock_tells_what_is_not_in_step(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file that differs is named, and the command that writes it; --check writes nothing."""
    (tmp_path / "requirements.txt").write_text("older\n")
    monkeypatch.setattr(own, "place_of", lambda _image: tmp_path)
    result = call("lock", "--check")

    assert result.exit_code == 1
    assert f"{tmp_path}/requirements.txt is not in step with requirements.lock" in result.stderr
    assert (tmp_path / "requirements.txt").read_text() == "older\n"
