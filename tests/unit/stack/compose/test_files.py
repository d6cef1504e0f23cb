"""The files beside it: in step, without a secret, and the same configuration that is drilled."""

import re
from pathlib import Path

import pytest
import yaml

from stack.compose.__main__ import main
from stack.compose.document import document
from stack.compose.files import COMMITTED, files, stale, write
from stack.compose.hooks import ALERTMANAGER, GRAFANA, TOKEN, variable, without_secrets
from stack.config import ConfigError
from stack.slo.generate import rules_dir


def test_committed_files_are_in_step(capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m stack.compose generate` would change nothing."""
    assert main(["generate", "--check"]) == 0, capsys.readouterr().err


def test_what_is_not_in_step_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that was changed by hand, one that is missing and one that is left over are each told, and nothing is written."""
    assert main(["generate", "--out", str(tmp_path)]) == 0
    (tmp_path / "compose.yaml").write_text("name: mine\n")
    (tmp_path / "config" / "tempo.yaml").unlink()
    (tmp_path / "config" / "older.yaml").touch()

    assert main(["generate", "--check", "--out", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    for name in ("compose.yaml", "config/tempo.yaml", "config/older.yaml"):
        assert f"{tmp_path / name}: out of step; run `python -m stack.compose generate`" in told

    assert main(["generate", "--out", str(tmp_path)]) == 0
    assert not (tmp_path / "config" / "older.yaml").exists()


def test_settings_of_people_are_left_alone(tmp_path: Path) -> None:
    """Writing anew keeps a filled in .env."""
    (tmp_path / ".env").write_text("GF_SECURITY_ADMIN_PASSWORD=secret\n")
    write(files("production"), tmp_path)

    assert (tmp_path / ".env").read_text() == "GF_SECURITY_ADMIN_PASSWORD=secret\n"
    assert stale(files("production"), tmp_path) == []


@pytest.mark.parametrize("profile", ["production", "drill"])
def test_all_that_is_mounted_is_there(profile: str) -> None:
    """Compose would refuse a missing file, and mount a folder without what is expected in it."""
    made = files(profile)
    sources = [
        mount["source"].removeprefix("./")
        for one in document(profile)["services"].values()
        for mount in one.get("volumes", ())
        if isinstance(mount, dict)
    ]

    assert len(sources) > 6
    for source in sources:
        assert any(name == source or name.startswith(f"{source}/") for name in made), source


@pytest.mark.parametrize("profile", ["production", "drill"])
def test_no_secret_and_no_place_for_one_is_left(profile: str) -> None:
    """Addresses that are told of alerts are read from secrets, and passwords from the environment."""
    made = files(profile)

    assert not [name for name, content in made.items() if TOKEN in content]
    receivers = yaml.safe_load(made["config/alertmanager.yaml"])["receivers"]
    assert {hook["url_file"] for one in receivers for hook in one["webhook_configs"]} == {
        f"/run/secrets/{receiver}_webhook" for receiver in ALERTMANAGER
    }
    points = yaml.safe_load(made["config/grafana/provisioning/alerting/notify.yaml"])["contactPoints"]
    urls = {one["settings"]["url"] for point in points for one in point["receivers"]}
    assert urls == {f"${{{variable(receiver)}}}" for receiver in GRAFANA}
    assert "admin_password = $__env{GF_SECURITY_ADMIN_PASSWORD}" in made["config/grafana/grafana.ini"]


@pytest.mark.parametrize("profile", ["production", "drill"])
def test_everything_that_is_asked_for_is_explained(profile: str) -> None:
    """Each variable without which Compose refuses to start is in .env.example, empty or leading to the drill's own sink."""
    made = files(profile)
    asked = set(re.findall(r"\$\{(\w+):\?", made["compose.yaml"]))
    listed = dict(re.findall(r"^(\w+)=(.*)$", made[".env.example"], re.MULTILINE))

    assert asked == set(listed)
    values = {value for name, value in listed.items() if name.endswith("_WEBHOOK")}
    assert all(
        value.startswith("http://sink:9099/hook/${TOCSIN_SINK_TOKEN}/") == (profile == "drill") for value in values
    )
    assert not any(
        value for name, value in listed.items() if name not in {variable(one) for one in (*ALERTMANAGER, *GRAFANA)}
    )


def test_rules_are_the_drilled_ones() -> None:
    """The very rule files of the profile."""
    for path in rules_dir("production").glob("*.rules.yaml"):
        assert files("production")[f"config/rules/{path.name}"] == path.read_text(encoding="utf-8")


def test_secret_in_another_place_is_an_error() -> None:
    """A template that gains a secret must not have it committed in silence: the file and the line are named."""
    with pytest.raises(ConfigError, match=r"prometheus\.yaml:2: a secret that a Compose file has no place for"):
        without_secrets("prometheus.yaml", f"a: 1\nbearer_token: {TOKEN}\n")


def test_settings_are_ignored_by_git() -> None:
    """A .env holds secrets."""
    assert "/deploy/compose/.env" in (COMMITTED.parents[1] / ".gitignore").read_text().splitlines()
