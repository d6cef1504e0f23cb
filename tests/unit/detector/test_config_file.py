"""The configuration file: what a good one gives, and one clear line for each way in which it can be bad."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from detector.cli import app, main
from detector.config_file import ConfigError, load
from detector.telemetry import Telemetry

GOOD = """\
prometheus:
  url: http://127.0.0.1:9090
  timeout: 5s
interval: 15s
lookback: 6h
listen: 127.0.0.1:0
series:
  - name: latency-p95
    query: p95
    kind: latency
    season: 1h
    min_effect: 25%
    labels: {team: shop}
  - name: errors
    query: errors
    requests_query: requests
    kind: errors
    objective: 1%
sinks:
  alertmanager:
    - {url: "http://127.0.0.1:9093", resend: 30s}
  webhook:
    - url: http://127.0.0.1:8000/hook
"""

# name: (what is replaced, by what, the line of the error, what the message has to say)
BAD: dict[str, tuple[str, str, int, str]] = {
    "a misspelt key": ("interval:", "intervall:", 4, r"unknown key 'intervall'; known: .*did you mean 'interval'\?"),
    "a misspelt key of a series": ("    season: 1h", "    saeson: 1h", 11, "series[0].saeson: unknown key.*'season'"),
    "a misspelt key of a sink": ("resend: 30s", "resnd: 30s", 21, "did you mean 'resend'"),
    "a key of nobody": ("lookback: 6h", "colour: red", 5, "unknown key 'colour'; known:.*remove it"),
    "a misspelt kind": ("kind: latency", "kind: latancy", 10, "must be one of latency, traffic, errors or? ?gauge|did you mean 'latency'"),
    "a direction that is none": ("season: 1h", "direction: sideways", 11, "must be one of up, down.*found 'sideways'"),
    "no query": ("    query: p95\n", "", 8, r"series\[0\] needs the key 'query'; add it"),
    "a blank query": ("query: p95", "query: '  '", 9, "must be a PromQL expression"),
    "an empty query": ("query: p95", "query: ''", 9, r"series\[0\].query: .*at least 1 character"),
    "no prometheus": ("prometheus:\n  url: http://127.0.0.1:9090\n  timeout: 5s\n", "", 1, "needs the key 'prometheus'"),
    "no url": ("  url: http://127.0.0.1:9090\n", "", 1, "prometheus needs the key 'url'"),
    "an address without a scheme": ("url: http://127.0.0.1:9090", "url: 127.0.0.1:9090", 2, "must be an http:// or https://"),
    "a password in an address": ("http://127.0.0.1:9090", "http://me:hush@127.0.0.1:9090", 2, "must not contain a user or a password"),
    "a duration without a unit": ("interval: 15s", "interval: 15", 4, "interval: must be a duration with its unit.*found 15"),
    "a duration in words": ("interval: 15s", "interval: soon", 4, "must be a duration.*found 'soon'"),
    "an interval of nothing": ("interval: 15s", "interval: 0s", 4, "between 100ms and 1h"),
    "a timeout beyond the interval": ("timeout: 5s", "timeout: 20s", 1, "prometheus.timeout must not be longer than interval"),
    "a timeout of nothing": ("timeout: 5s", "timeout: 0s", 1, "timeout must be longer than 0s"),
    "a lookback shorter than a step": ("lookback: 6h", "lookback: 5s", 1, "lookback must not be shorter than interval"),
    "a season of a few steps": ("season: 1h", "season: 60s", 1, "season must be at least 8 intervals long"),
    "a season in words": ("season: 1h", "season: monthly", 11, "must be auto, none or a duration"),
    "a share in words": ("min_effect: 25%", "min_effect: quarter", 12, "number or a percentage.*found 'quarter'"),
    "a negative share": ("min_effect: 25%", "min_effect: -0.2", 8, "min_effect must not be negative"),
    "a sensitivity of nothing": ("season: 1h", "sensitivity: 0", 11, "sensitivity: must be greater than or equal to 0.1, found 0"),
    "a confirmation of too many": ("season: 1h", "confirm: 9", 11, "confirm: must be less than or equal to 4"),
    "a number in words": ("season: 1h", "confirm: two", 11, "confirm: must be a valid integer, found 'two'"),
    "a name with blanks": ("name: latency-p95", "name: My Latency", 8, "lower-case letters.*found 'My Latency'"),
    "a name used twice": ("name: errors", "name: latency-p95", 1, "the name 'latency-p95' is used twice"),
    "requests for a latency": ("season: 1h", "requests_query: r", 8, "requests_query belongs to kind errors"),
    "a window of a latency": ("season: 1h", "rate_window: 5m", 8, "rate_window belongs to the kinds traffic and errors"),
    "a label that is none": ("{team: shop}", "{'te am': shop}", 13, "label name 'te am' must match"),
    "a reserved label": ("{team: shop}", "{alertname: shop}", 13, "label 'alertname' is set by the detector"),
    "a label that is no text": ("{team: shop}", "{team: [a]}", 13, r"labels.team: must be a valid string"),
    "labels as a number": ("{team: shop}", "5", 13, "labels: must be a valid dictionary"),
    "a port that is none": ("listen: 127.0.0.1:0", "listen: 127.0.0.1:70000", 6, "must be HOST:PORT"),
    "a resend of hours": ("resend: 30s", "resend: 1h", 21, "must be between 1s and 10m"),
    "two ways to authenticate": (
        "  timeout: 5s", "  bearer_token_file: /t\n  basic_auth: {username: a, password_file: /p}", 1, "exclude each other"),
    "a password in the file": ("  timeout: 5s", "  basic_auth: {username: a, password: hush}", 3, "unknown key 'password'|needs the key"),
    "a file that is not there": ("  timeout: 5s", "  bearer_token_file: /nowhere/token", 3, "there is no file /nowhere/token; create it"),
    "half a certificate": ("  timeout: 5s", "  tls: {cert_file: /c}", 3, "cert_file and key_file go together"),
    "a certificate that is not there": ("- url: http://127.0.0.1:8000/hook", "- url: http://a\n      tls: {ca_file: /c}", 24, "no file /c"),
    "a key twice": ("lookback: 6h", "interval: 5s", 5, "interval is written twice"),
    "YAML that is none": ("interval: 15s", "interval: [15s", 5, "is not YAML"),
    "tabs": ("interval: 15s", "\tinterval: 15s", 4, "is not YAML"),
    "a list in place of a mapping": (GOOD, "- a\n- b\n", 1, "must be a mapping with the keys prometheus, series"),
    "an empty file": (GOOD, "", 1, "is empty; it needs at least prometheus and series"),
    "a text in place of all": (GOOD, "hello\n", 1, "must be a mapping"),
    "no series": (GOOD[GOOD.index("series:"):], "series: []\n", 7, "series: .*at least 1 item"),
    "too many series allowed": ("lookback: 6h", "max_series: 0", 5, "max_series: must be greater than or equal to 1"),
}  # fmt: skip


def write(folder: Path, text: str) -> Path:
    """A configuration file."""
    path = folder / "detector.yaml"
    path.write_text(text)
    return path


def test_a_good_file_gives_a_configuration(tmp_path: Path) -> None:
    """Units become seconds and shares, defaults are safe."""
    config = load(write(tmp_path, GOOD))
    assert (config.interval, config.lookback, config.lag_s) == (15.0, 21_600.0, 15.0)
    assert config.series[0].season == 3600.0
    assert config.series[0].min_effect == 0.25
    assert config.series[0].settings(15.0).seasons_s == (3600.0,)
    assert config.series[1].settings(15.0).seasons_s == (3600.0, 86_400.0, 604_800.0)
    assert config.series[1].objective == 0.01
    assert config.sinks.alertmanager[0].resend == 30.0
    assert load(write(tmp_path, GOOD.replace("listen: 127.0.0.1:0\n", ""))).listen[0] == "127.0.0.1"


@pytest.mark.parametrize("name", BAD)
def test_each_mistake_is_one_clear_line_with_exit_code_2(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """File, line, what is wrong and what is allowed; nothing is started."""
    old, new, line, says = BAD[name]
    assert old in GOOD
    path = write(tmp_path, GOOD.replace(old, new, 1))
    monkeypatch.setattr("sys.argv", ["detector", "check-config", "-c", str(path)])
    with pytest.raises(SystemExit) as caught:
        main()
    said = capsys.readouterr().err.strip()
    assert caught.value.code == 2
    assert said.startswith(f"{path}:{line}: "), said
    assert re.search(says.replace("[0].saeson", r"\[0\].saeson"), said), said
    assert "hush" not in said.replace("'hush'", "") or "password" in name
    if name not in ("a password in the file",):
        assert len(said.splitlines()) == 1, said


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """Two mistakes, two lines, in the order of the file's model."""
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, GOOD.replace("kind: latency", "kind: x").replace("interval: 15s", "interval: y")))
    assert len(str(caught.value).splitlines()) == 2


def test_a_file_that_cannot_be_read_is_said_to_be_so(tmp_path: Path) -> None:
    """Not there, not text, or far too large."""
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load(tmp_path / "none.yaml")
    path = tmp_path / "bytes.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        load(path)
    path.write_bytes(b"#" * 1_000_001)
    with pytest.raises(ConfigError, match="has 1000001 bytes"):
        load(path)


def test_check_config_says_that_a_good_file_is_fine(tmp_path: Path) -> None:
    """Exit code 0 and what was found."""
    result = CliRunner().invoke(app, ["check-config", "-c", str(write(tmp_path, GOOD))])
    assert result.exit_code == 0
    assert "fine, 2 series queries, interval 15s" in result.output


def test_the_configuration_in_the_documentation_is_a_good_one(tmp_path: Path) -> None:
    """People copy it."""
    page = (Path(__file__).parents[3] / "docs" / "detector.md").read_text()
    shown = page.split("```yaml\n")[1].split("```")[0]
    config = load(write(tmp_path, shown))
    assert [watch.name for watch in config.series] == ["traffic", "errors", "latency-p95"]


def test_every_metric_that_exists_is_in_the_documentation() -> None:
    """And every one in the documentation exists."""
    page = (Path(__file__).parents[3] / "docs" / "detector.md").read_text()
    written = set(re.findall(r"\banomaly_[a-z_]+", page))
    families = {family.name for family in Telemetry().registry.collect()} - {"anomaly_build"}
    exist = {name for name in families if name.startswith("anomaly_")}
    assert {name.removesuffix("_total") for name in written} == exist
