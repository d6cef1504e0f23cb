"""Snippets: what the documentation shows in blocks of code, and where it stands."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.unit.test_project import ROOT, files, here


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """One block of code in a Markdown file; `line` is that of its first line."""

    path: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{here(self.path)}:{self.line}"

    def commands(self) -> list[str]:
        """What follows a `$ `: the rest of a block of `console` is output."""
        joined = self.text.replace("\\\n", "")
        return [line.removeprefix("$ ") for line in joined.splitlines() if line.startswith("$ ")]


def snippets(*languages: str) -> list[Snippet]:
    """All blocks of these languages in all Markdown files of the project."""
    paths = {*files("*.md"), *(ROOT / "docs").rglob("*.md")}
    return [one for path in sorted(paths) for one in _of(path) if one.language in languages]


def _of(path: Path) -> Iterator[Snippet]:
    text = path.read_text(encoding="utf-8")
    for found in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        line = text.count("\n", 0, found.start(2)) + 1
        yield Snippet(path=path, line=line, language=found[1], text=found[2])
