"""ScenarioError: a scenario file is wrong; what was found, where, what is allowed, what to do."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Problem:
    """One thing that is wrong; `line` is 0 when it is no line of the file."""

    source: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.source}:{self.line}: {self.text}" if self.line else f"{self.source}: {self.text}"


class ScenarioError(ValueError):
    """
    A scenario cannot be used. Its text has one line for each problem, in the order of the file.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def did_you_mean(word: object, known: Sequence[str]) -> str:
    """
    The end of a message: `; did you mean `x`?` when a known word is close, else nothing.
    """
    close = get_close_matches(str(word).lower(), known, n=1, cutoff=0.6)
    return f"; did you mean `{close[0]}`?" if close else ""
