"""One evaluation of one rule: ask, compute, and say what state each instance is in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stack.standins.grafana.alerting.states import Outcome, State
from stack.standins.grafana.expressions.threshold import Threshold
from stack.standins.grafana.expressions.values import ExpressionError, Number, Values
from stack.standins.grafana.frames import values_of
from stack.standins.grafana.gonumber import plain
from stack.standins.grafana.labels import Labels, comma_separated, covers
from stack.standins.grafana.plan import Span, plan
from stack.standins.grafana.prometheus import Prometheus, QueryFailed, Unreachable
from stack.standins.grafana.provisioning.datasources import PROMETHEUS, Datasource
from stack.standins.grafana.provisioning.rules import Query, Rule

NOT_REDUCED = (
    "invalid format of evaluation results for the alert definition {}: looks like time series data, only reduced data"
    " can be alerted on."
)


class EvaluationFailed(Exception):
    """A rule could not be evaluated; `ref` names the query when one is to blame."""

    def __init__(self, text: str, ref: str = "") -> None:
        super().__init__(text)
        self.ref = ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluator:
    """Evaluates rules against the datasources by uid."""

    prometheus: Prometheus
    datasources: Mapping[str, Datasource]

    async def results(
        self, queries: Sequence[Query], at_s: float, active: Mapping[str, Sequence[str]] | None = None
    ) -> Mapping[str, Values]:
        """
        The result of each query and expression (given in order); `active` are the fingerprints that hysteresis needs.
        """
        found: dict[str, Values] = {}
        for query in queries:
            if query.command is None:
                found[query.ref] = await self._ask(query, at_s)
                continue
            command = query.command
            if isinstance(command, Threshold):
                command = command.with_active((active or {}).get(query.ref, ()))
            found[query.ref] = _apply(query, command.apply, found)
        return found

    async def evaluate(self, rule: Rule, at_s: float, active: Sequence[str] = ()) -> Sequence[Outcome]:
        """
        The outcomes of one rule at a tick; a failure is one outcome too.
        """
        try:
            results = await self.results(rule.order, at_s, {query.ref: active for query in rule.queries})
            return outcomes(rule, results)
        except EvaluationFailed as error:
            return [Outcome(labels={}, state=State.ERROR, error=str(error), failed_ref=error.ref)]

    async def _ask(self, query: Query, at_s: float) -> Values:
        datasource = self.datasources.get(query.datasource_uid)
        if datasource is None:
            raise EvaluationFailed(f"failed to build query '{query.ref}': data source not found")
        if datasource.type != PROMETHEUS:
            raise EvaluationFailed(
                f"failed to build query '{query.ref}': type {datasource.type!r} is not supported here"
            )
        span = Span(from_s=at_s - query.from_s, to_s=at_s - query.to_s)
        planned = plan(query.ref, query.model, datasource, span)
        try:
            return values_of(planned, await self.prometheus.ask(datasource, planned, span))
        except QueryFailed as error:
            raise EvaluationFailed(f"failed to execute query {query.ref}: {error}", query.ref) from error
        except Unreachable as error:
            raise EvaluationFailed(f"[plugin.downstreamError] {error}") from error


def outcomes(rule: Rule, results: Mapping[str, Values]) -> Sequence[Outcome]:
    """
    What the results say about each instance: no data anywhere is no data, else one outcome per number of the condition.
    """
    if rule.condition not in results:
        raise EvaluationFailed(f"condition {rule.condition} does not exist, must be one of [{' '.join(results)}]")
    missing = _no_data(rule, results)
    if missing:
        return missing
    condition = results[rule.condition]
    if len(condition.numbers()) != len(condition.items):
        raise EvaluationFailed(NOT_REDUCED.format(rule.condition))
    return [_outcome(rule, item, condition, results) for item in condition.numbers()]


def _apply(query: Query, apply: object, found: Mapping[str, Values]) -> Values:
    assert callable(apply)
    try:
        result = apply(found)
    except ExpressionError as error:
        if "looks like time series" in str(error):
            raise EvaluationFailed(NOT_REDUCED.format(query.ref)) from error
        raise EvaluationFailed(f"failed to execute expression {query.ref}: {error}", query.ref) from error
    assert isinstance(result, Values)
    return result


def _no_data(rule: Rule, results: Mapping[str, Values]) -> Sequence[Outcome]:
    refs: dict[str, list[str]] = {}
    for query in rule.queries:
        if results[query.ref].empty:
            refs.setdefault(query.datasource_uid, []).append(query.ref)
    return [
        Outcome(labels={"datasource_uid": uid, "ref_id": ",".join(sorted(found))}, state=State.NO_DATA)
        for uid, found in refs.items()
    ]


def _outcome(rule: Rule, item: Number, condition: Values, results: Mapping[str, Values]) -> Outcome:
    value = item.value
    if value is None or value != value:
        state = State.NO_DATA if value is None else State.ALERTING
    else:
        state = State.ALERTING if value else State.NORMAL
    captured = _captured(item.labels, results)
    if condition.matches is not None:
        captured = _classic_captured(rule.condition, item, condition.matches)
    return Outcome(
        labels=item.labels,
        state=state,
        values={name: number for name, (_, number) in captured.items()},
        value_string=", ".join(_shown(name, *captured[name]) for name in sorted(captured)),
    )


def _captured(labels: Labels, results: Mapping[str, Values]) -> dict[str, tuple[Labels, float]]:
    found = {}
    for ref, values in results.items():
        for number in values.numbers():
            if covers(labels, number.labels):
                found[ref] = (number.labels, float("nan") if number.value is None else number.value)
    return found


def _classic_captured(
    ref: str, item: Number, matches: Sequence[Mapping[str, object]]
) -> dict[str, tuple[Labels, float]]:
    found: dict[str, tuple[Labels, float]] = {}
    for index, match in enumerate(matches):
        labels, value = match["labels"], match["value"]
        if isinstance(value, int | float):
            found[f"{ref}{index}"] = (labels if isinstance(labels, Mapping) else {}, float(value))
    return found


def _shown(name: str, labels: Labels, value: float) -> str:
    return f"[ var='{name}' labels={{{comma_separated(labels)}}} value={plain(value)} ]"
