"""The supply of images: what is pulled, what is built, what stands for what, and how a lack is told."""

from pathlib import Path

import pytest

from stack.components import COMPONENTS
from stack.engines.progress import Progress, Stage
from stack.images import ensure, local, look, own, references, supply
from stack.images.base import LOCAL_BASE
from stack.images.errors import ImageError
from stack.images.image import Origin
from stack.images.table import (
    COLLECTOR,
    DEMO_APP,
    KEY,
    LOCAL,
    MADE_HERE,
    OFFICIAL_BASE,
    STANDINS,
    STOOD_IN,
    TOXIPROXY,
    repository,
)
from tests.unit.stack.images.engine import Engine

PROMETHEUS, TEMPO = "prom/prometheus:v3.15.0", "grafana/tempo:3.1.0"


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Engine:
    """An engine with an official base, and no package index to ask."""
    monkeypatch.setenv("TOCSIN_CACHE", str(tmp_path))
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    (wheels / "one-1.0-py3-none-any.whl").write_bytes(b"wheel")
    monkeypatch.setattr(own, "fetch", lambda *_: wheels)
    made = Engine()
    made.hold(OFFICIAL_BASE)
    return made


def test_what_is_there_is_neither_pulled_nor_built(engine: Engine) -> None:
    """A second start asks no registry for anything."""
    engine.hold(PROMETHEUS)
    engine.hold(DEMO_APP.reference, **{KEY: own.key_of(DEMO_APP)})

    found = ensure(engine.client, {"prometheus": PROMETHEUS, "demo-app": DEMO_APP.reference})

    assert {name: image.origin for name, image in found.items()} == {
        "prometheus": Origin.AS_NAMED,
        "demo-app": Origin.OURS,
    }
    assert engine.pulled == []
    assert engine.built == []


def test_what_is_missing_is_pulled_with_progress(engine: Engine) -> None:
    """An image that only the registry has is pulled; megabytes are told, and the digest is known afterwards."""
    engine.registry.add(PROMETHEUS)
    told: list[Progress] = []

    image = ensure(engine.client, {"prometheus": PROMETHEUS}, report=told.append)["prometheus"]

    assert image.digest.startswith("sha256:")
    assert str(image) == f"{PROMETHEUS} ({image.digest})"
    assert ("prometheus", Stage.DOWNLOAD, 30, 30) in [(one.engine, one.stage, one.done, one.total) for one in told]


def test_ours_is_built_and_never_pulled(engine: Engine) -> None:
    """Nobody but this project makes images of its name, so none is taken from a registry."""
    engine.registry.add(DEMO_APP.reference)

    image = ensure(engine.client, {"demo-app": DEMO_APP.reference})["demo-app"]

    assert image.origin is Origin.OURS
    assert engine.pulled == []
    assert [DEMO_APP.reference] == [built["tag"] for built in engine.built]


def test_engine_of_ours_is_built_and_never_pulled(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Toxiproxy comes from its Go module, in an image of ours; one that is there is not made again."""
    monkeypatch.setattr(local, "build", lambda _client, image, _report: engine.hold(image.reference))
    engine.registry.add(TOXIPROXY.reference)

    assert ensure(engine.client, {"toxiproxy": TOXIPROXY.reference})["toxiproxy"].origin is Origin.OURS
    assert engine.pulled == []
    monkeypatch.setattr(local, "build", None)
    assert ensure(engine.client, {"toxiproxy": TOXIPROXY.reference})


def test_ours_is_built_anew_when_its_sources_changed(engine: Engine) -> None:
    """An image that was made from other files does not serve: a drill would try yesterday's program."""
    engine.hold(DEMO_APP.reference, **{KEY: "older"})

    ensure(engine.client, {"demo-app": DEMO_APP.reference})

    assert [DEMO_APP.reference] == [built["tag"] for built in engine.built]


def test_base_is_pulled_when_there_is_none(engine: Engine) -> None:
    """Our images need a base; without any, the official one is fetched."""
    del engine.images[OFFICIAL_BASE]
    engine.registry.add(OFFICIAL_BASE)

    ensure(engine.client, {"demo-app": DEMO_APP.reference})

    assert engine.pulled == [OFFICIAL_BASE]


def test_local_base_serves_where_there_is_no_other(engine: Engine) -> None:
    """A local base is used without asking a registry."""
    del engine.images[OFFICIAL_BASE]
    engine.hold(LOCAL_BASE)

    ensure(engine.client, {"demo-app": DEMO_APP.reference})

    assert engine.pulled == []
    assert engine.built[0]["buildargs"]["BASE"] == LOCAL_BASE


def test_machine_with_local_images_asks_no_registry(engine: Engine) -> None:
    """Local images were made since there is no registry; a start must not wait for one, and says what stands for what."""
    engine.hold(LOCAL["prom/prometheus"].reference)

    found = ensure(engine.client, {"prometheus": PROMETHEUS, "tempo": TEMPO})

    assert engine.pulled == []
    assert found["prometheus"].origin is Origin.LOCAL
    assert str(found["prometheus"]) == f"tocsin-local/prometheus:3.16.0 (built here, in place of {PROMETHEUS})"
    assert str(found["tempo"]) == f"{STANDINS.reference} (a stand-in for {TEMPO})"


def test_stand_in_only_where_the_real_one_cannot_be_had(engine: Engine) -> None:
    """With a registry the real Tempo is pulled, though its stand-in is there."""
    engine.registry.add(TEMPO)
    engine.hold(STANDINS.reference, **{KEY: own.key_of(STANDINS)})

    assert ensure(engine.client, {"tempo": TEMPO})["tempo"].origin is Origin.AS_NAMED


def test_no_stand_in_for_an_image_that_was_named(engine: Engine) -> None:
    """Whoever names an image of another repository gets that one, or an error."""
    engine.hold(STANDINS.reference, **{KEY: own.key_of(STANDINS)})

    with pytest.raises(ImageError, match=r"mirror\.example/tempo:3 cannot be pulled"):
        ensure(engine.client, {"tempo": "mirror.example/tempo:3"})


def test_every_lack_is_told_at_once(engine: Engine) -> None:
    """All images that cannot be had are named, each with the registry's words and what to try."""
    with pytest.raises(ImageError) as caught:
        ensure(engine.client, {"prometheus": PROMETHEUS, "collector": "otel/opentelemetry-collector-contrib:0.155.0"})

    message = str(caught.value)
    for reference in (PROMETHEUS, "otel/opentelemetry-collector-contrib:0.155.0"):
        assert f"{reference} cannot be pulled: Get https://registry.example/v2/: dial tcp" in message
    assert "python -m stack.images build --local" in message


def test_one_of_ours_that_cannot_be_renewed_is_an_error(engine: Engine) -> None:
    """A stale image is not used in silence."""
    engine.hold(DEMO_APP.reference, **{KEY: "older"})
    engine.failure = "The command '/bin/sh -c python3 -m pip' returned a non-zero code: 1"

    with pytest.raises(ImageError, match=r"tocsin/demo-app:0\.1\.0 cannot be built"):
        ensure(engine.client, {"demo-app": DEMO_APP.reference})


def test_look_fetches_nothing(engine: Engine) -> None:
    """A look tells what is there and what is not."""
    engine.registry.add(PROMETHEUS)

    assert look(engine.client, {"prometheus": PROMETHEUS}) == {"prometheus": None}
    assert engine.pulled == []


def test_variables_name_other_images() -> None:
    """TOCSIN_IMAGE_<COMPONENT> replaces the table's image; others stay."""
    named = references(COMPONENTS.values(), {"TOCSIN_IMAGE_TEMPO": "mirror.example/tempo@sha256:0"})

    assert named["tempo"] == "mirror.example/tempo@sha256:0"
    assert named["collector"] == COMPONENTS["collector"].image
    assert supply.variable("demo-app") == "TOCSIN_IMAGE_DEMO_APP"


def test_every_component_has_a_source() -> None:
    """Each image of the component table is official, with a local substitute or a stand-in, or one of ours."""
    for component in COMPONENTS.values():
        official = repository(component.image)
        assert component.image in MADE_HERE or official in LOCAL or official in STOOD_IN, component.image


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("prom/prometheus:v3.15.0", "prom/prometheus"),
        ("docker.io/prom/prometheus@sha256:12", "prom/prometheus"),
        ("mirror.example:5000/prom/prometheus", "mirror.example:5000/prom/prometheus"),
        ("otel/opentelemetry-collector-contrib:0.155.0@sha256:12", COLLECTOR.stands_for),
    ],
)
def test_repository_of_a_reference(reference: str, expected: str) -> None:
    """Tag, digest and Docker Hub's own name are no part of it; a port is."""
    assert expected == repository(reference)
