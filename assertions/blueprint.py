"""Blueprint: what a stack should serve, as its generated files say, and what is missing from what it does serve. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Page = Mapping[str, Any]
"""A dashboard in Grafana's classic JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """
    Dashboards by uid, and the names of all rules by who evaluates them (`prometheus`, `grafana`).

    What is not in it is not compared: people may have dashboards and rules beside those that were generated.
    """

    dashboards: Mapping[str, Page] = field(default_factory=dict)
    rules: Mapping[str, Sequence[str]] = field(default_factory=dict)


def rule_name(kind: str, name: str, labels: Mapping[str, str]) -> str:
    """
    What a rule is called so that no other one is: `record slo:sli_bad:rate{window="5s"}`.
    """
    inner = ", ".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
    return f"{kind} {name}{{{inner}}}"


def lost_queries(served: Page, planned: Page) -> Mapping[str, tuple[str, ...] | None]:
    """
    By the titles of the planned panels that lack something: which queries, or None when the whole panel is gone.
    """
    there = {str(panel.get("title", "")): panel for panel in panels(served)}
    lost: dict[str, tuple[str, ...] | None] = {}
    for panel in panels(planned):
        title = str(panel.get("title", ""))
        if title not in there:
            lost[title] = None
        elif missing := [query for query in _queries(panel) if query not in list(_queries(there[title]))]:
            lost[title] = tuple(f"{text} of {source}" for text, source in missing)
    return lost


def panels(page: Page) -> Iterator[Page]:
    """All panels of a dashboard, those within rows too; the rows themselves are none."""
    for panel in page.get("panels", []):
        if panel.get("type") != "row":
            yield panel
        yield from panels(panel)


def text_of(target: Mapping[str, Any]) -> str:
    """What a query asks, in the words of its datasource."""
    return str(target.get("expr") or target.get("query") or target.get("serviceMapQuery") or "")


def source_of(panel: Page, target: Mapping[str, Any]) -> str:
    """The uid of the datasource that a query goes to, maybe a variable; empty for Grafana's default one."""
    return str((target.get("datasource") or panel.get("datasource") or {}).get("uid", ""))


def _queries(panel: Page) -> Iterator[tuple[str, str]]:
    for target in panel.get("targets", []):
        yield text_of(target), source_of(panel, target) or "no datasource"
