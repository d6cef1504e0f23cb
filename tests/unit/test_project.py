"""The project's own conventions, kept by tests and not by reviewers; all that is read here is the repository itself."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

import tocsin
from tocsin.cli import app

ROOT = Path(tocsin.__file__).parent.parent
PACKAGES = ("tocsin", "scenarios", "demo_app", "stack", "detector", "assertions", "reports")

FOREIGN: Mapping[str, str] = {
    # Written in pieces, so that this file may be searched as well.
    "a path of somebody's machine": r"(?<![\w.-])/(?:wo" r"rk|ro" r"ot|ho" r"me/(?!user/)\w+)/",
    "the number of an issue": r"(?i)\bissue" r"s? *#?\d",
    "a session of somebody's work": r"(?i)\b(?:this|our|earlier|previous|another|last) ses" r"sion\b(?! of pytest)",
    "a registry's host": r"(?i)\b(?:py"
    r"pi\.org|python"
    r"hosted\.org|proxy\.gol"
    r"ang\.org|sum\.gol"
    r"ang\.org|npm"
    r"js\.org"
    r"|gh"
    r"cr\.io|qu"
    r"ay\.io|registry-1\.doc"
    r"ker\.io|deb\.deb"
    r"ian\.org)",
}
"""What may stand in no file: the project speaks of itself alone."""


def _git(*arguments: str) -> list[str]:
    answer = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return answer.stdout.split("\0")[:-1] if answer.returncode == 0 else []


@cache
def tracked(*, and_new: bool = False) -> tuple[Path, ...]:
    """All files of the repository, and if asked for the new ones; without git (an archive of the sources), all that are no leftovers."""
    names = _git("ls-files", "-z", *(["--cached", "--others", "--exclude-standard"] if and_new else []))
    found = [ROOT / name for name in names] if names else [p for p in ROOT.rglob("*") if not _is_hidden(p)]
    return tuple(sorted(path for path in found if path.is_file()))


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") or part in ("__pycache__", "runs") for part in path.relative_to(ROOT).parts)


def files(pattern: str) -> list[Path]:
    """Those whose path matches a pattern."""
    return [path for path in tracked() if path.relative_to(ROOT).match(pattern)]


def modules() -> list[Path]:
    """The Python modules of the packages."""
    return [path for path in files("*.py") if path.relative_to(ROOT).parts[0] in PACKAGES]


def here(path: Path) -> str:
    """A path as the reader of a failure knows it."""
    return str(path.relative_to(ROOT))


@cache
def tree(path: Path) -> ast.Module:
    """A parsed module."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


Function = ast.FunctionDef | ast.AsyncFunctionDef


def public_functions(node: ast.AST) -> Iterator[Function]:
    """Functions and methods that others may call: those without a leading underscore, not within private classes or functions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function) and not child.name.startswith("_"):
            yield child
        elif isinstance(child, ast.ClassDef) and not child.name.startswith("_"):
            yield from public_functions(child)


def test_the_repository_is_not_empty() -> None:
    """Otherwise all other tests here would pass whatever there is."""
    assert len(modules()) > 100
    assert {ROOT / "README.md", ROOT / "requirements.lock"} <= set(tracked())


def test_every_module_says_what_it_is() -> None:
    """In the first line of its docstring; tests and benchmarks too."""
    silent = [path for path in files("*.py") if not ast.get_docstring(tree(path))]

    assert [here(path) for path in silent] == []


def test_public_functions_say_what_they_do() -> None:
    """At least 95 of 100."""
    functions = [(path, function) for path in modules() for function in public_functions(tree(path))]
    silent = [f"{here(path)}:{f.lineno} {f.name}" for path, f in functions if not ast.get_docstring(f)]

    assert len(functions) > 500
    assert len(silent) <= 0.05 * len(functions), silent


def test_every_test_states_the_behaviour_that_it_shows() -> None:
    """In a sentence."""
    silent = [
        f"{here(path)}:{node.lineno} {node.name}"
        for path in files("*.py")
        if path.name.startswith("test_")
        for node in ast.walk(tree(path))
        if isinstance(node, Function) and node.name.startswith("test_") and not ast.get_docstring(node)
    ]

    assert silent == []


def test_no_test_waits_for_a_fixed_time() -> None:
    """It asks until a deadline; a pause between two questions is no more than a second."""
    long = [
        f"{here(path)}:{node.lineno}"
        for path in files("*.py")
        if path.relative_to(ROOT).parts[0] == "tests"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("time.sleep", "sleep", "asyncio.sleep")
        and isinstance(node.args[0] if node.args else None, ast.Constant)
        and float(ast.literal_eval(node.args[0])) > 1
    ]

    assert long == []


@pytest.mark.parametrize("what", FOREIGN)
def test_the_project_speaks_of_itself_alone(what: str) -> None:
    """No file tells where, by whom or with which machines it was made."""
    pattern = re.compile(FOREIGN[what])
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [
            f"{here(path)}:{n} {line.strip()[:80]}"
            for n, line in enumerate(text.splitlines(), 1)
            if pattern.search(line)
        ]

    assert found == []


@pytest.mark.parametrize(
    ("what", "letter", "text"),
    [
        ("a path of somebody's machine", "w", "see /~ork/main/README.md"),
        ("a path of somebody's machine", "r", "in '/~oot/.cache'"),
        ("the number of an issue", "i", "as ~ssue 12 says"),
        ("a session of somebody's work", "s", "in an earlier ~ession"),
        ("a registry's host", "p", "from https://~ypi.org/simple"),
    ],
)
def test_the_search_finds_what_it_is_for(what: str, letter: str, text: str) -> None:
    """A pattern with a slip would find nothing, and the test above would pass."""
    # One letter is left out above, or this file itself would be found.
    assert re.search(FOREIGN[what], text.replace("~", letter))


def test_dependencies_are_pinned_with_hashes_and_without_addresses() -> None:
    """Whoever installs them gets the same bytes from whichever mirror he uses."""
    text = (ROOT / "requirements.lock").read_text()
    blocks = re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).strip())

    assert len(blocks) > 50
    for block in blocks:
        assert re.match(r"[A-Za-z0-9._-]+(\[[^]]+\])?==\S+", block), block.splitlines()[0]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block.splitlines()[0]
    assert not re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host", text)


def test_every_dependency_is_in_the_lock() -> None:
    """`make lock` was run after the last change of pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {re.split(r"[\[<>=!~; ]", line)[0].lower().replace("_", "-") for line in wanted}
    locked = set(re.findall(r"^([a-z0-9._-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE))

    assert sorted(names - locked) == []


def test_the_version_is_one() -> None:
    """What is installed and what `tocsin --version` prints."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project["version"] == tocsin.__version__


def test_the_changelog_has_a_place_for_what_comes_next() -> None:
    """And an entry for the version at hand, once that is released."""
    text = (ROOT / "CHANGELOG.md").read_text()

    assert "\n## [Unreleased]\n" in text
    for kind in re.findall(r"^### (.*)$", text, re.MULTILINE):
        assert kind in ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")


def test_the_architecture_fits_on_a_page() -> None:
    """Or nobody reads it."""
    assert len((ROOT / "ARCHITECTURE.md").read_text().splitlines()) <= 60


def links(path: Path) -> Iterator[tuple[int, str]]:
    """The relative links and pictures of a Markdown file, by line; what is in code is none."""
    in_code = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        in_code ^= line.startswith("```")
        if not in_code:
            for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", line)):
                if not re.match(r"[a-z]+:", target):
                    yield number, target


def anchors(path: Path) -> set[str]:
    """The headings of a Markdown file, as GitHub links to them."""
    titles = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def _is_broken(path: Path, target: str) -> bool:
    file, _, anchor = unquote(target).partition("#")
    there = (path.parent / file).resolve() if file else path
    if not there.exists() or not there.is_relative_to(ROOT):
        return True
    return bool(anchor) and there.suffix == ".md" and anchor not in anchors(there)


def test_every_link_of_the_documentation_leads_somewhere() -> None:
    """To a file of the repository, and to a heading that is there."""
    found = [(path, number, target) for path in files("*.md") for number, target in links(path)]
    broken = [f"{here(path)}:{number} {target}" for path, number, target in found if _is_broken(path, target)]

    assert len(found) > 10
    assert broken == []


def commands_named(text: str) -> list[str]:
    """Every COMMAND of `tocsin COMMAND` in code."""
    return re.findall(r"(?:`|^\$ (?:\S+/)?|\brun: (?:\S+/)?)tocsin ([a-z][a-z-]*)", text, re.MULTILINE)


def test_every_command_that_is_written_about_exists() -> None:
    """Documentation and messages name only what there is."""
    known = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    texts = [*files("*.md"), *files("catalog/*.yaml"), *files("workflows/*.yaml"), *modules()]
    named = [(path, name) for path in texts for name in commands_named(path.read_text(encoding="utf-8"))]

    assert len(named) > 20
    assert [f"{here(path)}: tocsin {name}" for path, name in named if name not in known] == []


def test_every_command_is_written_about() -> None:
    """In the README or the pages that it leads to."""
    known = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    text = (ROOT / "README.md").read_text()
    table = {
        name for cell in re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE) for name in re.findall(r"[a-z]+", cell)
    }

    assert sorted(known - table) == []
