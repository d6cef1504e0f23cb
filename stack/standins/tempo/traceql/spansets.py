"""Pipelines over the spans of one trace: filters, structure, aggregates, groups."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from stack.standins.tempo.spans import Span
from stack.standins.tempo.traceql.fields import COMPARISONS, calculate, compile_field, compile_predicate, is_number
from stack.standins.tempo.traceql.structure import related, union
from stack.standins.tempo.traceql.syntax import (
    Aggregate,
    Coalesce,
    Field,
    Filter,
    Group,
    Pipeline,
    Scalar,
    ScalarFilter,
    ScalarOperation,
    Select,
    SpansetOperation,
    Stage,
    Static,
)
from stack.standins.tempo.traceql.syntax import (
    Spanset as SpansetSyntax,
)
from stack.standins.tempo.traces import TraceView


@dataclass(frozen=True, slots=True, kw_only=True)
class Spanset:
    """Spans of one trace that belong together, and what was computed over them."""

    spans: Sequence[Span]
    results: Mapping[Field | Scalar, object] = field(default_factory=dict)


Spansets = Sequence[Spanset]
Evaluate = Callable[[Spansets, TraceView], Spansets]
Choose = Callable[[Sequence[Span], TraceView], Sequence[Span]]


def compile_pipeline(pipeline: Pipeline) -> Callable[[TraceView], Spansets]:
    """
    A function that gives the spansets of a trace that pass a pipeline; none when the trace does not match.
    """
    evaluate = _pipeline(pipeline)
    return lambda view: evaluate((Spanset(spans=view.spans),), view)


def _pipeline(pipeline: Pipeline) -> Evaluate:
    stages = [_stage(stage) for stage in pipeline.stages]

    def evaluate(spansets: Spansets, view: TraceView) -> Spansets:
        for stage in stages:
            spansets = [spanset for spanset in stage(spansets, view) if spanset.spans]
            if not spansets:
                break
        return spansets

    return evaluate


def _stage(stage: Stage) -> Evaluate:
    match stage:
        case Filter() | SpansetOperation():
            return _each(_spans(stage))
        case Pipeline():
            return _pipeline(stage)
        case ScalarFilter():
            return _scalar_filter(stage)
        case Group():
            return _group(stage)
        case Coalesce():
            return _coalesce
        case Select():
            return lambda spansets, view: spansets


def _each(choose: Choose) -> Evaluate:
    return lambda spansets, view: [
        Spanset(spans=choose(spanset.spans, view), results=spanset.results) for spanset in spansets
    ]


def _spans(syntax: SpansetSyntax) -> Choose:
    match syntax:
        case Filter(condition=condition):
            predicate = compile_predicate(condition)
            return lambda spans, view: [span for span in spans if predicate(span, view)]
        case Pipeline():
            evaluate = _pipeline(syntax)
            return lambda spans, view: union(spanset.spans for spanset in evaluate((Spanset(spans=spans),), view))
    return _operation(syntax)


def _operation(operation: SpansetOperation) -> Choose:
    left, right = _spans(operation.left), _spans(operation.right)
    if operation.op == "||":
        return lambda spans, view: union((left(spans, view), right(spans, view)))
    if operation.op == "&&":

        def both(spans: Sequence[Span], view: TraceView) -> Sequence[Span]:
            first, second = left(spans, view), right(spans, view)
            return union((first, second)) if first and second else ()

        return both
    return lambda spans, view: related(operation.op, left(spans, view), right(spans, view), view)


def _scalar_filter(stage: ScalarFilter) -> Evaluate:
    compare = COMPARISONS[stage.op]

    def evaluate(spansets: Spansets, view: TraceView) -> Spansets:
        kept = []
        for spanset in spansets:
            results = dict(spanset.results)
            left, right = (_scalar(side, spanset.spans, view, results) for side in (stage.left, stage.right))
            if compare(left, right):
                kept.append(Spanset(spans=spanset.spans, results=results))
        return kept

    return evaluate


def _scalar(scalar: Scalar, spans: Sequence[Span], view: TraceView, results: dict[Field | Scalar, object]) -> object:
    match scalar:
        case Static(value=value):
            return value
        case ScalarOperation(op=op, left=left, right=right):
            return calculate(op, _scalar(left, spans, view, results), _scalar(right, spans, view, results))
    results[scalar] = _aggregate(scalar, spans, view)
    return results[scalar]


def _aggregate(aggregate: Aggregate, spans: Sequence[Span], view: TraceView) -> object:
    if aggregate.field is None:
        return len(spans)
    getter = compile_field(aggregate.field)
    values: list[float] = [value for span in spans if is_number(value := getter(span, view))]
    if not values:
        return None
    match aggregate.function:
        case "min":
            return min(values)
        case "max":
            return max(values)
        case "sum":
            return sum(values)
    return sum(values) / len(values)


def _group(stage: Group) -> Evaluate:
    getter = compile_field(stage.field)

    def evaluate(spansets: Spansets, view: TraceView) -> Spansets:
        groups: list[Spanset] = []
        for spanset in spansets:
            split: dict[object, list[Span]] = {}
            for span in spanset.spans:
                split.setdefault(getter(span, view), []).append(span)
            groups.extend(
                Spanset(spans=spans, results={**spanset.results, stage.field: key}) for key, spans in split.items()
            )
        return groups

    return evaluate


def _coalesce(spansets: Spansets, view: TraceView) -> Spansets:
    return (Spanset(spans=union(spanset.spans for spanset in spansets)),)
