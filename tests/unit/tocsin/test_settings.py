"""Settings: what `tocsin.toml` says counts, unless the environment says otherwise; mistakes are told with their line."""

import os
from pathlib import Path

import pytest

from tests.unit.tocsin.conftest import Tocsin
from tocsin.settings import SettingsError, apply, variables

GOOD = """\
runtime = "containers"

[images]
prometheus = "prom/prometheus:v3.16.0"
tempo = "grafana/tempo@sha256:0123"
"""


def settings(folder: Path, text: str) -> Path:
    """A file with this text."""
    path = folder / "tocsin.toml"
    path.write_text(text)
    return path


def test_a_file_says_the_same_as_the_environment_could(tmp_path: Path) -> None:
    """The runtime, and images by tag or digest."""
    assert variables(settings(tmp_path, GOOD)) == {
        "TOCSIN_RUNTIME": "containers",
        "TOCSIN_IMAGE_PROMETHEUS": "prom/prometheus:v3.16.0",
        "TOCSIN_IMAGE_TEMPO": "grafana/tempo@sha256:0123",
    }
    assert variables(settings(tmp_path, "")) == {}


def test_the_environment_counts_for_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is nearer to the command; without a file nothing happens."""
    monkeypatch.setattr(os, "environ", {"TOCSIN_RUNTIME": "processes"})
    apply(tmp_path)
    assert os.environ == {"TOCSIN_RUNTIME": "processes"}

    settings(tmp_path, GOOD)
    apply(tmp_path)
    assert os.environ["TOCSIN_RUNTIME"] == "processes"
    assert os.environ["TOCSIN_IMAGE_TEMPO"] == "grafana/tempo@sha256:0123"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("runtime = ?", r"tocsin\.toml: Invalid value \(at line 1, column 11\)"),
        (
            "\nruntme = 'auto'",
            r"tocsin\.toml:2: `runtme` is not known; known: runtime, images; did you mean `runtime`\?",
        ),
        ("runtime = 'lorries'", r"tocsin\.toml:1: `runtime` is 'lorries'; allowed: auto, processes, containers"),
        ("runtime = 3", r"tocsin\.toml:1: `runtime` is 3; it must be text in quotes"),
        ("images = 'x'", r"tocsin\.toml:1: `images` must be a table: `\[images\]`, then a line such as"),
        (
            "[images]\nsink = 'x'\npromtheus = 'y'",
            r"tocsin\.toml:3: `promtheus` is not known; known: .*; did you mean `prometheus`\?",
        ),
        ("[images]\ntempo = ''", r"tocsin\.toml:2: `tempo` is ''; it must be text in quotes"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    """What is allowed, and what may have been meant."""
    with pytest.raises(SettingsError, match=said):
        variables(settings(tmp_path, text))


def test_every_command_reads_them_first(tocsin_: Tocsin, tmp_path: Path) -> None:
    """A file that is wrong is a mistake of usage."""
    settings(tmp_path, "runtime = 'lorries'")
    result = tocsin_("status")

    assert result.code == 2
    assert "tocsin.toml:1: `runtime` is 'lorries'; allowed: auto, processes, containers" in result.error
