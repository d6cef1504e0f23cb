"""Check: one question that is judged, by its id and title; it makes its outcome in one of three verdicts. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scenarios.record import Outcome, Rung, Verdict

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """
    One check. What it finds is always said with what was expected; a failure says also where and when, and what to try.
    """

    id: str
    title: str

    def passed(self, *, expected: str, observed: str, facts: Facts | None = None) -> Outcome:
        """It holds."""
        return self._outcome(Verdict.PASS, facts, expected=expected, observed=observed)

    def failed(
        self,
        *,
        expected: str,
        observed: str,
        where: str,
        when: str = "",
        hint: str = "",
        rung: Rung | None = None,
        facts: Facts | None = None,
    ) -> Outcome:
        """Somebody answered, and it is wrong."""
        return self._outcome(
            Verdict.FAIL, facts, expected=expected, observed=observed, where=where, when=when, hint=hint, rung=rung
        )

    def unknown(
        self, *, expected: str, observed: str, hint: str = "see the logs of the stack", facts: Facts | None = None
    ) -> Outcome:
        """It could not be found out, which is never a pass."""
        return self._outcome(Verdict.UNKNOWN, facts, expected=expected, observed=observed, hint=hint)

    def _outcome(self, verdict: Verdict, facts: Facts | None, **parts: Any) -> Outcome:
        return Outcome(id=self.id, title=self.title, verdict=verdict, facts=storable(facts or {}), **parts)


def storable(facts: Facts) -> dict[str, Any]:
    """Facts as JSON can hold them: a number that is none (NaN, infinite) is not known."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in facts.items()
    }
