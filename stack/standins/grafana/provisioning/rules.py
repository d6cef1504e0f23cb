"""Alert rules: the values, with what their expressions and templates were parsed to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from stack.standins.grafana.expressions.reading import EXPRESSION_UIDS, Command
from stack.standins.grafana.notify.routes import Timing

NO_DATA_STATES = ("NoData", "Alerting", "OK", "KeepLast")
ERROR_STATES = ("Error", "Alerting", "OK", "KeepLast")
DASHBOARD, PANEL = "__dashboardUid__", "__panelId__"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One step of a rule: a query of a datasource, or an expression with its command."""

    ref: str
    datasource_uid: str
    from_s: float
    to_s: float
    model: Mapping[str, object] = field(repr=False)
    command: Command | None = None

    @property
    def is_expression(self) -> bool:
        """
        Whether it is computed here and not asked of a datasource.
        """
        return self.datasource_uid in EXPRESSION_UIDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Direct:
    """Where a rule sends its alerts past the policy tree."""

    receiver: str
    timing: Timing


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One alert rule; durations in seconds."""

    id: int
    uid: str
    title: str
    group: str
    folder: str
    folder_uid: str
    interval_s: float
    condition: str
    queries: Sequence[Query]
    for_s: float = 0.0
    keep_firing_s: float = 0.0
    missing_evaluations: int = 2
    no_data_state: str = "NoData"
    error_state: str = "Error"
    paused: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    direct: Direct | None = None
    updated_s: float = 0.0

    @property
    def order(self) -> Sequence[Query]:
        """
        The queries, each after those that it reads.
        """
        return ordered(self.queries)

    @property
    def shown_query(self) -> str:
        """
        The PromQL of the rule, as the rules API shows it.
        """
        texts = [str(query.model.get("expr", "")) for query in self.queries if not query.is_expression]
        return " | ".join(texts)


def ordered(queries: Sequence[Query]) -> Sequence[Query]:
    """
    The queries, each after those that it reads; ValueError for a cycle or an unknown refId.
    """
    known = {query.ref: query for query in queries}
    found: dict[str, Query] = {}
    underway: set[str] = set()

    def visit(query: Query) -> None:
        if query.ref in found:
            return
        if query.ref in underway:
            raise ValueError(f"expression {query.ref} reads itself")
        underway.add(query.ref)
        for ref in query.command.refs if query.command else ():
            if ref not in known:
                raise ValueError(f"expression {query.ref} reads {ref!r}, which is no query; known: {', '.join(known)}")
            visit(known[ref])
        found[query.ref] = query

    for query in queries:
        visit(query)
    return list(found.values())
