"""Our own images: what the engine is handed, and how a failed build is told."""

import re
from pathlib import Path

import pytest

from stack.components import COMPONENTS
from stack.engines.progress import Reporter, silent
from stack.images import own
from stack.images.errors import ImageError
from stack.images.table import BASE, DEMO_APP, DETECTOR, OURS, ROOT, STANDINS, TOXIPROXY, VERSION, Ours
from tests.unit.stack.images.engine import Engine

ON = "python:3.13-slim"


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Engine:
    """An engine with a base, and an index that serves one wheel."""
    monkeypatch.setenv("TOCSIN_CACHE", str(tmp_path))
    (tmp_path / "one-1.0-py3-none-any.whl").write_bytes(b"wheel")
    monkeypatch.setattr(own, "fetch", lambda *_: tmp_path)
    made = Engine()
    made.hold(ON)
    return made


def build(engine: Engine, image: Ours = DEMO_APP, on: str = ON) -> str:
    """Build one, and show nothing."""
    return own.build(engine.client, image, on, Reporter(image.name, silent))


def test_context_holds_sources_pins_and_wheels_alone(engine: Engine) -> None:
    """No caches, no history, no runs, and nothing of another package; the build asks no index."""
    build(engine)
    context = engine.contexts[0]

    assert context["wheels/one-1.0-py3-none-any.whl"] == b"wheel"
    assert "demo_app/__main__.py" in context
    assert {name.partition("/")[0] for name in context} == {"demo_app", "deploy", "wheels"}
    assert not [name for name in context if name.endswith(".pyc")]
    assert engine.built[0]["buildargs"] == {"BASE": ON, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels"}


def test_another_base_gives_another_image(engine: Engine) -> None:
    """Whoever names a base gets the image on it; for a drill any base is as good."""
    build(engine)
    build(engine)
    assert len(engine.built) == 1

    engine.hold("python:3.12-slim")
    build(engine, on="python:3.12-slim")
    assert engine.images[DEMO_APP.reference][BASE] == "python:3.12-slim"
    assert own.current(engine.client, DEMO_APP)


def test_failed_build_shows_its_end(engine: Engine) -> None:
    """The last lines that the build printed, and the engine's reason, are in the error."""
    engine.failure = "The command returned a non-zero code: 1"

    with pytest.raises(
        ImageError, match="cannot be built: Step 1/2 : FROM base\nERROR: it went wrong here\nThe command"
    ):
        build(engine)


def test_missing_base_is_named(engine: Engine) -> None:
    """A base that the engine lacks is told by name."""
    with pytest.raises(ImageError, match=r"the engine has no image python:3\.9"):
        build(engine, on="python:3.9")


def test_without_dockerfiles(engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An installation that has none says what else can be done."""
    monkeypatch.setattr(own, "PLACES", (tmp_path,))

    with pytest.raises(ImageError, match=r"no Dockerfile in .*demo-app: use a checkout of the project"):
        build(engine)


@pytest.mark.parametrize("image", OURS.values(), ids=lambda image: image.name)
def test_dockerfile(image: Ours) -> None:
    """Each has a base that can be named, a user who is not root, no shell to start, and the version of the table."""
    text = (own.place_of(image) / "Dockerfile").read_text(encoding="utf-8")
    final = text.rpartition("\nFROM ")[2]

    assert f"ARG BASE={ON}\n" in text
    assert text.count("FROM ${BASE}") == 2
    assert "USER 10001:10001" in final
    assert "\nRUN" not in final
    assert f'org.opencontainers.image.version="{VERSION}"' in final
    assert [line for line in final.splitlines() if line.startswith("ENTRYPOINT")] == ['ENTRYPOINT ["python3", "-m"]']


@pytest.mark.parametrize("image", OURS.values(), ids=lambda image: image.name)
def test_dockerfile_copies_what_the_table_says(image: Ours) -> None:
    """All that a Dockerfile copies from the context is in it, and each source of the table is copied."""
    text = (own.place_of(image) / "Dockerfile").read_text(encoding="utf-8")
    copied = [word for line in re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.MULTILINE) for word in line.split()]

    assert set(copied) == {f"deploy/images/{image.name}/requirements.txt", "wheel[s]", *image.sources}


def test_version_is_the_projects() -> None:
    """Image tags, the component table and the project name one version."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")

    assert f'\nversion = "{VERSION}"\n' in project
    assert COMPONENTS["sink"].image == STANDINS.reference
    assert COMPONENTS["toxiproxy"].image == TOXIPROXY.reference
    assert COMPONENTS["detector"].image == DETECTOR.reference
