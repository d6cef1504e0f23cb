"""What the tests of the command line share: running a command as the shell would."""

import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tocsin import cli


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
    # Whether this machine has a container engine is no matter here.
    monkeypatch.setenv("TOCSIN_RUNTIME", "processes")
    handler = signal.getsignal(signal.SIGTERM)

    def run(*arguments: str) -> Result:
        monkeypatch.setattr("sys.argv", ["tocsin", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return Result(code=int(ended.value.code or 0), out=out, err=err)

    yield run
    signal.signal(signal.SIGTERM, handler)
