"""Fixtures of the engines' tests."""

from pathlib import Path

import pytest

from tests.unit.stack.engines.workshop import Workshop


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """A PATH without any engine or Go, and an empty cache."""
    workshop = Workshop(folder=tmp_path)
    workshop.path.mkdir()
    monkeypatch.setenv("PATH", str(workshop.path))
    monkeypatch.setenv("TOCSIN_CACHE", str(workshop.cache))
    return workshop
