"""Loader: a YAML file becomes a Scenario, or one clear error that names file, line, what is allowed and what to do."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from scenarios.errors import Problem, ScenarioError, did_you_mean
from scenarios.model import Misfit, Misfits, Scenario
from scenarios.wording import keys_of, say
from scenarios.yamlfile import LARGEST_BYTES, YamlFile

CATALOG = Path(__file__).parent / "catalog"
"""The drills that come with Tocsin."""

SUFFIX = ".drill.yaml"
"""How the name of a drill's file ends."""


def load(path: Path | str) -> Scenario:
    """
    Read one drill. Raises ScenarioError, also when the file cannot be read at all.
    """
    return load_text(_read(Path(path)), source=str(path))


def load_text(text: str, *, source: str = "<text>") -> Scenario:
    """
    Read one drill from its text; `source` is what errors call it.

    Raises ScenarioError. It lists all that is wrong with keys and values, or else all contradictions between them.
    """
    file = YamlFile(text, source=source)
    known = keys_of(Scenario)
    if not set(file.value) & set(known):
        raise file.error(1, f"none of the keys of a drill ({', '.join(known)}); is it the right file?")
    try:
        return Scenario.model_validate(file.value)
    except ValidationError as error:
        problems = (problem for detail in _roots(error.errors()) for problem in _problems(file, detail))
        raise ScenarioError(problems) from error


def catalog() -> list[Path]:
    """
    The files of the drills that come with Tocsin, by name.
    """
    return sorted(CATALOG.glob(f"*{SUFFIX}"))


def find(wanted: Iterable[Path | str]) -> list[Path]:
    """
    The files that are meant: a file is itself, a folder all its drills, and a name is looked up in the catalogue.

    Each file comes once. Raises ScenarioError for what is none of these, with the closest name.
    """
    found = (path for item in wanted for path in _find_one(item))
    return list(dict.fromkeys(found))


def _find_one(item: Path | str) -> Iterator[Path]:
    path = Path(item)
    if path.is_dir():
        drills = sorted(path.glob(f"*{SUFFIX}"))
        if not drills:
            raise _error(item, f"no drills in this folder; a drill's file name ends in {SUFFIX}")
        yield from drills
    elif path.exists():
        yield path
    else:
        yield _by_name(str(item))


def _by_name(name: str) -> Path:
    known = {path.name.removesuffix(SUFFIX): path for path in catalog()}
    stem = Path(name).name.removesuffix(SUFFIX)
    is_bare = Path(name).name == name
    if is_bare and stem in known:
        return known[stem]
    what = "neither a file nor a drill of the catalogue" if is_bare else "no such file"
    raise _error(name, f"{what}; known drills: {', '.join(known)}{did_you_mean(stem, list(known))}")


def _read(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _error(
            path, f"cannot be read: {error.strerror}; name a drill's file or a drill of the catalogue"
        ) from error
    if len(data) > LARGEST_BYTES:
        raise _error(path, f"{len(data)} bytes; a drill has at most {LARGEST_BYTES}; is it the right file?")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        text = f"found the byte 0x{data[error.start]:02x}, which is no UTF-8; save the file as UTF-8"
        raise ScenarioError([Problem(source=str(path), line=line, text=text)]) from error


def _error(source: Path | str, text: str) -> ScenarioError:
    return ScenarioError([Problem(source=str(source), line=0, text=text)])


def _roots(errors: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Without the errors that only follow from another: a list is `too short` when its only item is wrong."""
    places = [error["loc"] for error in errors]
    return [
        error
        for error in errors
        if error["type"] != "too_short" or not any(_within(place, error["loc"]) for place in places)
    ]


def _within(inner: Sequence[int | str], outer: Sequence[int | str]) -> bool:
    return len(inner) > len(outer) and tuple(inner[: len(outer)]) == tuple(outer)


def _problems(file: YamlFile, detail: ErrorDetails) -> Iterator[Problem]:
    """One for each error, or one for each of the things that do not fit together."""
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, Misfits):
        for misfit in cause.misfits:
            yield Problem(source=file.source, line=file.line(misfit.where), text=str(misfit))
        return
    deeper = cause.where if isinstance(cause, Misfit) else ()
    yield Problem(source=file.source, line=file.line([*detail["loc"], *deeper]), text=say(detail))
