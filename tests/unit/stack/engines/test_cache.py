"""The cache: keyed by all that decides a build, and never half."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from stack.engines import ENGINES, Engine, cache
from tests.unit.stack.engines.workshop import Workshop

TOXIPROXY = ENGINES["toxiproxy"]
OTHERS = {
    "version": replace(TOXIPROXY, version="2.12.1"),
    "tags": replace(TOXIPROXY, tags=("other",)),
    "symbol": replace(TOXIPROXY, version_symbol="main.Version"),
    "package": replace(TOXIPROXY, packages={"toxiproxy": "example.com/other"}),
    "pinned files": replace(TOXIPROXY, sources=ENGINES["alertmanager"].sources),
}


def put(engine: Engine, content: str = "#!/bin/sh\n") -> Path:
    """Put an engine of one binary into the cache as a build does."""
    home = cache.home(engine)
    home.parent.mkdir(parents=True, exist_ok=True)
    with cache.replacing(home) as part:
        binary = part / "bin" / "toxiproxy"
        binary.parent.mkdir()
        binary.write_text(content)
        binary.chmod(0o755)
        cache.write_manifest(part, engine, facts={"go": "1.26.8"})
    return home / "bin" / "toxiproxy"


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_key_changes_with_what_is_built(other: Engine) -> None:
    """Another version, setting or pinned file is another engine."""
    assert cache.key(other) != cache.key(TOXIPROXY) == cache.key(replace(TOXIPROXY))


@pytest.mark.parametrize("asked", ["system", "machine"])
def test_key_changes_with_the_machine(asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shared home folder does not mix binaries of different machines."""
    here = cache.key(TOXIPROXY)
    monkeypatch.setattr(f"platform.{asked}", lambda: "another")

    assert cache.key(TOXIPROXY) != here


def test_folder_is_named_or_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """$TOCSIN_CACHE decides, else the user's cache folder; an empty value counts as none."""
    monkeypatch.setenv("TOCSIN_CACHE", str(tmp_path / "named"))
    assert tmp_path / "named" == cache.folder()

    monkeypatch.setenv("TOCSIN_CACHE", "")
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / "xdg" / name)
    assert tmp_path / "xdg" / "tocsin" == cache.folder()


def test_whole_engine_is_found(workshop: Workshop) -> None:
    """What was put there whole is found, with its facts in the manifest."""
    path = put(TOXIPROXY)
    manifest = json.loads((cache.home(TOXIPROXY) / "manifest.json").read_text())

    assert path == cache.find(TOXIPROXY, "toxiproxy")
    assert {"engine": "toxiproxy", "version": "2.12.0", "go": "1.26.8"}.items() <= manifest.items()
    assert path.stat().st_size == manifest["binaries"]["toxiproxy"]["size"]


@pytest.mark.parametrize("content", ["#!/bin/sh", "#!/bin/sh\nx", "#!/bin/xx\n"], ids=["shorter", "longer", "other"])
def test_damaged_engine_is_not_found(workshop: Workshop, content: str) -> None:
    """Cut short, grown or changed without a change of size: not the engine that was built."""
    put(TOXIPROXY).write_text(content)

    assert cache.find(TOXIPROXY, "toxiproxy") is None
    assert cache.is_damaged(TOXIPROXY, "toxiproxy")


@pytest.mark.parametrize("manifest", ["", "{", "[]", "null", '{"binaries": {"toxiproxy": 1}}'])
def test_engine_with_broken_manifest_is_not_found(workshop: Workshop, manifest: str) -> None:
    """Without a manifest to check against nothing is trusted."""
    put(TOXIPROXY)
    (cache.home(TOXIPROXY) / "manifest.json").write_text(manifest)

    assert cache.find(TOXIPROXY, "toxiproxy") is None


def test_engine_that_may_not_run_is_not_found(workshop: Workshop) -> None:
    """A binary that lost its permission, as by a careless copy, is built again."""
    put(TOXIPROXY).chmod(0o644)

    assert cache.find(TOXIPROXY, "toxiproxy") is None


def test_failed_body_leaves_the_old_one(workshop: Workshop) -> None:
    """A build that fails leaves nothing of itself, and the engine that was there before."""
    path = put(TOXIPROXY)

    def fail_half_way() -> None:
        with cache.replacing(cache.home(TOXIPROXY)) as part:
            (part / "bin").mkdir()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_half_way()

    assert {cache.home(TOXIPROXY).name} == workshop.entries()
    assert path == cache.find(TOXIPROXY, "toxiproxy")


def test_leftover_of_a_killed_build_is_removed(workshop: Workshop) -> None:
    """A half-written folder is never found, and goes with the next build."""
    home = cache.home(TOXIPROXY)
    leftover = home.with_name(f"{home.name}.part-killed")
    (leftover / "bin").mkdir(parents=True)
    (leftover / "bin" / "toxiproxy").write_text("half")
    assert cache.find(TOXIPROXY, "toxiproxy") is None

    put(TOXIPROXY, content="#!/bin/sh\nnew\n")
    put(TOXIPROXY, content="#!/bin/sh\nnewer\n")

    assert {home.name} == workshop.entries()
    assert {"bin", "manifest.json"} == {path.name for path in home.iterdir()}
