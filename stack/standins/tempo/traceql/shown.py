"""Which fields of a matching span a search shows: those that the query's conditions found true of it, and selected ones."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from stack.standins.tempo.spans import Span
from stack.standins.tempo.traceql.check import references
from stack.standins.tempo.traceql.fields import Getter, Predicate, compile_field, compile_predicate
from stack.standins.tempo.traceql.syntax import (
    Attribute,
    Binary,
    Field,
    Filter,
    Group,
    Intrinsic,
    Pipeline,
    Query,
    ScalarFilter,
    Select,
    SpansetOperation,
    Stage,
    Static,
    Type,
    Unary,
)
from stack.standins.tempo.traces import TraceView

COMPARISONS = {"=", "!=", "<", "<=", ">", ">=", "=~", "!~"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A field to show; `when` it is true of the span, or always with None."""

    field: Attribute | Intrinsic
    getter: Getter
    when: Predicate | None

    @property
    def type(self) -> Type:
        """The field's type."""
        return self.field.type if isinstance(self.field, Intrinsic) else Type.ATTRIBUTE


def shown_fields(query: Query) -> Sequence[Shown]:
    """
    The fields that a query reads, in order; of a metrics query also what it measures and groups by.
    """
    found = list(_of_stage(query.pipeline))
    if query.metric is not None:
        fields = (*((query.metric.field,) if query.metric.field else ()), *query.metric.by)
        found.extend(_always(reference) for field in fields for reference in references(field))
    return found


def values(shown: Sequence[Shown], span: Span, view: TraceView) -> dict[Attribute | Intrinsic, tuple[object, Type]]:
    """
    What to show of one span, each field once.
    """
    result: dict[Attribute | Intrinsic, tuple[object, Type]] = {}
    for item in shown:
        if item.field not in result and (item.when is None or item.when(span, view)):
            result[item.field] = (item.getter(span, view), item.type)
    return result


def _of_stage(stage: Stage) -> Iterator[Shown]:
    match stage:
        case Filter(condition=condition):
            yield from _of_condition(condition)
        case SpansetOperation(left=left, right=right):
            yield from _of_stage(left)
            yield from _of_stage(right)
        case Pipeline(stages=stages):
            for inner in stages:
                yield from _of_stage(inner)
        case Select(fields=fields):
            yield from (_always(reference) for field in fields for reference in references(field))
        case Group() | ScalarFilter():
            return


def _of_condition(condition: Field) -> Iterator[Shown]:
    match condition:
        case Binary(op=op, left=left, right=right) if op in COMPARISONS:
            sides = [side for side in (left, right) if isinstance(side, Attribute | Intrinsic)]
            simple = len(sides) == 1 and isinstance(left, Static) | isinstance(right, Static)
            for reference in references(condition):
                yield _when(reference, condition) if simple else _if_present(reference)
        case Binary(left=left, right=right):
            yield from _of_condition(left)
            yield from _of_condition(right)
        case Unary(operand=operand):
            yield from _of_condition(operand)
        case Attribute() | Intrinsic():
            yield _if_present(condition)


def _always(field: Attribute | Intrinsic) -> Shown:
    return Shown(field=field, getter=compile_field(field), when=None)


def _when(field: Attribute | Intrinsic, condition: Field) -> Shown:
    return Shown(field=field, getter=compile_field(field), when=compile_predicate(condition))


def _if_present(field: Attribute | Intrinsic) -> Shown:
    getter = compile_field(field)
    return Shown(field=field, getter=getter, when=lambda span, view: getter(span, view) is not None)
