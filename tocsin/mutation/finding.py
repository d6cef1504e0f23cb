"""Finding: what became of one mutation: how it was tried, and who noticed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from stack.mutations import Mutation

How = Literal["asked", "refused", "drilled", "left out", "nobody"]
"""
`asked`: the backends were asked again once they had loaded the changed file; `refused`: they did not load it; `drilled`: a drill ran
on a stack that lacks it; `left out`: it needs a drill, and none was to run; `nobody`: no expectation that passed is about it.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`noticed_by` names checks that passed before and failed then; `tried` those that should have."""

    mutation: Mutation
    how: How
    tried: tuple[str, ...] = ()
    noticed_by: tuple[str, ...] = ()
    words: str = ""

    @property
    def survived(self) -> bool:
        """Whether the loss of it went unnoticed; what was left out is not known."""
        return self.how != "left out" and not self.noticed_by

    def to_json(self) -> dict[str, Any]:
        """As data that can be kept."""
        return {
            "kind": self.mutation.kind,
            "name": self.mutation.name,
            "how": self.how,
            "noticed_by": list(self.noticed_by),
            "tried": list(self.tried),
            "words": self.words,
        }


def counted(findings: Sequence[Finding]) -> Mapping[str, Mapping[str, int]]:
    """How many of each kind there were, were noticed, survived, or were left out."""
    table: dict[str, dict[str, int]] = {}
    for finding in findings:
        row = table.setdefault(finding.mutation.kind, {"all": 0, "noticed": 0, "survived": 0, "left out": 0})
        row["all"] += 1
        row["left out" if finding.how == "left out" else "survived" if finding.survived else "noticed"] += 1
    return table
