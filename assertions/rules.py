"""Rules: all that were generated are loaded, and each can be evaluated. Judging is pure."""

from collections.abc import Sequence

from assertions.blueprint import rule_name
from assertions.check import Check
from assertions.evidence import Evidence, Rulebook
from assertions.grafana import Grafana
from assertions.prometheus import Prometheus, Rule
from assertions.wording import count, listed
from scenarios.model import Rules
from scenarios.record import Outcome, Rung

BAD_HEALTH = "err"


def gather(source: Prometheus | Grafana, planned: Sequence[str]) -> Rulebook:
    """
    What is loaded, compared with what was planned. Raises BackendError.
    """
    loaded = source.rules()
    if isinstance(source, Prometheus):
        loaded += source.rules(kind="record")
    names = {_name(rule) for rule in loaded}
    return Rulebook(
        loaded=len(loaded),
        missing=tuple(name for name in planned if name not in names),
        failing=tuple(f"{_name(rule)}: {rule.last_error}" for rule in loaded if rule.health == BAD_HEALTH),
    )


def judge(item: Rules, check: Check, evidence: Evidence) -> Outcome:
    """
    FAIL with the names of what is missing, else of what cannot be evaluated; UNKNOWN when nobody could be asked.
    """
    expected = "every rule that was generated, and each can be evaluated"
    book = evidence.rulebooks.get(check.id)
    if book is None:
        reason = evidence.problems.get(item.source, f"{item.source} was not asked")
        return check.unknown(expected=expected, observed=reason)
    facts = {"loaded": book.loaded, "missing": list(book.missing), "failing": list(book.failing)}
    if book.loaded and not book.missing and not book.failing:
        return check.passed(expected=expected, observed=f"{count(book.loaded, 'rule')}, all in order", facts=facts)
    observed, hint = _flaw(book)
    return check.failed(
        expected=expected,
        observed=observed,
        where=f"the rules of {item.source}",
        rung=Rung.NOT_EVALUATED,
        hint=hint,
        facts=facts,
    )


def _flaw(book: Rulebook) -> tuple[str, str]:
    if not book.loaded:
        return "no rule at all is loaded", "is the rule file where it is looked for? see the log"
    if book.missing:
        return f"not loaded: {listed(book.missing)}", "was the file changed by hand? generate the rules anew"
    return f"cannot be evaluated: {listed(book.failing)}", "mend the rule; the message is the backend's own"


def _name(rule: Rule) -> str:
    return rule_name(rule.kind, rule.name, rule.labels)
