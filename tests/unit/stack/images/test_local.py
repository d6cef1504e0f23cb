"""Local images: laid out like the official ones, made once, and tried before they are trusted."""

from pathlib import Path

import pytest

from stack import engines
from stack.engines.progress import Reporter, silent
from stack.images import local
from stack.images.errors import ImageError
from stack.images.table import COLLECTOR, KEY, LOCAL, PROMETHEUS, STANDS_FOR, TOXIPROXY, Local
from tests.unit.stack.images.engine import Engine

ENGINES = (*LOCAL.values(), TOXIPROXY)


@pytest.fixture
def binaries(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Engines that have been built: files with their names."""
    for image in ENGINES:
        for binary in image.binaries.values():
            (tmp_path / binary).write_text(binary)
    monkeypatch.setattr(engines, "ensure", lambda names, **_: {name: tmp_path / name for name in names})
    return tmp_path


def build(engine: Engine, image: Local = PROMETHEUS) -> str:
    """Build one, and show nothing."""
    return local.build(engine.client, image, Reporter(image.name, silent))


@pytest.mark.usefixtures("binaries")
def test_runs_as_the_official_one_does() -> None:
    """Entry point, command, user, volume and port are those that a stack relies on; a label tells what it stands for."""
    engine = Engine()
    build(engine)
    made = engine.imported[0]

    assert made["reference"] == "tocsin-local/prometheus:3.16.0"
    assert set(made["changes"]) >= {
        'ENTRYPOINT ["/bin/prometheus"]',
        "USER 65534:65534",
        "VOLUME /prometheus",
        "EXPOSE 9090",
        f"LABEL {STANDS_FOR}=prom/prometheus",
    }
    assert made["members"]["prometheus"].uid == 65534
    assert made["members"]["bin/promtool"].mode == 0o755
    assert made["members"]["tmp"].mode == 0o1777


@pytest.mark.usefixtures("binaries")
def test_no_image_has_a_shell_or_runs_as_root() -> None:
    """There is nothing in it but engines, an account, and folders to write to."""
    engine = Engine()
    for image in ENGINES:
        build(engine, image)
    for made, image in zip(engine.imported, ENGINES, strict=True):
        files = {name for name, member in made["members"].items() if member.isfile()}
        assert files == {*image.binaries, "etc/passwd"}
        assert image.user > 0


@pytest.mark.usefixtures("binaries")
def test_what_stands_for_nothing_says_so() -> None:
    """Toxiproxy's image is one of ours by name, and has no label of another's."""
    engine = Engine()
    build(engine, TOXIPROXY)

    assert set(engine.images) == {"tocsin/toxiproxy:2.12.0"}
    assert STANDS_FOR not in engine.images["tocsin/toxiproxy:2.12.0"]


@pytest.mark.usefixtures("binaries")
def test_made_once() -> None:
    """An image of the same binaries is not made again."""
    engine = Engine()

    assert build(engine) == build(engine)
    assert len(engine.imported) == 1


def test_made_again_of_another_binary(binaries: Path) -> None:
    """A rebuilt engine gives another image."""
    engine = Engine()
    build(engine)
    (binaries / "promtool").write_text("another")
    build(engine)

    assert len(engine.imported) == 2
    assert engine.imported[0]["changes"][-1] != engine.imported[1]["changes"][-1]
    assert engine.imported[0]["changes"][-1].startswith(f"LABEL {KEY}=")


@pytest.mark.usefixtures("binaries")
def test_tried_before_it_is_trusted() -> None:
    """An engine on another kind of machine takes the image; that it cannot run it is found at once."""
    engine = Engine(runs_fail='exec: "/otelcol-contrib": exec format error')

    with pytest.raises(ImageError, match=r"tocsin-local/collector:0\.155\.0 does not run: .*exec format error"):
        build(engine, COLLECTOR)
    assert engine.ran == [("tocsin-local/collector:0.155.0", "--version")]


@pytest.mark.usefixtures("binaries")
def test_full_disk_is_told() -> None:
    """What the engine says of a failed import is passed on, with what to try."""
    engine = Engine(imports_fail="write /usr: no space left on device")

    with pytest.raises(
        ImageError, match="cannot be imported: write /usr: no space left on device\n  try: the engine's disk is full"
    ):
        build(engine)
