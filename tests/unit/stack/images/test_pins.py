"""Pins: an image holds what its code imports, at the project's own versions and hashes."""

import ast
import importlib.metadata
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from stack.images.errors import ImageError
from stack.images.pins import LOCK, fitting, needed, read, read_file, text_of
from stack.images.table import OURS, ROOT, Ours
from stack.images.tarball import files_below

TEXT = """alpha==1.0 \\
    --hash=sha256:aa \\
    --hash=sha256:ab
    # via
    #   tocsin (pyproject.toml)
    #   beta
beta==2.0 ; python_full_version < '3.12' \\
    --hash=sha256:ba
    # via tocsin (pyproject.toml)
beta==2.1 ; python_full_version >= '3.12' \\
    --hash=sha256:bb
    # via tocsin (pyproject.toml)
gamma-ray==3.0 \\
    --hash=sha256:ca
    # via alpha
delta==4.0 \\
    --hash=sha256:da
    # via epsilon
"""


def test_what_is_needed_is_needed_all_the_way_down() -> None:
    """A root brings all that it needs, and what these need; nothing else comes along."""
    assert [pin.name for pin in needed(read(TEXT), ["Beta"])] == ["alpha", "beta", "beta", "gamma-ray"]
    assert [pin.name for pin in needed(read(TEXT), ["alpha"])] == ["alpha", "gamma-ray"]


def test_root_that_the_lock_lacks() -> None:
    """A package that is pinned nowhere is named, with the way to pin it."""
    with pytest.raises(
        ImageError, match=r"requirements\.lock has no omega; add it to pyproject\.toml, then `make lock`"
    ):
        needed(read(TEXT), ["alpha", "omega"])


def test_text_is_read_back_as_it_was() -> None:
    """Versions, markers and hashes survive; pip reads the result with --require-hashes."""
    pins = read(TEXT)
    again = read(text_of(pins))

    assert [(str(pin.requirement), pin.hashes) for pin in pins] == [(str(pin.requirement), pin.hashes) for pin in again]
    assert "beta==2.1 ; python_full_version >= '3.12'".replace("'", '"').replace(" ;", ";") in text_of(pins)


def test_markers_are_those_of_the_base() -> None:
    """Of two versions for two Pythons the one of the base's is left, without its marker."""
    fit = fitting(read(TEXT), {"python_full_version": "3.13.1"})

    assert [str(pin.requirement) for pin in fit] == ["alpha==1.0", "beta==2.1", "gamma-ray==3.0", "delta==4.0"]


def test_missing_file_is_named(tmp_path: Path) -> None:
    """A file that is not there is told by its path."""
    with pytest.raises(ImageError, match=r"requirements\.txt: No such file or directory; is this a whole checkout"):
        read_file(tmp_path / "requirements.txt")


@pytest.mark.parametrize("image", OURS.values(), ids=lambda image: image.name)
def test_files_are_in_step_with_the_lock(image: Ours) -> None:
    """`python -m stack.images lock` would change nothing."""
    written = (ROOT / "deploy" / "images" / image.name / "requirements.txt").read_text(encoding="utf-8")

    assert text_of(needed(read_file(ROOT / LOCK), image.requires)) == written


@pytest.mark.parametrize("image", OURS.values(), ids=lambda image: image.name)
def test_image_holds_what_its_code_imports(image: Ours) -> None:
    """Each import leads into the standard library, the image's own sources or a package that is pinned for it."""
    pinned = {pin.name for pin in read_file(ROOT / "deploy" / "images" / image.name / "requirements.txt")}
    providers = importlib.metadata.packages_distributions()
    for module, place in imports_of(image):
        top = module.partition(".")[0]
        if top in sys.stdlib_module_names or any(_within(module, source) for source in image.sources):
            continue
        names = {canonicalize_name(name) for name in providers.get(top, ())}
        assert names & pinned, f"{place} imports {module}, which {image.name} does not hold"


@pytest.mark.parametrize("image", OURS.values(), ids=lambda image: image.name)
def test_image_asks_for_nothing_that_its_code_does_not_import(image: Ours) -> None:
    """Each package that an image requires by name is imported by its code: what fell out of use falls out of the image."""
    tops = {module.partition(".")[0] for module, _ in imports_of(image)}
    providers = importlib.metadata.packages_distributions()
    used = {canonicalize_name(name) for top in tops for name in providers.get(top, ())}

    assert set(image.requires) <= used


def test_every_requirement_is_exact() -> None:
    """No file of pins leaves a version open or a package without a hash."""
    for image in OURS.values():
        for pin in read_file(ROOT / "deploy" / "images" / image.name / "requirements.txt"):
            assert Requirement(str(pin.requirement)).specifier, pin
            assert pin.hashes, pin


def imports_of(image: Ours) -> Iterator[tuple[str, str]]:
    """All absolute imports in an image's sources, and where each is."""
    for source in image.sources:
        for path in files_below(ROOT / source):
            if path.suffix != ".py":
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                place = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
                if isinstance(node, ast.Import):
                    yield from ((alias.name, place) for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module:
                    yield node.module, place


def _within(module: str, source: str) -> bool:
    own = source.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return module == own or (module.startswith(f"{own}.") and not source.endswith(".py"))
