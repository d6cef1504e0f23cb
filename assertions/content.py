"""Content: what the notification of an alert says, and where it leads. Pure."""

import re
from collections.abc import Iterator

from assertions.ordeal import Ordeal, Problem
from assertions.wording import listed
from scenarios.history import Notification

_UNRENDERED = re.compile(r"\{\{[^{}]*\}\}|<no value>|\[no value\]|<error expanding template[^>]*>?|%!\w*\([^)]*\)?")
"""What stands in a text where a template could not be filled in, by Prometheus, Grafana and Go."""


def said(ordeal: Ordeal) -> Iterator[Problem]:
    """
    What is wrong with the notifications: a text that was not filled in, another text than expected, a link that leads nowhere.
    """
    notice = ordeal.life.notice
    if notice is None or not ordeal.alert.notified:
        return
    for told in ordeal.life.told:
        yield from _unrendered(ordeal, told)
    yield from _texts(ordeal, notice)
    if ordeal.alert.links:
        yield from _links(ordeal)


def fits(text: str, pattern: str) -> bool:
    """Whether a whole text is as a pattern says; `*` stands for any letters, everything else for itself."""
    parts = map(re.escape, pattern.split("*"))
    return re.fullmatch(".*".join(parts), text, re.DOTALL) is not None


def _unrendered(ordeal: Ordeal, told: Notification) -> Iterator[Problem]:
    for name, text in {**told.annotations, **told.labels}.items():
        if found := _UNRENDERED.search(text):
            yield Problem(
                expected="texts whose templates are filled in",
                observed=f"{name} of the notification that it is {told.status} says {text!r}",
                where=ordeal.source,
                hint=f"what does {found[0]} ask for? the rule's query gives no such label or value",
            )


def _texts(ordeal: Ordeal, notice: Notification) -> Iterator[Problem]:
    for name, pattern in ordeal.alert.annotations.items():
        text = notice.annotations.get(name)
        if text is None or not fits(text, pattern):
            has = listed(sorted(notice.annotations)) or "none"
            yield Problem(
                expected=f"a notification whose {name} is {pattern!r}",
                observed=f"it has no {name}; it has: {has}" if text is None else f"it is {text!r}",
                where=ordeal.teller,
                hint="is the annotation of the rule right, and is it about the right service?",
            )


def _links(ordeal: Ordeal) -> Iterator[Problem]:
    expected = f"links that lead somewhere: {listed(ordeal.alert.links)}"
    if ordeal.leads is None:
        reason = ordeal.evidence.problems.get("leads", "nobody followed them")
        yield Problem(expected=expected, observed=reason, where=ordeal.teller, hint="", known=False)
        return
    by_name = {link.name: link for link in ordeal.leads}
    for name in ordeal.alert.links:
        link = by_name.get(name)
        if link is None:
            has = listed([one.name for one in ordeal.leads]) or "none"
            observed, known = f"the notification has no link to its {name}; it has: {has}", True
        elif link.problem:
            observed, known = f"its {name} {link.url} {link.problem}", link.followed
        else:
            continue
        yield Problem(
            expected=expected,
            observed=observed,
            where=ordeal.teller,
            hint="whoever is paged at night follows it: is what it names there, and is the address one for people?",
            known=known,
        )
