"""The engines by hand: paths to standard output, progress and errors to standard error."""

import pytest
from typer.testing import CliRunner, Result

from stack.engines import ENGINES, cache
from stack.engines.__main__ import app
from tests.unit.stack.engines.workshop import Workshop


def call(*arguments: str) -> Result:
    """Call the command."""
    return CliRunner().invoke(app, list(arguments))


def test_build_prints_the_paths(workshop: Workshop) -> None:
    """A build ends with a line for each binary, and tells its progress elsewhere."""
    workshop.install_go()
    result = call("build", "toxiproxy")

    assert result.exit_code == 0
    assert f"toxiproxy\t{cache.home(ENGINES['toxiproxy'])}/bin/toxiproxy\n" == result.stdout
    assert "toxiproxy: compiling" in result.stderr


def test_failed_build_exits_with_3(workshop: Workshop) -> None:
    """A failure is told in words, without a traceback."""
    workshop.install_go()
    workshop.let_builds_fail("dial tcp: no such host")
    result = call("build", "toxiproxy")

    assert result.exit_code == 3
    assert "error: toxiproxy 2.12.0: compiling failed with exit status 1" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("command", ["build", "path"])
def test_unknown_name_exits_with_2(workshop: Workshop, command: str) -> None:
    """A name that is none is a mistake of the one who calls."""
    result = call(command, "prometeus")

    assert result.exit_code == 2
    assert "no engine makes 'prometeus'" in result.stderr


def test_path_of_what_is_not_there_exits_with_3(workshop: Workshop) -> None:
    """A missing binary is an error that says how to get it."""
    result = call("path", "promtool")

    assert result.exit_code == 3
    assert "promtool is neither on PATH nor in the cache; `python -m stack.engines build promtool`" in result.stderr


def test_path_is_printed_alone(workshop: Workshop) -> None:
    """The path is fit for a shell's `$(...)`."""
    there = workshop.install_engine("amtool", "amtool, version 0.31.1")

    assert f"{there}\n" == call("path", "amtool").stdout


def test_list_shows_what_is_there_and_what_is_missing(workshop: Workshop) -> None:
    """All binaries are listed, with the reason why one on PATH is not used, and with the Go that would build."""
    workshop.install_engine("amtool", "amtool, version 0.31.1")
    workshop.install_engine("prometheus", "prometheus, version 2.42.0")
    listed = call("list").stdout

    assert "amtool" in listed
    assert "missing" in listed
    assert "prometheus is 2.42.0; wanted: 3.5.0 or newer, below 4.0.0" in listed
    assert "no Go 1.26.7 or newer on PATH; a build would install one" in listed
    assert f"cache: {workshop.cache}" in listed

    workshop.install_go()
    assert f"Go 1.26.8 at {workshop.path / 'go'}" in call("list").stdout
