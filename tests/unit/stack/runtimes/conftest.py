"""What the tests of runtimes share: a state folder of their own, and an engine that only pretends."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from testcontainers.core.config import testcontainers_config

from tests.unit.stack.runtimes.docker_api import DockerApi, docker_api


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DockerApi]:
    """An engine that DOCKER_HOST names, without Ryuk."""
    monkeypatch.setenv("TOCSIN_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(testcontainers_config, "ryuk_disabled", True)
    monkeypatch.setattr(testcontainers_config, "tc_host_override", None)
    monkeypatch.setattr(testcontainers_config, "tc_properties", {})
    with docker_api() as made:
        monkeypatch.setenv("DOCKER_HOST", made.place)
        yield made
