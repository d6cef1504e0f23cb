"""The loader: which files are meant, and how a file becomes a scenario."""

from pathlib import Path

import pytest

from scenarios.errors import ScenarioError
from scenarios.loader import CATALOG, catalog, find, load, load_text
from scenarios.model import Alert, Delivered, ErrorsFault, Silent, TelemetrySilentFault
from scenarios.yamlfile import LARGEST_BYTES

DRILL = """\
name: some-drill
why: It shows that everything is read as it is written.
load: {users: 3, rate: 2.5, for: 1m30s, cool_down: 30s, routes: {/api/products: 2}}
faults:
  - {kind: errors, ratio: 12.5%, at: 250ms, for: 10s}
  - {kind: telemetry_silent, signals: [traces], at: 20s, for: 10s}
expect:
  - alert: {name: "on", labels: {severity: "1"}, within: 10s, notified: false, fault: 2}
  - silent: {except: on}
  - delivered:
"""


def test_a_drill_is_read_as_it_is_written() -> None:
    """Durations become seconds, ratios shares, and what is left out takes its default."""
    drill = load_text(DRILL)

    assert (
        drill.load.users,
        drill.load.rate,
        drill.load.warm_up,
        drill.load.for_s,
        drill.load.cool_down,
    ) == (3, 2.5, 10.0, 90.0, 30.0)
    assert drill.load.total_s == 130.0
    errors, silence = drill.faults
    assert isinstance(errors, ErrorsFault)
    assert (errors.ratio, errors.at, errors.end_s, errors.target, errors.route) == (0.125, 0.25, 10.25, "catalog", None)
    assert isinstance(silence, TelemetrySilentFault)
    assert silence.signals == ("traces",)
    alert, silent, delivered = drill.expect
    assert isinstance(alert, Alert)
    assert (alert.name, alert.labels, alert.notified, alert.fault) == ("on", {"severity": "1"}, False, 2)
    assert isinstance(silent, Silent)
    assert silent.except_ == ("on",)
    assert Delivered() == delivered


@pytest.mark.parametrize("path", catalog(), ids=lambda path: path.name)
def test_each_drill_of_the_catalogue_can_be_loaded_by_its_name(path: Path) -> None:
    """A drill is called what its file is called, so people can say either."""
    assert f"{load(path).name}.drill.yaml" == path.name


def test_a_name_is_looked_up_in_the_catalogue() -> None:
    """Nobody needs to know where the catalogue is."""
    assert find(["error-burst"]) == [CATALOG / "error-burst.drill.yaml"]
    assert find(["error-burst.drill.yaml"]) == [CATALOG / "error-burst.drill.yaml"]


def test_a_file_is_itself_and_a_folder_means_its_drills(tmp_path: Path) -> None:
    """Files come in the order in which they were asked for, a folder's by name, and each only once."""
    for name in ("b.drill.yaml", "a.drill.yaml", "notes.yaml"):
        (tmp_path / name).write_text(DRILL)

    found = find([tmp_path / "b.drill.yaml", tmp_path, "baseline"])

    assert [path.name for path in found] == ["b.drill.yaml", "a.drill.yaml", "baseline.drill.yaml"]


def test_an_unknown_name_gets_a_suggestion() -> None:
    """A slip in a name is answered by the names there are."""
    with pytest.raises(ScenarioError, match=r"^eror-burst: neither a file nor .*did you mean `error-burst`\?$"):
        find(["eror-burst"])


def test_a_missing_file_is_not_looked_up_by_its_last_part(tmp_path: Path) -> None:
    """Somebody who names a folder means that folder, even where the catalogue has a file of the name."""
    with pytest.raises(ScenarioError, match="no such file"):
        find([tmp_path / "baseline.drill.yaml"])


def test_a_folder_without_drills_says_how_they_are_called(tmp_path: Path) -> None:
    """An empty folder is a mistake, not a success without tests."""
    with pytest.raises(ScenarioError, match=r"no drills in this folder; a drill's file name ends in \.drill\.yaml"):
        find([tmp_path])


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    """The system's own reason is part of the message."""
    with pytest.raises(ScenarioError, match="cannot be read: Is a directory"):
        load(tmp_path)
    with pytest.raises(ScenarioError, match="cannot be read: No such file"):
        load(tmp_path / "gone.drill.yaml")


def test_a_huge_file_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    """A log that was named by mistake does not take minutes."""
    path = tmp_path / "huge.drill.yaml"
    path.write_bytes(b"# " + b"x" * LARGEST_BYTES)

    with pytest.raises(ScenarioError, match="is it the right file"):
        load(path)


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    """Editors on other systems write one."""
    path = tmp_path / "bom.drill.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + DRILL.encode())

    assert load(path).name == "some-drill"


def test_an_error_names_its_source_as_it_was_given() -> None:
    """A text without a file says so."""
    with pytest.raises(ScenarioError, match=r"^<text>:1: "):
        load_text("")
    with pytest.raises(ScenarioError, match=r"^request 7:1: "):
        load_text("", source="request 7")
