"""Record: everything of one run, as judged; what `record.json` holds and reports draw."""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from scenarios.history import write_json

FORMAT = 1
"""The version of the record's format."""


class Verdict(StrEnum):
    """What became of an expectation. UNKNOWN means that it could not be found out: never a pass."""

    PASS = "PASS"  # noqa: S105 - no password
    FAIL = "FAIL"
    UNKNOWN = "UNKNOWN"

    @classmethod
    def worst(cls, verdicts: Sequence["Verdict"]) -> "Verdict":
        """FAIL outweighs UNKNOWN, which outweighs PASS; of nothing, nothing is known."""
        for verdict in (cls.FAIL, cls.UNKNOWN):
            if verdict in verdicts:
                return verdict
        return cls.PASS if verdicts else cls.UNKNOWN


class Rung(StrEnum):
    """Where on its way a signal died."""

    FAULT_NOT_APPLIED = "FAULT_NOT_APPLIED"
    NOT_EMITTED = "NOT_EMITTED"
    NOT_COLLECTED = "NOT_COLLECTED"
    NOT_STORED = "NOT_STORED"
    NOT_EVALUATED = "NOT_EVALUATED"
    NOT_NOTIFIED = "NOT_NOTIFIED"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Outcome(_Value):
    """
    What one check found. The five parts of a failure: `expected`, `observed`, `where`, `when`, `hint` (what to try).

    `facts` are the figures behind it, for reports and comparisons (seconds end in `_s`).
    """

    id: str
    title: str
    verdict: Verdict
    expected: str = ""
    observed: str = ""
    where: str = ""
    when: str = ""
    hint: str = ""
    rung: Rung | None = None
    facts: Mapping[str, Any] = {}

    def message(self) -> str:
        """One paragraph for a terminal or a test's failure."""
        head = f"{self.title}: expected {self.expected}, observed {self.observed}"
        tail = [f"[{self.rung}]" if self.rung else "", self.where and f"in {self.where}", self.when]
        line = ", ".join([head, *(part for part in tail if part)])
        return f"{line}; {self.hint}" if self.hint else line


class Part(_Value):
    """One component of the stack, as it ran."""

    name: str
    version: str
    stand_in: bool = False
    detail: str = ""


class Record(_Value):
    """One drill: what was to be done, on what, and each outcome."""

    format: int = FORMAT
    run_id: str
    scenario: Mapping[str, Any]
    source: str = ""
    started_t: float
    ended_t: float
    runtime: str
    profile: str
    parts: tuple[Part, ...]
    outcomes: tuple[Outcome, ...]
    tocsin_version: str = ""
    problem: str = ""

    @property
    def verdict(self) -> Verdict:
        """The worst of all outcomes; a drill that ended with a problem is never better than UNKNOWN."""
        verdicts = [outcome.verdict for outcome in self.outcomes]
        return Verdict.worst([*verdicts, Verdict.UNKNOWN] if self.problem or not verdicts else verdicts)

    @classmethod
    def read(cls, path: Path) -> "Record":
        """Read `record.json`. Raises OSError or ValueError."""
        return cls.model_validate(json.loads(path.read_text(encoding="utf-8")))

    def save(self, path: Path) -> None:
        """Write `record.json`, whole or not at all."""
        write_json(path, self.model_dump(mode="json"))
